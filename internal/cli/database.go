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
// One-shot commands keep no connection and open a few.
func (a *app) openDatabase(ctx context.Context, cfg *config.Config) (*database, error) {
	return a.openPool(ctx, cfg, 0, min(cfg.Database.PoolMax, 4))
}

// openPool is openDatabase with the size of the pool.
func (a *app) openPool(ctx context.Context, cfg *config.Config, least, most int) (opened *database, err error) {
	db := &database{}
	if cfg.Database.External() {
		if db.dsn, err = cfg.Database.DSN(); err != nil {
			return nil, err
		}
		if err = a.migrator(cfg, db.dsn).Check(ctx); err != nil {
			return nil, err
		}
	} else {
		if db.cluster, err = a.openCluster(ctx, cfg); err != nil {
			return nil, err
		}
		defer func() {
			if err != nil {
				err = closeAfter(err, db.cluster)
			}
		}()
		if db.dsn, err = a.embeddedDSN(ctx, cfg, db.cluster); err != nil {
			return nil, err
		}
	}
	if db.DB, err = postgres.Open(ctx, poolConfig(cfg, db.dsn, least, most)); err != nil {
		return nil, err
	}
	return db, nil
}

// The embedded server has connections for 117 clients in all, and everybody who runs
// manito on this machine shares them. A serving process keeps embeddedLeast at most and
// never has more than embeddedMost; what is idle beyond that is given back soon, and who
// finds all in use waits for it.
const (
	embeddedLeast = 5
	embeddedMost  = 50
	embeddedIdle  = 10 * time.Second
)

// poolConfig is the pool as it is configured.
func poolConfig(cfg *config.Config, dsn string, least, most int) postgres.Config {
	d := &cfg.Database
	idle := d.IdleTimeout
	if !d.External() {
		idle = min(idle, embeddedIdle)
	}
	return postgres.Config{
		DSN: dsn, Schema: d.Schema, MinConns: int32(least), MaxConns: int32(most),
		ConnectTimeout: d.ConnectionTimeout, AcquireTimeout: d.AcquireTimeout, IdleTimeout: idle, StatementTimeout: d.StatementTimeout,
		Pooler: pooler(d.Pooler), Application: "manito",
	}
}

// pooler is the setting as the store knows it.
func pooler(setting string) postgres.Pooler {
	if setting == "auto" {
		return postgres.PoolerFound
	}
	return postgres.Pooler(setting)
}

func closeAfter(err error, c *pgembed.Cluster) error {
	if e := c.Close(); e != nil {
		return fmt.Errorf("%w (and the embedded database could not be left: %w)", err, e)
	}
	return err
}

// openCluster starts or joins the embedded cluster and tells what it has repaired.
func (a *app) openCluster(ctx context.Context, cfg *config.Config) (*pgembed.Cluster, error) {
	opt, err := a.clusterOptions(cfg)
	if err != nil {
		return nil, err
	}
	cluster, err := pgembed.Open(ctx, opt)
	if err != nil {
		return nil, err
	}
	for _, n := range cluster.Notices() {
		a.note("%s", n)
	}
	return cluster, nil
}

// indexDir is the folder of index files.
func indexDir(cfg *config.Config) string { return filepath.Join(cfg.Home, "index") }

// migrator works on the configured schema.
func (a *app) migrator(cfg *config.Config, dsn string) *migrate.Migrator {
	return migrate.New(migrate.Config{DSN: dsn, Schema: cfg.Database.Schema, AppVersion: version(), Logger: a.logger(cfg)})
}
