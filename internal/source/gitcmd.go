package source

import (
	"bytes"
	"context"
	"errors"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"time"

	"manito/internal/problem"
)

// gitCommand runs git (2.31 or newer) with everything switched off that a repository or a server
// could use to run something, to ask something or to reach elsewhere.
type gitCommand struct {
	isolated  bool     // read neither the user's nor the system's configuration
	protocols string   // colon-separated transports that are allowed, "" none
	env       []string // more environment, such as credentials that must not stand in the arguments
}

// gitSettings are the variables set for every command.
var gitSettings = [...]string{
	"core.hooksPath=" + os.DevNull,
	"core.fsmonitor=false",
	"core.alternateRefsCommand=",
	"core.askPass=",
	"credential.interactive=false",
	"gc.autoDetach=false", // what git starts must end with it
	"maintenance.autoDetach=false",
	"fetch.recurseSubmodules=false",
	"submodule.recurse=false",
	"protocol.ext.allow=never",
	"advice.detachedHead=false",
}

// gitKill is how long git's pipes may stay open after it was told to end.
const gitKill = 5 * time.Second

// command prepares a git command in a repository's directory; "" is none.
func (g gitCommand) command(ctx context.Context, dir string, args ...string) *exec.Cmd {
	all := make([]string, 0, 2*len(gitSettings)+len(args)+4)
	for _, setting := range gitSettings {
		all = append(all, "-c", setting)
	}
	all = append(all, "--no-pager")
	cmd := exec.CommandContext(ctx, "git", append(all, args...)...)
	cmd.Dir = dir
	cmd.Env = g.environment()
	cmd.WaitDelay = gitKill
	ownProcessGroup(cmd)
	return cmd
}

// environment is the process's own without what would point git elsewhere, as
// Manito may itself run from a git hook.
func (g gitCommand) environment() []string {
	keep := map[string]bool{
		"GIT_SSH": true, "GIT_SSH_COMMAND": true, "GIT_SSH_VARIANT": true, "GIT_SSL_CAINFO": true, "GIT_SSL_CAPATH": true,
		"GIT_SSL_NO_VERIFY": true, "GIT_PROXY_COMMAND": true, "GIT_EXEC_PATH": true, "GIT_CONFIG_NOSYSTEM": true,
		"GIT_CONFIG_SYSTEM": true, "GIT_CONFIG_GLOBAL": true,
	}
	var env []string
	for _, e := range os.Environ() {
		name, _, _ := strings.Cut(e, "=")
		if strings.HasPrefix(name, "GIT_") && !keep[name] {
			continue
		}
		env = append(env, e)
	}
	env = append(env,
		"LC_ALL=C", "LANGUAGE=", // the messages are read
		"GIT_TERMINAL_PROMPT=0", "GIT_ASKPASS=", "SSH_ASKPASS=", "GCM_INTERACTIVE=never",
		"GIT_OPTIONAL_LOCKS=0", "GIT_NO_LAZY_FETCH=1", "GIT_NO_REPLACE_OBJECTS=1", "GIT_ADVICE=0",
		"GIT_ALLOW_PROTOCOL="+g.protocols,
	)
	if g.isolated {
		env = append(env, "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_SYSTEM="+os.DevNull)
	}
	return append(env, g.env...)
}

// output runs git and returns what it printed.
func (g gitCommand) output(ctx context.Context, dir string, args ...string) ([]byte, error) {
	cmd := g.command(ctx, dir, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return nil, gitFailure(ctx, args[0], errs.String(), err)
	}
	return out.Bytes(), nil
}

// errNoSuchRef is the cause of a failure to find a revision.
var errNoSuchRef = errors.New("no such revision")

// gitFailure turns a failed command into a problem, by what git said.
func gitFailure(ctx context.Context, verb, said string, err error) error {
	if cause := context.Cause(ctx); ctx.Err() != nil {
		kind := problem.Interrupted
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			kind = problem.Unavailable
		}
		return problem.Wrap(cause, kind, "git %s was stopped", verb)
	}
	if errors.Is(err, exec.ErrNotFound) {
		return problem.New(problem.Unsupported, "git is not installed, and this repository cannot be read without it").
			Fix("install git (apt install git, dnf install git, brew install git)").
			Fix("scan a folder or an archive instead").Because(err)
	}
	said = redact(strings.TrimSpace(said))
	has := func(parts ...string) bool {
		for _, p := range parts {
			if strings.Contains(said, p) {
				return true
			}
		}
		return false
	}
	message := lastLine(said)
	switch {
	case has("couldn't find remote ref", "Remote branch", "not our ref", "unadvertised object"):
		return problem.New(problem.NotFound, "the repository has no such revision").Because(errNoSuchRef)
	case has("Authentication failed", "could not read Username", "could not read Password", "Permission denied", "terminal prompts disabled", "error: 403", "error: 401"):
		return problem.New(problem.Denied, "the git server did not let us in").Because(errors.New(message)).
			Fix("for https, set up a credential helper or put a token into the URL").
			Fix("for ssh, load the key into ssh-agent")
	case has("Host key verification failed"):
		return problem.New(problem.Denied, "the git server's key is not known").Because(errors.New(message)).
			Fix("connect to it once with ssh and accept its key")
	case has("not found", "does not exist", "does not appear to be a git repository", "error: 404"):
		return problem.New(problem.NotFound, "there is no git repository at this URL, or it is private").Because(errors.New(message)).
			Fix("check the URL")
	case has("Could not resolve host", "Connection refused", "Failed to connect", "Connection timed out", "unable to access", "Could not read from remote", "early EOF", "RPC failed", "unexpected disconnect"):
		return problem.New(problem.Unavailable, "the git server cannot be reached").Because(errors.New(message)).
			Fix("check the URL and the network, then try again")
	case has("transport", "not allowed"):
		return problem.New(problem.Unsupported, "this kind of git URL is not allowed").Because(errors.New(message)).
			Fix("use https, http, ssh or git")
	case has("No space left"):
		return problem.New(problem.Exhausted, "the disk is full").Because(errors.New(message)).Fix("free some space")
	}
	if message == "" {
		return problem.Wrap(err, problem.Internal, "git %s failed", verb)
	}
	return problem.New(problem.Internal, "git %s failed", verb).Because(errors.New(message))
}

// lastLine is the last line of what git said that tells the cause.
func lastLine(said string) string {
	best := ""
	for line := range strings.Lines(said) {
		line = strings.TrimSpace(line)
		if rest, ok := strings.CutPrefix(line, "fatal: "); ok {
			return rest
		}
		if rest, ok := strings.CutPrefix(line, "error: "); ok {
			line = rest
		}
		if line != "" {
			best = line
		}
	}
	return best
}

// redact removes what may be a password from URLs in a text.
func redact(text string) string {
	return regexp.MustCompile(`([a-zA-Z][a-zA-Z0-9+.-]*://)[^/\s'"]*@`).ReplaceAllString(text, "$1")
}

// withoutPassword is a remote's URL as it may be shown and stored.
func withoutPassword(remote string) string {
	if !strings.Contains(remote, "://") {
		return remote // host:path; its user is a name of the server's, not a secret
	}
	u, err := url.Parse(remote)
	if err != nil {
		return redact(remote)
	}
	if u.Scheme == "ssh" || u.Scheme == "git+ssh" {
		if u.User != nil {
			u.User = url.User(u.User.Username())
		}
	} else {
		u.User = nil
	}
	return u.String()
}
