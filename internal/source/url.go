package source

import (
	"encoding/base64"
	"net/url"
	"strings"

	"manito/internal/problem"
)

// remote is a git repository behind a URL.
type remote struct {
	url   string   // as git is given it
	shown string   // as people may see it and as it is stored
	env   []string // the secrets that were in the URL, for git alone
	proto string   // the transport to allow
	path  string   // for file URLs, the path on this machine; "" otherwise
}

// looksLikeURL tells whether a location that is no path here means a git URL.
func looksLikeURL(location string) bool {
	if strings.Contains(location, "://") || strings.Contains(beforeSlash(location), "::") {
		return true
	}
	host, path, ok := strings.Cut(location, ":")
	// host:path, but not C:\path
	return ok && len(host) > 1 && path != "" && !strings.ContainsAny(host, "/\\")
}

func beforeSlash(s string) string {
	s, _, _ = strings.Cut(s, "/")
	return s
}

// parseRemote checks a git URL and takes the secrets out of it: arguments can be
// seen by every user of the machine.
func parseRemote(location string) (remote, error) {
	refuse := func(why string) (remote, error) {
		return remote{}, problem.New(problem.Usage, "%s is no git URL that can be used: %s", redact(location), why).
			Fix("use https://host/path, ssh://user@host/path or user@host:path")
	}
	for _, c := range location {
		if c < ' ' || c == 0x7f {
			return refuse("it holds a control character")
		}
	}
	switch {
	case strings.HasPrefix(location, "-"):
		return refuse("it begins with a dash")
	case strings.Contains(beforeSlash(location), "::"):
		return remote{}, problem.New(problem.Unsupported, "git's remote helpers (%s) are not used: they run other programs", beforeSlash(location)).
			Fix("use https, ssh or git")
	case !strings.Contains(location, "://"):
		host, path, _ := strings.Cut(location, ":")
		if i := strings.LastIndexByte(host, '@'); strings.HasPrefix(host, "-") || strings.HasPrefix(host[i+1:], "-") {
			return refuse("its host begins with a dash")
		}
		if strings.HasPrefix(path, "-") {
			return refuse("its path begins with a dash")
		}
		return remote{url: location, shown: location, proto: "ssh"}, nil
	}
	u, err := url.Parse(location)
	if err != nil {
		return refuse("it cannot be read")
	}
	r := remote{proto: strings.ToLower(u.Scheme)}
	if r.proto == "file" {
		if u.Host != "" && u.Host != "localhost" {
			return refuse("a file URL names no host")
		}
		r.path, r.shown = u.Path, u.String()
		return r, nil
	}
	if u.Hostname() == "" || strings.HasPrefix(u.Hostname(), "-") || u.User != nil && strings.HasPrefix(u.User.Username(), "-") {
		return refuse("its host or user is missing or begins with a dash")
	}
	switch r.proto {
	case "http", "https":
		r.takeSecret(u)
	case "ssh", "git":
		if u.User != nil {
			u.User = url.User(u.User.Username()) // ssh takes no password from a URL
		}
	default:
		return remote{}, problem.New(problem.Unsupported, "git URLs of the kind %q are not used", u.Scheme+"://").Fix("use https, http, ssh or git")
	}
	r.url = u.String()
	r.shown = withoutPassword(r.url)
	return r, nil
}

// takeSecret moves the user information of an http URL into the environment. A
// name alone may be an account's, which credential helpers want to know, or a
// token, which is longer.
func (r *remote) takeSecret(u *url.URL) {
	if u.User == nil {
		return
	}
	password, has := u.User.Password()
	user := u.User.Username()
	if !has && len(user) < 20 {
		return
	}
	u.User = nil
	secret := base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
	r.env = []string{
		"GIT_CONFIG_COUNT=1",
		"GIT_CONFIG_KEY_0=http." + u.Scheme + "://" + u.Host + "/.extraHeader",
		"GIT_CONFIG_VALUE_0=Authorization: Basic " + secret,
	}
}
