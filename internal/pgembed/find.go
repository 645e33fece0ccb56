//go:build linux || darwin

package pgembed

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"manito/internal/problem"
)

// programs are PostgreSQL's programs in one folder.
type programs struct {
	dir     string
	real    string // the folder that dir's postgres is linked to, often dir itself
	major   int
	version string // as the server prints it: "15.18"
}

func (p programs) path(name string) string { return filepath.Join(p.dir, name) }

// tool finds a program that need not be there.
func (p programs) tool(name string) (string, bool) {
	for _, dir := range []string{p.dir, p.real} {
		if path := filepath.Join(dir, name); executable(path) {
			return path, true
		}
	}
	return "", false
}

// finder looks for programs, best first, and remembers why it refused some.
type finder struct {
	dirs    []string
	server  identity
	refused []string
	asked   map[string]programs // by the real path of postgres
}

// newFinder lists the folders to look in: the one asked for, a bundle beside the
// executable, the home folder's pg, PATH, and where distributions put it.
func newFinder(o Options, b *base) *finder {
	f := &finder{server: b.server, asked: map[string]programs{}}
	if o.BinDir != "" {
		f.dirs = append(f.dirs, o.BinDir)
	}
	if exe, err := os.Executable(); err == nil {
		if real, err := filepath.EvalSymlinks(exe); err == nil {
			exe = real
		}
		dir := filepath.Dir(exe)
		f.dirs = append(f.dirs, filepath.Join(dir, "postgres", "bin"))
		f.glob(filepath.Join(dir, "postgres", "*", "bin"))
		f.glob(filepath.Join(dir, "..", "lib", "manito", "pg", "*", "bin"))
	}
	f.glob(filepath.Join(b.root, "pg", "*", "bin"))
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		if filepath.IsAbs(dir) { // a relative one would depend on where we are called
			f.dirs = append(f.dirs, dir)
		}
	}
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin",         // Debian, Ubuntu
		"/usr/pgsql-*/bin",                  // PGDG packages on Red Hat's family
		"/usr/lib/postgresql*/bin",          // SUSE
		"/usr/libexec/postgresql*",          // Alpine
		"/opt/homebrew/opt/postgresql*/bin", // Homebrew
		"/usr/local/opt/postgresql*/bin",
		"/home/linuxbrew/.linuxbrew/opt/postgresql*/bin",
		"/Applications/Postgres.app/Contents/Versions/*/bin",
		"/Library/PostgreSQL/*/bin", // EDB's installer
		"/opt/local/lib/postgresql*/bin",
		"/usr/local/lib/manito/pg/*/bin", // scripts/install-postgres.sh as root
		"/usr/local/pgsql/bin",
		"/opt/bitnami/postgresql/bin",
		"/nix/var/nix/profiles/default/bin",
	} {
		f.glob(pattern)
	}
	return f
}

// glob adds the folders of a pattern, the highest version first.
func (f *finder) glob(pattern string) {
	found, err := filepath.Glob(pattern)
	if err != nil {
		return // only of a bad pattern, and ours are constants
	}
	sort.Slice(found, func(i, j int) bool {
		a, b := number(found[i]), number(found[j])
		if a != b {
			return a > b
		}
		return found[i] > found[j]
	})
	f.dirs = append(f.dirs, found...)
}

// number is the last whole number in a path, as in postgresql@17/bin; -1 without one.
func number(path string) int {
	fields := strings.FieldsFunc(path, func(r rune) bool { return r < '0' || r > '9' })
	if len(fields) == 0 {
		return -1
	}
	n, err := strconv.Atoi(fields[len(fields)-1])
	if err != nil {
		return -1
	}
	return n
}

// first returns the best programs that are wanted. It asks folder by folder and stops
// at the first that will do, because asking costs a process.
func (f *finder) first(ctx context.Context, want func(programs) bool) (programs, bool, error) {
	for _, dir := range f.dirs {
		p, ok, err := f.ask(ctx, dir)
		if err != nil {
			return programs{}, false, err
		}
		if ok && want(p) {
			return p, true, nil
		}
	}
	return programs{}, false, nil
}

