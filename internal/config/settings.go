package config

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Setting is one thing that can be configured.
type Setting struct {
	Name    string   // as a flag and in messages: "pool-max"
	Env     string   // the variable
	Aliases []string // older names of the variable, accepted after Env
	Key     string   // dotted key in the file: "database.pool_max"
	Default string
	Form    string // what a value looks like, for messages: "a number of connections, such as 50"
	Doc     string
	Secret  bool
	Later   string // the system that will use it, when this version does not yet
	set     func(c *Config, raw string) error
}

// Settings lists every setting, in the order of the reference page.
var Settings = []Setting{
	{Name: "home", Env: "MANITO_HOME", Key: "", Form: "a folder", Doc: "Folder of Manito's data: the embedded database, index files, clones. The default depends on the system: /var/lib/manito for root on Linux, else $XDG_DATA_HOME/manito or ~/.local/share/manito; ~/Library/Application Support/manito on macOS."},
	{Name: "environment", Env: "MANITO_ENV", Key: "environment", Default: "production", Form: "development or production", Doc: "In production, passwords that everybody knows are refused.", set: oneOf(func(c *Config) *string { return &c.Environment }, "development", "production")},
	{Name: "log-level", Env: "MANITO_LOG", Key: "log_level", Default: "warn", Form: "debug, info, warn or error", Doc: "How much is logged to standard error.", set: oneOf(func(c *Config) *string { return &c.LogLevel }, "debug", "info", "warn", "error")},
	{Name: "workers", Env: "MANITO_WORKERS", Key: "workers", Default: "0", Form: "a number, 0 for one per CPU", Doc: "How many files are worked on at the same time.", set: number(func(c *Config) *int { return &c.Workers }, 0, 1024)},
	{Name: "addr", Env: "MANITO_ADDR", Key: "addr", Default: "127.0.0.1:7420", Form: "host:port", Doc: "Address that serve listens on.", set: text(func(c *Config) *string { return &c.Addr })},

	{Name: "database-url", Env: "DATABASE_URL", Key: "database.url", Form: "postgres://user:password@host:5432/database", Doc: "The database. Without it and without POSTGRES_HOST, Manito runs its own private PostgreSQL. Several hosts and target_session_attrs are allowed.", Secret: true, set: text(func(c *Config) *string { return &c.Database.URL })},
	{Name: "host", Env: "POSTGRES_HOST", Key: "database.host", Form: "a host name, several separated by commas, or the folder of a Unix socket", Doc: "The database server, when DATABASE_URL is not set.", set: text(func(c *Config) *string { return &c.Database.Host })},
	{Name: "port", Env: "POSTGRES_PORT", Key: "database.port", Default: "5432", Form: "a port number", Doc: "Its port.", set: number(func(c *Config) *int { return &c.Database.Port }, 1, 65535)},
	{Name: "user", Env: "POSTGRES_USER", Key: "database.user", Form: "a role name", Doc: "Role to log in as.", set: text(func(c *Config) *string { return &c.Database.User })},
	{Name: "password", Env: "POSTGRES_PASSWORD", Key: "database.password", Form: "a password", Doc: "Its password.", Secret: true, set: text(func(c *Config) *string { return &c.Database.Password })},
	{Name: "database", Env: "POSTGRES_DB", Aliases: []string{"POSTGRES_DATABASE"}, Key: "database.name", Default: "manito", Form: "a database name", Doc: "Database, external and embedded.", set: text(func(c *Config) *string { return &c.Database.Name })},
	{Name: "schema", Env: "POSTGRES_SCHEMA", Key: "database.schema", Default: "manito", Form: "a schema name, at most 63 bytes", Doc: "Schema of Manito's tables. Any name that PostgreSQL allows, also with spaces and capitals.", set: text(func(c *Config) *string { return &c.Database.Schema })},
	{Name: "migration-url", Env: "MANITO_MIGRATION_URL", Key: "database.migration_url", Form: "postgres://migrator@host:5432/database", Doc: "Direct connection as the migrator role for db commands, when DATABASE_URL goes through a pooler or logs in as the app role.", Secret: true, set: text(func(c *Config) *string { return &c.Database.MigrationURL })},
	{Name: "superuser-url", Env: "MANITO_SUPERUSER_URL", Key: "database.superuser_url", Form: "postgres://postgres@host:5432/database", Doc: "Connection for db init, which makes roles and the schema. Only needed there.", Secret: true, set: text(func(c *Config) *string { return &c.Database.SuperuserURL })},
	{Name: "pg-bin", Env: "MANITO_PG_BIN", Key: "database.bin", Form: "a folder with postgres and initdb", Doc: "Programs of the embedded server, preferred over those that are found.", set: text(func(c *Config) *string { return &c.Database.BinDir })},
	{Name: "ssl", Env: "DB_SSL", Key: "database.ssl", Default: "false", Form: "true or false", Doc: "true means sslmode=verify-full: encrypted, by a trusted authority, for this very host.", set: boolean(func(c *Config) *bool { return &c.Database.SSL })},
	{Name: "ssl-ca", Env: "DB_SSL_CA", Key: "database.ssl_ca", Form: "the path of a PEM file", Doc: "Certificates of the authorities that are trusted; the system's when empty.", set: text(func(c *Config) *string { return &c.Database.SSLCA })},
	{Name: "ssl-cert", Env: "DB_SSL_CERT", Key: "database.ssl_cert", Form: "the path of a PEM file", Doc: "Client certificate.", set: text(func(c *Config) *string { return &c.Database.SSLCert })},
	{Name: "ssl-key", Env: "DB_SSL_KEY", Key: "database.ssl_key", Form: "the path of a PEM file", Doc: "Its key.", set: text(func(c *Config) *string { return &c.Database.SSLKey })},
	{Name: "pool-min", Env: "DB_POOL_MIN", Key: "database.pool_min", Default: "5", Form: "a number of connections", Doc: "Connections that serve keeps open. One-shot commands keep none.", set: number(func(c *Config) *int { return &c.Database.PoolMin }, 0, 10000)},
	{Name: "pool-max", Env: "DB_POOL_MAX", Key: "database.pool_max", Default: "50", Form: "a number of connections, such as 50", Doc: "Connections that serve opens at most. One-shot commands open at most 4.", set: number(func(c *Config) *int { return &c.Database.PoolMax }, 0, 10000)},
	{Name: "acquire-timeout", Env: "DB_ACQUIRE_TIMEOUT", Key: "database.acquire_timeout", Default: "30s", Form: "milliseconds such as 30000, or a duration such as 30s", Doc: "How long to wait for a free connection.", set: duration(func(c *Config) *time.Duration { return &c.Database.AcquireTimeout })},
	{Name: "idle-timeout", Env: "DB_IDLE_TIMEOUT", Key: "database.idle_timeout", Default: "300s", Form: "milliseconds such as 300000, or a duration such as 5m", Doc: "How long a connection beyond the minimum may be idle.", set: duration(func(c *Config) *time.Duration { return &c.Database.IdleTimeout })},
	{Name: "connection-timeout", Env: "DB_CONNECTION_TIMEOUT", Key: "database.connection_timeout", Default: "5s", Form: "milliseconds such as 5000, or a duration such as 5s", Doc: "How long one connection attempt may take.", set: duration(func(c *Config) *time.Duration { return &c.Database.ConnectionTimeout })},
	{Name: "statement-timeout", Env: "DB_STATEMENT_TIMEOUT", Key: "database.statement_timeout", Default: "60s", Form: "milliseconds such as 60000, or a duration such as 1m", Doc: "How long one statement may run.", set: duration(func(c *Config) *time.Duration { return &c.Database.StatementTimeout })},
	{Name: "pooler", Env: "DB_POOLER", Key: "database.pooler", Default: "auto", Form: "auto, none, session or transaction", Doc: "The pooler between Manito and the server, such as pgbouncer, and its mode. auto finds out; none refuses one in transaction mode.", set: oneOf(func(c *Config) *string { return &c.Database.Pooler }, "auto", "none", "session", "transaction")},

	{Name: "search-on-scan", Env: "MANITO_SEARCH_ON_SCAN", Key: "search.on_scan", Default: "auto", Form: "auto, true or false", Doc: "Whether a scan makes what searches need. auto keeps it current once there is any: who never searches never pays for it, and the first search makes it. SQL users have chunks to search only of what a scan indexed.", set: oneOf(func(c *Config) *string { return &c.Search.OnScan }, "auto", "true", "false")},
	{Name: "search-embeddings", Env: "MANITO_SEARCH_EMBEDDINGS", Key: "search.embeddings", Default: "builtin", Form: "builtin, none or openai", Doc: "What makes vectors for search by meaning: a model that is trained on the repository itself, offline; nothing; or a server with OpenAI's interface, such as OpenAI, Ollama, llama.cpp or vLLM. A server is asked by manito embed, which sends it the code, and by searches, which send it the query; never by a scan.", set: oneOf(func(c *Config) *string { return &c.Search.Embeddings }, "builtin", "none", "openai")},
	{Name: "embeddings-url", Env: "MANITO_EMBEDDINGS_URL", Key: "search.embeddings_url", Default: "https://api.openai.com/v1", Form: "http://host:port/v1, without user, password and query", Doc: "Address of the server, up to /embeddings.", set: endpoint(func(c *Config) *string { return &c.Search.Provider.URL })},
	{Name: "embeddings-model", Env: "MANITO_EMBEDDINGS_MODEL", Key: "search.embeddings_model", Form: "a name that the server knows", Doc: "Its model. Vectors of several models are kept beside each other and never mixed.", set: text(func(c *Config) *string { return &c.Search.Provider.Model })},
	{Name: "embeddings-dimension", Env: "MANITO_EMBEDDINGS_DIMENSION", Key: "search.embeddings_dimension", Default: "0", Form: "a number, 0 for what the model gives", Doc: "Dimension to ask for, of models that can shorten their vectors.", set: number(func(c *Config) *int { return &c.Search.Provider.Dimension }, 0, 16384)},
	{Name: "embeddings-key", Env: "MANITO_EMBEDDINGS_KEY", Key: "", Form: "an API key", Doc: "Key of the server. OPENAI_API_KEY is used without it, for api.openai.com only. A key is never sent unencrypted, but to this machine.", Secret: true, set: text(func(c *Config) *string { return &c.Search.Provider.Key })},
	{Name: "embeddings-requests-minute", Env: "MANITO_EMBEDDINGS_REQUESTS_MINUTE", Key: "search.embeddings_requests_minute", Default: "0", Form: "a number, 0 for no limit", Doc: "Requests a minute, at most. What the server itself asks to wait is waited in any case.", set: number(func(c *Config) *int { return &c.Search.Provider.RequestsMinute }, 0, 1000000)},
	{Name: "embeddings-tokens-minute", Env: "MANITO_EMBEDDINGS_TOKENS_MINUTE", Key: "search.embeddings_tokens_minute", Default: "0", Form: "a number, 0 for no limit", Doc: "Tokens a minute, at most, as far as they can be estimated.", set: number(func(c *Config) *int { return &c.Search.Provider.TokensMinute }, 0, 1000000000)},
	{Name: "embeddings-price", Env: "MANITO_EMBEDDINGS_PRICE", Key: "search.embeddings_price", Default: "0", Form: "a number such as 0.02, 0 when it is unknown", Doc: "Price of a million tokens, for the estimate of manito embed.", set: decimal(func(c *Config) *float64 { return &c.Search.Provider.Price }, 1e6)},
	{Name: "embeddings-document-prefix", Env: "MANITO_EMBEDDINGS_DOCUMENT_PREFIX", Key: "search.embeddings_document_prefix", Form: "a text such as \"search_document: \"", Doc: "Put before each chunk, for models that were trained with it. Another prefix makes another model.", set: text(func(c *Config) *string { return &c.Search.Provider.DocumentPrefix })},
	{Name: "embeddings-query-prefix", Env: "MANITO_EMBEDDINGS_QUERY_PREFIX", Key: "search.embeddings_query_prefix", Form: "a text such as \"search_query: \"", Doc: "Put before each query. Another prefix makes another model.", set: text(func(c *Config) *string { return &c.Search.Provider.QueryPrefix })},
	{Name: "search-history-days", Env: "MANITO_SEARCH_HISTORY_DAYS", Key: "search.history_days", Default: "30", Form: "a number of days, 0 for none", Doc: "How long searches are remembered, for --history and --zero-results. 0 records nothing.", set: number(func(c *Config) *int { return &c.Search.HistoryDays }, 0, 3650)},

	{Name: "redis-url", Env: "REDIS_URL", Key: "redis_url", Form: "redis://host:6379", Doc: "Shared cache.", Secret: true, Later: "the cache", set: text(func(c *Config) *string { return &c.RedisURL })},
	{Name: "vault-key", Env: "MANITO_VAULT_KEY", Aliases: []string{"SUPABASE_VAULT_SECRET_KEY"}, Key: "", Form: "32 bytes in base64 or hexadecimal", Doc: "Key that seals the vault's keys.", Secret: true, Later: "the vault", set: text(func(c *Config) *string { return &c.VaultKey })},
	{Name: "openai-key", Env: "OPENAI_API_KEY", Key: "", Form: "an API key", Doc: "Key of OpenAI. Vectors of api.openai.com use it when MANITO_EMBEDDINGS_KEY is not set.", Secret: true, set: text(func(c *Config) *string { return &c.OpenAIKey })},
	{Name: "openai-base-url", Env: "OPENAI_BASE_URL", Key: "openai_base_url", Form: "https://host/v1", Doc: "Address of an OpenAI-compatible provider for the assistant; that of vectors is MANITO_EMBEDDINGS_URL.", Later: "the assistant", set: text(func(c *Config) *string { return &c.OpenAIBaseURL })},
	{Name: "anthropic-key", Env: "ANTHROPIC_API_KEY", Key: "", Form: "an API key", Doc: "Key of Anthropic.", Secret: true, Later: "the assistant", set: text(func(c *Config) *string { return &c.AnthropicKey })},
}

