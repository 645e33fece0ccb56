//go:build linux || darwin

package pgembed

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"manito/internal/problem"
)

// The test binary plays other processes, too: what its first variable says.
const (
	roleVar   = "MANITO_PGEMBED_ROLE"   // client, keeper or suite
	optionVar = "MANITO_PGEMBED_OPTION" // JSON of Options
)

func TestMain(m *testing.M) {
	switch os.Getenv(roleVar) {
	case "client":
		os.Exit(playClient())
	case "keeper":
		if err := Keep(context.Background(), givenOptions()); err != nil {
			fmt.Fprintln(os.Stderr, "keeper:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	code := m.Run()
	once.remove()
	os.Exit(code)
}

func givenOptions() Options {
	var o Options
	if err := json.Unmarshal([]byte(os.Getenv(optionVar)), &o); err != nil {
		panic(err)
	}
	return o
}

// reply is what a client process says of its Open, or of a later command.
type reply struct {
	PID     int // of the server
	UID     int // of the client
	DSN     string
	DataDir string
	Notices []string
	Error   string
	Kind    string
	Rows    int64
}

func replyOf(err error) reply {
	if err == nil {
		return reply{UID: os.Geteuid()}
	}
	return reply{UID: os.Geteuid(), Error: err.Error() + "\n" + strings.Join(problem.Fixes(err), "\n"), Kind: problem.KindOf(err).String()}
}

// playClient opens a cluster, says so, and obeys the lines on its standard input.
func playClient() int {
	say := json.NewEncoder(os.Stdout)
	ctx := context.Background()
	c, err := Open(ctx, givenOptions())
	r := replyOf(err)
	if err == nil {
		s, err := c.Status(ctx)
		r = replyOf(err)
		r.PID, r.DSN, r.DataDir, r.Notices = s.PID, c.DSN("postgres"), c.DataDir(), c.Notices()
	}
	say.Encode(r)
	if err != nil {
		return 1
	}
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		switch in.Text() {
		case "close":
			say.Encode(replyOf(c.Close()))
		case "vanish":
			return 0 // without Close, as a crash
		case "write":
			conn, err := pgx.Connect(ctx, c.DSN("postgres"))
			if err != nil {
				say.Encode(replyOf(err))
				continue
			}
			for i := int64(1); ; i++ {
				if _, err := conn.Exec(ctx, "insert into written values ($1)", i); err != nil {
					break // killed
				}
				say.Encode(reply{Rows: i})
			}
		}
	}
	c.Close()
	return 0
}

// process is a client in another process.
type process struct {
	t     *testing.T
	cmd   *exec.Cmd
	in    io.WriteCloser
	out   *json.Decoder
	first reply
	err   strings.Builder
}

// spawn starts a client; attr may change who it is. It does not wait for its reply.
func spawn(t *testing.T, o Options, attr func(*exec.Cmd)) *process {
	t.Helper()
	p := &process{t: t, cmd: self(t, "client", o)}
	p.cmd.Stderr = &p.err
	if attr != nil {
		attr(p.cmd)
	}
	var err error
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.out = json.NewDecoder(out)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.in.Close()
		p.cmd.Wait()
	})
	return p
}

// client starts a client and waits for its reply, which must be no error.
func client(t *testing.T, o Options, attr func(*exec.Cmd)) *process {
	t.Helper()
	p := spawn(t, o, attr)
	if p.first = p.hear(); p.first.Error != "" {
		t.Fatalf("a client cannot open the cluster: %s\n%s", p.first.Error, p.err.String())
	}
	return p
}

func (p *process) hear() reply {
	p.t.Helper()
	var r reply
	if err := p.out.Decode(&r); err != nil {
		p.cmd.Wait()
		p.t.Fatalf("a client said nothing: %v\n%s", err, p.err.String())
	}
	return r
}

func (p *process) say(line string) {
	p.t.Helper()
	if _, err := io.WriteString(p.in, line+"\n"); err != nil {
		p.t.Fatal(err)
	}
}

func (p *process) close() {
	p.t.Helper()
	p.say("close")
	if r := p.hear(); r.Error != "" {
		p.t.Errorf("a client cannot close: %s", r.Error)
	}
}

func (p *process) kill() {
	p.t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		p.t.Fatal(err)
	}
	p.cmd.Wait()
}

// self is this test binary in another role, at a place where every user may run it.
func self(t *testing.T, role string, o Options) *exec.Cmd {
	t.Helper()
	o.Logger = nil
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(publicBinary(t))
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), roleVar+"="+role, optionVar+"="+string(text))
	return cmd
}

// shared is what the tests of one process share: a folder that every user may enter,
// with the test binary and a stopped cluster that tests copy instead of each running
// initdb.
type shared struct {
	sync.Mutex
	folder, binary, root string
}

var once shared

func (s *shared) dir(t *testing.T) string {
	t.Helper()
	if s.folder == "" {
		s.folder = tempDir(t)
	}
	return s.folder
}

func (s *shared) remove() {
	if s.folder != "" {
		os.RemoveAll(s.folder)
	}
}

