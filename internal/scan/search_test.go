package scan_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"manito/internal/lang/all"
	"manito/internal/postgres/postgrestest"
	"manito/internal/scan"
	"manito/internal/source"
)

// library is a repository to search in.
var library = map[string]string{
	"go.mod": "module example.com/lib\n\ngo 1.24\n",
	"retry/retry.go": `// Package retry repeats what failed.
package retry

import "example.com/lib/clock"

// Policy says how often something is tried.
type Policy struct{ Tries int }

// Backoff computes how long to wait before the next attempt.
func (p Policy) Backoff(attempt int) int { return clock.Now() * attempt }

// Do calls f until it succeeds.
func Do(p Policy, f func() error) error {
	for i := 0; i < p.Tries; i++ {
		if f() == nil {
			return nil
		}
		p.Backoff(i)
	}
	return nil
}
`,
	"clock/clock.go": "package clock\n\n// Now is the time in seconds.\nfunc Now() int { return 1 }\n",
	"web/cycle_a.ts": "import { b } from './cycle_b';\nexport function a() { return b(); }\n",
	"web/cycle_b.ts": "import { a } from './cycle_a';\nexport function b() { return a(); }\n",
	"README.md":      "# Library\n\n## Installation\n\nRun the installer.\n",
	"retry/other.py": "def parse_config_file(path):\n    \"\"\"Read settings from disk.\"\"\"\n    return path\n",
}

// ask runs a query as somebody who may only read, and gives its rows as lines.
func ask(t *testing.T, conn *pgx.Conn, statement string, args ...any) []string {
	t.Helper()
	rows, err := conn.Query(t.Context(), statement, args...)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (string, error) {
		values, err := row.Values()
		var parts []string
		for _, v := range values {
			parts = append(parts, fmt.Sprint(v))
		}
		return strings.Join(parts, " | "), err
	})
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	return lines
}

// TestTheSevenFunctions calls each of the functions for SQL users, as the role that
// may only read, and compares what it says with the repository.
func TestTheSevenFunctions(t *testing.T) {
	t.Parallel()
	d := postgrestest.New(t)
	db := d.Open(t)
	dir := t.TempDir()
	write(t, dir, library)
	r := mustRun(t, db, dir, 2)
	cfg, err := pgx.ParseConfig(d.Reader)
	if err != nil {
		t.Fatal(err)
	}
	var notices []string
	cfg.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) { notices = append(notices, n.Message) }
	cfg.RuntimeParams["search_path"] = `"` + d.Schema + `"`
	conn, err := pgx.ConnectConfig(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	project := r.Repo.ID
	name := r.Repo.Name
	for _, c := range []struct {
		about, statement string
		args             []any
		want             []string
	}{
		{"words of documentation", `select path, line, kind, name, matched from search_code_chunks('how long to wait')`, nil,
			[]string{"retry/retry.go | 10 | method | Policy.Backoff | [long wait]"}},
		{"the beginning of a word, in a name", `select name, matched from search_code_chunks('backo', $1, 'Go', 'method', 1)`, []any{project}, []string{"Policy.Backoff | [backo]"}},
		{"another language", `select name from search_code_chunks('backoff', $1, 'python')`, []any{project}, nil},
		{"a name of several words", `select name from search_code_chunks('parseConfig')`, nil, []string{"parse_config_file"}},
		{"a section of a text", `select path, name from search_code_chunks('installation')`, nil, []string{"README.md | Library > Installation"}},
		{"a definition", `select path, line, kind, qualified_name from find_symbol_definitions('Backoff')`, nil, []string{"retry/retry.go | 10 | method | Policy.Backoff"}},
		{"a qualified definition", `select path from find_symbol_definitions('Policy.Backoff', $1, 'method')`, []any{project}, []string{"retry/retry.go"}},
		{"of another kind", `select path from find_symbol_definitions('Policy.Backoff', $1, 'class')`, []any{project}, nil},
		{"a whole symbol", `select d.path from find_symbol_definitions('Backoff') f cross join lateral find_symbol_definitions(f.symbol) d`, nil, []string{"retry/retry.go"}},
		{"references", `select path, line, kind, in_name from find_symbol_references('Backoff')`, nil, []string{"retry/retry.go | 18 | calls | Do"}},
		{"references, at most none", `select path from find_symbol_references('Backoff', $1, 0)`, []any{project}, nil},
		{"what everything depends on", `select depth, source_path, target, target_kind from get_dependency_graph($1, 1)`, []any{project},
			[]string{"1 | retry/retry.go | clock | package", "1 | web/cycle_a.ts | web/cycle_b.ts | file", "1 | web/cycle_b.ts | web/cycle_a.ts | file"}},
		{"a cycle ends", `select depth, source_path, target from get_dependency_graph($1, 50, 'web/cycle_a.ts')`, []any{project},
			[]string{"1 | web/cycle_a.ts | web/cycle_b.ts", "2 | web/cycle_b.ts | web/cycle_a.ts"}},
		{"through a package", `select depth, source_path, target from get_dependency_graph($1, 9, 'retry')`, []any{project}, []string{"1 | retry/retry.go | clock"}},
		{"projects", `select name, score from search_projects($1)`, []any{name}, []string{name + " | 1"}},
		{"projects, a part of the name", `select name from search_projects($1)`, []any{name[1:]}, []string{name}},
		{"no project", `select name from search_projects('zzzzqqqq')`, nil, nil},
		{"similar", `select calculate_text_similarity('word', 'word'), round(calculate_text_similarity('word', 'two words')::numeric, 4)::text, calculate_text_similarity('', 'x')`, nil, []string{"1 | 0.3636 | 0"}},
		{"everything about a name", `select entity, title, path from global_search('Backoff', $1) limit 2`, []any{project}, []string{"symbol | Policy.Backoff | retry/retry.go", "chunk | Policy.Backoff | retry/retry.go"}},
		{"with a typing error", `select entity, title from global_search('Backof', $1) where entity = 'symbol' limit 1`, []any{project}, []string{"symbol | Policy.Backoff"}},
		{"a file", `select entity, path from global_search('other.py', $1) where entity = 'file'`, []any{project}, []string{"file | retry/other.py"}},
		{"chunks", `select count(*) > 5, count(distinct chunk_hash) = count(*) from code_chunks`, nil, []string{"true | true"}},
		{"up to date", `select ready from search_indexes`, nil, []string{"true"}},
	} {
		got := ask(t, conn, c.statement, c.args...)
		if diff := cmp.Diff(c.want, got); diff != "" && len(c.want)+len(got) > 0 {
			t.Errorf("%s: %s (-want +got)\n%s", c.about, c.statement, diff)
		}
	}
	// What SQL does not search is said, never passed over in silence.
	notices = nil
	if got := ask(t, conn, `select name from search_code_chunks('zzqq')`); len(got) > 0 {
		t.Errorf("found %q", got)
	}
	if len(notices) != 1 || !strings.Contains(notices[0], "no name, path, signature or documentation") {
		t.Errorf("notices of a search without result: %q", notices)
	}
	for _, bad := range []string{`select * from search_code_chunks('')`, `select * from search_code_chunks('--- !!')`, `select * from global_search('  ')`, `select * from get_dependency_graph(1, 2, 'no/such/file')`} {
		_, err := conn.Exec(t.Context(), bad)
		if err == nil {
			t.Errorf("%s: no error", bad)
		}
	}
	// A snapshot whose chunks are not there yet is told.
	admin := d.Connect(t, d.Admin)
	if _, err := admin.Exec(t.Context(), `update search_index set snapshot_id = 0`); err != nil {
		t.Fatal(err)
	}
	notices = nil
	ask(t, conn, `select name from search_code_chunks('backoff')`)
	if len(notices) != 1 || !strings.Contains(notices[0], "not up to date") {
		t.Errorf("notices of an index that is behind: %q", notices)
	}
}

