package migrate

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

func TestParseFile(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text string
		up, down   []Statement
	}{
		{"semicolons in quotes", "-- +goose Up\nselect ';' , \";\" , $$;$$, $a$;$$;$a$ -- ;\n/* ; /* ; */ ; */;\nselect 2;\n-- +goose Down\nselect 3;",
			[]Statement{{"select ';' , \";\" , $$;$$, $a$;$$;$a$ -- ;\n/* ; /* ; */ ; */", 2}, {"select 2", 4}}, []Statement{{"select 3", 6}}},
		{"escape string", "-- +goose Up\nselect E'a\\';', 'b\\';\n-- +goose Down\nselect 1;",
			[]Statement{{"select E'a\\';', 'b\\'", 2}}, []Statement{{"select 1", 4}}},
		{"doubled quotes", "-- +goose Up\nselect 'it''s;', \"a\"\";\";\n-- +goose Down\nselect 1;",
			[]Statement{{"select 'it''s;', \"a\"\";\"", 2}}, []Statement{{"select 1", 4}}},
		{"parameter is no dollar quote", "-- +goose Up\nprepare a as select $1; select a$b$c;\n-- +goose Down\nselect 1;",
			[]Statement{{"prepare a as select $1", 2}, {"select a$b$c", 2}}, []Statement{{"select 1", 4}}},
		{"begin atomic", "-- +goose Up\ncreate or replace function f() returns int begin atomic select case when true then 1 end; select 2; end;\nselect 3;\n-- +goose Down\nselect 1;",
			[]Statement{{"create or replace function f() returns int begin atomic select case when true then 1 end; select 2; end", 2}, {"select 3", 3}}, []Statement{{"select 1", 5}}},
		{"a column called atomic is no body", "-- +goose Up\ncreate table t (atomic int);\nselect 1;\n-- +goose Down\nselect 1;",
			[]Statement{{"create table t (atomic int)", 2}, {"select 1", 3}}, []Statement{{"select 1", 5}}},
		{"explicit statement", "-- +goose Up\n-- +goose StatementBegin\nselect 1; select 2;\n-- +goose StatementEnd\n-- +goose Down\nselect 1;",
			[]Statement{{"select 1; select 2", 3}}, []Statement{{"select 1", 6}}},
		{"CRLF", "-- +goose Up\r\nselect 1;\r\n\r\nselect 2;\r\n-- +goose Down\r\nselect 3;\r\n",
			[]Statement{{"select 1", 2}, {"select 2", 4}}, []Statement{{"select 3", 6}}},
		{"empty statements", "-- +goose Up\n;;select 1;;\n-- +goose Down\nselect 1;",
			[]Statement{{"select 1", 2}}, []Statement{{"select 1", 4}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f, findings := ParseFile("00001_x.sql", []byte(tt.text))
			if len(findings) > 0 {
				t.Fatal(findings)
			}
			if diff := cmp.Diff(tt.up, f.Up); diff != "" {
				t.Errorf("up: %s", diff)
			}
			if diff := cmp.Diff(tt.down, f.Down); diff != "" {
				t.Errorf("down: %s", diff)
			}
		})
	}
}

