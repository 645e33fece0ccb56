package config

import (
	"net"
	"net/url"
	"slices"
	"strings"
)

// wellKnown are passwords that are tried first by whoever wants to get in.
var wellKnown = []string{"postgres", "password", "manito", "manito_dev", "admin", "root", "secret", "changeme", "change_me", "example", "test", "123456", "12345678", "your_password", "your-password", "mysecretpassword"}

// Check looks at the configuration as a whole: unknown, unused, missing and unsafe variables, in a fixed order.
func (c *Config) Check() []Finding {
	out := slices.Clone(c.extra)
	set := func(name string) bool { return c.values[name].Source != FromDefault }
	variable := func(name string) string {
		if o := c.values[name].Origin; o != "" {
			return o
		}
		return setting(name).Env
	}
	d := &c.Database
	if d.URL != "" {
		for _, name := range []string{"host", "port", "user", "password", "database"} {
			if set(name) {
				out = append(out, Finding{Unused, variable(name), name, variable(name) + " has no effect beside DATABASE_URL", "remove one of the two"})
			}
		}
	}
	if !d.External() {
		for _, name := range []string{"port", "user", "password", "ssl", "ssl-ca", "ssl-cert", "ssl-key", "pooler", "migration-url", "superuser-url"} {
			if set(name) {
				out = append(out, Finding{Unused, variable(name), name, variable(name) + " has no effect on the embedded database", "set DATABASE_URL or POSTGRES_HOST to use an external server, or remove it"})
			}
		}
	}
	if d.Pooler == "transaction" && set("statement-timeout") {
		out = append(out, Finding{Unused, variable("statement-timeout"), "statement-timeout", variable("statement-timeout") + " is not sent through a pooler in transaction mode: the setting of the role holds there",
			"ALTER ROLE the app's role IN DATABASE the database SET statement_timeout = '60s'; or remove it"})
	}
	if d.External() {
		for _, name := range c.driver {
			out = append(out, Finding{Unknown, name, "", name + " is no setting of Manito, but the driver reads it where the database address says nothing", "write it into DATABASE_URL, and remove it"})
		}
	}
	if d.External() && set("pg-bin") {
		out = append(out, Finding{Unused, variable("pg-bin"), "pg-bin", variable("pg-bin") + " has no effect on an external database", "remove it"})
	}
	if d.URL == "" && d.Host != "" && d.User == "" {
		out = append(out, Finding{Missing, "POSTGRES_USER", "user", "POSTGRES_HOST is set, but no user to log in as", "set POSTGRES_USER, or use DATABASE_URL"})
	}
	for i := range Settings {
		if s := &Settings[i]; s.Later != "" && set(s.Name) {
			out = append(out, Finding{Unused, variable(s.Name), s.Name, variable(s.Name) + " is set, but this version has no use for it yet: it belongs to " + s.Later, "leave it, or remove it"})
		}
	}
	out = append(out, c.provider(variable)...)
	out = append(out, c.unsafe(variable)...)
	return out
}

// provider looks at the server that makes vectors.
func (c *Config) provider(variable func(string) string) []Finding {
	var out []Finding
	p := &c.Search.Provider
	key, from := c.ProviderKey()
	if v := c.values["openai-key"]; v.Source != FromDefault && (c.Search.Embeddings != "openai" || from != "OPENAI_API_KEY") {
		out = append(out, Finding{Unused, variable("openai-key"), "openai-key", variable("openai-key") + " is set, but nothing uses it", "leave it, remove it, or set MANITO_SEARCH_EMBEDDINGS=openai for vectors of api.openai.com"})
	}
	if c.Search.Embeddings != "openai" {
		for i := range Settings {
			if s := &Settings[i]; strings.HasPrefix(s.Name, "embeddings-") && c.values[s.Name].Source != FromDefault {
				out = append(out, Finding{Unused, variable(s.Name), s.Name, variable(s.Name) + " has no effect: the vectors are not those of a server", "set MANITO_SEARCH_EMBEDDINGS=openai, or remove it"})
			}
		}
		return out
	}
	if p.Model == "" {
		out = append(out, Finding{Missing, "MANITO_EMBEDDINGS_MODEL", "embeddings-model", "vectors are to come from " + p.URL + ", but no model is named", "set MANITO_EMBEDDINGS_MODEL to one that the server has"})
	}
	if key == "" && c.ProviderNeedsKey() {
		out = append(out, Finding{Missing, "MANITO_EMBEDDINGS_KEY", "embeddings-key", "vectors are to come from " + p.URL + ", but there is no key", "set MANITO_EMBEDDINGS_KEY or OPENAI_API_KEY"})
	}
	if u, err := url.Parse(p.URL); err == nil && u.Scheme == "http" && !local(u.Host) {
		out = append(out, Finding{Unsafe, variable("embeddings-url"), "embeddings-url", "code is sent to " + u.Host + " unencrypted", "use https"})
	}
	return out
}

// unsafe looks at every address that is configured.
func (c *Config) unsafe(variable func(string) string) []Finding {
	var out []Finding
	d := &c.Database
	look := func(setting string, a address) {
		name := variable(setting)
		if p := strings.ToLower(a.password); p != "" && (slices.Contains(wellKnown, p) || p == strings.ToLower(a.user)) {
			where := "the database password in " + name
			if setting == "host" {
				where, name = "the database password in "+variable("password"), variable("password")
			}
			out = append(out, Finding{Unsafe, name, "password", where + " is one that everybody knows, or the user's own name", "choose another, or set MANITO_ENV=development on a machine of your own"})
		}
		if !d.SSL && a.mode != "verify-full" && !local(a.hosts) {
			out = append(out, Finding{Unsafe, "DB_SSL", "ssl", "the connection to " + a.hosts + " does not verify who answers", "set DB_SSL=true, and DB_SSL_CA when its certificate is not from a public authority"})
		}
	}
	switch {
	case d.URL != "":
		look("database-url", parseAddress(d.URL))
	case d.Host != "":
		look("host", address{hosts: d.Host, user: d.User, password: d.Password})
	}
	if d.MigrationURL != "" {
		look("migration-url", parseAddress(d.MigrationURL))
	}
	if d.SuperuserURL != "" {
		look("superuser-url", parseAddress(d.SuperuserURL))
	}
	return out
}

// local says whether every host is this machine.
func local(hosts string) bool {
	for h := range strings.SplitSeq(hosts, ",") {
		h = strings.TrimSpace(h)
		if bare, _, err := net.SplitHostPort(h); err == nil {
			h = bare
		}
		ip := net.ParseIP(h)
		if h != "" && h != "localhost" && !strings.HasPrefix(h, "/") && (ip == nil || !ip.IsLoopback()) {
			return false
		}
	}
	return true
}
