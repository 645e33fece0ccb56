package cli

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"manito/internal/config"
	"manito/internal/migrate"
	"manito/internal/pgembed"
	"manito/internal/problem"
)

// target is the database that a db command works on, with the rights to change its schema.
type target struct {
	cfg     *config.Config
	m       *migrate.Migrator
	cluster *pgembed.Cluster // nil for an external server
}

// withTarget opens the target, works on it and closes it. install chooses the address with
// the rights to make roles.
func (a *app) withTarget(ctx context.Context, install bool, work func(ctx context.Context, t target) error) (err error) {
	cfg, err := a.load()
	if err != nil {
		return err
	}
	t := target{cfg: cfg}
	address := cfg.Database.MigrationDSN
	if install {
		address = cfg.Database.SuperuserDSN
	}
	if cfg.Database.External() || cfg.Database.MigrationURL != "" || install && cfg.Database.SuperuserURL != "" {
		dsn, err := address()
		if err != nil {
			return err
		}
		t.m = a.migrator(cfg, dsn)
		return work(ctx, t)
	}
	if t.cluster, err = a.openCluster(ctx, cfg); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.cluster.Close()) }()
	if err := t.cluster.EnsureDatabase(ctx, cfg.Database.Name); err != nil {
		return err
	}
	t.m = a.migrator(cfg, t.cluster.DSN(cfg.Database.Name))
	return work(ctx, t)
}

// passwords are those that the configured addresses log in with, for the roles that they
// log in as and whom the server does not let in yet: what db init makes can then be used
// with the configuration as it is.
func (a *app) passwords(ctx context.Context, t target) (migrate.InitOptions, error) {
	var o migrate.InitOptions
	d := &t.cfg.Database
	if t.cluster != nil {
		dsn, password, err := appDSN(t.cfg, t.cluster)
		if err == nil && a.refused(ctx, t.cfg, dsn) {
			o.AppPassword = password
		}
		return o, err
	}
	roles, err := t.m.Roles(ctx)
	if err != nil {
		return o, err
	}
	for _, address := range []func() (string, error){d.DSN, d.MigrationDSN} {
		dsn, err := address()
		if !d.External() {
			continue
		}
		if err != nil {
			return o, err
		}
		user, password, err := login(dsn)
		if err != nil {
			return o, err
		}
		if password != "" && a.refused(ctx, t.cfg, dsn) {
			give(&o, roles, user, password)
		}
	}
	return o, nil
}

// refused says that the server answers and does not let the address's user in.
func (a *app) refused(ctx context.Context, cfg *config.Config, dsn string) bool {
	_, err := a.migrator(cfg, dsn).Roles(ctx)
	return problem.KindOf(err) == problem.Denied
}

func give(o *migrate.InitOptions, roles migrate.Roles, user, password string) {
	switch {
	case password == "":
	case user == roles.App:
		o.AppPassword = password
	case user == roles.Migrator:
		o.MigratorPassword = password
	case user == roles.Reader:
		o.ReaderPassword = password
	}
}

// login is who an address logs in as.
func login(dsn string) (user, password string, err error) {
	if !strings.Contains(dsn, "://") {
		words, err := config.Keywords(dsn)
		for _, w := range words {
			switch w[0] {
			case "user":
				user = w[1]
			case "password":
				password = w[1]
			}
		}
		return user, password, err
	}
	u, err := url.Parse(dsn)
	if err != nil {
		return "", "", problem.New(problem.Usage, "the database address cannot be read").Fix("write it as postgres://user:password@host:5432/database")
	}
	user = u.User.Username()
	password, _ = u.User.Password()
	return user, password, nil
}
