package cli_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"manito/internal/postgres/postgrestest"
)

// patience bounds what a loaded machine may take; nothing is measured.
const patience = time.Minute

// process is a running manito serve.
type process struct {
	cmd *exec.Cmd
	url string

	mu  sync.Mutex
	log bytes.Buffer
}

func (p *process) logged() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// serve starts the program and waits until it says where it listens.
func serve(t *testing.T, env ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command("manito", "serve", "--addr", "127.0.0.1:0")}
	p.cmd.Env = append(os.Environ(), env...)
	out, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if p.cmd.ProcessState == nil {
			_ = p.cmd.Process.Kill()
			_ = p.cmd.Wait() // it was killed
		}
		if t.Failed() {
			t.Logf("manito serve said:\n%s", p.logged())
		}
	})
	lines := bufio.NewScanner(out)
	where := regexp.MustCompile(`listening on (http://\S+)`)
	for lines.Scan() {
		p.mu.Lock()
		fmt.Fprintln(&p.log, lines.Text())
		p.mu.Unlock()
		if m := where.FindStringSubmatch(lines.Text()); m != nil {
			p.url = m[1]
			break
		}
	}
	if p.url == "" {
		t.Fatal("manito serve ended without listening")
	}
	go func() {
		for lines.Scan() {
			p.mu.Lock()
			fmt.Fprintln(&p.log, lines.Text())
			p.mu.Unlock()
		}
	}()
	return p
}

// end sends SIGTERM and wants exit status 0.
func (p *process) end(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Wait(); err != nil {
		t.Fatalf("after SIGTERM: %v", err)
	}
}

// get asks a route; the status is 0 when nobody answers.
func (p *process) get(t *testing.T, route string) (int, string) {
	t.Helper()
	resp, err := http.Get(p.url + route)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// until asks again until the answer is as wanted.
func (p *process) until(t *testing.T, route string, wanted func(code int, body string) bool) string {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		code, body := p.get(t, route)
		if wanted(code, body) {
			return body
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s still answers %d %s", route, code, body)
		}
	}
}

func is(status int) func(int, string) bool {
	return func(code int, _ string) bool { return code == status }
}

// gauge reads one figure of the metrics; -1 when it is not there.
func gauge(t *testing.T, metrics, name string) int {
	t.Helper()
	m := regexp.MustCompile(`(?m)^` + name + ` (\S+)$`).FindStringSubmatch(metrics)
	if m == nil {
		return -1
	}
	f, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		t.Fatal(err)
	}
	return int(f)
}

// TestServeSurvivesItsDatabase kills every process of the server below a running manito
// serve, and starts it again.
func TestServeSurvivesItsDatabase(t *testing.T) {
	t.Parallel()
	d := postgrestest.NewPrivate(t)
	p := serve(t, "DATABASE_URL="+d.App, "POSTGRES_SCHEMA="+d.Schema, "MANITO_ENV=development", "MANITO_HOME="+t.TempDir(), "DB_POOL_MIN=5", "DB_POOL_MAX=20")
	p.until(t, "/readyz", is(200))
	for round := range 3 {
		d.Kill(t)
		body := p.until(t, "/readyz", is(503))
		var answer struct {
			Ready  bool
			Checks []struct {
				Name, Kind, Message string
				OK                  bool
			}
		}
		if err := json.Unmarshal([]byte(body), &answer); err != nil {
			t.Fatal(err)
		}
		found := false
		for _, c := range answer.Checks {
			found = found || c.Name == "database" && !c.OK && c.Kind == "unavailable" && c.Message != ""
		}
		if answer.Ready || !found {
			t.Fatalf("round %d: the reason is missing: %s", round, body)
		}
		if code, body := p.get(t, "/livez"); code != 200 {
			t.Fatalf("round %d: without its database the process counts as dead: %d %s", round, code, body)
		}
		p.until(t, "/metrics", func(_ int, body string) bool { return gauge(t, body, "manito_database_up") == 0 })
		before := d.App
		d.Restart(t)
		if d.App != before {
			t.Fatalf("the server came back at another address, so this test proves nothing: %s", d.App)
		}
		back := time.Now()
		p.until(t, "/readyz", is(200))
		t.Logf("round %d: ready %v after its database was", round, time.Since(back).Round(time.Millisecond))
	}
	p.end(t)
}

