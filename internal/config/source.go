package config

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"manito/internal/problem"
)

// Source is where a value came from.
type Source string

// The sources, weakest first.
const (
	FromDefault     Source = "default"
	FromFile        Source = "file"
	FromEnvironment Source = "environment"
	FromFlag        Source = "flag"
)

// Value is what a setting has, and why.
type Value struct {
	Setting *Setting
	Raw     string
	Source  Source
	Origin  string // the variable, "--flag" or "file: key"; "" for a default
}

// pick takes the strongest source that has the setting.
func (c *Config) pick(s *Setting, env, flags map[string]string, file map[string]string) (Value, error) {
	if raw, ok := flags[s.Name]; ok {
		return Value{s, raw, FromFlag, "--" + s.Name}, nil
	}
	for _, name := range append([]string{s.Env}, s.Aliases...) {
		if raw, ok := env[name]; ok && raw != "" {
			return Value{s, raw, FromEnvironment, name}, nil
		}
	}
	if raw, ok := file[s.Key]; ok && s.Key != "" {
		return Value{s, raw, FromFile, c.file + ": " + s.Key}, nil
	}
	return Value{s, s.Default, FromDefault, ""}, nil
}

// readFile reads the TOML file into dotted keys.
func (c *Config) readFile(explicit string, env map[string]string) (map[string]string, error) {
	path := explicit
	if path == "" {
		path = env["MANITO_CONFIG"]
	}
	named := path != ""
	if !named {
		path = filepath.Join(c.Home, "manito.toml")
	}
	data, err := os.ReadFile(path)
	switch {
	case err != nil && !named && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission)):
		return nil, nil
	case err != nil:
		return nil, problem.New(problem.Usage, "the configuration file %s cannot be read", path).Because(err).Fix("create it, or leave --config and MANITO_CONFIG out")
	}
	c.file = path
	var tree map[string]any
	if err := toml.Unmarshal(data, &tree); err != nil {
		var at *toml.DecodeError
		if errors.As(err, &at) {
			line, column := at.Position()
			return nil, problem.New(problem.Usage, "%s:%d:%d is no TOML", path, line, column).Because(err).Fix("write settings as name = value; docs/configuration.md has an example")
		}
		return nil, problem.New(problem.Usage, "%s is no TOML", path).Because(err)
	}
	out := map[string]string{}
	flatten("", tree, out)
	return out, nil
}

func flatten(prefix string, tree map[string]any, out map[string]string) {
	for k, v := range tree {
		if sub, ok := v.(map[string]any); ok {
			flatten(prefix+k+".", sub, out)
			continue
		}
		out[prefix+k] = fmt.Sprint(v)
	}
}

// Entry is a line of `config show`.
type Entry struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Source Source `json:"source"`
	Origin string `json:"origin,omitempty"`
	Env    string `json:"env"`
	Secret bool   `json:"secret,omitempty"`
}

// Show lists every setting with its value, masked when it is a secret, and its source.
func (c *Config) Show() []Entry {
	out := make([]Entry, 0, len(Settings))
	for i := range Settings {
		s := &Settings[i]
		v := c.values[s.Name]
		e := Entry{Name: s.Name, Value: v.Raw, Source: v.Source, Origin: v.Origin, Env: s.Env, Secret: s.Secret}
		if s.Secret {
			e.Value = Mask(v.Raw)
		}
		out = append(out, e)
	}
	return out
}

// Mask hides a secret. Of a URL the password alone is hidden, so that one still sees where it leads.
func Mask(raw string) string {
	if raw == "" {
		return ""
	}
	if strings.Contains(raw, "://") {
		if u, err := url.Parse(raw); err == nil && u.Host != "" {
			q := u.Query()
			for name := range q {
				if strings.Contains(strings.ToLower(name), "password") || strings.Contains(strings.ToLower(name), "key") {
					q.Set(name, "***")
				}
			}
			u.RawQuery = q.Encode()
			if _, ok := u.User.Password(); ok {
				u.User = url.UserPassword(u.User.Username(), "***")
			}
			return strings.ReplaceAll(u.String(), "%2A%2A%2A", "***")
		}
	}
	return "***"
}

// FindingKind says what is the matter with a variable.
type FindingKind string

// The kinds of findings.
const (
	Unknown FindingKind = "unknown" // no setting has this name
	Unused  FindingKind = "unused"  // set, and without effect
	Missing FindingKind = "missing" // not set, and needed by one that is
	Unsafe  FindingKind = "unsafe"
)

// Finding is something about the configuration that its author should know.
type Finding struct {
	Kind     FindingKind `json:"kind"`
	Variable string      `json:"variable"`
	Setting  string      `json:"setting,omitempty"`
	Message  string      `json:"message"`
	Fix      string      `json:"fix"`
}

// ours are the prefixes of variables that are meant for Manito.
var ours = []string{"MANITO_", "POSTGRES_", "DB_", "DATABASE_"}

// drivers are the variables of PostgreSQL's own clients that the driver obeys.
var drivers = []string{"PGAPPNAME", "PGCONNECT_TIMEOUT", "PGDATABASE", "PGHOST", "PGMAXPROTOCOLVERSION", "PGMINPROTOCOLVERSION", "PGOPTIONS", "PGPASSFILE", "PGPASSWORD", "PGPORT", "PGSERVICE", "PGSERVICEFILE",
	"PGSSLCERT", "PGSSLKEY", "PGSSLMODE", "PGSSLNEGOTIATION", "PGSSLPASSWORD", "PGSSLROOTCERT", "PGSSLSNI", "PGTARGETSESSIONATTRS", "PGTZ", "PGUSER"}

// elsewhere are variables of these prefixes that belong to others: the installer, tests and the postgres container image.
var elsewhere = []string{"MANITO_TEST_", "MANITO_CHAOS", "MANITO_CONFIG", "POSTGRES_INITDB_ARGS", "POSTGRES_HOST_AUTH_METHOD", "DB_USER_DATA"}

// unknown notes variables and keys that no setting has, with the nearest name.
func (c *Config) unknown(env, file map[string]string) {
	known, keys := map[string]bool{}, map[string]bool{}
	for _, s := range Settings {
		known[s.Env] = true
		for _, a := range s.Aliases {
			known[a] = true
		}
		keys[s.Key] = true
	}
	for _, name := range drivers {
		if env[name] != "" {
			c.driver = append(c.driver, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(env)) {
		if known[name] || !hasPrefix(name, ours) || hasPrefix(name, elsewhere) {
			continue
		}
		c.extra = append(c.extra, Finding{Kind: Unknown, Variable: name, Message: name + " is set, but nothing reads it", Fix: suggestion(name, slices.Sorted(maps.Keys(known)))})
	}
	for _, key := range slices.Sorted(maps.Keys(file)) {
		if !keys[key] {
			c.extra = append(c.extra, Finding{Kind: Unknown, Variable: key, Message: c.file + " has " + key + ", but nothing reads it", Fix: suggestion(key, slices.Sorted(maps.Keys(keys)))})
		}
	}
}

func hasPrefix(name string, prefixes []string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}

func suggestion(name string, known []string) string {
	best, at := "", 4
	for _, k := range known {
		if d := distance(name, k); d < at {
			best, at = k, d
		}
	}
	if best != "" {
		return "did you mean " + best + "? Otherwise remove it"
	}
	return "remove it; docs/configuration.md lists what there is"
}

// distance is the Levenshtein distance of two names.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			d := diagonal
			if a[i-1] != b[j-1] {
				d++
			}
			diagonal = row[j]
			row[j] = min(d, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}
