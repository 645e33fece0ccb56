package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"manito/internal/problem"
)

func load(t *testing.T, flags map[string]string, environ ...string) (*Config, error) {
	t.Helper()
	return Load(Input{Environ: append([]string{"MANITO_HOME=" + t.TempDir()}, environ...), Flags: flags})
}

func mustLoad(t *testing.T, environ ...string) *Config {
	t.Helper()
	c, err := load(t, nil, environ...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *Config) entry(name string) Entry {
	for _, e := range c.Show() {
		if e.Name == name {
			return e
		}
	}
	return Entry{}
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	d := mustLoad(t).Database
	if d.PoolMin != 5 || d.PoolMax != 50 || d.AcquireTimeout != 30*time.Second || d.IdleTimeout != 300*time.Second || d.ConnectionTimeout != 5*time.Second || d.StatementTimeout != 60*time.Second || d.Schema != "manito" || d.External() {
		t.Fatalf("%+v", d)
	}
}

func TestPrecedence(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	file := filepath.Join(home, "manito.toml")
	if err := os.WriteFile(file, []byte("workers = 3\n[database]\npool_max = 11\npool_min = 2\nschema = \"f\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(Input{Environ: []string{"MANITO_HOME=" + home, "DB_POOL_MAX=12", "POSTGRES_SCHEMA=e"}, Flags: map[string]string{"schema": "g"}})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]Entry{
		"workers":  {Value: "3", Source: FromFile, Origin: file + ": workers"},
		"pool-min": {Value: "2", Source: FromFile, Origin: file + ": database.pool_min"},
		"pool-max": {Value: "12", Source: FromEnvironment, Origin: "DB_POOL_MAX"},
		"schema":   {Value: "g", Source: FromFlag, Origin: "--schema"},
		"port":     {Value: "5432", Source: FromDefault},
	} {
		if e := c.entry(name); e.Value != want.Value || e.Source != want.Source || e.Origin != want.Origin {
			t.Errorf("%s: %+v, want %+v", name, e, want)
		}
	}
	if c.Workers != 3 || c.Database.PoolMin != 2 || c.Database.PoolMax != 12 || c.Database.Schema != "g" {
		t.Errorf("typed values differ from what is shown: %+v", c.Database)
	}
}

func TestDurations(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]time.Duration{"30000": 30 * time.Second, "5s": 5 * time.Second, "1m30s": 90 * time.Second, "250": 250 * time.Millisecond} {
		if d := mustLoad(t, "DB_ACQUIRE_TIMEOUT="+raw).Database.AcquireTimeout; d != want {
			t.Errorf("%s: %v", raw, d)
		}
	}
	for _, raw := range []string{"0", "-1", "soon", "25h", "1.5"} {
		_, err := load(t, nil, "DB_ACQUIRE_TIMEOUT="+raw)
		if problem.KindOf(err) != problem.Usage || !strings.Contains(err.Error(), "DB_ACQUIRE_TIMEOUT") || len(problem.Fixes(err)) == 0 {
			t.Errorf("%s: %v", raw, err)
		}
	}
}

func TestWrongValuesNameTheVariable(t *testing.T) {
	t.Parallel()
	for _, kv := range []string{"DB_POOL_MAX=many", "DB_POOL_MAX=0", "DB_POOL_MIN=60", "POSTGRES_PORT=99999", "DB_SSL=perhaps", "MANITO_ENV=prod", "DB_POOLER=pgbouncer", "DB_SSL_CA=/no/such/file", "MANITO_WORKERS=-1"} {
		name, _, _ := strings.Cut(kv, "=")
		_, err := load(t, nil, kv)
		if problem.KindOf(err) != problem.Usage || !strings.Contains(err.Error(), name) || len(problem.Fixes(err)) == 0 {
			t.Errorf("%s: %v, fixes %q", kv, err, problem.Fixes(err))
		}
	}
}

func TestDSN(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		environ []string
		want    string
	}{
		{[]string{"DATABASE_URL=postgres://u:p@h/d?x=1"}, "postgres://u:p@h/d?x=1"},
		{[]string{"POSTGRES_HOST=h", "POSTGRES_USER=u", "POSTGRES_PASSWORD=p@ss/w:rd", "POSTGRES_DB=my db"}, "postgres://u:p%40ss%2Fw%3Ard@h:5432/my%20db"},
		{[]string{"POSTGRES_HOST=a,b:6000", "POSTGRES_USER=u"}, "postgres://u@a:5432,b:6000/manito"},
		{[]string{"POSTGRES_HOST=/run/pg", "POSTGRES_USER=u"}, "postgres://u@/manito?host=%2Frun%2Fpg&port=5432"},
		{[]string{"POSTGRES_HOST=::1", "POSTGRES_USER=u"}, "postgres://u@[::1]:5432/manito"},
		{[]string{"POSTGRES_HOST=h", "POSTGRES_USER=u", "DB_SSL=true"}, "postgres://u@h:5432/manito?sslmode=verify-full"},
		{[]string{"DATABASE_URL=postgres://u@h/d?sslmode=disable", "DB_SSL=true"}, "postgres://u@h/d?sslmode=verify-full"},
	} {
		d := mustLoad(t, test.environ...).Database
		if got, err := d.DSN(); err != nil || got != test.want {
			t.Errorf("%v: %s, %v; want %s", test.environ, got, err, test.want)
		}
	}
	d := mustLoad(t).Database
	if _, err := d.DSN(); problem.KindOf(err) != problem.Usage {
		t.Errorf("no external database: %v", err)
	}
}