func TestParseFileFindings(t *testing.T) {
	t.Parallel()
	const ok = "-- +goose Up\nselect 1;\n-- +goose Down\nselect 1;\n"
	tests := []struct {
		name, file, text, code string
		line                   int
	}{
		{"name without number", "core.sql", ok, "name", 0},
		{"short number", "1_core.sql", ok, "name", 0},
		{"capitals", "00001_Core.sql", ok, "name", 0},
		{"version zero", "00000_core.sql", ok, "name", 0},
		{"no up", "00001_a.sql", "create table a ();\n", "parse", 1},
		{"open quote", "00001_a.sql", "-- +goose Up\n\nselect 'a;\n-- +goose Down\nselect 1;\n", "parse", 3},
		{"open dollar quote", "00001_a.sql", "-- +goose Up\nselect $x$ a;\n-- +goose Down\nselect 1;\n", "parse", 2},
		{"open comment", "00001_a.sql", "-- +goose Up\n/* /* */\n-- +goose Down\nselect 1;\n", "parse", 2},
		{"no semicolon at the end", "00001_a.sql", "-- +goose Up\nselect 1;\n-- +goose Down\nselect 1\n", "parse", 4},
		{"no semicolon before down", "00001_a.sql", "-- +goose Up\nselect 1\n-- +goose Down\nselect 1;\n", "parse", 2},
		{"annotation misspelt", "00001_a.sql", "-- +goose Upp\nselect 1;\n", "parse", 1},
		{"annotation indented", "00001_a.sql", "  -- +goose Up\nselect 1;\n-- +goose Down\nselect 1;\n", "parse", 1},
		{"down before up", "00001_a.sql", "-- +goose Down\nselect 1;\n-- +goose Up\nselect 1;\n", "parse", 1},
		{"two ups", "00001_a.sql", "-- +goose Up\nselect 1;\n-- +goose Up\nselect 1;\n-- +goose Down\nselect 1;\n", "parse", 3},
		{"no end of statement", "00001_a.sql", "-- +goose Up\n-- +goose StatementBegin\nselect 1;\n", "parse", 3},
		{"empty up", "00001_a.sql", "-- +goose Up\n-- +goose Down\nselect 1;\n", "empty", 1},
		{"no down", "00001_a.sql", "-- +goose Up\nselect 1;\n", "no-down", 1},
		{"empty down", "00001_a.sql", "-- +goose Up\nselect 1;\n-- +goose Down\n", "no-down", 1},
		{"irreversible without reason", "00001_a.sql", "-- irreversible:\n-- +goose Up\nselect 1;\n", "irreversible", 1},
		{"irreversible with down", "00001_a.sql", "-- irreversible: rows are merged\n" + ok, "irreversible", 1},
		{"unknown placeholder", "00001_a.sql", "-- +goose Up\nselect 1;\nselect '{{shema}}';\n-- +goose Down\nselect 1;\n", "placeholder", 3},
		{"commit", "00001_a.sql", "-- +goose Up\nselect 1;\nCommit;\n-- +goose Down\nselect 1;\n", "transaction", 3},
		{"begin", "00001_a.sql", "-- +goose Up\nbegin;\n-- +goose Down\nselect 1;\n", "transaction", 2},
		{"set role", "00001_a.sql", "-- +goose Up\nset role postgres;\n-- +goose Down\nselect 1;\n", "session", 2},
		{"search path", "00001_a.sql", "-- +goose Up\nset search_path = public;\n-- +goose Down\nselect 1;\n", "session", 2},
		{"concurrently in a transaction", "00001_a.sql", "-- +goose Up\ncreate index concurrently if not exists i on a (b);\n-- +goose Down\ndrop index i;\n", "transaction", 2},
		{"two statements without transaction", "00001_a.sql", "-- +goose NO TRANSACTION\n-- +goose Up\nvacuum a;\nvacuum b;\n-- +goose Down\nvacuum a;\n", "no-transaction", 4},
		{"not repeatable", "00001_a.sql", "-- +goose NO TRANSACTION\n-- +goose Up\ncreate index concurrently i on a (b);\n-- +goose Down\ndrop index concurrently if exists i;\n", "no-transaction", 3},
		{"down not repeatable", "00001_a.sql", "-- +goose NO TRANSACTION\n-- +goose Up\ncreate index concurrently if not exists i on a (b);\n-- +goose Down\ndrop index concurrently i;\n", "no-transaction", 5},
		{"name too long", "00001_a.sql", "-- +goose Up\ncreate table " + strings.Repeat("x", 64) + " (); -- " + strings.Repeat("x", 64) + "\n-- +goose Down\nselect '" + strings.Repeat("x", 64) + "';\n", "identifier", 2},
		{"table without transaction", "00001_a.sql", "-- +goose NO TRANSACTION\n-- +goose Up\ncreate table a ();\n-- +goose Down\nvacuum;\n", "no-transaction", 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, findings := ParseFile(tt.file, []byte(tt.text))
			if len(findings) == 0 {
				t.Fatal("no finding")
			}
			if f := findings[0]; f.Code != tt.code || f.Line != tt.line || f.Fix == "" || f.Message == "" {
				t.Errorf("got %+v", f)
			}
		})
	}
	if _, findings := ParseFile("00001_a.sql", []byte(ok)); len(findings) > 0 {
		t.Errorf("the good file has findings: %v", findings)
	}
	if f, findings := ParseFile("00001_a.sql", []byte("-- irreversible: rows are merged\n-- +goose Up\nselect 1;\n")); len(findings) > 0 || f.Irreversible != "rows are merged" {
		t.Errorf("irreversible file: %+v %v", f, findings)
	}
}