// ask examines one folder.
func (f *finder) ask(ctx context.Context, dir string) (programs, bool, error) {
	server := filepath.Join(dir, "postgres")
	if !executable(server) {
		return programs{}, false, nil
	}
	refuse := func(format string, args ...any) (programs, bool, error) {
		f.refused = append(f.refused, dir+": "+fmt.Sprintf(format, args...))
		return programs{}, false, nil
	}
	if !executable(filepath.Join(dir, "initdb")) {
		return refuse("has no initdb")
	}
	real, err := filepath.EvalSymlinks(server)
	if err != nil {
		return refuse("%v", err)
	}
	if p, ok := f.asked[real]; ok {
		p.dir = dir
		return p, p.major != 0, nil
	}
	f.asked[real] = programs{}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	// As the server's user, who may not be allowed to run it.
	out, err := f.server.command(ctx, server, "--version").Output()
	if err != nil {
		if ctx.Err() != nil && errors.Is(context.Cause(ctx), context.Canceled) {
			return programs{}, false, interrupted(ctx, "interrupted while looking for PostgreSQL's programs")
		}
		return refuse("%s cannot run it: %v", f.server, err)
	}
	p := programs{dir: dir, real: filepath.Dir(real)}
	if p.version, p.major = parseVersion(string(out)); p.major == 0 {
		return refuse("says %q instead of its version", bytes.TrimSpace(out))
	}
	if p.major < minMajor {
		return refuse("PostgreSQL %s is too old (Manito needs %d to %d)", p.version, minMajor, maxMajor)
	}
	if share, ok := shareDir(real, p.major); ok {
		if _, err := os.Stat(filepath.Join(share, "extension", "pg_trgm.control")); err != nil {
			return refuse("PostgreSQL %s comes without the extension pg_trgm (a package named like postgresql-contrib)", p.version)
		}
	}
	f.asked[real] = p
	return p, true, nil
}

// parseVersion reads what postgres --version prints: "postgres (PostgreSQL) 15.18
// (Debian 15.18-0+deb12u1)", "postgres (PostgreSQL) 19beta1". The major is 0 when it
// is something else.
func parseVersion(text string) (version string, major int) {
	_, rest, ok := strings.Cut(text, "(PostgreSQL)")
	fields := strings.Fields(rest)
	if !ok || len(fields) == 0 {
		return "", 0
	}
	digits := fields[0]
	if i := strings.IndexFunc(digits, func(r rune) bool { return r < '0' || r > '9' }); i >= 0 {
		digits = digits[:i]
	}
	major, err := strconv.Atoi(digits)
	if err != nil {
		return "", 0
	}
	return fields[0], major
}

// shareDir is where the server at a real path keeps its extensions, if it is at one
// of the usual places.
func shareDir(server string, major int) (string, bool) {
	prefix := filepath.Dir(filepath.Dir(server))
	m := strconv.Itoa(major)
	for _, dir := range []string{
		filepath.Join(prefix, "share", "postgresql"),
		filepath.Join(prefix, "share", "postgresql@"+m),
		filepath.Join(prefix, "share", "postgresql"+m),
		filepath.Join(prefix, "share"),
		filepath.Join("/usr/share/postgresql", m),
	} {
		if st, err := os.Stat(filepath.Join(dir, "extension")); err == nil && st.IsDir() {
			return dir, true
		}
	}
	return "", false
}

func executable(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.Mode().IsRegular() && st.Mode()&0o111 != 0
}

// forNew are the programs for a new cluster: the first supported ones, else the
// first newer ones.
func (f *finder) forNew(ctx context.Context) (programs, error) {
	p, ok, err := f.first(ctx, func(p programs) bool { return p.major <= maxMajor })
	if err == nil && !ok {
		p, ok, err = f.first(ctx, func(programs) bool { return true })
	}
	if err != nil {
		return programs{}, err
	}
	if !ok {
		return programs{}, f.missing("no PostgreSQL server is installed", minMajor, maxMajor)
	}
	return p, nil
}

