//go:build unix

package bouncertest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Options say what stands behind the pooler and how it shares it.
type Options struct {
	Mode string // pool_mode: "transaction" or "session"
	DSN  string // of the database, with the user and password that the pooler logs in with
	Size int    // server connections at most; 0 leaves pgbouncer's default of 20
}

// Bouncer is a running pgbouncer, on a Unix socket in a folder of its own.
type Bouncer struct {
	Host string // the folder
	Port int
	DSN  string // leads through it, as the same user to the same database

	log lockedBuffer
}

// lockedBuffer is what the program said, while it says more.
type lockedBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

// Write adds to what was said.
func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) text() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// Start starts pgbouncer, waits until it answers, and ends it with the test. It lets
// everybody in who reaches its socket. Without the program the test fails.
func Start(t testing.TB, o Options) *Bouncer {
	t.Helper()
	program := find(t)
	cfg, err := pgx.ParseConfig(o.DSN)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "pgb") // a test's own folder is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	attr, err := account(dir)
	if err != nil {
		t.Fatal(err)
	}
	b := &Bouncer{Host: dir, Port: 6432}
	size, login := "", "user="+value(cfg.User)
	if o.Size > 0 {
		size = fmt.Sprintf("default_pool_size = %d\n", o.Size)
	}
	if cfg.Password != "" { // it takes no empty one
		login += " password=" + value(cfg.Password)
	}
	conf := filepath.Join(dir, "pgbouncer.ini")
	text := fmt.Sprintf("[databases]\n* = host=%s port=%d %s\n[pgbouncer]\nunix_socket_dir = %s\nlisten_port = %d\nauth_type = any\npool_mode = %s\n%s",
		value(cfg.Host), cfg.Port, login, dir, b.Port, o.Mode, size)
	if err := os.WriteFile(conf, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-q", conf)
	cmd.SysProcAttr, cmd.Stdout, cmd.Stderr = attr, &b.log, &b.log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it is ours, and may have ended
		_ = cmd.Wait()         // it was killed
		if t.Failed() {
			t.Logf("pgbouncer said:\n%s", b.log.text())
		}
	})
	b.DSN = fmt.Sprintf("host=%s port=%d user=%s dbname=%s sslmode=disable", dir, b.Port, value(cfg.User), value(cfg.Database))
	b.wait(t)
	return b
}

// wait waits until the pooler and the server behind it answer.
func (b *Bouncer) wait(t testing.TB) {
	t.Helper()
	var err error
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		var conn *pgx.Conn
		if conn, err = pgx.Connect(t.Context(), b.DSN); err != nil {
			continue
		}
		_, err = conn.Exec(t.Context(), "select 1", pgx.QueryExecModeSimpleProtocol)
		if err = errors.Join(err, conn.Close(context.WithoutCancel(t.Context()))); err == nil {
			return
		}
	}
	t.Fatalf("pgbouncer does not answer: %v\n%s", err, b.log.text())
}

// value quotes a value of a connection string.
func value(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}

// find looks where Debian puts it, too: outside of an ordinary user's path.
func find(t testing.TB) string {
	t.Helper()
	for _, name := range []string{"pgbouncer", "/usr/sbin/pgbouncer"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("pgbouncer is not installed: MANITO_DEPS=test scripts/install-deps.sh installs it")
	return ""
}

// account gives the folder to whom pgbouncer runs as: it refuses to run as root.
func account(dir string) (*syscall.SysProcAttr, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("a test that runs as root needs the user postgres to run pgbouncer: %w", err)
	}
	uid, err1 := strconv.Atoi(u.Uid)
	gid, err2 := strconv.Atoi(u.Gid)
	if err := errors.Join(err1, err2, os.Chown(dir, uid, gid)); err != nil {
		return nil, err
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, nil
}
