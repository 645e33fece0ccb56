package server

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"manito/internal/migrate"
	"manito/internal/postgres"
	"manito/internal/postgres/postgrestest"
	"manito/internal/problem"
)

func TestMain(m *testing.M) { os.Exit(postgrestest.Main(m)) }

// database is the source of a test: a real one, at an address that the test may change.
type database struct {
	d   *postgrestest.Database
	dsn string
}

func (s *database) Open(ctx context.Context) (*postgres.DB, error) {
	return postgres.Open(ctx, postgres.Config{DSN: s.dsn, Schema: s.d.Schema, ConnectTimeout: time.Second})
}

func (s *database) Check(ctx context.Context) error {
	return migrate.New(migrate.Config{DSN: s.dsn, Schema: s.d.Schema}).Check(ctx)
}

func (s *database) Revive(context.Context) (bool, error) { return false, nil }

// running is a server that runs until the test ends or stop is called.
type running struct {
	*Server
	url  string
	stop context.CancelFunc
	done chan error
}

func run(t *testing.T, cfg Config, change func(*Server)) *running {
	t.Helper()
	if cfg.Source == nil {
		d := postgrestest.New(t)
		cfg.Source = &database{d, d.App}
	}
	at := make(chan net.Addr, 1)
	cfg.Addr, cfg.Started = "127.0.0.1:0", func(a net.Addr) { at <- a }
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(s)
	}
	ctx, stop := context.WithCancel(t.Context())
	r := &running{Server: s, stop: stop, done: make(chan error, 1)}
	go func() { r.done <- s.Run(ctx) }()
	select {
	case a := <-at:
		r.url = "http://" + a.String()
	case err := <-r.done:
		t.Fatalf("the server ended at once: %v", err)
	}
	t.Cleanup(stop)
	return r
}

func get(t *testing.T, url string, into any) int {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if text, ok := into.(*string); ok {
		*text = string(body)
	} else if err := json.Unmarshal(body, into); err != nil {
		t.Fatalf("%s: %v\n%s", url, err, body)
	}
	return resp.StatusCode
}

// TestOnlyLoopback refuses every address that another machine could reach.
func TestOnlyLoopback(t *testing.T) {
	t.Parallel()
	for addr, kind := range map[string]problem.Kind{
		"127.0.0.1:0": 0, "[::1]:0": 0, "localhost:0": 0, "127.8.9.1:7420": 0,
		":7420": problem.Denied, "0.0.0.0:7420": problem.Denied, "[::]:7420": problem.Denied, "192.0.2.1:7420": problem.Denied,
		"example.com:7420": problem.Denied, "localhost.example.com:7420": problem.Denied,
		"7420": problem.Usage, "": problem.Usage, "127.0.0.1": problem.Usage,
	} {
		_, err := New(Config{Addr: addr})
		if kind == 0 && err != nil || kind != 0 && (err == nil || problem.KindOf(err) != kind) {
			t.Errorf("%q: %v", addr, err)
		}
		if kind == problem.Denied && (!strings.Contains(err.Error(), "authentication") || len(problem.Fixes(err)) == 0) {
			t.Errorf("%q: the error does not say what to do: %v", addr, err)
		}
	}
}

// TestForeignHostIsRefused: a page elsewhere may point a name of its own at 127.0.0.1.
func TestForeignHostIsRefused(t *testing.T) {
	t.Parallel()
	s, err := New(Config{Addr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]int{"127.0.0.1:7420": 200, "localhost:7420": 200, "[::1]:7420": 200, "[::1]": 200, "localhost": 200,
		"evil.example:7420": 403, "127.0.0.1.evil.example": 403, "": 403} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, "/livez", nil)
		r.Host = host
		s.guard(s.mux).ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("host %q: %d, want %d", host, w.Code, want)
		}
	}
}