// TestRescanTouchesWhatChanged proves that a rescan makes chunks of changed files
// only, that search files are those of a clean scan, and that what is lost is made again.
func TestRescanTouchesWhatChanged(t *testing.T) {
	t.Parallel()
	d := postgrestest.New(t)
	db := d.Open(t)
	dir, index := t.TempDir(), t.TempDir()
	write(t, dir, library)
	again := func() *scan.Report {
		t.Helper()
		tree, err := source.Open(t.Context(), source.Input{Location: dir})
		if err != nil {
			t.Fatal(err)
		}
		defer tree.Close()
		r, err := (&scan.Scanner{DB: db, Languages: all.Languages(), IndexDir: index}).Run(t.Context(), scan.Input{Tree: tree})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	r := again()
	files := func() (n int) {
		t.Helper()
		list, err := os.ReadDir(scan.SearchDir(index, r.Repo.ID))
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	first := files()
	if r = again(); !r.Unchanged || files() != first {
		t.Errorf("a scan of the same tree left %d search files, had %d", files(), first)
	}
	conn := d.Connect(t, d.Admin)
	count := func() string {
		return strings.Join(ask(t, conn, `select count(*), max(xmin::text::int8) from chunk_block`), "")
	}
	before := ask(t, conn, `select path_id, xmin::text from chunk_block order by 1`)
	write(t, dir, map[string]string{"clock/clock.go": "package clock\n\n// Now is the hour.\nfunc Now() int { return 2 }\n"})
	again()
	after := ask(t, conn, `select path_id, xmin::text from chunk_block order by 1`)
	old := map[string]bool{}
	for _, l := range before {
		old[l] = true
	}
	fresh := 0
	for _, l := range after {
		if !old[l] {
			fresh++
		}
	}
	if fresh != 1 {
		t.Errorf("%d rows of chunks were written for one changed file: %s", fresh, count())
	}
	if got := ask(t, conn, `select name from search_code_chunks('hour')`); len(got) != 1 || got[0] != "Now" {
		t.Errorf("after the rescan 'hour' finds %q", got)
	}
}
