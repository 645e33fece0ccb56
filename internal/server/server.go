// Package server is Manito over HTTP. This version answers about itself only: /livez says
// that the process runs, /readyz that it can serve, /metrics how it does.
//
// Its nouns:
//
//   - A Source gives the server its store, and brings the database back when it can.
//   - A Check is one condition of being ready, with what is wrong when it does not hold.
//   - The watch is the loop that looks after the store between requests.
//
// Only cli and tests may import it.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"manito/internal/postgres"
	"manito/internal/problem"
)

// Source gives the server its store.
type Source interface {
	// Open opens the store, also again after Revive has said that it is elsewhere.
	Open(ctx context.Context) (*postgres.DB, error)
	// Check looks whether the schema is the one that this program needs.
	Check(ctx context.Context) error
	// Revive is called when the database does not answer. It starts what it may start, and
	// says whether the store must be opened anew because its address has changed.
	Revive(ctx context.Context) (moved bool, err error)
}

// Config says how to serve. Addr and Source have no default.
type Config struct {
	Addr    string // host:port of a loopback address; port 0 takes any
	Source  Source
	Version string           // of the program; default "unknown"
	Every   time.Duration    // between two looks at the store; default 1 s
	Drain   time.Duration    // for requests under way at the end; default 30 s
	Started func(a net.Addr) // called when requests are answered; may be nil
	Logger  *slog.Logger     // default none
}

// Server answers requests. Make one with New.
type Server struct {
	cfg     Config
	mux     *http.ServeMux
	metrics *metrics
	started time.Time
	ending  atomic.Bool

	mu     sync.Mutex // guards what follows; never held while the database is asked
	db     *postgres.DB
	broken error // why there is no store, or why it did not answer the last look

	schema schemaCheck
}

// New makes a server. An address that others can reach is refused: there is no
// authentication that could tell them apart.
func New(cfg Config) (*Server, error) {
	if cfg.Version == "" {
		cfg.Version = "unknown"
	}
	if cfg.Every == 0 {
		cfg.Every = time.Second
	}
	if cfg.Drain == 0 {
		cfg.Drain = 30 * time.Second
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if err := loopback(cfg.Addr); err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, mux: http.NewServeMux(), started: time.Now()}
	s.metrics = newMetrics(s)
	s.mux.HandleFunc("GET /livez", s.live)
	s.mux.HandleFunc("GET /readyz", s.ready)
	s.mux.Handle("GET /metrics", s.metrics.handler())
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fail(w, problem.New(problem.NotFound, "there is nothing at %s", r.URL.Path).Fix("there are /livez, /readyz and /metrics"))
	})
	return s, nil
}

// loopback refuses addresses that can be reached from elsewhere.
func loopback(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return problem.New(problem.Usage, "%q is no address to listen on", addr).Because(err).Fix("give host:port, such as 127.0.0.1:7420")
	}
	if localName(host) {
		return nil
	}
	return problem.New(problem.Denied, "%s could be reached from other machines: server mode needs authentication, which this version does not have", addr).
		Fix("listen on this machine only: --addr 127.0.0.1:7420").
		Fix("from elsewhere, use a tunnel: ssh -L 7420:127.0.0.1:7420 HOST")
}

// localName says whether a host is this machine and nothing else. Other names are not
// looked up: what they mean can change.
func localName(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Run serves until the context ends, then lets the requests under way finish. A store that
// does not answer yet is waited for; every other reason why it cannot be opened is an error.
func (s *Server) Run(ctx context.Context) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.cfg.Addr)
	if err != nil {
		return problem.New(problem.Conflict, "%s cannot be listened on", s.cfg.Addr).Because(err).Fix("end the program that uses the port, or choose another: --addr 127.0.0.1:0")
	}
	if err := s.open(ctx); err != nil && problem.KindOf(err) != problem.Unavailable {
		return errors.Join(err, listener.Close())
	}
	h := &http.Server{
		Handler: s.guard(s.mux), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: time.Minute, WriteTimeout: time.Minute,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(s.cfg.Logger.Handler(), slog.LevelDebug),
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		if err := h.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serving %s: %w", listener.Addr(), err)
		}
		return nil
	})
	g.Go(func() error { return s.watch(ctx) })
	g.Go(func() error {
		<-ctx.Done()
		s.ending.Store(true)
		wait, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.cfg.Drain)
		defer cancel()
		if err := h.Shutdown(wait); err != nil {
			return errors.Join(problem.New(problem.Unavailable, "requests were still under way after %s and were cut off", s.cfg.Drain), h.Close())
		}
		return nil
	})
	if s.cfg.Started != nil {
		s.cfg.Started(listener.Addr())
	}
	err = g.Wait()
	if db := s.store(); db != nil {
		db.Close()
	}
	return err
}

// store is the open store; nil when there is none.
func (s *Server) store() *postgres.DB {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.db
}

// guard sets what every answer has, counts it, and refuses requests that a foreign page
// makes a browser send: its name for this machine is not one of ours.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Server", "manito/"+s.cfg.Version)
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		counted := &statusWriter{ResponseWriter: w}
		defer func() { s.metrics.request(r.Pattern, counted.status) }()
		host := r.Host
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
		if !localName(host) && !localName(trimBrackets(host)) {
			fail(counted, problem.New(problem.Denied, "the host %q is not this machine", host).Fix("ask http://%s", s.cfg.Addr))
			return
		}
		next.ServeHTTP(counted, r)
	})
}

func trimBrackets(host string) string {
	if len(host) > 2 && host[0] == '[' && host[len(host)-1] == ']' {
		return host[1 : len(host)-1]
	}
	return host
}

// statusWriter remembers the status for the counter.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader notes the status and passes it on.
func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the writer below.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
