package adopt

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"manito/internal/postgres"
	"manito/internal/postgres/postgrestest"
	"manito/internal/problem"
)

// old is a database of the predecessor beside Manito's schema.
type old struct {
	*postgrestest.Database
	conn *pgx.Conn // as superuser
	db   *postgres.DB
}

// fill runs the files that make the old database.
func fill(t testing.TB, conn *pgx.Conn, files ...string) {
	t.Helper()
	for _, name := range files {
		text, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Exec(t.Context(), string(text), pgx.QueryExecModeSimpleProtocol); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
}

func newOld(t testing.TB) *old {
	t.Helper()
	o := &old{Database: postgrestest.New(t)}
	var err error
	if o.conn, err = pgx.Connect(t.Context(), o.Admin); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = o.conn.Close(context.Background()) })
	fill(t, o.conn, "roles.sql", "old.sql", "rows.sql")
	o.db = o.Open(t)
	return o
}

func (o *old) options() Options {
	return Options{DSN: o.Admin, DB: o.db, Target: o.App, TargetSchema: o.Database.Schema, AppVersion: "test"}
}

func (o *old) one(t testing.TB, sql string, args ...any) (v string) {
	t.Helper()
	if err := o.conn.QueryRow(t.Context(), sql, args...).Scan(&v); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return v
}

