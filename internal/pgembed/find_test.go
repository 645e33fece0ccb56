//go:build linux || darwin

package pgembed

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"manito/internal/problem"
)

// postgresVar names a folder with private copies of PostgreSQL by major version.
const postgresVar = "MANITO_TEST_POSTGRES"

// testPostgres is that folder.
func testPostgres(t *testing.T) string {
	t.Helper()
	dir := os.Getenv(postgresVar)
	if dir == "" {
		var err error
		if dir, err = filepath.Abs("../../.tools/postgres"); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// otherMajor is the version of the private copy that the tests use beside the system's.
const otherMajor = 18

// otherPostgres is the folder of its programs, at a place where every user may run them.
func otherPostgres(t *testing.T) string {
	t.Helper()
	source := filepath.Join(testPostgres(t), itoa(otherMajor))
	if !executable(filepath.Join(source, "bin", "postgres")) {
		t.Fatalf("PostgreSQL %d is not in %s: run scripts/install-postgres.sh --major %d --dir .tools/postgres", otherMajor, source, otherMajor)
	}
	once.Lock()
	defer once.Unlock()
	target := filepath.Join(once.dir(t), "pg", itoa(otherMajor))
	if !executable(filepath.Join(target, "bin", "postgres")) {
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			t.Fatal(err)
		}
		run(t, "cp", "-a", source, target)
	}
	return filepath.Join(target, "bin")
}

func TestParseVersion(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct {
		version string
		major   int
	}{
		"postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n": {"15.18", 15},
		"postgres (PostgreSQL) 18.4\n":                           {"18.4", 18},
		"postgres (PostgreSQL) 19beta1":                          {"19beta1", 19},
		"postgres (PostgreSQL) 9.6.24":                           {"9.6.24", 9},
		"postgres (PostgreSQL) devel":                            {"", 0},
		"postgres (PostgreSQL)":                                  {"", 0},
		"postgres (Greenplum Database) 6.0":                      {"", 0},
		"":                                                       {"", 0},
	} {
		if version, major := parseVersion(text); version != want.version || major != want.major {
			t.Errorf("parseVersion(%q) = %q, %d, want %q, %d", text, version, major, want.version, want.major)
		}
	}
}

func FuzzParseVersion(f *testing.F) {
	f.Add("postgres (PostgreSQL) 15.18 (Debian)")
	f.Fuzz(func(t *testing.T, text string) {
		version, major := parseVersion(text)
		if (major == 0) != (version == "") && major != 0 {
			t.Errorf("parseVersion(%q) = %q, %d", text, version, major)
		}
		if major < 0 || major != 0 && !strings.Contains(text, version) {
			t.Errorf("parseVersion(%q) = %q, %d", text, version, major)
		}
	})
}

func FuzzReadPostmaster(f *testing.F) {
	f.Add([]byte("12\n/data\n1700000000\n5415\n/run\n\n 1 2\nready\n"))
	f.Add([]byte("-5\n\n\n\n"))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := os.WriteFile(filepath.Join(dir, "postmaster.pid"), text, 0o600); err != nil {
			t.Fatal(err)
		}
		p, err := readPostmaster(dir)
		if err != nil {
			t.Fatal(err)
		}
		if runsIn(p.pid, dir) == yes {
			t.Errorf("%q names a process of the folder", text)
		}
	})
}

