package cli

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"manito/internal/config"
	"manito/internal/migrate"
	"manito/internal/pgembed"
	"manito/internal/postgres"
)

// lingerFor is how long the embedded server stays after the last command, so that the next one need not start it.
const lingerFor = 5 * time.Minute

// database is an open store and, when it is embedded, the cluster below it.
type database struct {
	*postgres.DB
	cluster *pgembed.Cluster // nil for an external server
	dsn     string
}

func (d *database) Close() error {
	d.DB.Close()
	if d.cluster != nil {
		return d.cluster.Close()
	}
	return nil
}

func (a *app) logger(cfg *config.Config) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(cfg.LogLevel)); err != nil {
		level = slog.LevelWarn
	}
	return slog.New(slog.NewTextHandler(a.stderr, &slog.HandlerOptions{Level: level}))
}

// clusterOptions say where the embedded cluster is.
func (a *app) clusterOptions(cfg *config.Config) (pgembed.Options, error) {
	self, err := os.Executable()
	if err != nil {
		return pgembed.Options{}, fmt.Errorf("path of this program: %w", err)
	}
	return pgembed.Options{
		Root: cfg.Home, BinDir: cfg.Database.BinDir, Logger: a.logger(cfg), Linger: lingerFor,
		Keeper: []string{self, "db", "keep", "--home", cfg.Home},
	}, nil
}

// openDatabase opens the configured database, or the embedded one, which it brings up to date.
func (a *app) openDatabase(ctx context.Context, cfg *config.Config) (opened *database, err error) {
	db := &database{}
	if cfg.Database.External() {
		if db.dsn, err = cfg.Database.DSN(); err != nil {
			return nil, err
		}
	} else if err = a.openEmbedded(ctx, cfg, db); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil && db.cluster != nil {
			err = closeAfter(err, db.cluster)
		}
	}()
	if err = a.schema(ctx, cfg, db); err != nil {
		return nil, err
	}
	d := &cfg.Database
	db.DB, err = postgres.Open(ctx, postgres.Config{
		DSN: db.dsn, Schema: d.Schema, MinConns: 0, MaxConns: min(int32(d.PoolMax), 4),
		ConnectTimeout: d.ConnectionTimeout, AcquireTimeout: d.AcquireTimeout, IdleTimeout: d.IdleTimeout, StatementTimeout: d.StatementTimeout,
		TransactionPooler: d.Pooler == "transaction", Application: "manito",
	})
	if err != nil {
		return nil, err
	}
	return db, nil
}

func closeAfter(err error, c *pgembed.Cluster) error {
	if e := c.Close(); e != nil {
		return fmt.Errorf("%w (and the embedded database could not be left: %v)", err, e)
	}
	return err
}

func (a *app) openEmbedded(ctx context.Context, cfg *config.Config, db *database) error {
	opt, err := a.clusterOptions(cfg)
	if err != nil {
		return err
	}
	db.cluster, err = pgembed.Open(ctx, opt)
	if err != nil {
		return err
	}
	for _, n := range db.cluster.Notices() {
		a.note("%s", n)
	}
	db.dsn = db.cluster.DSN(cfg.Database.Name)
	return nil
}

// indexDir is the folder of index files.
func indexDir(cfg *config.Config) string { return filepath.Join(cfg.Home, "index") }

// migrator works on the configured schema.
func (a *app) migrator(cfg *config.Config, dsn string) *migrate.Migrator {
	return migrate.New(migrate.Config{DSN: dsn, Schema: cfg.Database.Schema, AppVersion: version(), Logger: a.logger(cfg)})
}

// schema brings an embedded database up to date, and checks an external one.
func (a *app) schema(ctx context.Context, cfg *config.Config, db *database) error {
	if db.cluster == nil {
		return a.migrator(cfg, db.dsn).Check(ctx)
	}
	if err := db.cluster.EnsureDatabase(ctx, cfg.Database.Name); err != nil {
		return err
	}
	m := a.migrator(cfg, db.dsn)
	if _, err := m.Init(ctx, migrate.InitOptions{}); err != nil {
		return err
	}
	_, err := m.Up(ctx)
	return err
}