func (o *old) exec(t testing.TB, sql string) {
	t.Helper()
	if _, err := o.conn.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// manito is a table of Manito's schema, as SQL.
func (o *old) manito(table string) string { return quote(o.Database.Schema, table) }

func mustRun(t testing.TB, o Options) *Report {
	t.Helper()
	rep, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

// TestFixtureIsTheAudited counts what the audit counted.
func TestFixtureIsTheAudited(t *testing.T) {
	t.Parallel()
	o := newOld(t)
	for want, sql := range map[string]string{
		"16": `select count(*)::text from pg_tables where schemaname = 'manito_dev'`,
		"7":  `select count(*)::text from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname = 'manito_dev'`,
		"57": `select count(*)::text from pg_indexes where schemaname = 'manito_dev'`,
		"6":  `select count(*)::text from pg_tables where schemaname = 'manito_dev' and tableowner = 'adopt_test_clapp'`,
		"1":  `select count(*)::text from manito_dev.migrations where status = 'failed'`,
	} {
		if got := o.one(t, sql); got != want {
			t.Errorf("%s: %s, not %s", sql, got, want)
		}
	}
}

// TestEveryRowStays compares each table with its copy by the server itself, without the
// sums that adoption relies on, and checks that each row of a graph's table is accounted for.
func TestEveryRowStays(t *testing.T) {
	t.Parallel()
	o := newOld(t)
	rep := mustRun(t, o.options())
	if len(rep.Tables) != 16 {
		t.Errorf("%d tables were adopted", len(rep.Tables))
	}
	for _, x := range rep.Tables {
		source := `select to_jsonb(t) - 'ts_vector' from ` + quote("manito_dev", x.Name) + ` t`
		copied := `select data from ` + o.manito("adopted_row") + ` where source_table = '` + x.Name + `'`
		for _, sql := range []string{source + ` except all ` + copied, copied + ` except all ` + source} {
			if n := o.one(t, `select count(*)::text from (`+sql+`) d`); n != "0" {
				t.Errorf("%s: %s rows differ: %s", x.Name, n, sql)
			}
		}
		if x.After == nil || *x.After != x.Before {
			t.Errorf("%s: %+v became %+v", x.Name, x.Before, x.After)
		}
		switch x.Name {
		case "projects", "files", "graph_nodes", "graph_edges", "symbol_references", "diagnostics", "dependencies":
			if x.InGraph+x.NotInGraph != x.Before.Rows {
				t.Errorf("%s: %d rows in a graph and %d not are not %d", x.Name, x.InGraph, x.NotInGraph, x.Before.Rows)
			}
		}
		if got := o.one(t, `select count(*)::text from `+o.manito("adopted_rest")+` where source_table = $1`, x.Name); got != itoa(x.NotInGraph) {
			t.Errorf("%s: %s rows have a reason instead of %d", x.Name, got, x.NotInGraph)
		}
	}
	for _, x := range rep.Tables {
		if x.Name == "dependencies" {
			if n := o.one(t, `select sum(cardinality(places))::text from `+o.manito("dependency")); n != itoa(x.InGraph) {
				t.Errorf("%s imports are stored instead of %d", n, x.InGraph)
			}
		}
	}
}

func itoa(n int64) string {
	if n == 0 {
		return "0"
	}
	var b []byte
	for ; n > 0; n /= 10 {
		b = append(b, byte('0'+n%10))
	}
	slices.Reverse(b)
	return string(b)
}

// TestReasons holds each odd row of the fixture to why it is in no graph.
func TestReasons(t *testing.T) {
	t.Parallel()
	o := newOld(t)
	mustRun(t, o.options())
	id := func(word string) string { return o.one(t, `select md5($1)::uuid::text`, word) }
	for _, want := range []struct{ table, id, reason string }{
		{"graph_nodes", id("odd1"), "it has no path"},
		{"graph_nodes", id("odd2"), "it belongs to no project"},
		{"graph_nodes", id("odd3"), "it has no name"},
		{"graph_nodes", id("odd10"), "its path is longer than can be stored"},
		{"graph_nodes", id("o1"), "its project is missing: 1000"},
		{"graph_edges", id("e1"), "it has no source"},
		{"graph_edges", id("e2"), "it has no target"},
		{"graph_edges", id("e3"), "its source is missing or in no graph itself: " + id("odd1")},
		{"graph_edges", id("e4"), "it leads to another project"},
		{"graph_edges", id("e5"), `a relation "smells like" is no edge`},
		{"graph_edges", id("o2"), "its target is missing or in no graph itself: " + id("gone")},
		{"symbol_references", id("r1"), "it has no source"},
		{"diagnostics", id("d1"), "its node is missing or in no graph itself"},
		{"code_chunks", id("o6"), "its node is missing or in no graph itself: " + id("gone")},
	} {
		var got string
		err := o.conn.QueryRow(t.Context(), `select coalesce(not_in_graph, '(in a graph)') from `+o.manito("adopted_rows")+` where table_name = $1 and old_id = $2`, want.table, want.id).Scan(&got)
		if err != nil || got != want.reason {
			t.Errorf("%s %s: %q (%v), not %q", want.table, want.id, got, err, want.reason)
		}
	}
	// Of two rows that say the same the one with the smaller key is in the graph.
	for _, pair := range []struct{ table, a, b string }{{"graph_nodes", id("fun1"), id("dup-f1")}, {"graph_nodes", id("file1"), id("dup-file1")}, {"graph_edges", id("call1"), id("dup-call")}} {
		want := "another node says the same: " + min(pair.a, pair.b)
		if pair.table == "graph_edges" {
			want = "another row says the same"
		}
		if got := o.one(t, `select string_agg(coalesce(not_in_graph, '-'), '; ' order by old_id) from `+o.manito("adopted_rows")+` where table_name = $1 and old_id in ($2, $3)`, pair.table, pair.a, pair.b); got != "-; "+want {
			t.Errorf("%s: %s, not -; %s", pair.table, got, want)
		}
	}
}

// TestGraph holds definitions and edges to where the fixture has them.
func TestGraph(t *testing.T) {
	t.Parallel()
	o := newOld(t)
	mustRun(t, o.options())
	for sql, want := range map[string]string{
		`select kind || ' ' || path || ':' || line || '-' || end_line || ' ' || name_line || ':' || name_column from %graph_nodes where name = 'f7' and ref = 'adopted'`: "function src/mod7.js:4-6 4:17",
		`select kind || ' ' || line || '-' || end_line from %graph_nodes where name = 'C7'`:                                                                              "class 8-9",
		`select string_agg(source_name || ' ' || kind || ' ' || line || ':' || "column", ', ' order by line) from %graph_edges where target_name = 'f7'`:                 "src/mod6.js reads 2:10, f6 calls 5:10",
		`select string_agg(distinct kind, ',') from %graph_edges where source_name = 'src/mod6.js' and target_name = 'src/mod7.js'`:                                      "imports",
		`select path || ' ' || language || ' ' || lines || ' ' || size from %files where path = 'huge.txt'`:                                                              "huge.txt  1 4800000",
		`select string_agg(name || ' ' || line, ', ' order by name) from %graph_nodes where path = 'a.ts' and kind <> 'file'`:                                            "caller 3, deep 100001, far 1, placeless 1",
		`select kind from %graph_nodes where name = 'm' and path = '/opt/else/where.go'`:                                                                                 "namespace",
		`select kind || ' ' || path from %graph_nodes where name = 'win'`:                                                                                                "function src/app.ts",
		`select kind from %graph_nodes where name like 'quo''te "and"%'`:                                                                                                 "class",
		`select string_agg(kind || ' ' || coalesce(target_name, '?') || ' ' || line, ', ' order by kind) from %graph_edges where source_name = 'caller'`:                 "calls caller 3, instantiates placeless 1, reads placeless 12",
		`select package || ' ' || coalesce(version, '') || ' ' || state from %dependencies where specifier = 'left pad'`:                                                 "left pad  external",
		`select count(*)::text from %refs where name like 'adopted%%' and ready`:                                                                                         "8",
		`select string_agg(name, ',' order by name) from %refs where repository = 'shop'`:                                                                                "adopted,adopted-2",
		`select count(*)::text from %breaches(1, 1)`:                                                                                                                     "0",
		`select commit from %refs where repository = 'shop' and name = 'adopted'`:                                                                                        strings.Repeat("a", 40),
	} {
		sql = strings.ReplaceAll(strings.ReplaceAll(sql, "%%", "\x00"), "%'", "\x01")
		sql = strings.ReplaceAll(sql, "%", quote(o.Database.Schema)+".")
		sql = strings.NewReplacer("\x00", "%", "\x01", "%'").Replace(sql)
		if got := o.one(t, sql); got != want {
			t.Errorf("%s:\n%s, not\n%s", sql, got, want)
		}
	}
}

// TestAgain runs twice: the second time nothing changes. Rows that were tampered with in
// the copy are found and copied anew; changed rows of the old schema are taken over.
func TestAgain(t *testing.T) {
	t.Parallel()
	o := newOld(t)
	first := mustRun(t, o.options())
	second := mustRun(t, o.options())
	if first.Unchanged || !second.Unchanged {
		t.Errorf("unchanged: %v, then %v", first.Unchanged, second.Unchanged)
	}
	o.exec(t, `update `+o.manito("adopted_row")+` set data = data || '{"name": "forged"}' where source_table = 'users' and old_id = '1'`)
	if third := mustRun(t, o.options()); third.Unchanged {
		t.Error("a forged row was not noticed")
	}
	if name := o.one(t, `select name from `+o.manito("users")+` where id = '1'`); name != "Ann" {
		t.Errorf("the forged row stays: %s", name)
	}
	o.exec(t, `delete from manito_dev.projects where id = 6; drop table manito_dev.search_logs`)
	fourth := mustRun(t, o.options())
	if len(fourth.Projects) != 7 || len(fourth.Tables) != 15 {
		t.Errorf("%d projects, %d tables", len(fourth.Projects), len(fourth.Tables))
	}
	for i, p := range first.Projects {
		if p.ID != "6" && !slices.ContainsFunc(fourth.Projects, func(q Project) bool { return q.ID == p.ID && q.Digest == p.Digest && q.Snapshot == p.Snapshot }) {
			t.Errorf("project %d is another now: %+v", i, p)
		}
	}
}

// TestRehearsal changes nothing and counts what Run then finds.
func TestRehearsal(t *testing.T) {
	t.Parallel()
	o := newOld(t)
	opt := o.options()
	opt.DryRun = true
	dry := mustRun(t, opt)
	for _, table := range []string{"adoption", "adopted_row", "repo", "snapshot", "blob"} {
		if n := o.one(t, `select count(*)::text from `+o.manito(table)); n != "0" {
			t.Errorf("%s has %s rows", table, n)
		}
	}
	wet := mustRun(t, o.options())
	for i, x := range wet.Tables {
		x.After = nil
		if x != dry.Tables[i] {
			t.Errorf("rehearsed %+v, was %+v", dry.Tables[i], x)
		}
	}
	if !slices.Equal(dry.Rest, wet.Rest) {
		t.Errorf("rehearsed %+v, was %+v", dry.Rest, wet.Rest)
	}
	for i, p := range wet.Projects {
		d := dry.Projects[i]
		if d.Definitions != p.Definitions || d.Edges != p.Edges || d.Files != p.Files || d.Ref != p.Ref {
			t.Errorf("rehearsed %+v, was %+v", d, p)
		}
	}
}

// TestKilledAnywhere kills the process at each phase, one run after the other on one
// database, and then lets it end. It ends as one that nobody disturbed: the same
// snapshots by digest, the same rows.
func TestKilledAnywhere(t *testing.T) {
	t.Parallel()
	calm := newOld(t)
	want := mustRun(t, calm.options())
	o := newOld(t)
	published := `select count(*)::text from ` + o.manito("ref") + ` where snapshot_id is not null`
	kills := []string{"1 locked", "1 begun", "1 copied", "1 copied", "5 copied", "8 copied", "1 verified", "1 written", "4 written", "1 published", "4 published", "1 projected", "7 projected", "8 projected", "1 finished"}
	for i, at := range kills {
		o.kill(t, at)
		if n := o.one(t, published); i < 9 && n != "0" && !strings.HasSuffix(at, "written") {
			t.Fatalf("killed at %s, and %s refs are published", at, n)
		}
		status := o.one(t, `select coalesce(max(status), 'none') from `+o.manito("adoption"))
		if final := at == "1 finished"; final != (status == "published") {
			t.Errorf("killed at %s, the adoption is %s", at, status)
		}
	}
	got := mustRun(t, o.options())
	if len(got.Projects) != len(want.Projects) {
		t.Fatalf("%d projects instead of %d", len(got.Projects), len(want.Projects))
	}
	for i, p := range got.Projects {
		if p.Digest != want.Projects[i].Digest || p.Ref != want.Projects[i].Ref || p.Root != want.Projects[i].Root {
			t.Errorf("undisturbed %+v, killed %+v", want.Projects[i], p)
		}
	}
	for _, view := range []string{`select path, name, kind, line from %graph_nodes`, `select path, source_name, kind, target_name, line from %graph_edges`, `select table_name, old_id, not_in_graph from %adopted_rows`,
		`select path, code, message, line from %diagnostics`, `select path, specifier, state from %dependencies`} {
		sql := `select md5(string_agg(v::text, E'\n' order by v::text)) from (` + strings.ReplaceAll(view, "%", quote(o.Database.Schema)+".") + `) v`
		if a, b := calm.one(t, sql), o.one(t, sql); a != b {
			t.Errorf("%s: undisturbed %s, killed %s", view, a, b)
		}
	}
}

// kill adopts, or drops, in a process that is killed at a phase.
func (o *old) kill(t *testing.T, at string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), "ADOPT_TEST_KILL_AT="+at, "ADOPT_TEST_DSN="+o.Admin, "ADOPT_TEST_TARGET="+o.App, "ADOPT_TEST_SCHEMA="+o.Database.Schema)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("kill at %s: %v\n%s", at, err, out)
	}
}