func TestReadyLiveAndUnknown(t *testing.T) {
	t.Parallel()
	r := run(t, Config{Version: "1.2.3"}, nil)
	var ready readiness
	if code := get(t, r.url+"/readyz", &ready); code != 200 || !ready.Ready || len(ready.Checks) != 3 {
		t.Errorf("readyz: %d %+v", code, ready)
	}
	var live liveness
	if code := get(t, r.url+"/livez", &live); code != 200 || live.Version != "1.2.3" {
		t.Errorf("livez: %d %+v", code, live)
	}
	var no failure
	if code := get(t, r.url+"/nosuch", &no); code != 404 || no.Kind != "not-found" {
		t.Errorf("nosuch: %d %+v", code, no)
	}
	resp, err := http.Post(r.url+"/readyz", "text/plain", strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode == http.StatusOK {
		t.Error("readyz takes a POST")
	}
	var text string
	get(t, r.url+"/metrics", &text)
	for _, line := range []string{`manito_build_info{`, `version="1.2.3"`, "manito_database_up 1", `manito_scans{status="published"} 0`, `manito_http_requests_total{code="200",route="GET /readyz"} 1`} {
		if !strings.Contains(text, line) {
			t.Errorf("the metrics lack %s:\n%s", line, text)
		}
	}
}

// TestMigrationsMakeUnready: a schema that is behind is a reason of its own.
func TestMigrationsMakeUnready(t *testing.T) {
	t.Parallel()
	d := postgrestest.New(t)
	admin := migrate.New(migrate.Config{DSN: d.Admin, Schema: d.Schema})
	r := run(t, Config{Source: &database{d, d.App}}, nil)
	if _, err := admin.Down(t.Context(), migrate.DownOptions{To: migrate.Previous, AllowDataLoss: true}); err != nil {
		t.Fatal(err)
	}
	var ready readiness
	if code := get(t, r.url+"/readyz", &ready); code != 503 || ready.Ready || ready.Checks[2].OK || ready.Checks[2].Kind != "conflict" || len(ready.Checks[2].Fixes) == 0 {
		t.Errorf("%d %+v", code, ready)
	}
	if _, err := admin.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	if code := get(t, r.url+"/readyz", &ready); code != 200 {
		t.Errorf("%d %+v", code, ready)
	}
}

// TestWrongDatabaseEndsTheServer: only a database that is away is waited for.
func TestWrongDatabaseEndsTheServer(t *testing.T) {
	t.Parallel()
	d := postgrestest.New(t)
	s, err := New(Config{Addr: "127.0.0.1:0", Source: &database{d, d.App + " password=wrong"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Run(t.Context()); problem.KindOf(err) != problem.Denied {
		t.Fatalf("%v", err)
	}
}

// TestWaitsForTheDatabase starts while nobody answers at the database's address.
func TestWaitsForTheDatabase(t *testing.T) {
	t.Parallel()
	d := postgrestest.New(t)
	r := run(t, Config{Source: &database{d, d.App + " port=1"}, Every: 10 * time.Millisecond}, nil)
	var ready readiness
	if code := get(t, r.url+"/readyz", &ready); code != 503 || ready.Checks[1].Kind != "unavailable" {
		t.Errorf("%d %+v", code, ready)
	}
	var text string
	if get(t, r.url+"/metrics", &text); !strings.Contains(text, "manito_database_up 0") {
		t.Error("the metrics do not say that the database is away")
	}
	r.stop()
	if err := <-r.done; err != nil {
		t.Fatal(err)
	}
}

// TestDrains: a request that is under way when the end comes is answered, new ones are not taken.
func TestDrains(t *testing.T) {
	t.Parallel()
	begun, release := make(chan struct{}), make(chan struct{})
	r := run(t, Config{}, func(s *Server) {
		s.mux.HandleFunc("GET /slow", func(w http.ResponseWriter, r *http.Request) {
			close(begun)
			<-release
			s.ready(w, r) // it still has its database
		})
	})
	type answer struct {
		code int
		body string
		err  error
	}
	got := make(chan answer, 1)
	go func() {
		resp, err := http.Get(r.url + "/slow")
		if err != nil {
			got <- answer{err: err}
			return
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		got <- answer{resp.StatusCode, string(body), err}
	}()
	<-begun
	r.stop()
	for { // until nobody listens any more
		c, err := net.Dial("tcp", strings.TrimPrefix(r.url, "http://"))
		if err != nil {
			break
		}
		c.Close()
	}
	select {
	case err := <-r.done:
		t.Fatalf("the server ended before its request: %v", err)
	default:
	}
	close(release)
	a := <-got
	if a.err != nil || a.code != 503 || !strings.Contains(a.body, "the server is ending") || !strings.Contains(a.body, `{"name":"database","ok":true}`) {
		t.Fatalf("%+v", a)
	}
	if err := <-r.done; err != nil {
		t.Fatal(err)
	}
}

// TestCutsOff: a request that never ends does not keep the server, and is reported.
func TestCutsOff(t *testing.T) {
	t.Parallel()
	begun := make(chan struct{})
	r := run(t, Config{Drain: time.Millisecond}, func(s *Server) {
		s.mux.HandleFunc("GET /slow", func(_ http.ResponseWriter, r *http.Request) {
			close(begun)
			<-r.Context().Done()
		})
	})
	failed := make(chan error, 1)
	go func() {
		resp, err := http.Get(r.url + "/slow")
		if err == nil {
			resp.Body.Close()
		}
		failed <- err
	}()
	<-begun
	r.stop()
	if err := <-r.done; problem.KindOf(err) != problem.Unavailable {
		t.Fatalf("%v", err)
	}
	if err := <-failed; err == nil {
		t.Fatal("the request that was cut off was answered")
	}
}

// TestAddressInUse says which one.
func TestAddressInUse(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s, err := New(Config{Addr: l.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	err = s.Run(t.Context())
	var p *problem.Error
	if !errors.As(err, &p) || p.Kind != problem.Conflict || !strings.Contains(err.Error(), l.Addr().String()) {
		t.Fatalf("%v", err)
	}
}
