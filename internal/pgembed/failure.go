//go:build linux || darwin

package pgembed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"

	"manito/internal/problem"
)

// blame makes a failed operation on a file an error that its reader can act on.
// where is the folder or file at which a fix would be tried.
func blame(err error, where, format string, args ...any) error {
	switch {
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return problem.New(problem.Denied, format, args...).Because(err).
			Fix("ls -ld %s   # who may write there?", where).
			Fix("set MANITO_HOME to a folder of your own")
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.EFBIG):
		return problem.New(problem.Exhausted, format, args...).Because(err).
			Fix("df -h %s   # make room there", where).
			Fix("set MANITO_HOME to a folder on a larger disk")
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.ENAMETOOLONG), errors.Is(err, syscall.ELOOP):
		return problem.New(problem.Usage, format, args...).Because(err).
			Fix("set MANITO_HOME to a folder")
	}
	return problem.Wrap(err, problem.Internal, format, args...)
}

// blame is blame for a file of the base.
func (b *base) blame(err error, format string, args ...any) error {
	return blame(err, b.dir, format, args...)
}

// symptom is a message of PostgreSQL's that has a known remedy.
type symptom struct {
	text     string // what the message contains
	kind     problem.Kind
	remedies []string // %s is the database folder
}

// symptoms lists them; the first that matches counts.
var symptoms = [...]symptom{
	{"No space left on device", problem.Exhausted, []string{"df -h %s   # make room there; nothing is lost", "set MANITO_HOME to a folder on a larger disk"}},
	{"Disk quota exceeded", problem.Exhausted, []string{"quota -s   # make room in %s; nothing is lost", "set MANITO_HOME to a folder on another disk"}},
	{"File too large", problem.Exhausted, []string{"ulimit -f unlimited   # the largest file allowed is too small for a database", "set MANITO_HOME to a folder on another file system than that of %s"}},
	{"could not create shared memory segment", problem.Exhausted, []string{"sysctl kernel.shmmax kernel.shmall   # raise them (macOS: kern.sysv.*)"}},
	{"could not create semaphores", problem.Exhausted, []string{"sysctl kernel.sem   # raise it (macOS: kern.sysv.semmns)"}},
	{"could not resize shared memory", problem.Exhausted, []string{"df -h /dev/shm   # give it more room (docker run --shm-size=256m)"}},
	{"Cannot allocate memory", problem.Exhausted, []string{"free memory, or raise the container's limit"}},
	{"could not map anonymous shared memory", problem.Exhausted, []string{"free memory, or raise the container's limit"}},
	{"pre-existing shared memory block", problem.Conflict, []string{"ps -ef | grep postgres   # end what is left of the server of %s"}},
	{"lock file \"postmaster.pid\" already exists", problem.Conflict, []string{"ps -ef | grep postgres   # another program runs a server in %s: stop it"}},
	{"unrecognized configuration parameter", problem.Invalid, []string{"remove the setting from the settings given to Manito, or from postgresql.auto.conf below %s"}},
	{"invalid value for parameter", problem.Invalid, []string{"correct the setting given to Manito, or in postgresql.auto.conf below %s"}},
	{"configuration file", problem.Invalid, []string{"correct postgresql.conf or postgresql.auto.conf below %s"}},
	{"has wrong ownership", problem.Denied, []string{"ls -ln %s   # the data folder must belong to the server's user"}},
	{"has invalid permissions", problem.Denied, []string{"chmod 0700 the data folder below %s"}},
	{"ermission denied", problem.Denied, []string{"ls -lnd %s   # the server's user must be able to enter and write"}},
	{"Read-only file system", problem.Denied, []string{"set MANITO_HOME to a folder on a disk that can be written, which %s is not"}},
	{"could not locate a valid checkpoint record", problem.Invalid, []string{"manito backup restore   # the files in %s are damaged"}},
	{"invalid checkpoint record", problem.Invalid, []string{"manito backup restore   # the files in %s are damaged"}},
	{"database files are incompatible with server", problem.Unsupported, []string{"use the PostgreSQL programs that made %s"}},
	{"error while loading shared libraries", problem.Unsupported, []string{"install PostgreSQL from your distribution instead of this one"}},
}

// diagnose makes what one of PostgreSQL's programs said an error that its reader can
// act on. what says what failed; cause may be nil.
func (b *base) diagnose(said string, cause error, what string) error {
	said = strings.TrimSpace(said)
	if said != "" {
		cause = errors.Join(cause, errors.New(said))
	}
	e := problem.New(problem.Internal, "%s", what).Because(cause)
	for _, s := range symptoms {
		if !strings.Contains(said, s.text) {
			continue
		}
		e.Kind = s.kind
		for _, r := range s.remedies {
			if strings.Contains(r, "%s") {
				r = fmt.Sprintf(r, b.dir)
			}
			e.Fix("%s", r)
		}
		return e
	}
	return e.Fix("tail -n 50 %s   # what the server said", b.path(logName))
}

// interrupted makes the end of a context an error that says what was being waited for.
func interrupted(ctx context.Context, what string) error {
	err := context.Cause(ctx)
	return problem.Wrap(err, problem.KindOf(ctx.Err()), "%s", what)
}

// logName is the server's log file in the base.
const logName = "postgres.log"

// logLimit is the size from which on the log is put aside before a start.
const logLimit = 8 << 20

// openLog opens the server's log for appending and says where its end is. One old
// log is kept; a running server keeps writing to the file that it has.
func (b *base) openLog() (*os.File, int64, error) {
	path := b.path(logName)
	if st, err := os.Stat(path); err == nil && st.Size() > logLimit {
		if err := os.Rename(path, path+".old"); err != nil {
			return nil, 0, b.blame(err, "the server's log %s cannot be put aside", path)
		}
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600)
	if err != nil {
		return nil, 0, b.blame(err, "the server's log %s cannot be opened", path)
	}
	if err := b.give(path, b.owner); err != nil {
		f.Close()
		return nil, 0, err
	}
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		f.Close()
		return nil, 0, b.blame(err, "the server's log %s cannot be read", path)
	}
	return f, end, nil
}

// logSince reads what was logged after an offset: at most the last 2 kB, and of the
// lines that inform only those that tell of a symptom.
func logSince(f *os.File, offset int64) string {
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return ""
	}
	offset = max(offset, end-16<<10)
	text := make([]byte, end-offset)
	n, err := f.ReadAt(text, offset)
	if err != nil && !errors.Is(err, io.EOF) {
		return ""
	}
	var out []string
	for line := range strings.Lines(string(text[:n])) {
		symptomatic := slices.ContainsFunc(symptoms[:], func(s symptom) bool { return strings.Contains(line, s.text) })
		if symptomatic || !strings.Contains(line, " LOG:  ") {
			out = append(out, strings.TrimRight(line, "\n"))
		}
	}
	said := strings.Join(out, "\n")
	return said[max(0, len(said)-2048):]
}