func setting(name string) *Setting {
	for i := range Settings {
		if Settings[i].Name == name {
			return &Settings[i]
		}
	}
	panic("config: no setting " + name)
}

func text(field func(*Config) *string) func(*Config, string) error {
	return func(c *Config, raw string) error {
		if strings.ContainsRune(raw, 0) {
			return fmt.Errorf("it has a NUL byte")
		}
		*field(c) = raw
		return nil
	}
}

func oneOf(field func(*Config) *string, words ...string) func(*Config, string) error {
	return func(c *Config, raw string) error {
		for _, w := range words {
			if raw == w {
				*field(c) = raw
				return nil
			}
		}
		return fmt.Errorf("it is none of %s", strings.Join(words, ", "))
	}
}

func number(field func(*Config) *int, low, high int) func(*Config, string) error {
	return func(c *Config, raw string) error {
		n, err := strconv.Atoi(raw)
		if err != nil {
			return fmt.Errorf("it is no whole number")
		}
		if n < low || n > high {
			return fmt.Errorf("it is not between %d and %d", low, high)
		}
		*field(c) = n
		return nil
	}
}

func decimal(field func(*Config) *float64, high float64) func(*Config, string) error {
	return func(c *Config, raw string) error {
		x, err := strconv.ParseFloat(raw, 64)
		if err != nil {
			return fmt.Errorf("it is no number")
		}
		if !(x >= 0 && x <= high) {
			return fmt.Errorf("it is not between 0 and %g", high)
		}
		*field(c) = x
		return nil
	}
}