func TestSequence(t *testing.T) {
	t.Parallel()
	const ok = "-- +goose Up\nselect 1;\n-- +goose Down\nselect 1;\n"
	tests := []struct {
		names []string
		codes []string
	}{
		{[]string{"00001_a.sql", "00002_b.sql"}, nil},
		{[]string{"00001_a.sql", "00001_b.sql"}, []string{"duplicate"}},
		{[]string{"00001_a.sql", "00003_b.sql"}, []string{"gap"}},
		{[]string{"00002_a.sql"}, []string{"gap"}},
	}
	for _, tt := range tests {
		fsys := fstest.MapFS{"readme.txt": {}}
		for _, n := range tt.names {
			fsys[n] = &fstest.MapFile{Data: []byte(ok)}
		}
		_, findings, err := Parse(fsys)
		if err != nil {
			t.Fatal(err)
		}
		var codes []string
		for _, f := range findings {
			codes = append(codes, f.Code)
		}
		if diff := cmp.Diff(tt.codes, codes); diff != "" {
			t.Errorf("%v: %s", tt.names, diff)
		}
	}
}

// FuzzLex proves that lexing loses nothing and ends.
func FuzzLex(f *testing.F) {
	for _, s := range []string{"select 1;", "'a''b'", "E'\\''", "$a$ $b$ $a$", "$1", "/* /* */ */", "\"a\"\"b\"", "-- x\n", "é$é$é$", "u&'x'", "'", "$$", "/*"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var b strings.Builder
		for _, tok := range lex(s) {
			if tok.text == "" || tok.start != b.Len() {
				t.Fatalf("token %+v at %d", tok, b.Len())
			}
			b.WriteString(tok.text)
		}
		if b.String() != s {
			t.Fatalf("%q became %q", s, b.String())
		}
	})
}

// FuzzParseFile proves that no text stops the parser, and that a file without findings
// has statements in both parts or says why not.
func FuzzParseFile(f *testing.F) {
	for _, text := range simple {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		file, findings := ParseFile("00001_a.sql", []byte(text))
		if len(findings) == 0 && (len(file.Up) == 0 || len(file.Down) == 0 && file.Irreversible == "") {
			t.Fatalf("accepted without statements: %+v", file)
		}
		for _, s := range file.Up {
			if strings.TrimSpace(s.SQL) == "" || s.Line < 1 {
				t.Fatalf("empty statement in %q", text)
			}
		}
	})
}