// forMajor are programs of one major version.
func (f *finder) forMajor(ctx context.Context, major int) (programs, bool, error) {
	want := func(p programs) bool { return p.major == major }
	// Folders that are named after another version are asked only if need be.
	unlikely := func(dir string) bool { n := guess(dir); return n != 0 && n != major }
	likely := *f
	likely.dirs = slices.DeleteFunc(slices.Clone(f.dirs), unlikely)
	p, ok, err := likely.first(ctx, want)
	f.refused = likely.refused
	if ok || err != nil {
		return p, ok, err
	}
	return f.first(ctx, want)
}

// guess is the major version after which a folder, or the one that its postgres is
// linked to, is named; 0 when it is not.
func guess(dir string) int {
	real, err := filepath.EvalSymlinks(filepath.Join(dir, "postgres"))
	if err != nil {
		return 0
	}
	if n := number(filepath.Dir(real)); n >= minMajor && n <= maxMajor {
		return n
	}
	return 0
}

// newer are the newest supported programs above a major version.
func (f *finder) newer(ctx context.Context, than int) (best programs, ok bool, err error) {
	perhaps := *f
	perhaps.dirs = slices.DeleteFunc(slices.Clone(f.dirs), func(dir string) bool { n := guess(dir); return n != 0 && n <= than })
	_, _, err = perhaps.first(ctx, func(p programs) bool {
		if p.major > than && p.major <= maxMajor && p.major > best.major {
			best = p
		}
		return false // look at all
	})
	f.refused = perhaps.refused
	return best, best.major != 0, err
}

// missing says that no programs will do, which ones were refused, and the line that
// installs some.
func (f *finder) missing(what string, low, high int) error {
	e := problem.New(problem.Unsupported, "%s", what)
	if len(f.refused) > 0 {
		e.Message += " (unusable: " + strings.Join(f.refused, "; ") + ")"
	}
	for _, line := range installLines(low, high) {
		e.Fix("%s", line)
	}
	return e.Fix("set MANITO_PG_BIN to the folder of postgres and initdb, when they are somewhere unusual").
		Fix("set DATABASE_URL to a PostgreSQL %d to %d server", minMajor, maxMajor)
}

// installLines are the commands that install PostgreSQL on this machine.
func installLines(low, high int) []string {
	name := "postgresql"
	if low == high {
		name += "-" + strconv.Itoa(high)
	}
	if runtime.GOOS == "darwin" {
		return []string{"brew install postgresql@" + strconv.Itoa(high)}
	}
	// ID and ID_LIKE tell the distribution's family: os-release(5).
	family := map[string]bool{}
	if file, err := os.Open("/etc/os-release"); err == nil {
		defer file.Close()
		for s := bufio.NewScanner(file); s.Scan(); {
			if key, value, ok := strings.Cut(s.Text(), "="); ok && (key == "ID" || key == "ID_LIKE") {
				for id := range strings.FieldsSeq(strings.Trim(value, `"'`)) {
					family[id] = true
				}
			}
		}
	}
	plain := strings.ReplaceAll(name, "-", "")
	switch {
	case family["debian"] || family["ubuntu"]:
		return []string{"sudo apt-get install " + name}
	case family["fedora"] || family["rhel"]:
		return []string{"sudo dnf install postgresql-server postgresql-contrib"}
	case family["alpine"]:
		return []string{"apk add " + plain + " " + plain + "-contrib"}
	case family["arch"]:
		return []string{"sudo pacman -S postgresql"}
	case family["suse"] || family["opensuse"]:
		return []string{"sudo zypper install " + plain + "-server " + plain + "-contrib"}
	}
	return []string{"install " + name + " with this system's package manager"}
}