func TestGlobOrder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"postgresql@9", "postgresql@17", "postgresql", "postgresql@16"} {
		if err := os.MkdirAll(filepath.Join(dir, name, "bin"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	var f finder
	f.glob(filepath.Join(dir, "postgresql*", "bin"))
	var got []string
	for _, d := range f.dirs {
		got = append(got, filepath.Base(filepath.Dir(d)))
	}
	// The one without a number is the highest there is, or the lowest; the number in
	// the temporary folder's own name decides, and it is asked for its version anyway.
	got = append(got[:0:0], filterOut(got, "postgresql")...)
	if want := "postgresql@17 postgresql@16 postgresql@9"; strings.Join(got, " ") != want {
		t.Errorf("the order is %q, want %q", got, want)
	}
}

func filterOut(list []string, name string) (out []string) {
	for _, s := range list {
		if s != name {
			out = append(out, s)
		}
	}
	return out
}

// fakePrograms makes a folder with shell scripts named postgres and initdb: only what
// the search looks at, never a server.
func fakePrograms(t *testing.T, dir, version string) string {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"postgres", "initdb"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\necho '"+version+"'\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestSearchRefuses(t *testing.T) {
	t.Parallel()
	root := emptyRoot(t)
	b, err := makeBase(Options{Root: root})
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(root)
	old := fakePrograms(t, filepath.Join(dir, "old"), "postgres (PostgreSQL) 12.1")
	odd := fakePrograms(t, filepath.Join(dir, "odd"), "something else")
	half := fakePrograms(t, filepath.Join(dir, "half"), "postgres (PostgreSQL) 17.1")
	if err := os.Remove(filepath.Join(half, "initdb")); err != nil {
		t.Fatal(err)
	}
	bare := fakePrograms(t, filepath.Join(dir, "bare", "bin"), "postgres (PostgreSQL) 17.2")
	if err := os.MkdirAll(filepath.Join(dir, "bare", "share", "extension"), 0o755); err != nil {
		t.Fatal(err)
	}
	f := &finder{server: b.server, asked: map[string]programs{}, dirs: []string{old, odd, half, bare, filepath.Join(dir, "none")}}
	_, err = f.forNew(t.Context())
	wantProblem(t, err, problem.Unsupported, "12.1 is too old", "something else", "has no initdb", "pg_trgm", "MANITO_PG_BIN", "DATABASE_URL")

	good := fakePrograms(t, filepath.Join(dir, "good"), "postgres (PostgreSQL) 17.9")
	next := fakePrograms(t, filepath.Join(dir, "next"), "postgres (PostgreSQL) 19.0")
	f.dirs = append(f.dirs, next)
	if p, err := f.forNew(t.Context()); err != nil || p.major != 19 {
		t.Errorf("when only a newer one is there: %+v, %v", p, err)
	}
	f.dirs = append(f.dirs, good)
	if p, err := f.forNew(t.Context()); err != nil || p.version != "17.9" {
		t.Errorf("a supported one is behind: %+v, %v", p, err)
	}
	if p, ok, err := f.newer(t.Context(), 17); err != nil || ok {
		t.Errorf("newer than 17 and supported: %+v, %v, want none", p, err)
	}
}

// TestPathOrder: the folder asked for goes before PATH, and a relative entry of PATH
// is not looked at.
func TestPathOrder(t *testing.T) {
	t.Setenv("PATH", "relative:"+"/somewhere/bin:"+os.Getenv("PATH"))
	f := newFinder(Options{BinDir: "/asked/for"}, &base{root: "/nowhere"})
	if f.dirs[0] != "/asked/for" {
		t.Errorf("first is %s", f.dirs[0])
	}
	at := map[string]int{}
	for i, d := range f.dirs {
		if _, seen := at[d]; !seen {
			at[d] = i
		}
	}
	if _, ok := at["relative"]; ok {
		t.Error("a relative folder is looked in")
	}
	if i, ok := at["/somewhere/bin"]; !ok || i == 0 {
		t.Errorf("PATH is not looked in: %q", f.dirs)
	}
}

// TestHiddenFromServer: root's private copy that the server's user cannot run is
// passed over, with the reason.
func TestHiddenFromServer(t *testing.T) {
	needRoot(t)
	t.Parallel()
	root := emptyRoot(t)
	b, err := makeBase(Options{Root: root})
	if err != nil {
		t.Fatal(err)
	}
	hidden := fakePrograms(t, filepath.Join(root, "hidden", "bin"), "postgres (PostgreSQL) 17.9")
	if err := os.Chmod(filepath.Dir(hidden), 0o700); err != nil {
		t.Fatal(err)
	}
	f := &finder{server: b.server, asked: map[string]programs{}, dirs: []string{hidden}}
	_, err = f.forNew(t.Context())
	wantProblem(t, err, problem.Unsupported, hidden, "cannot run it")
}

// TestAllMajors: the cluster also runs with the other version at hand, whose build may
// have fewer abilities.
func TestOtherMajor(t *testing.T) {
	t.Parallel()
	o := Options{Root: emptyRoot(t), BinDir: otherPostgres(t)}
	c := open(t, o)
	if c.Major() != otherMajor {
		t.Fatalf("it is PostgreSQL %d", c.Major())
	}
	dsn := c.DSN("postgres")
	if got := ask1[bool](t, dsn, "select 'a' < 'B'"); got {
		t.Error("the default collation does not sort by bytes")
	}
	if got := ask1[string](t, dsn, "select current_setting('data_checksums')"); got != "on" {
		t.Errorf("checksums are %s", got)
	}
	if got := ask1[string](t, dsn, "select current_setting('wal_compression')"); got == "off" {
		t.Error("the log is not compressed")
	}
	c.Close()
	// The same cluster, with all folders in another order.
	o.BinDir = ""
	_, err := Open(t.Context(), o)
	wantProblem(t, err, problem.Unsupported, "made by PostgreSQL "+itoa(otherMajor), "MANITO_PG_BIN")
}
