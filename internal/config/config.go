// Package config is the one typed configuration of Manito. Flags beat the
// environment, the environment beats the file, the file beats the defaults; of
// every value it is known where it came from.
//
// Its nouns: a Setting is one thing that can be configured, with its variable,
// its key in the file, its default and its documentation; a Value is what a
// Setting has and why; a Finding is what Check has to say about them. The
// reference page is generated from the Settings.
//
// Every package from postgres upwards may be given parts of a Config; only cli loads one.
package config

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"manito/internal/problem"
)

// Config is the configuration of one process.
type Config struct {
	Home        string // folder of Manito's data: embedded database, index files, clones
	Environment string // "development" or "production"
	LogLevel    string // "debug", "info", "warn", "error"
	Workers     int    // files worked on at the same time; 0 means one per CPU
	Addr        string // address that serve listens on

	Database Database
	Search   Search
	RedisURL string

	VaultKey      string
	OpenAIKey     string
	OpenAIBaseURL string
	AnthropicKey  string

	values map[string]Value
	file   string
	extra  []Finding
	driver []string // variables that the database driver reads by itself
}

// Search is how searches work.
type Search struct {
	Embeddings  string // "builtin", "none" or "openai"
	OnScan      string // whether a scan makes what searches need: auto, true or false
	HistoryDays int    // how long searches are remembered; 0 records none
	Provider    Provider
}

// Provider is the server that makes vectors when Search.Embeddings is "openai".
type Provider struct {
	URL            string // ends before /embeddings
	Model          string
	Dimension      int // asked for; 0 for the model's own
	Key            string
	RequestsMinute int     // 0 for no limit
	TokensMinute   int     // 0 for no limit
	Price          float64 // of a million tokens; 0 when it is unknown
	DocumentPrefix string  // put before each chunk
	QueryPrefix    string  // put before each query
}

// ProviderKey is the key for the provider of vectors, and the variable that it comes
// from; both are "" for none. OpenAI's own key is sent to OpenAI and to nobody else.
func (c *Config) ProviderKey() (key, variable string) {
	switch {
	case c.Search.Provider.Key != "":
		return c.Search.Provider.Key, "MANITO_EMBEDDINGS_KEY"
	case c.OpenAIKey != "" && c.ProviderNeedsKey():
		return c.OpenAIKey, "OPENAI_API_KEY"
	}
	return "", ""
}

// ProviderNeedsKey says whether the provider of vectors is OpenAI itself, which answers nobody without a key.
func (c *Config) ProviderNeedsKey() bool {
	u, err := url.Parse(c.Search.Provider.URL)
	return err == nil && u.Scheme == "https" && u.Host == "api.openai.com"
}

// Database is how to reach PostgreSQL.
type Database struct {
	URL                        string // DATABASE_URL; "" when the parts or the embedded cluster are used
	Host                       string
	Port                       int
	User, Password, Name       string
	Schema                     string
	BinDir                     string // programs of the embedded server
	SSL                        bool   // verify-full
	SSLCA, SSLCert, SSLKey     string // files
	PoolMin, PoolMax           int
	AcquireTimeout             time.Duration
	IdleTimeout                time.Duration
	ConnectionTimeout          time.Duration
	StatementTimeout           time.Duration
	Pooler                     string // "auto", "none", "session" or "transaction"
	MigrationURL, SuperuserURL string // direct connections for db commands; "" means URL
}

// External says whether a server outside of Manito's own cluster is configured.
func (d *Database) External() bool { return d.URL != "" || d.Host != "" }

// DSN is the connection URL of the external server, and problem.Usage when none is configured.
func (d *Database) DSN() (string, error) {
	if !d.External() {
		return "", problem.New(problem.Usage, "no external database is configured").Fix("set DATABASE_URL, or POSTGRES_HOST, POSTGRES_USER, POSTGRES_PASSWORD and POSTGRES_DB")
	}
	raw := d.URL
	if raw == "" {
		u := url.URL{Scheme: "postgres", Host: d.Host, Path: "/" + d.Name}
		if strings.HasPrefix(d.Host, "/") { // a Unix socket's folder
			u.Host = ""
			u.RawQuery = url.Values{"host": {d.Host}, "port": {strconv.Itoa(d.Port)}}.Encode()
		} else {
			hosts := strings.Split(d.Host, ",")
			for i, h := range hosts {
				h = strings.TrimSpace(h)
				if !hasPort(h) {
					if strings.Contains(h, ":") && !strings.HasPrefix(h, "[") {
						h = "[" + h + "]"
					}
					h += ":" + strconv.Itoa(d.Port)
				}
				hosts[i] = h
			}
			u.Host = strings.Join(hosts, ",")
		}
		if d.User != "" {
			u.User = url.UserPassword(d.User, d.Password)
			if d.Password == "" {
				u.User = url.User(d.User)
			}
		}
		raw = u.String()
	}
	return d.withSSL(raw)
}

// MigrationDSN is the address that db commands use: MANITO_MIGRATION_URL, else that of DSN.
func (d *Database) MigrationDSN() (string, error) {
	if d.MigrationURL != "" {
		return d.withSSL(d.MigrationURL)
	}
	return d.DSN()
}

// SuperuserDSN is the address that db init uses: MANITO_SUPERUSER_URL, else that of MigrationDSN.
func (d *Database) SuperuserDSN() (string, error) {
	if d.SuperuserURL != "" {
		return d.withSSL(d.SuperuserURL)
	}
	return d.MigrationDSN()
}

func hasPort(h string) bool {
	i := strings.LastIndexByte(h, ':')
	if i < 0 || strings.Count(h, ":") > 1 && !strings.HasPrefix(h, "[") {
		return false
	}
	_, err := strconv.Atoi(h[i+1:])
	return err == nil
}

