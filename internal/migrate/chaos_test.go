package migrate

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// The tests of this file run migrators as processes: this test binary again, told by an
// environment variable to be one. MANITO_CHAOS=full runs them 8 x 100 times and kills a
// hundred; without it a few of each. MANITO_CHAOS_REPORT names a file for the counts;
// scripts/chaos.sh writes them to testdata/chaos.json, which TestChaosResult reads.

const childEnv = "MANITO_MIGRATE_CHILD"

func full() bool { return os.Getenv("MANITO_CHAOS") == "full" }

// childConfig is what a test tells the process.
type childConfig struct {
	DSN     string
	Files   map[string]string // nil: the built-in ones
	Down    bool
	PauseAt phase
	Pause   int // at which occurrence of the phase, counted from 1
}

// child is the process. It says where it pauses, and its report, on standard output.
func child(text string) int {
	var cfg childConfig
	if err := json.Unmarshal([]byte(text), &cfg); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	c := Config{DSN: cfg.DSN, LockTimeout: 500 * time.Millisecond, Tries: 100}
	if cfg.Files != nil {
		c.Files = sqlFiles(cfg.Files)
	}
	m := New(c)
	seen := 0
	m.hook = func(_ context.Context, p phase) {
		if p == cfg.PauseAt {
			if seen++; seen == cfg.Pause {
				fmt.Println("paused")
				select {} // until it is killed
			}
		}
	}
	fmt.Println("started")
	var rep any
	var err error
	if cfg.Down {
		rep, err = m.Down(context.Background(), DownOptions{AllowDataLoss: true})
	} else {
		rep, err = m.Up(context.Background())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 3
	}
	if err := json.NewEncoder(os.Stdout).Encode(rep); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 3
	}
	return 0
}

// process is a running child.
type process struct {
	cmd    *exec.Cmd
	out    *bufio.Reader
	stderr strings.Builder
}

func spawn(t *testing.T, cfg childConfig) *process {
	t.Helper()
	text, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	p := &process{cmd: exec.Command(os.Args[0], "-test.run=^$")}
	p.cmd.Env = append(os.Environ(), childEnv+"="+string(text))
	p.cmd.Stderr = &p.stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.out = bufio.NewReader(out)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return p
}

// line waits for the next line; it is empty when the process has ended.
func (p *process) line() string {
	s, err := p.out.ReadString('\n')
	if err != nil {
		return ""
	}
	return strings.TrimSpace(s)
}

// kill ends the process as the kernel would, without any warning.
func (p *process) kill() { _ = p.cmd.Process.Kill(); _ = p.cmd.Wait() } // the error of Wait is that it was killed

// finish waits for the end of a process and returns its report.
func (p *process) finish(t *testing.T) (rep struct {
	Applied []Done
	Undone  []Done
}) {
	t.Helper()
	text, err := io.ReadAll(p.out)
	if err := errors.Join(err, p.cmd.Wait()); err != nil {
		t.Fatalf("a migrator failed: %v\n%s", err, &p.stderr)
	}
	text = []byte(strings.TrimPrefix(string(text), "started\n"))
	if err := json.Unmarshal(text, &rep); err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	return rep
}

// Eight processes bring the same database up at once, again and again: each migration is
// applied once, everybody succeeds, nothing deadlocks and no index is left invalid.
func TestMigrationApplication(t *testing.T) {
	if testing.Short() {
		t.Skip("starts dozens of processes")
	}
	rounds := 2
	if full() {
		rounds = 100
	}
	everywhere(t, func(t *testing.T, c *cluster) {
		for _, files := range []map[string]string{simple, nil} {
			n := rounds
			if files == nil {
				n = max(rounds/5, 1)
			}
			for i := range n {
				t.Run(fmt.Sprintf("round %d", i+1), func(t *testing.T) { crowd(t, c, files) })
			}
		}
	})
}