func TestSecretsAreMasked(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, "DATABASE_URL=postgres://u:hunter2@127.0.0.1/d?sslpassword=hunter3", "POSTGRES_PASSWORD=hunter4", "OPENAI_API_KEY=hunter5", "SUPABASE_VAULT_SECRET_KEY=hunter6", "REDIS_URL=redis://:hunter7@r:6379")
	for _, e := range c.Show() {
		if strings.Contains(e.Value, "hunter") {
			t.Errorf("%s shows its secret: %s", e.Name, e.Value)
		}
	}
	if v := c.entry("database-url").Value; !strings.HasPrefix(v, "postgres://u:***@127.0.0.1/d") {
		t.Errorf("of a URL only the secrets are hidden: %s", v)
	}
	if e := c.entry("vault-key"); e.Origin != "SUPABASE_VAULT_SECRET_KEY" || c.VaultKey != "hunter6" {
		t.Errorf("the older name: %+v", e)
	}
	_, err := load(t, nil, "DATABASE_URL=postgres://u:hunter2\x00@h/d")
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("an error shows the secret: %v", err)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	find := func(c *Config, kind FindingKind, variable string) bool {
		for _, f := range c.Check() {
			if f.Kind == kind && f.Variable == variable && f.Message != "" && f.Fix != "" {
				return true
			}
		}
		return false
	}
	for _, test := range []struct {
		kind     FindingKind
		variable string
		environ  []string
	}{
		{Unknown, "DB_POOLMAX", []string{"DB_POOLMAX=3"}},
		{Unknown, "MANITO_HOEM", []string{"MANITO_HOEM=/x"}},
		{Unused, "POSTGRES_HOST", []string{"DATABASE_URL=postgres://u@localhost/d", "POSTGRES_HOST=h"}},
		{Unused, "POSTGRES_PASSWORD", []string{"POSTGRES_PASSWORD=x"}},
		{Unused, "REDIS_URL", []string{"REDIS_URL=redis://h"}},
		{Missing, "POSTGRES_USER", []string{"POSTGRES_HOST=localhost"}},
		{Unsafe, "DB_SSL", []string{"POSTGRES_HOST=db.example.com", "POSTGRES_USER=u"}},
		{Unused, "DB_STATEMENT_TIMEOUT", []string{"DATABASE_URL=postgres://u@localhost/d", "DB_POOLER=transaction", "DB_STATEMENT_TIMEOUT=5000"}},
		{Unknown, "DATABASE_POOL_MAX", []string{"DATABASE_POOL_MAX=3"}},
		{Unknown, "PGSSLMODE", []string{"DATABASE_URL=postgres://u@localhost/d", "PGSSLMODE=disable"}},
		{Unsafe, "DB_SSL", []string{"DATABASE_URL=host=db.example.com user=u sslmode=require"}},
		{Unsafe, "DB_SSL", []string{"DATABASE_URL=postgres://u@localhost:1,db.example.com:2/d"}},
		{Unsafe, "DB_SSL", []string{"DATABASE_URL=postgres://u@localhost/d", "MANITO_SUPERUSER_URL=postgres://s@db.example.com/d?sslmode=prefer"}},
		{Unsafe, "POSTGRES_PASSWORD", []string{"MANITO_ENV=development", "POSTGRES_HOST=localhost", "POSTGRES_USER=u", "POSTGRES_PASSWORD=postgres"}},
	} {
		if c := mustLoad(t, test.environ...); !find(c, test.kind, test.variable) {
			t.Errorf("%v: no %s finding about %s in %+v", test.environ, test.kind, test.variable, c.Check())
		}
		if strings.Contains(strings.Join(test.environ, " "), "localhost") && test.kind != Unsafe && find(mustLoad(t, test.environ...), Unsafe, "DB_SSL") {
			t.Errorf("%v: a local server needs no TLS", test.environ)
		}
	}
	for _, environ := range [][]string{{"PGSSLMODE=disable"}, {"DATABASE_URL=postgres://u:kX3-9qz@localhost/d"}, {"DATABASE_URL=host=/run/postgresql user=u"}, {"DATABASE_URL=postgres://u@db.example.com/d?sslmode=verify-full"}, {"DATABASE_URL=postgres://u@db.example.com/d", "DB_SSL=true"}} {
		if found := mustLoad(t, environ...).Check(); len(found) > 0 {
			t.Errorf("%v: nothing is wrong, and yet %+v", environ, found)
		}
	}
	if found := mustLoad(t).Check(); len(found) > 0 {
		t.Errorf("nothing is set, and yet %+v", found)
	}
}