// TestScannedBefore: a repository that Manito has scanned keeps its name, and gets the
// ref beside those it has. Tables that inherit are not counted twice.
func TestScannedBefore(t *testing.T) {
	t.Parallel()
	o := newOld(t)
	if _, err := o.db.EnsureRepo(t.Context(), postgres.RepoInput{Root: "/srv/shop", Name: "mine"}); err != nil {
		t.Fatal(err)
	}
	o.exec(t, `create table manito_dev.searches_of_2024 (x int) inherits (manito_dev.search_logs); insert into manito_dev.searches_of_2024 (query, x) values ('old', 1)`)
	rep := mustRun(t, o.options())
	if name := o.one(t, `select name from `+o.manito("repo")+` where root = '/srv/shop'`); name != "mine" {
		t.Errorf("it is called %s now", name)
	}
	for _, x := range rep.Tables {
		if want := map[string]int64{"search_logs": 4, "searches_of_2024": 1}[x.Name]; want != 0 && x.Before.Rows != want {
			t.Errorf("%s has %d rows", x.Name, x.Before.Rows)
		}
	}
	o.kill(t, "1 drop")
	if n := o.one(t, `select count(*)::text from pg_tables where schemaname = 'manito_dev'`); n != "17" {
		t.Errorf("killed before the drop was committed, %s tables are left", n)
	}
	if _, err := Drop(t.Context(), o.dropOptions()); err != nil {
		t.Error(err)
	}
	if n := o.one(t, `select count(*)::text from pg_namespace where nspname = 'manito_dev'`); n != "0" {
		t.Error("the schema is still there")
	}
}