func crowd(t *testing.T, c *cluster, files map[string]string) {
	h := newHouse(t, c, "manito")
	dsn := c.dsn(h.roles.Migrator, h.database)
	total := len(New(Config{}).files)
	if files != nil {
		total = len(files)
	}
	var crowd []*process
	for range crowdSize {
		crowd = append(crowd, spawn(t, childConfig{DSN: dsn, Files: files}))
	}
	applied := map[int64]int{}
	failures := 0
	for _, p := range crowd {
		text, err := io.ReadAll(p.out)
		if err := errors.Join(err, p.cmd.Wait()); err != nil {
			failures++
			t.Errorf("a migrator failed: %v\n%s", err, &p.stderr)
			continue
		}
		var rep UpReport
		if err := json.Unmarshal([]byte(strings.TrimPrefix(string(text), "started\n")), &rep); err != nil {
			t.Fatal(err)
		}
		for _, d := range rep.Applied {
			applied[d.Version]++
		}
	}
	admin := c.connect(t, "postgres", h.database)
	twice := 0
	for v, n := range applied {
		if n != 1 {
			twice++
			t.Errorf("version %d was applied %d times", v, n)
		}
	}
	if len(applied) != total {
		t.Errorf("%d migrations were applied, not %d", len(applied), total)
	}
	deadlocks := one[int](t, admin, "select count(*) from manito.migration_attempt where sqlstate = '40P01'")
	invalid := one[int](t, admin, "select count(*) from pg_index where not indisvalid")
	if tries := one[int](t, admin, "select count(*) from manito.migration_attempt where outcome <> 'ok'"); deadlocks+invalid+tries > 0 {
		t.Errorf("%d deadlocks, %d invalid indexes, %d attempts that are not ok", deadlocks, invalid, tries)
	}
	counts.Lock()
	defer counts.Unlock()
	counts.Rounds++
	counts.Runs += len(crowd)
	counts.Failures += failures
	counts.Twice += twice
	counts.Deadlocks += deadlocks
	counts.Invalid += invalid
	counts.Servers[c.version(t)] = true
}

// A migrator that is killed in any phase leaves the old state or the new one, and the
// next run goes on from there without help.
func TestKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("starts dozens of processes")
	}
	phases := []phase{phaseLocked, phaseBeforeDDL, phaseAfterDDL, phaseBeforeLedger, phaseBeforeCommit, phaseAfterCommit}
	everywhere(t, func(t *testing.T, c *cluster) {
		want := expectedHash(t, c)
		repeat := 1
		if full() {
			repeat = 3
		}
		for range repeat {
			for _, down := range []bool{false, true} {
				for _, p := range phases {
					for occurrence := 1; occurrence <= 3; occurrence++ {
						if p == phaseLocked && occurrence > 1 || p == phaseAfterCommit && occurrence > 2 {
							continue // it is reached once, and after all files but the last
						}
						if !full() && (occurrence == 3 || down && occurrence != 2) {
							continue
						}
						t.Run(string(p), func(t *testing.T) { killAt(t, c, want, p, occurrence, down) })
					}
				}
			}
		}
		builds := 1
		if full() {
			builds = 8
		}
		for i := range builds {
			t.Run("build", func(t *testing.T) { killInBuild(t, c, want, i%2 == 1) })
		}
		random := 2
		if full() {
			random = 30
		}
		for range random {
			t.Run("random", func(t *testing.T) { killSometime(t, c, want) })
		}
	})
}

// expectedHash is the catalogue after an undisturbed Up.
func expectedHash(t *testing.T, c *cluster) string {
	h := newHouse(t, c, "manito")
	if _, err := h.migrator("manito", sqlFiles(simple)).Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	return liveHash(t, h)
}

