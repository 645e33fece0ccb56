package cli

import (
	"context"
	"errors"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"manito/internal/config"
	"manito/internal/problem"
)

func (a *app) dbShellCommand() *cobra.Command {
	return &cobra.Command{
		Use: "shell [-- PSQL-ARGUMENTS]", Short: "Open psql on the database",
		Long: `Shell runs psql on Manito's database with the schema in the search path, so that
the views can be named without it: projects, scans, files, dependencies,
graph_nodes, graph_edges, symbol_references, diagnostics.`,
		Example: "  manito db shell\n  manito db shell -- -c 'select kind, count(*) from graph_edges group by 1'",
		RunE:    func(cmd *cobra.Command, args []string) error { return a.dbShell(cmd.Context(), args) },
	}
}

func (a *app) dbShell(ctx context.Context, args []string) (err error) {
	cfg, err := a.load()
	if err != nil {
		return err
	}
	db, err := a.openDatabase(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	psql, err := findPsql(cfg)
	if err != nil {
		return err
	}
	env, err := libpqEnvironment(db.dsn)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, psql, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Env = append(cmd.Env, "PGOPTIONS=-c search_path="+quoteOption(cfg.Database.Schema)+",public", "PGAPPNAME=manito shell")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = a.stdin, a.stdout, a.stderr
	err = cmd.Run()
	var code *exec.ExitError
	if errors.As(err, &code) {
		return exit{3} // psql has said why
	}
	return err
}

func findPsql(cfg *config.Config) (string, error) {
	if cfg.Database.BinDir != "" {
		if p := filepath.Join(cfg.Database.BinDir, "psql"); executable(p) {
			return p, nil
		}
	}
	if p, err := exec.LookPath("psql"); err == nil {
		return p, nil
	}
	if found, err := filepath.Glob("/usr/lib/postgresql/*/bin/psql"); err == nil && len(found) > 0 {
		return found[len(found)-1], nil
	}
	return "", problem.New(problem.Unsupported, "psql is not installed").Fix("apt-get install postgresql-client, or brew install libpq")
}

func executable(p string) bool {
	st, err := os.Stat(p)
	return err == nil && st.Mode().IsRegular() && st.Mode()&0o111 != 0
}

// quoteOption writes an identifier for PGOPTIONS, where a backslash keeps a space.
func quoteOption(schema string) string {
	quoted := `"` + strings.ReplaceAll(schema, `"`, `""`) + `"`
	return strings.NewReplacer(`\`, `\\`, ` `, `\ `).Replace(quoted)
}

// libpqEnvironment turns a connection string into variables, so that the password is in no process list.
func libpqEnvironment(dsn string) ([]string, error) {
	names := map[string]string{"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD", "dbname": "PGDATABASE", "sslmode": "PGSSLMODE",
		"sslrootcert": "PGSSLROOTCERT", "sslcert": "PGSSLCERT", "sslkey": "PGSSLKEY", "target_session_attrs": "PGTARGETSESSIONATTRS"}
	var env []string
	set := func(key, value string) {
		if n := names[key]; n != "" && value != "" {
			env = append(env, n+"="+value)
		}
	}
	if !strings.Contains(dsn, "://") {
		words, err := config.Keywords(dsn)
		if err != nil {
			return nil, err
		}
		for _, w := range words {
			set(w[0], w[1])
		}
		return env, nil
	}
	u, err := url.Parse(dsn)
	if err != nil {
		return nil, problem.New(problem.Usage, "DATABASE_URL is no URL").Fix("write it as postgres://user:password@host:5432/database")
	}
	var hosts, ports []string
	for h := range strings.SplitSeq(u.Host, ",") {
		host, port, _ := strings.Cut(h, ":")
		hosts, ports = append(hosts, host), append(ports, port)
	}
	set("host", strings.Join(hosts, ","))
	set("port", strings.Trim(strings.Join(ports, ","), ","))
	set("dbname", strings.TrimPrefix(u.Path, "/"))
	set("user", u.User.Username())
	password, _ := u.User.Password()
	set("password", password)
	for key, values := range u.Query() {
		set(key, values[len(values)-1])
	}
	return env, nil
}
