//go:build linux || darwin

package pgembed

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"manito/internal/problem"
)

// PostgreSQL's codes for what a connection attempt may meet.
const (
	cannotConnectNow   = "57P03" // starting, stopping or recovering
	invalidPassword    = "28P01"
	tooManyConnections = "53300"
	duplicateDatabase  = "42P04"
	uniqueViolation    = "23505"
)

func (a address) dsn(password, database string) string {
	q := strings.NewReplacer(`\`, `\\`, `'`, `\'`)
	// The last two keep the caller's PGSSLMODE and PGTARGETSESSIONATTRS out of it.
	return fmt.Sprintf("host='%s' port=%d user=%s password='%s' dbname='%s' sslmode=disable target_session_attrs=any",
		q.Replace(a.socket), a.port, Superuser, q.Replace(password), q.Replace(database))
}

// file is the socket.
func (a address) file() string {
	return fmt.Sprintf("%s/.s.PGSQL.%d", a.socket, a.port)
}

// postmaster is what a server's postmaster.pid says: a line each for its process, its
// data folder, the time it was started, its port, its socket's folder, its address,
// its shared memory and its state.
type postmaster struct {
	pid   int
	since time.Time
	at    address
	state string // "starting", "stopping", "ready", "standby"; empty early in its life
}

// readPostmaster reads the file; an error wraps fs.ErrNotExist when no server runs or
// one was ended in good order. A file that is half written has zeros for the rest.
func readPostmaster(dir string) (postmaster, error) {
	text, err := os.ReadFile(filepath.Join(dir, "postmaster.pid"))
	if err != nil {
		return postmaster{}, err
	}
	var p postmaster
	for i, line := range strings.Split(string(text), "\n") {
		line = strings.TrimSpace(line)
		n, err := strconv.Atoi(line)
		switch {
		case i == 0 && err == nil:
			p.pid = n
		case i == 2 && err == nil:
			p.since = time.Unix(int64(n), 0)
		case i == 3 && err == nil:
			p.at.port = n
		case i == 4:
			p.at.socket = line
		case i == 7:
			p.state = line
		}
	}
	return p, nil
}

// errNotUp says that no server answers, or not yet.
var errNotUp = errors.New("the server does not answer")

// join uses the server that is running. It fails with errNotUp when none is, and
// otherwise with what is wrong with it.
func (c *Cluster) join(ctx context.Context) error {
	major, err := c.current()
	if err != nil {
		return err
	}
	if major == 0 {
		return errNotUp
	}
	password, err := c.readPassword()
	if err != nil {
		return err
	}
	p, err := readPostmaster(c.dataDir(major))
	if err != nil || p.state != "ready" {
		return errNotUp
	}
	// A copy of the folder names the original's server, which has the same number and
	// password. Ours holds our lock, or works in our data folder.
	if runsIn(p.pid, c.dataDir(major)) != yes {
		if ours, err := c.busy(lockOf(major)); err != nil || !ours {
			return errors.Join(errNotUp, err)
		}
	}
	if _, err := os.Stat(p.at.file()); errors.Is(err, fs.ErrNotExist) {
		p.at.socket = c.path("run") // the folder was moved while the server ran
	}
	if err := ping(ctx, p.at, password, c.dataDir(major)); err != nil {
		return err
	}
	c.major, c.at, c.password = major, p.at, password
	return nil
}

// ping connects and checks that the server is the one of the data folder, by the
// number that initdb gave it.
func ping(ctx context.Context, at address, password, dir string) error {
	want, err := systemIdentifier(dir)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, at.dsn(password, "postgres"))
	if code := codeOf(err); code == tooManyConnections {
		return nil // it is up, and busy
	} else if code == cannotConnectNow {
		return errNotUp
	} else if err != nil {
		return err
	}
	defer conn.Close(ctx)
	var got int64
	if err := conn.QueryRow(ctx, "select system_identifier from pg_control_system()").Scan(&got); err != nil {
		return err
	}
	if uint64(got) != want {
		return problem.New(problem.Conflict, "the server at %s serves another database (%d) than the one in %s (%d)", at.socket, uint64(got), dir, want).
			Fix("stop that server, or set MANITO_HOME to another folder")
	}
	return nil
}

// systemIdentifier reads the number that initdb gave the cluster: the first eight
// bytes of its control file, in the machine's order.
func systemIdentifier(dir string) (uint64, error) {
	path := filepath.Join(dir, "global", "pg_control")
	f, err := os.Open(path)
	if err != nil {
		return 0, blame(err, dir, "the data folder %s cannot be read", dir)
	}
	defer f.Close()
	var id [8]byte
	if _, err := io.ReadFull(f, id[:]); err != nil {
		return 0, problem.New(problem.Invalid, "the file %s is damaged", path).Because(err).
			Fix("manito backup restore")
	}
	return binary.NativeEndian.Uint64(id[:]), nil
}

// codeOf is PostgreSQL's code for an error, if it is one of its.
func codeOf(err error) string {
	var pe *pgconn.PgError
	if errors.As(err, &pe) {
		return pe.Code
	}
	return ""
}

// EnsureDatabase makes a database unless it exists. It is empty, in UTF-8, sorts by
// bytes and belongs to the superuser.
func (c *Cluster) EnsureDatabase(ctx context.Context, name string) error {
	return ensureDatabase(ctx, c.DSN("postgres"), name)
}

func ensureDatabase(ctx context.Context, dsn, name string) error {
	if name == "" || strings.ContainsRune(name, 0) || len(name) > 63 {
		return problem.New(problem.Usage, "%q cannot be the name of a database", name).Fix("use 1 to 63 bytes")
	}
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return problem.Wrap(err, problem.Unavailable, "the embedded PostgreSQL cannot be reached")
	}
	defer conn.Close(ctx)
	var there bool
	if err := conn.QueryRow(ctx, "select exists (select from pg_database where datname = $1)", name).Scan(&there); err != nil {
		return problem.Wrap(err, problem.Unavailable, "the databases cannot be listed")
	}
	if there {
		return nil
	}
	// From template0, since nobody can be connected to it, which would make this fail.
	_, err = conn.Exec(ctx, "create database "+pgx.Identifier{name}.Sanitize()+" template template0")
	switch codeOf(err) {
	case duplicateDatabase, uniqueViolation: // somebody else made it meanwhile
		return nil
	}
	return problem.Wrap(err, problem.Unavailable, "the database %q cannot be made", name)
}
