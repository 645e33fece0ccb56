package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"manito/internal/config"
	"manito/internal/migrate"
	"manito/internal/pgembed"
	"manito/internal/problem"
)

// upgradeDocument is the JSON of db upgrade.
type upgradeDocument struct {
	Schema string `json:"schema"`
	*pgembed.UpgradeReport
}

func (a *app) dbUpgradeCommand() *cobra.Command {
	var to int
	cmd := &cobra.Command{
		Use: "upgrade", Short: "Move the embedded database to a newer PostgreSQL", Args: cobra.NoArgs,
		Long: `Upgrade copies the embedded database into a new data folder of a newer major version
of PostgreSQL, compares the number of rows of every table, and only then uses the
new folder. The old one is kept. Both versions must be installed, and no other
process may have the database open.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.dbUpgrade(cmd.Context(), to) },
	}
	cmd.Flags().IntVar(&to, "to", 0, "major version, such as 18 (default: the newest that is installed)")
	return cmd
}

func (a *app) dbUpgrade(ctx context.Context, to int) error {
	cfg, err := a.load()
	if err != nil {
		return err
	}
	if cfg.Database.External() {
		return problem.New(problem.Usage, "the configured database is an external server, which its operator upgrades").Fix("see pg_upgrade in PostgreSQL's manual")
	}
	opt, err := a.clusterOptions(cfg)
	if err != nil {
		return err
	}
	rep, err := pgembed.Upgrade(ctx, opt, pgembed.UpgradeOptions{To: to, Schema: a.schemaMaker(cfg)})
	if err != nil {
		return err
	}
	return show(a, upgradeDocument{"manito/db-upgrade/v1", rep}, func(p *printer, d upgradeDocument) {
		p.line("PostgreSQL %d -> %s, by %s", d.From, p.bold(fmt.Sprint(d.To)), d.Method)
		rows := [][]string{}
		for _, db := range d.Databases {
			rows = append(rows, []string{db.Name, plural(db.Tables, "table"), plural(int(db.Rows), "row")})
		}
		p.table("  ", rows)
		p.line("the old data are in %s", p.cyan(d.Old))
	})
}

// schemaMaker makes the tables that rows are copied into, when there is no pg_dump.
func (a *app) schemaMaker(cfg *config.Config) func(ctx context.Context, database, dsn string) error {
	return func(ctx context.Context, database, dsn string) error {
		if database != cfg.Database.Name {
			return problem.New(problem.Unsupported, "the database %q is not Manito's, and without pg_dump its tables cannot be made again", database).
				Fix("install PostgreSQL's client programs")
		}
		m := migrate.New(migrate.Config{DSN: dsn, Schema: cfg.Database.Schema, AppVersion: version(), Logger: a.logger(cfg),
			// The roles were copied, perhaps without the comments that mark them as ours.
			RolePrefix: migrate.DefaultRolePrefix(database, cfg.Database.Schema)})
		if _, err := m.Init(ctx, migrate.InitOptions{}); err != nil {
			return err
		}
		_, err := m.Up(ctx)
		return err
	}
}