// TestKnownPasswordsAreRefused outside of a development setting.
func TestKnownPasswordsAreRefused(t *testing.T) {
	t.Parallel()
	for _, environ := range [][]string{{"POSTGRES_HOST=localhost", "POSTGRES_USER=u", "POSTGRES_PASSWORD=Password"}, {"DATABASE_URL=postgres://u:changeme@localhost/d"},
		{"DATABASE_URL=postgres://u@localhost/d?password=postgres"}, {"DATABASE_URL=host=localhost user=u password='manito'"}, {"DATABASE_URL=postgres://manito_app:manito_APP@localhost/d"},
		{"DATABASE_URL=postgres://u:a-long-one@localhost/d", "MANITO_MIGRATION_URL=postgres://m:secret@localhost/d"}, {"MANITO_SUPERUSER_URL=postgres://postgres:postgres@localhost/d"}} {
		if _, err := load(t, nil, environ...); problem.KindOf(err) != problem.Denied {
			t.Errorf("%v: %v", environ, err)
		}
		if _, err := load(t, nil, append(environ, "MANITO_ENV=development")...); err != nil {
			t.Errorf("%v in development: %v", environ, err)
		}
	}
}

func TestFileErrors(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	if err := os.WriteFile(filepath.Join(home, "manito.toml"), []byte("workers = \n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Load(Input{Environ: []string{"MANITO_HOME=" + home}})
	if problem.KindOf(err) != problem.Usage || !strings.Contains(err.Error(), "manito.toml:1:") {
		t.Errorf("broken file: %v", err)
	}
	_, err = Load(Input{Environ: []string{"MANITO_HOME=" + t.TempDir(), "MANITO_CONFIG=/no/such"}})
	if problem.KindOf(err) != problem.Usage || !strings.Contains(err.Error(), "/no/such") {
		t.Errorf("missing file: %v", err)
	}
}

// TestSettingsAreWellFormed: every setting can be set, shown and documented.
func TestSettingsAreWellFormed(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, s := range Settings {
		if s.Name == "" || s.Env == "" || s.Doc == "" || s.Form == "" || names[s.Name] || names[s.Env] {
			t.Errorf("%+v", s)
		}
		names[s.Name], names[s.Env] = true, true
		if s.set == nil && s.Name != "home" {
			t.Errorf("%s cannot be set", s.Name)
		}
		if s.Secret && s.Default != "" {
			t.Errorf("%s is a secret with a default", s.Name)
		}
	}
}

// TestProviderOfVectors: what is missing, useless or unsafe is named, and OpenAI's own key goes to OpenAI only.
func TestProviderOfVectors(t *testing.T) {
	t.Parallel()
	const on, small = "MANITO_SEARCH_EMBEDDINGS=openai", "MANITO_EMBEDDINGS_MODEL=small"
	for _, c := range []struct {
		about       string
		environ     []string
		findings    []string // "kind setting"
		key, source string
	}{
		{"the built-in model", nil, nil, "", ""},
		{"nothing but the switch", []string{on}, []string{"missing embeddings-model", "missing embeddings-key"}, "", ""},
		{"OpenAI with its own key", []string{on, small, "OPENAI_API_KEY=sk-1"}, nil, "sk-1", "OPENAI_API_KEY"},
		{"a key of its own comes first", []string{on, small, "OPENAI_API_KEY=sk-1", "MANITO_EMBEDDINGS_KEY=sk-2"}, []string{"unused openai-key"}, "sk-2", "MANITO_EMBEDDINGS_KEY"},
		{"a server on this machine needs none", []string{on, small, "MANITO_EMBEDDINGS_URL=http://localhost:11434/v1"}, nil, "", ""},
		{"and does not get OpenAI's", []string{on, small, "MANITO_EMBEDDINGS_URL=http://localhost:11434/v1", "OPENAI_API_KEY=sk-1"}, []string{"unused openai-key"}, "", ""},
		{"nor does one that looks like it", []string{on, small, "MANITO_EMBEDDINGS_URL=https://api.openai.com.example.org/v1", "OPENAI_API_KEY=sk-1"}, []string{"unused openai-key"}, "", ""},
		{"nor OpenAI itself unencrypted", []string{on, small, "MANITO_EMBEDDINGS_URL=http://api.openai.com/v1", "OPENAI_API_KEY=sk-1"}, []string{"unused openai-key", "unsafe embeddings-url"}, "", ""},
		{"settings without the switch", []string{small, "MANITO_EMBEDDINGS_PRICE=0.02"}, []string{"unused embeddings-model", "unused embeddings-price"}, "", ""},
	} {
		cfg := mustLoad(t, c.environ...)
		var got []string
		for _, f := range cfg.Check() {
			got = append(got, string(f.Kind)+" "+f.Setting)
			if f.Fix == "" || strings.Contains(f.Message+f.Fix, "sk-") {
				t.Errorf("%s: %+v", c.about, f)
			}
		}
		if strings.Join(got, ", ") != strings.Join(c.findings, ", ") {
			t.Errorf("%s: found %q, want %q", c.about, got, c.findings)
		}
		if key, source := cfg.ProviderKey(); key != c.key || source != c.source {
			t.Errorf("%s: the key is %q from %q", c.about, key, source)
		}
		for _, e := range cfg.Show() {
			if strings.Contains(e.Value, "sk-") {
				t.Errorf("%s: %s shows its secret", c.about, e.Name)
			}
		}
	}
	for _, kv := range []string{"MANITO_SEARCH_EMBEDDINGS=voyage", "MANITO_EMBEDDINGS_URL=localhost:1", "MANITO_EMBEDDINGS_URL=https://me:hunter2@h/v1", "MANITO_EMBEDDINGS_URL=https://h/v1?key=hunter3", "MANITO_EMBEDDINGS_DIMENSION=20000", "MANITO_EMBEDDINGS_PRICE=NaN", "MANITO_EMBEDDINGS_PRICE=-1", "MANITO_EMBEDDINGS_PRICE=cheap"} {
		name, _, _ := strings.Cut(kv, "=")
		if _, err := load(t, nil, kv); problem.KindOf(err) != problem.Usage || !strings.Contains(err.Error(), name) || len(problem.Fixes(err)) == 0 || strings.Contains(err.Error(), "hunter") {
			t.Errorf("%s: %v", kv, err)
		}
	}
}
