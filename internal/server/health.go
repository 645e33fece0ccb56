package server

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"manito/internal/postgres"
	"manito/internal/problem"
)

// probeTimeout bounds one look at the database: whoever asks whether we are ready does
// not wait for long either.
const probeTimeout = 2 * time.Second

// schemaFresh is how long a good look at the schema holds. It needs a connection of its
// own, and a balancer asks every second.
const schemaFresh = 5 * time.Second

// watch looks after the store until the context ends.
func (s *Server) watch(ctx context.Context) error {
	tick := time.NewTicker(s.cfg.Every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		err := s.look(ctx)
		if ctx.Err() != nil {
			return nil
		}
		s.mu.Lock()
		was := s.broken
		s.broken = err
		s.mu.Unlock()
		switch {
		case err != nil && was == nil:
			s.cfg.Logger.WarnContext(ctx, "the database does not answer", "error", err)
		case err == nil && was != nil:
			s.cfg.Logger.InfoContext(ctx, "the database answers again")
		}
	}
}

// look asks the store whether it is there, and does what can be done when it is not.
func (s *Server) look(ctx context.Context) error {
	db := s.store()
	if db == nil {
		if err := s.open(ctx); problem.KindOf(err) != problem.Unavailable {
			return err
		}
	} else if err := ping(ctx, db); problem.KindOf(err) != problem.Unavailable || err == nil {
		return err
	}
	moved, err := s.cfg.Source.Revive(ctx)
	if err != nil {
		return err
	}
	if moved && db != nil {
		s.mu.Lock()
		s.db = nil
		s.mu.Unlock()
		// Requests that still use the old pool get an error: its server is gone.
		db.Close()
		db = nil
	}
	if db == nil {
		return s.open(ctx)
	}
	return ping(ctx, db)
}

// open opens the store.
func (s *Server) open(ctx context.Context) error {
	db, err := s.cfg.Source.Open(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = err
	if err == nil {
		s.db = db
	}
	return err
}

func ping(ctx context.Context, db *postgres.DB) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	return db.Ping(ctx)
}

// schemaCheck keeps the last good look at the schema for a while.
type schemaCheck struct {
	mu   sync.Mutex
	good time.Time
}

func (c *schemaCheck) check(ctx context.Context, source Source) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.good) < schemaFresh {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	err := source.Check(ctx)
	if err == nil {
		c.good = time.Now()
	}
	return err
}

// Check is one condition of being ready.
type Check struct {
	Name    string   `json:"name"` // server, database or migrations
	OK      bool     `json:"ok"`
	Kind    string   `json:"kind,omitempty"` // of the problem, such as unavailable
	Message string   `json:"message,omitempty"`
	Fixes   []string `json:"fixes,omitempty"`
}

func newCheck(name string, err error) Check {
	if err == nil {
		return Check{Name: name, OK: true}
	}
	return Check{Name: name, Kind: problem.KindOf(err).String(), Message: err.Error(), Fixes: problem.Fixes(err)}
}

// readiness is the answer of /readyz.
type readiness struct {
	Schema string  `json:"schema"`
	Ready  bool    `json:"ready"`
	Checks []Check `json:"checks"`
}

// ready answers 200 when requests can be served, else 503, always with the reasons.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	answer := readiness{Schema: "manito/ready/v1", Ready: true}
	var ending error
	if s.ending.Load() {
		ending = problem.New(problem.Unavailable, "the server is ending")
	}
	s.mu.Lock()
	db, broken := s.db, s.broken
	s.mu.Unlock()
	err := broken
	if db != nil {
		err = ping(ctx, db)
	}
	answer.Checks = append(answer.Checks, newCheck("server", ending), newCheck("database", err))
	if err == nil {
		answer.Checks = append(answer.Checks, newCheck("migrations", s.schema.check(ctx, s.cfg.Source)))
	}
	status := http.StatusOK
	for _, c := range answer.Checks {
		if !c.OK {
			answer.Ready, status = false, http.StatusServiceUnavailable
		}
	}
	write(w, status, answer)
}

// liveness is the answer of /livez.
type liveness struct {
	Schema  string    `json:"schema"`
	Version string    `json:"version"`
	Started time.Time `json:"started_at"`
}

func (s *Server) live(w http.ResponseWriter, _ *http.Request) {
	write(w, http.StatusOK, liveness{"manito/live/v1", s.cfg.Version, s.started.UTC()})
}

// failure is an error as every route answers it.
type failure struct {
	Schema  string   `json:"schema"`
	Kind    string   `json:"kind"`
	Message string   `json:"message"`
	Fixes   []string `json:"fixes,omitempty"`
}

func fail(w http.ResponseWriter, err error) {
	kind := problem.KindOf(err)
	write(w, kind.Status(), failure{"manito/error/v1", kind.String(), err.Error(), problem.Fixes(err)})
}

// write answers with a JSON document. Nobody is left to tell when the client is gone.
func write(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v)
}
