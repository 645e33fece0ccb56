package doctor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// tools are PostgreSQL's client programs of one version.
type tools struct {
	dump, restore string // paths of pg_dump and pg_restore
	major         int
}

// majorOf finds the major version in what pg_dump --version prints.
var majorOf = regexp.MustCompile(`\) (\d+)`)

// clients finds the programs that fit the server: those of its own version, else the
// oldest of a newer one. pg_dump refuses servers that are newer than itself.
func (s *session) clients(ctx context.Context) (tools, error) {
	var dirs []string
	// The server's own folder, where it tells and is on this machine.
	err := s.begin(ctx, pgx.ReadOnly, func() error {
		var dir string
		err := s.tx.QueryRow(ctx, "select setting from pg_config where name = 'BINDIR'").Scan(&dir)
		if err == nil {
			dirs = append(dirs, dir)
		} else if sqlstate(err) == "" && !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		return nil
	})
	if err != nil {
		return tools{}, err
	}
	dirs = append(dirs, filepath.SplitList(os.Getenv("PATH"))...)
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/*/bin/pg_dump", "/usr/local/opt/*/bin/pg_dump"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			return tools{}, err
		}
		for _, f := range found {
			dirs = append(dirs, strings.TrimSuffix(f, "/pg_dump"))
		}
	}
	var all []tools
	for _, dir := range dirs {
		t := tools{dump: filepath.Join(dir, "pg_dump"), restore: filepath.Join(dir, "pg_restore")}
		if !filepath.IsAbs(dir) || slices.ContainsFunc(all, func(o tools) bool { return o.dump == t.dump }) {
			continue // a relative folder would depend on where we are called
		}
		said, err := exec.CommandContext(ctx, t.dump, "--version").Output()
		if err != nil {
			continue // not here, or not for this machine
		}
		if m := majorOf.FindSubmatch(said); m != nil {
			if t.major, err = strconv.Atoi(string(m[1])); err == nil {
				all = append(all, t)
			}
		}
	}
	want := s.server.number / 10000
	best, newest := tools{}, 0
	for _, t := range all {
		newest = max(newest, t.major)
		if t.major >= want && (best.major == 0 || t.major < best.major) {
			best = t
		}
	}
	switch {
	case best.major > 0:
		return best, nil
	case newest > 0:
		return tools{}, fmt.Errorf("pg_dump is of version %d, the server is %s", newest, s.server.version)
	}
	return tools{}, errors.New("pg_dump is not installed")
}

// run runs a client program on a database of the server. The password goes by the
// environment, so that it is in no list of processes.
func (s *session) run(ctx context.Context, database, program string, args ...string) ([]byte, error) {
	settings, err := conninfo(s.opt.DSN)
	if err != nil {
		return nil, err
	}
	settings["dbname"], settings["application_name"] = database, "manito-doctor"
	env := os.Environ()
	if password := settings["password"]; password != "" {
		env = append(env, "PGPASSWORD="+password)
	}
	delete(settings, "password")
	cmd := exec.CommandContext(ctx, program, append(args, "--dbname="+keywords(settings), "--no-password")...)
	cmd.Env = env
	cmd.WaitDelay = closing
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%s: %w: %s", filepath.Base(program), err, bytes.TrimSpace(stderr.Bytes()))
	}
	return stdout.Bytes(), nil
}

// reach is what pg_dump is told to dump: everything for a superuser; for others, who may
// not look into every schema, those under examination.
func (s *session) reach() (args []string) {
	if !s.server.superuser {
		for _, c := range s.scopes {
			args = append(args, "--schema="+pattern(c.Name))
		}
	}
	return args
}

// conninfo reads both forms of a connection string, "postgres://…" and "key=value …",
// as libpq's settings. What only the Go driver knows is left out.
func conninfo(dsn string) (map[string]string, error) {
	out := map[string]string{}
	if strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://") {
		u, err := url.Parse(dsn)
		if err != nil {
			return nil, errors.New("the database address is no URL")
		}
		var hosts, ports []string
		for at := range strings.SplitSeq(u.Host, ",") {
			host, port := at, ""
			if i := strings.LastIndexByte(at, ':'); i >= 0 && i > strings.LastIndexByte(at, ']') {
				host, port = at[:i], at[i+1:]
			}
			hosts, ports = append(hosts, strings.Trim(host, "[]")), append(ports, port)
		}
		out["host"], out["port"] = strings.Join(hosts, ","), strings.Join(ports, ",")
		out["user"] = u.User.Username()
		out["password"], _ = u.User.Password()
		for key, values := range u.Query() {
			out[key] = values[len(values)-1]
		}
	} else {
		for rest := strings.TrimSpace(dsn); rest != ""; rest = strings.TrimSpace(rest) {
			key, value, ok := strings.Cut(rest, "=")
			if !ok {
				return nil, errors.New("the database address has a word without a value")
			}
			var text strings.Builder
			value = strings.TrimLeft(value, " ")
			i, quoted := 0, strings.HasPrefix(value, "'")
			if quoted {
				i = 1
			}
			for ; i < len(value) && (quoted && value[i] != '\'' || !quoted && value[i] != ' '); i++ {
				if value[i] == '\\' && i+1 < len(value) {
					i++
				}
				text.WriteByte(value[i])
			}
			if quoted {
				i++
			}
			out[strings.TrimSpace(key)], rest = text.String(), value[min(i, len(value)):]
		}
	}
	for key, value := range out {
		if value == "" || strings.Trim(value, ",") == "" || strings.HasPrefix(key, "pool_") || slices.Contains([]string{"default_query_exec_mode", "statement_cache_capacity", "description_cache_capacity", "min_read_buffer_size", "search_path", "statement_timeout"}, key) {
			delete(out, key)
		}
	}
	return out, nil
}

// keywords writes settings as libpq reads them, in a fixed order.
func keywords(settings map[string]string) string {
	var out []string
	for key, value := range settings {
		out = append(out, key+"='"+strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(value)+"'")
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

// stamp names files of one moment.
func stamp() string { return time.Now().UTC().Format("20060102T150405.000Z") }