// TestServeCountsItsConnections compares the gauges with what the server counts.
func TestServeCountsItsConnections(t *testing.T) {
	t.Parallel()
	d := postgrestest.New(t)
	p := serve(t, "DATABASE_URL="+d.App, "POSTGRES_SCHEMA="+d.Schema, "MANITO_ENV=development", "MANITO_HOME="+t.TempDir(), "DB_POOL_MIN=5", "DB_POOL_MAX=50")
	conn := d.Connect(t, d.Admin)
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		_, metrics := p.get(t, "/metrics")
		var total, active int
		err := conn.QueryRow(t.Context(), `select count(*), count(*) filter (where state <> 'idle') from pg_stat_activity
			where datname = current_database() and application_name = 'manito serve'`).Scan(&total, &active)
		if err != nil {
			t.Fatal(err)
		}
		got := []int{gauge(t, metrics, "manito_pool_connections"), gauge(t, metrics, "manito_pool_idle_connections"), gauge(t, metrics, "manito_pool_used_connections"),
			gauge(t, metrics, "manito_pool_waiting_requests"), gauge(t, metrics, "manito_pool_max_connections")}
		if total >= 5 && fmt.Sprint(got) == fmt.Sprint([]int{total, total - active, active, 0, 50}) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the gauges (total, idle, used, waiting, max) say %v; the server has %d, %d of them active", got, total, active)
		}
	}
	// db status asks this very server.
	services := func() map[string]string {
		t.Helper()
		status := exec.Command("manito", "db", "status", "--json")
		status.Env = append(p.cmd.Env[:len(p.cmd.Env):len(p.cmd.Env)], "MANITO_ADDR="+strings.TrimPrefix(p.url, "http://"))
		out, err := status.Output()
		if err != nil {
			t.Fatal(err)
		}
		var doc struct {
			Services []struct{ Name, State string }
		}
		if err := json.Unmarshal(out, &doc); err != nil {
			t.Fatal(err)
		}
		states := map[string]string{}
		for _, s := range doc.Services {
			states[s.Name] = s.State
		}
		return states
	}
	if s := services(); s["serve"] != "ready" || s["database"] != "ready" || s["scans"] != "ready" {
		t.Errorf("db status says %v", s)
	}
	p.end(t)
	if s := services(); s["serve"] != "stopped" {
		t.Errorf("after the end db status says %v", s)
	}
	var left int
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		if err := conn.QueryRow(t.Context(), `select count(*) from pg_stat_activity where datname = current_database() and application_name like 'manito serve%'`).Scan(&left); err != nil {
			t.Fatal(err)
		}
		if left == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d connections outlived the process", left)
		}
	}
}

// TestServeStartsItsOwnDatabaseAgain kills the embedded server below manito serve, which starts it again.
func TestServeStartsItsOwnDatabaseAgain(t *testing.T) {
	t.Parallel()
	home, err := os.MkdirTemp("", "mh") // short, and where the server's user may enter
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(home, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		err := os.RemoveAll(home)
		for deadline := time.Now().Add(patience); err != nil && time.Now().Before(deadline); err = os.RemoveAll(home) {
			time.Sleep(50 * time.Millisecond) // the keeper has not seen yet that its work is done
		}
		if err != nil {
			t.Error(err)
		}
	})
	env := []string{"DATABASE_URL=", "POSTGRES_HOST=", "POSTGRES_SCHEMA=manito", "MANITO_HOME=" + filepath.Join(home, "m"), "HOME=" + home}
	p := serve(t, env...)
	t.Cleanup(func() {
		stop := exec.Command("manito", "db", "stop")
		stop.Env = append(os.Environ(), env...)
		if out, err := stop.CombinedOutput(); err != nil {
			t.Errorf("db stop: %v\n%s", err, out)
		}
	})
	p.until(t, "/readyz", is(200))
	for range 2 {
		text, err := os.ReadFile(filepath.Join(home, "m", "db", "current", "postmaster.pid"))
		if err != nil {
			t.Fatal(err)
		}
		pid, err := strconv.Atoi(strings.Fields(string(text))[0])
		if err != nil || pid <= 1 {
			t.Fatal(pid, err)
		}
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		// It may be back before anybody has seen it gone: another process number is the proof.
		p.until(t, "/readyz", func(code int, _ string) bool {
			now, err := os.ReadFile(filepath.Join(home, "m", "db", "current", "postmaster.pid"))
			return code == 200 && err == nil && strings.Fields(string(now) + " 0")[0] != strconv.Itoa(pid)
		})
	}
	p.end(t)
}