// endpoint reads the address of a server. What is secret has no place in it, because it is shown.
func endpoint(field func(*Config) *string) func(*Config, string) error {
	return func(c *Config, raw string) error {
		u, err := url.Parse(raw)
		switch {
		case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
			return fmt.Errorf("it is no http or https address")
		case u.User != nil || u.RawQuery != "" || u.Fragment != "":
			return fmt.Errorf("it has more than a host and a path")
		}
		*field(c) = raw
		return nil
	}
}

func boolean(field func(*Config) *bool) func(*Config, string) error {
	return func(c *Config, raw string) error {
		switch strings.ToLower(raw) {
		case "true", "1", "yes", "on":
			*field(c) = true
		case "false", "0", "no", "off", "":
			*field(c) = false
		default:
			return fmt.Errorf("it is neither true nor false")
		}
		return nil
	}
}

// duration reads Go's durations, and bare numbers as milliseconds, which is how people set a pool's timeouts.
func duration(field func(*Config) *time.Duration) func(*Config, string) error {
	return func(c *Config, raw string) error {
		d, err := time.ParseDuration(raw)
		if ms, e := strconv.ParseInt(raw, 10, 64); e == nil {
			d, err = time.Duration(ms)*time.Millisecond, nil
		}
		switch {
		case err != nil:
			return fmt.Errorf("it is no duration")
		case d <= 0 || d > 24*time.Hour:
			return fmt.Errorf("it is not between 1 ms and 24 h")
		}
		*field(c) = d
		return nil
	}
}