// publicBinary copies the test binary out of go test's private folder.
func publicBinary(t *testing.T) string {
	t.Helper()
	once.Lock()
	defer once.Unlock()
	if once.binary == "" {
		exe, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(once.dir(t), "pgembed.test")
		run(t, "cp", exe, path)
		run(t, "chmod", "0755", path)
		once.binary = path
	}
	return once.binary
}

// tempDir makes a folder with a short name that every user may enter.
func tempDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "mp")
	if err != nil {
		t.Fatal(err)
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// emptyRoot is a home folder without a cluster. Whatever server is left in it at the
// end of the test is a failure.
func emptyRoot(t *testing.T) string {
	t.Helper()
	dir := tempDir(t)
	t.Cleanup(func() {
		sweep(t, dir)
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return filepath.Join(dir, "home")
}

// sweep ends the servers of all clusters below a folder, and fails if there were any.
func sweep(t *testing.T, dir string) {
	t.Helper()
	filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err == nil && e.Name() == "PG_VERSION" && filepath.Base(filepath.Dir(filepath.Dir(path))) != "base" {
			for _, pid := range processesIn(t, filepath.Dir(path)) {
				t.Errorf("process %d of a server is left in %s", pid, filepath.Dir(path))
				syscall.Kill(pid, syscall.SIGKILL)
			}
		}
		return nil
	})
}

// readyRoot is a home folder with a stopped cluster.
func readyRoot(t *testing.T) string {
	t.Helper()
	once.Lock()
	defer once.Unlock()
	if once.root == "" {
		root := filepath.Join(once.dir(t), "home")
		c, err := Open(t.Context(), Options{Root: root})
		if err != nil {
			t.Fatal(err)
		}
		exec1(t, c, "create table written (n bigint)")
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		once.root = root
	}
	root := emptyRoot(t)
	run(t, "cp", "-a", once.root, root)
	return root
}

// open opens a cluster that is closed with the test.
func open(t *testing.T, o Options) *Cluster {
	t.Helper()
	if o.Logger == nil {
		o.Logger = slogtest(t)
	}
	c, err := Open(t.Context(), o)
	if err != nil {
		t.Fatalf("Open: %v\nfixes: %s", err, strings.Join(problem.Fixes(err), "; "))
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		if log, err := os.ReadFile(c.path(logName)); err == nil && t.Failed() {
			t.Logf("%s:\n%s", c.path(logName), log[max(0, len(log)-4000):])
		}
	})
	return c
}

type lines struct{ t *testing.T }

func (l lines) Write(p []byte) (int, error) {
	l.t.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}

func slogtest(t *testing.T) *slog.Logger { return slog.New(slog.NewTextHandler(lines{t}, nil)) }

func connect(t *testing.T, dsn string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

// exec1 runs a statement on a cluster.
func exec1(t *testing.T, c *Cluster, sql string) {
	t.Helper()
	conn := connect(t, c.DSN("postgres"))
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	conn.Close(t.Context())
}

// ask1 is the single value of a query.
func ask1[T any](t *testing.T, dsn, sql string, args ...any) T {
	t.Helper()
	conn := connect(t, dsn)
	defer conn.Close(t.Context())
	var v T
	if err := conn.QueryRow(t.Context(), sql, args...).Scan(&v); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return v
}

// run runs a command that must succeed and returns what it says.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// status is what Inspect says of a root.
func status(t *testing.T, root string) Status {
	t.Helper()
	s, err := Inspect(t.Context(), Options{Root: root})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// wantStopped checks that no process of a root's server is left.
func wantStopped(t *testing.T, root string) {
	t.Helper()
	s := status(t, root)
	if s.State != Stopped || s.InUse {
		t.Errorf("the cluster is %+v, want it stopped and unused", s)
	}
	if left := processesIn(t, s.DataDir); len(left) > 0 {
		t.Errorf("processes %v are left of its server", left)
	}
}

// wantProblem checks an error's kind, that it offers a fix, and what it mentions.
func wantProblem(t *testing.T, err error, kind problem.Kind, mentions ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one of kind %s", kind)
	}
	if got := problem.KindOf(err); got != kind {
		t.Errorf("the error is of kind %s, want %s: %v", got, kind, err)
	}
	text := err.Error() + "\n" + strings.Join(problem.Fixes(err), "\n")
	if len(problem.Fixes(err)) == 0 && kind != problem.Interrupted {
		t.Errorf("the error offers no fix: %v", err)
	}
	for _, m := range mentions {
		if !strings.Contains(text, m) {
			t.Errorf("the error does not mention %q: %s", m, text)
		}
	}
}

// eventually waits for something that other processes do.
func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	for until := time.Now().Add(60 * time.Second); time.Now().Before(until); time.Sleep(10 * time.Millisecond) {
		if f() {
			return
		}
	}
	t.Fatalf("still not so: %s", what)
}

// needRoot leaves a test to runs as root.
func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can run a server as somebody else")
	}
}

// as makes a command another user's.
func as(id identity) func(*exec.Cmd) {
	return func(cmd *exec.Cmd) {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(id.uid), Gid: uint32(id.gid)}}
	}
}

func pgxConnect(t *testing.T, dsn string) (*pgx.Conn, error) { return pgx.Connect(t.Context(), dsn) }

func itoa(n int) string { return strconv.Itoa(n) }