func TestConcurrentIndex(t *testing.T) {
	t.Parallel()
	tests := []struct {
		sql  string
		want builtIndex
		ok   bool
	}{
		{"create index concurrently if not exists A_b on T (c)", builtIndex{`"a_b"`, `"t"`}, true},
		{`CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS "A b" ON ONLY "s".t USING gin (c)`, builtIndex{`"A b"`, `"t"`}, true},
		{"create index concurrently on t (c)", builtIndex{}, false},
		{"drop index concurrently if exists i", builtIndex{}, false},
		{"vacuum t", builtIndex{}, false},
	}
	for _, tt := range tests {
		if got, ok := concurrentIndex(tt.sql); got != tt.want || ok != tt.ok {
			t.Errorf("%s: got %+v, %t", tt.sql, got, ok)
		}
	}
	if got := withoutConcurrently("create index CONCURRENTLY if not exists concurrently_a on t ('concurrently')"); got != "create index  if not exists concurrently_a on t ('concurrently')" {
		t.Errorf("got %q", got)
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "pg_x", "public", "information_schema", "a'b", `a"b`, "a$b", `a\b`, "a{b", "a\x00b", "a\nb", strings.Repeat("x", 64), "\xff"} {
		if err := checkSchema(bad); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
	for _, good := range []string{"manito", "manito_prod", "Odd Schema", "ünïcode", strings.Repeat("x", 63)} {
		if err := checkSchema(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	long := strings.Repeat("é", 31)
	seen := map[string]bool{}
	for _, p := range [][2]string{{"manito", "manito"}, {"db", "manito"}, {"db", "other"}, {`d"b`, "manito"}, {"d'b", "manito"}, {"d_b", "manito"}, {"\xff", "manito"}, {"$", "manito"}, {long, "a"}, {long, "b"}, {long, long + "x"}} {
		prefix := DefaultRolePrefix(p[0], p[1])
		if seen[prefix] {
			t.Errorf("%q is the prefix of two installations", prefix)
		}
		seen[prefix] = true
		for _, r := range []string{RolesFor(prefix).Owner, RolesFor(prefix).Migrator, RolesFor(prefix).App, RolesFor(prefix).Reader} {
			if err := checkName("role", r); err != nil {
				t.Error(err)
			}
		}
	}
	if got := DefaultRolePrefix("manito", "manito"); got != "manito" {
		t.Errorf("got %q", got)
	}
}

func TestSum(t *testing.T) {
	t.Parallel()
	fsys := sqlFiles(simple)
	files, findings, err := Parse(fsys)
	if err != nil || len(findings) > 0 {
		t.Fatal(err, findings)
	}
	sum := Sum(files)
	check := func(want string, change func(fstest.MapFS)) {
		t.Helper()
		folder := sqlFiles(simple)
		folder[SumName] = &fstest.MapFile{Data: []byte(sum)}
		change(folder)
		files, _, err := Parse(folder)
		if err != nil {
			t.Fatal(err)
		}
		found, err := checkSum(folder, files)
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case want == "" && len(found) > 0:
			t.Errorf("findings: %+v", found)
		case want != "" && (len(found) != 1 || !strings.Contains(found[0].Message, want) || found[0].Fix == ""):
			t.Errorf("want %q, got %+v", want, found)
		}
	}
	check("", func(fstest.MapFS) {})
	check("", func(f fstest.MapFS) {
		f[SumName].Data = []byte(strings.ReplaceAll(sum, "\n", "\r\n"))
		f["00001_a.sql"].Data = []byte(strings.ReplaceAll(simple["00001_a.sql"], "\n", "\r\n"))
	})
	check("is missing", func(f fstest.MapFS) { delete(f, SumName) })
	check("00003_c.sql is not in", func(f fstest.MapFS) { f[SumName].Data = []byte(strings.Join(strings.SplitAfter(sum, "\n")[:2], "")) })
	check("which is not there", func(f fstest.MapFS) { delete(f, "00003_c.sql") })
	check("says", func(f fstest.MapFS) { f["00002_b.sql"].Data = append(f["00002_b.sql"].Data, '\n') })
	check("says", func(f fstest.MapFS) { f["00002_x.sql"] = f["00002_b.sql"]; delete(f, "00002_b.sql") })
	// Swapping two lines leaves each checksum right; only the chain notices.
	check("says", func(f fstest.MapFS) {
		l := strings.SplitAfter(sum, "\n")
		f[SumName].Data = []byte(l[1] + l[0] + l[2])
	})
}