// withSSL adds what DB_SSL and its files ask for. A mode that the address itself names is not weakened.
func (d *Database) withSSL(raw string) (string, error) {
	if !d.SSL && d.SSLCA == "" && d.SSLCert == "" && d.SSLKey == "" {
		return raw, nil
	}
	set := [][2]string{}
	if d.SSL {
		set = append(set, [2]string{"sslmode", "verify-full"})
	}
	for _, p := range [][2]string{{"sslrootcert", d.SSLCA}, {"sslcert", d.SSLCert}, {"sslkey", d.SSLKey}} {
		if p[1] != "" {
			set = append(set, p)
		}
	}
	if !strings.Contains(raw, "://") { // keyword form
		for _, p := range set {
			raw += " " + p[0] + "='" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(p[1]) + "'"
		}
		return raw, nil
	}
	base, query, _ := strings.Cut(raw, "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		return "", problem.New(problem.Usage, "DATABASE_URL has parameters that cannot be read").Because(err).Fix("write them as ?name=value&name=value")
	}
	for _, p := range set {
		values.Set(p[0], p[1])
	}
	return base + "?" + values.Encode(), nil
}

// Input is where a configuration is loaded from.
type Input struct {
	Environ []string          // "NAME=value"
	Flags   map[string]string // by Setting.Name, only those that were given
	File    string            // explicit path; "" looks at MANITO_CONFIG, then <home>/manito.toml
}

// Load reads the configuration. A value that cannot be understood is
// problem.Usage that names the variable, the value's form and an example.
func Load(in Input) (*Config, error) {
	env := map[string]string{}
	for _, kv := range in.Environ {
		if name, value, ok := strings.Cut(kv, "="); ok {
			env[name] = value
		}
	}
	c := &Config{values: map[string]Value{}}
	home, err := c.pick(setting("home"), env, in.Flags, nil)
	if err != nil {
		return nil, err
	}
	if home.Raw == "" {
		home.Raw, err = defaultHome(env)
		if err != nil {
			return nil, err
		}
	}
	if abs, err := filepath.Abs(home.Raw); err == nil {
		home.Raw = abs
	}
	c.Home = home.Raw
	c.values["home"] = home
	file, err := c.readFile(in.File, env)
	if err != nil {
		return nil, err
	}
	for i := range Settings {
		s := &Settings[i]
		if s.Name == "home" {
			continue
		}
		v, err := c.pick(s, env, in.Flags, file)
		if err != nil {
			return nil, err
		}
		if err := s.set(c, v.Raw); err != nil {
			return nil, problem.New(problem.Usage, "%s is %s, which cannot be used", v.where(), quoted(s, v.Raw)).Because(err).Fix("give %s", s.Form)
		}
		c.values[s.Name] = v
	}
	c.unknown(env, file)
	return c, c.valid()
}

func quoted(s *Setting, raw string) string {
	if s.Secret {
		return "a secret value"
	}
	if strings.Contains(raw, "://") { // a password does not belong there, which is why it is refused
		raw = Mask(raw)
	}
	return strconv.Quote(raw)
}

// valid refuses what no process should run with.
func (c *Config) valid() error {
	d := &c.Database
	switch {
	case d.PoolMax < 1:
		return problem.New(problem.Usage, "%s is %d, but a pool needs at least one connection", c.values["pool-max"].where(), d.PoolMax).Fix("set DB_POOL_MAX to 50, or leave it out")
	case d.PoolMin > d.PoolMax:
		return problem.New(problem.Usage, "%s is %d, more than the pool's maximum of %d", c.values["pool-min"].where(), d.PoolMin, d.PoolMax).Fix("set DB_POOL_MIN below DB_POOL_MAX")
	case (d.SSLCert == "") != (d.SSLKey == ""):
		return problem.New(problem.Usage, "DB_SSL_CERT and DB_SSL_KEY belong together, and only one is set").Fix("set both, or neither")
	}
	for _, s := range []string{"ssl-ca", "ssl-cert", "ssl-key"} {
		v := c.values[s]
		if v.Raw == "" {
			continue
		}
		if _, err := os.Stat(v.Raw); err != nil {
			return problem.New(problem.Usage, "%s names a file that cannot be read", v.where()).Because(err).Fix("give the path of a PEM file")
		}
	}
	if c.Environment == "production" {
		for _, f := range c.Check() {
			if f.Kind == Unsafe && f.Setting == "password" {
				return problem.New(problem.Denied, "%s", f.Message).Fix("%s", f.Fix)
			}
		}
	}
	return nil
}

// defaultHome is where data goes when nobody says otherwise.
func defaultHome(env map[string]string) (string, error) {
	if os.Geteuid() == 0 && runtime.GOOS == "linux" {
		return "/var/lib/manito", nil // the database server, which does not run as root, must be able to enter
	}
	if d := env["XDG_DATA_HOME"]; filepath.IsAbs(d) {
		return filepath.Join(d, "manito"), nil
	}
	home := env["HOME"]
	if runtime.GOOS == "windows" {
		home = env["LOCALAPPDATA"]
	}
	if home == "" {
		return "", problem.New(problem.Usage, "no folder for Manito's data: neither MANITO_HOME nor HOME is set").Fix("set MANITO_HOME to a folder that you may write")
	}
	switch runtime.GOOS {
	case "darwin":
		return filepath.Join(home, "Library", "Application Support", "manito"), nil
	case "windows":
		return filepath.Join(home, "manito"), nil
	}
	return filepath.Join(home, ".local", "share", "manito"), nil
}

func (v Value) where() string {
	if v.Origin != "" {
		return v.Origin
	}
	return fmt.Sprintf("the default of %s", v.Setting.Name)
}
