package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"manito/internal/config"
	"manito/internal/pgembed"
	"manito/internal/postgres"
	"manito/internal/server"
)

func (a *app) serveCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "serve", Short: "Run the server", Args: cobra.NoArgs,
		Long: `Serve listens on a loopback address and answers /livez (the process runs), /readyz
(the database answers and its schema is current; 503 with the reasons otherwise) and
/metrics (for Prometheus). It survives the database: while that is away it is not
ready, and when it is back it is, without a restart; an embedded database that died
is started again. SIGTERM lets requests under way finish.

It has no authentication yet and therefore refuses every other address.`,
		Example: "  manito serve\n  manito serve --addr 127.0.0.1:8080",
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.serve(cmd.Context()) },
	}
	cmd.Flags().Func("addr", flagDoc("addr"), func(v string) error { a.flags["addr"] = v; return nil })
	return cmd
}

func (a *app) serve(ctx context.Context) (err error) {
	cfg, err := a.load()
	if err != nil {
		return err
	}
	src := &serveStore{app: a, cfg: cfg}
	defer func() { err = errors.Join(err, src.close()) }()
	s, err := server.New(server.Config{Addr: cfg.Addr, Source: src, Version: version(), Logger: a.logger(cfg),
		Started: func(at net.Addr) { a.note("listening on http://%s", at) }})
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.Run(ctx) })
	if os.Getpid() == 1 { // nobody else in the container collects the servers that others have left
		g.Go(func() error {
			if err := pgembed.Reap(ctx); ctx.Err() == nil {
				return err
			}
			return nil
		})
	}
	return g.Wait()
}

// serveStore opens the server's store, on an external server or in the embedded cluster.
type serveStore struct {
	app *app
	cfg *config.Config

	mu      sync.Mutex
	cluster *pgembed.Cluster // nil for an external server, and before the first Open
	dsn     string           // of the open store
}

// Open opens the store with the pool that the configuration asks for.
func (s *serveStore) Open(ctx context.Context) (*postgres.DB, error) {
	dsn, err := s.address(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.app.migrator(s.cfg, dsn).Check(ctx); err != nil {
		return nil, err
	}
	least, most := s.cfg.Database.PoolMin, s.cfg.Database.PoolMax
	if !s.cfg.Database.External() {
		least, most = min(least, embeddedLeast), min(most, embeddedMost)
	}
	pool := poolConfig(s.cfg, dsn, least, most)
	pool.Application = "manito serve"
	return postgres.Open(ctx, pool)
}

// address finds the database; an embedded one is started and migrated.
func (s *serveStore) address(ctx context.Context) (dsn string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cfg.Database.External() {
		s.dsn, err = s.cfg.Database.DSN()
		return s.dsn, err
	}
	if s.cluster == nil {
		if s.cluster, err = s.app.openCluster(ctx, s.cfg); err != nil {
			return "", err
		}
	}
	s.dsn, err = s.app.embeddedDSN(ctx, s.cfg, s.cluster)
	return s.dsn, err
}

// Check looks at the migrations, as the app role.
func (s *serveStore) Check(ctx context.Context) error {
	s.mu.Lock()
	dsn := s.dsn
	s.mu.Unlock()
	return s.app.migrator(s.cfg, dsn).Check(ctx)
}

// Revive starts the embedded cluster's server again. An external one is its operator's.
func (s *serveStore) Revive(ctx context.Context) (moved bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cluster == nil {
		return false, nil
	}
	if err := s.cluster.Ensure(ctx); err != nil {
		return false, fmt.Errorf("starting the embedded database again: %w", err)
	}
	dsn, _, err := appDSN(s.cfg, s.cluster)
	return dsn != s.dsn, err
}

func (s *serveStore) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cluster == nil {
		return nil
	}
	return s.cluster.Close()
}
