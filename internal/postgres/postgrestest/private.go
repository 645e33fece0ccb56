//go:build unix

package postgrestest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"manito/internal/migrate"
	"manito/internal/pgembed"
)

// Private is a server of one test, which the test may kill.
type Private struct {
	Database
	cluster *pgembed.Cluster
	root    string
}

// NewPrivate starts a server with one migrated database, and stops it with the
// test. It needs PostgreSQL's programs on this machine, also when
// MANITO_TEST_DATABASE_URL is set.
func NewPrivate(t testing.TB) *Private {
	t.Helper()
	p, err := StartPrivate(context.WithoutCancel(t.Context()))
	if err != nil {
		t.Fatalf("no PostgreSQL server to test on: %v", err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Errorf("stopping the private server: %v", err)
		}
	})
	return p
}

// StartPrivate is NewPrivate for a server that several tests share; close it after the last.
func StartPrivate(ctx context.Context) (p *Private, err error) {
	bin, err := programs()
	if err != nil {
		return nil, err
	}
	p = &Private{}
	if p.root, err = os.MkdirTemp("", "manito-private"); err != nil { // a test's own folder is too long for a socket
		return nil, err
	}
	if err := os.Chmod(p.root, 0o755); err != nil {
		return nil, err
	}
	if p.cluster, err = pgembed.Open(ctx, pgembed.Options{Root: p.root, BinDir: bin, Settings: map[string]string{"shared_buffers": "32MB"}}); err != nil {
		return nil, err
	}
	const name = "private"
	if err := p.cluster.EnsureDatabase(ctx, name); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	p.Name, p.Schema, p.Roles = name, schemaName(), migrate.RolesFor("manito_private")
	p.address()
	m := migrate.New(migrate.Config{DSN: p.Admin, Schema: p.Schema, RolePrefix: "manito_private"})
	if _, err := m.Init(ctx, migrate.InitOptions{MigratorPassword: password, AppPassword: password, ReaderPassword: password}); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	if _, err := m.Up(ctx); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// Close stops the server and deletes its data.
func (p *Private) Close() error { return errors.Join(p.cluster.Close(), os.RemoveAll(p.root)) }

func (p *Private) address() {
	p.Admin = p.cluster.DSN(p.Name)
	p.App = p.Admin + " user=" + p.Roles.App + " password=" + password
	p.Reader = p.Admin + " user=" + p.Roles.Reader + " password=" + password
}

// Kill ends every process of the server at once, by SIGKILL.
func (p *Private) Kill(t testing.TB) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(p.cluster.DataDir(), "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	postmaster, err := strconv.Atoi(strings.Fields(string(text))[0])
	if err != nil {
		t.Fatal(err)
	}
	// Stopped, it cannot start another process while its children are listed.
	if err := syscall.Kill(postmaster, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	pids := append(children(t, postmaster), postmaster)
	for _, pid := range pids {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			t.Fatal(err)
		}
	}
	for deadline := time.Now().Add(10 * time.Second); len(alive(t, pids)) > 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("processes %v outlived SIGKILL", alive(t, pids))
		}
	}
}

// Restart starts the server again after Kill, which makes it recover.
func (p *Private) Restart(t testing.TB) {
	t.Helper()
	if err := p.cluster.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.address()
}

// process is one line of the system's list of processes.
type process struct {
	pid, parent int
	state       byte
}

// processes lists what runs, from /proc or, where there is none, from ps.
func processes(t testing.TB) (out []process) {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil || len(entries) == 0 {
		text, err := exec.Command("ps", "-A", "-o", "pid=,ppid=,state=").Output()
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			var p process
			var state string
			if _, err := fmt.Sscan(line, &p.pid, &p.parent, &state); err == nil {
				p.state = state[0]
				out = append(out, p)
			}
		}
		return out
	}
	for _, e := range entries {
		text, err := os.ReadFile("/proc/" + e.Name() + "/stat")
		if err != nil {
			continue // no process, or gone meanwhile
		}
		// The name in the second field may hold anything; what follows its end does not.
		pid, rest := string(text), string(text[strings.LastIndexByte(string(text), ')')+1:])
		var p process
		var state string
		_, err1 := fmt.Sscan(pid, &p.pid)
		_, err2 := fmt.Sscan(rest, &state, &p.parent)
		if err1 == nil && err2 == nil {
			p.state = state[0]
			out = append(out, p)
		}
	}
	return out
}

// children lists the processes whose parent is pid.
func children(t testing.TB, pid int) (out []int) {
	t.Helper()
	for _, p := range processes(t) {
		if p.parent == pid {
			out = append(out, p.pid)
		}
	}
	return out
}

// alive lists those processes that run; zombies do not.
func alive(t testing.TB, pids []int) (out []int) {
	t.Helper()
	for _, p := range processes(t) {
		if slices.Contains(pids, p.pid) && p.state != 'Z' && p.state != 'X' {
			out = append(out, p.pid)
		}
	}
	return out
}
