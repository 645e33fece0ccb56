package migrate

import (
	"slices"
	"strings"
)

// check applies the rules that every file must keep for the runner to be right.
// Matters of taste and of locks are the linter's.
func (p *fileParser) check() {
	f := p.file
	if !p.seenUp {
		p.bad("parse", 1, "there is no -- +goose Up").Fix = "start the file with -- +goose Up"
		return
	}
	if len(f.Up) == 0 {
		p.bad("empty", 1, "the Up part has no statement").Fix = "write the statement, or delete the file"
	}
	switch {
	case f.Irreversible != "" && len(f.Down) > 0:
		p.bad("irreversible", 1, "the file has a Down part and says that it is irreversible").Fix = "remove one of the two"
	case f.Irreversible == "" && len(f.Down) == 0:
		p.bad("no-down", 1, "there is no way down").Fix =
			"write the statements that undo it below -- +goose Down, or -- irreversible: and the reason"
	}
	for _, s := range slices.Concat(f.Up, f.Down) {
		p.checkStatement(s)
	}
	if !f.Transaction {
		p.checkConcurrent()
	}
}

// checkStatement refuses what would break out of the runner's transaction or role.
func (p *fileParser) checkStatement(s Statement) {
	for _, m := range placeholder.FindAllStringSubmatch(s.SQL, -1) {
		if !placeholders[m[1]] {
			p.bad("placeholder", s.Line, "the placeholder %s is unknown", m[0]).Fix =
				"use {{schema}}, {{owner}}, {{migrator}}, {{app}} or {{reader}}"
		}
	}
	for _, t := range lex(s.SQL) {
		name := strings.ReplaceAll(strings.Trim(t.text, `"`), `""`, `"`)
		if (t.kind == tokenWord || t.kind == tokenQuoted) && len(name) > maxIdentifier {
			p.bad("identifier", s.Line, "the name %s has %d bytes; PostgreSQL cuts it after %d", name, len(name), maxIdentifier).Fix = "choose a shorter name"
		}
	}
	w := words(s.SQL, 4)
	if len(w) == 0 {
		return
	}
	two := w[0]
	if len(w) > 1 {
		two += " " + w[1]
	}
	switch {
	case slices.Contains([]string{"BEGIN", "COMMIT", "ROLLBACK", "END", "ABORT", "SAVEPOINT", "RELEASE"}, w[0]),
		two == "START TRANSACTION", two == "PREPARE TRANSACTION":
		p.bad("transaction", s.Line, "%s: the runner owns the transaction", two).Fix = "remove the statement"
	case two == "SET ROLE", two == "RESET ROLE", two == "SET SESSION", two == "RESET ALL", w[0] == "DISCARD",
		strings.HasPrefix(two, "SET SEARCH_PATH"), two == "RESET SEARCH_PATH":
		p.bad("session", s.Line, "%s: the runner owns the session's role and search path", two).Fix = "remove the statement"
	case p.file.Transaction && w[0] != "REFRESH" && slices.Contains(words(s.SQL, 6), "CONCURRENTLY"):
		p.bad("transaction", s.Line, "%s … CONCURRENTLY cannot run inside a transaction", two).Fix =
			"put this statement alone into a file with -- +goose NO TRANSACTION on its first line"
	case p.file.Transaction && w[0] == "VACUUM":
		p.bad("transaction", s.Line, "VACUUM cannot run inside a transaction").Fix =
			"put this statement alone into a file with -- +goose NO TRANSACTION on its first line"
	}
}

// checkConcurrent demands that a file without transaction can be half applied in one
// way only: one statement, which may be repeated.
func (p *fileParser) checkConcurrent() {
	for _, part := range [][]Statement{p.file.Up, p.file.Down} {
		if len(part) > 1 {
			p.bad("no-transaction", part[1].Line, "a file with NO TRANSACTION holds a second statement").Fix =
				"move it to a file of its own: a crash between the two could not be repaired"
		}
		for _, s := range part {
			if !repeatable(s.SQL) {
				p.bad("no-transaction", s.Line, "this statement cannot be repeated after a crash").Fix =
					"NO TRANSACTION is for CREATE INDEX CONCURRENTLY IF NOT EXISTS, DROP INDEX CONCURRENTLY IF EXISTS, " +
						"REINDEX … CONCURRENTLY, VACUUM, and ALTER TYPE … ADD VALUE IF NOT EXISTS"
			}
		}
	}
}

// repeatable says whether running a statement again after a crash is right.
func repeatable(sql string) bool {
	w := words(sql, 0)
	has := func(seq ...string) bool {
		for i := 0; i+len(seq) <= len(w); i++ {
			if slices.Equal(w[i:i+len(seq)], seq) {
				return true
			}
		}
		return false
	}
	starts := func(seq ...string) bool { return len(w) >= len(seq) && slices.Equal(w[:len(seq)], seq) }
	switch {
	case starts("CREATE", "INDEX"), starts("CREATE", "UNIQUE", "INDEX"):
		return has("INDEX", "CONCURRENTLY", "IF", "NOT", "EXISTS")
	case starts("DROP", "INDEX"):
		return has("INDEX", "CONCURRENTLY", "IF", "EXISTS")
	case starts("REINDEX"):
		return has("CONCURRENTLY")
	case starts("ALTER", "TYPE"):
		return has("ADD", "VALUE", "IF", "NOT", "EXISTS")
	}
	return starts("VACUUM")
}