// TestTwoAtOnce: the second says who the first is, or waits.
func TestTwoAtOnce(t *testing.T) {
	t.Parallel()
	o := newOld(t)
	at, goOn, done := make(chan bool), make(chan bool), make(chan error)
	opt := o.options()
	once := true
	opt.hook = func(p phase) {
		if p == phaseBegun && once {
			once = false
			at <- true
			<-goOn
		}
	}
	go func() {
		_, err := Run(t.Context(), opt)
		done <- err
	}()
	<-at
	_, err := Run(t.Context(), o.options())
	if problem.KindOf(err) != problem.Conflict || !strings.Contains(err.Error(), "process "+itoa(int64(os.Getpid()))) || !strings.Contains(err.Error(), "manito_dev") {
		t.Errorf("the second: %v", err)
	}
	if _, err := Drop(t.Context(), o.dropOptions()); problem.KindOf(err) != problem.Conflict {
		t.Errorf("dropping meanwhile: %v", err)
	}
	waiting := o.options()
	waiting.Wait = time.Minute
	second := make(chan error)
	go func() {
		rep, err := Run(t.Context(), waiting)
		if err == nil && !rep.Unchanged {
			err = errors.New("the second found something to do")
		}
		second <- err
	}()
	goOn <- true
	if err := errors.Join(<-done, <-second); err != nil {
		t.Error(err)
	}
}