func liveHash(t *testing.T, h house) (hash string) {
	t.Helper()
	err := h.migrator("manito", sqlFiles(simple)).visit(t.Context(), func(s site, conn *pgx.Conn, _ *pgx.ConnConfig) error {
		c, err := s.liveCatalog(t.Context(), conn)
		hash = c.Hash()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return hash
}

// recovered runs a migrator after a kill and checks that everything is right.
func recovered(t *testing.T, c *cluster, h house, want, what string) {
	t.Helper()
	spawn(t, childConfig{DSN: c.dsn(h.roles.Migrator, h.database), Files: simple}).finish(t)
	good := true
	if got := liveHash(t, h); got != want {
		good = false
		t.Errorf("%s: the catalogue differs", what)
	}
	admin := c.connect(t, "postgres", h.database)
	if got := one[string](t, admin, "select string_agg(version::text, ',' order by version) from manito.migration"); got != "1,2,3" {
		good = false
		t.Errorf("%s: the ledger has %s", what, got)
	}
	if n := one[int](t, admin, "select count(*) from pg_index where not indisvalid"); n > 0 {
		good = false
		t.Errorf("%s: %d invalid indexes", what, n)
	}
	if n := one[int](t, admin, "select count(*) from manito.migration_attempt where outcome = 'running'"); n > 0 {
		good = false
		t.Errorf("%s: %d attempts are still open", what, n)
	}
	if n := one[int](t, admin, "select count(*) from manito.a"); n != 1000 {
		good = false
		t.Errorf("%s: %d rows", what, n)
	}
	counts.Lock()
	defer counts.Unlock()
	counts.Kills[what]++
	counts.KillsTotal++
	counts.Servers[c.version(t)] = true
	if good {
		counts.Recovered++
	}
}

func killAt(t *testing.T, c *cluster, want string, p phase, occurrence int, down bool) {
	h := newHouse(t, c, "manito")
	if down {
		if _, err := h.migrator("manito", sqlFiles(simple)).Up(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	ch := spawn(t, childConfig{DSN: c.dsn(h.roles.Migrator, h.database), Files: simple, Down: down, PauseAt: p, Pause: occurrence})
	for l := ch.line(); l != "paused"; l = ch.line() {
		if l == "" {
			ch.kill()
			t.Fatalf("%s %d is never reached: %s", p, occurrence, &ch.stderr)
		}
	}
	// What is seen from outside while the migrator hangs, is either old or new.
	if st, err := h.migrator("manito", sqlFiles(simple)).Status(t.Context()); err != nil || st.Running == nil {
		t.Errorf("status beside a running migrator: %+v, %v", st, err)
	}
	ch.kill()
	direction := "up "
	if down {
		direction = "down "
	}
	recovered(t, c, h, want, direction+string(p))
}

// killInBuild kills the migrator, or the server process that works for it, while an index
// is built concurrently: a writer's open transaction holds the build up.
func killInBuild(t *testing.T, c *cluster, want string, backend bool) {
	h := newHouse(t, c, "manito")
	if _, err := h.migrator("manito", sqlFiles(simple)).UpWith(t.Context(), UpOptions{To: 1}); err != nil {
		t.Fatal(err)
	}
	writer := c.connect(t, h.roles.App, h.database)
	exec1(t, writer, "begin; update a set body = body where id = 1")
	ch := spawn(t, childConfig{DSN: c.dsn(h.roles.Migrator, h.database), Files: simple})
	admin := c.connect(t, "postgres", h.database)
	waitFor(t, admin, "select exists (select from pg_index where not indisvalid)")
	what := "up in a concurrent build"
	if backend {
		what += ", by its server process"
		exec1(t, admin, "select pg_terminate_backend(pid) from pg_stat_activity where query ilike 'create index concurrently%' and datname = current_database()")
		waitFor(t, admin, "select not exists (select from pg_stat_activity where query ilike 'create index concurrently%' and datname = current_database())")
	}
	ch.kill()
	// The server notices the dead client while the build still waits for the writer.
	waitFor(t, admin, "select not exists (select from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database()))")
	if n := one[int](t, admin, "select count(*) from pg_index where not indisvalid"); n != 1 {
		t.Errorf("%s: %d invalid indexes before the repair", what, n)
	}
	exec1(t, writer, "commit")
	recovered(t, c, h, want, what)
}

func waitFor(t *testing.T, conn *pgx.Conn, condition string) {
	t.Helper()
	ok, err := poll(t.Context(), time.Minute, func(ctx context.Context) (ok bool, err error) {
		err = conn.QueryRow(ctx, condition).Scan(&ok)
		return ok, err
	})
	if err != nil || !ok {
		t.Fatalf("%s: %t, %v", condition, ok, err)
	}
}

// killSometime kills at a moment that nobody chose.
func killSometime(t *testing.T, c *cluster, want string) {
	h := newHouse(t, c, "manito")
	ch := spawn(t, childConfig{DSN: c.dsn(h.roles.Migrator, h.database), Files: simple})
	ch.line() // it has started
	time.Sleep(rand.N(150 * time.Millisecond))
	ch.kill()
	recovered(t, c, h, want, "up at a random moment")
}
