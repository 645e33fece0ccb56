package doctor

import (
	"fmt"
	"slices"
	"strings"
)

// rehearsal turns the body of a plpgsql function into a DO block in which every statement
// of every branch is planned and none is run: PostgreSQL itself then says which names,
// operators and types do not fit, also where a call with sample values would not come by.
//
//   - A condition, an expression or a statement that writes becomes EXPLAIN of it.
//   - A query that fills a variable is also opened without fetching a row, so that a
//     record has the columns that later statements name.
//   - Branches and loops become a straight line; declarations stay, without their values.
//
// An error that is not about the text, such as a record that a branch left out did not
// fill, is passed over.
type rehearsal struct {
	src     string
	toks    []token
	i       int
	out     strings.Builder
	lines   []int // source line of each line written
	cursors map[string]span
	columns []string // types that RETURN QUERY must give; nil when they are not known
	broken  bool     // the body is not understood
	label   string   // of the loop that comes next, with its brackets
	params  []string // names of the parameters, in order
}

// span is a stretch of tokens.
type span struct{ from, to int }

// parameter is a variable that a function has before its body begins.
type parameter struct{ name, kind string }

// routine is what a rehearsal needs to know of a function.
type routine struct {
	name, body string
	params     []parameter
	columns    []string // types that RETURN QUERY must give; nil when they are not known
	before     []string // statements that give its variables their columns
}

// guard encloses a statement: an error about the text ends the block, others are passed over.
const (
	guardOpen  = "BEGIN "
	guardClose = " EXCEPTION WHEN OTHERS THEN IF SQLSTATE = ANY (_manito_known) THEN RAISE; END IF; END;"
)

// rehearse is the DO block's text for a body, and for each of its lines the line of the
// body; false when the body is not understood.
func rehearse(f routine, known []string) (text string, lines []int, ok bool) {
	src := f.body
	r := &rehearsal{src: src, toks: lex(src), cursors: map[string]span{}, columns: f.columns}
	for r.sign('#') && r.i+3 <= len(r.toks) { // such as #variable_conflict use_column
		r.i += 3
		r.write(r.toks[r.i-3].line, "#"+src[r.toks[r.i-2].start:r.toks[r.i-1].end])
	}
	r.write(1, "<<"+quote(f.name)+">> DECLARE _manito record; _manito_known text[] := '{"+strings.Join(known, ",")+"}';")
	declared := map[string]bool{}
	for i, p := range f.params {
		v := p.name
		if v == "" || declared[v] {
			v = fmt.Sprintf("_manito_%d", i+1)
		} else {
			v = quote(v)
		}
		declared[p.name] = true
		// $1 never means a column, as its name might.
		alias := fmt.Sprintf("_manito_p%d", i+1)
		r.params = append(r.params, alias)
		r.write(1, v+" "+p.kind+"; "+alias+" ALIAS FOR "+v+";")
	}
	r.write(1, "BEGIN")
	for _, statement := range f.before {
		r.write(1, statement)
	}
	r.block()
	if r.sign(';') {
		r.i++
	}
	r.write(1, "END")
	return r.out.String(), r.lines, !r.broken && r.i == len(r.toks)
}

func (r *rehearsal) write(line int, text string) {
	r.out.WriteString(text + "\n")
	for n := range strings.Count(text, "\n") + 1 {
		r.lines = append(r.lines, line+n)
	}
}

func (r *rehearsal) peek() token {
	if r.i < len(r.toks) {
		return r.toks[r.i]
	}
	return token{start: len(r.src), end: len(r.src)}
}

// at says whether the next words are these.
func (r *rehearsal) at(words ...string) bool {
	for n, w := range words {
		if r.i+n >= len(r.toks) || r.toks[r.i+n].word != w {
			return false
		}
	}
	return true
}

func (r *rehearsal) sign(c byte) bool { return r.i < len(r.toks) && r.toks[r.i].sign == c }

// accept passes over words when they come next.
func (r *rehearsal) accept(words ...string) bool {
	if r.at(words...) {
		r.i += len(words)
		return true
	}
	return false
}

// take passes over a sign that has to be there.
func (r *rehearsal) take(c byte) {
	if !r.sign(c) {
		r.broken = true
		r.i = len(r.toks)
		return
	}
	r.i++
}

// until passes over tokens up to one of the words, or a sign, outside of parentheses, and
// returns the stretch. The end of the body is an error.
func (r *rehearsal) until(c byte, words ...string) span {
	from, depth := r.i, 0
	for ; r.i < len(r.toks); r.i++ {
		t := r.toks[r.i]
		switch {
		case t.sign == '(' || t.sign == '[':
			depth++
		case t.sign == ')' || t.sign == ']':
			depth--
		case depth == 0 && (c != 0 && t.sign == c || t.word != "" && slices.Contains(words, t.word)):
			return span{from, r.i}
		case depth == 0 && t.sign == ';':
			return span{from, r.i}
		}
	}
	r.broken = true
	return span{from, r.i}
}

// text is a stretch as it stands, with $1 as the name of the parameter.
func (r *rehearsal) text(s span) string {
	if s.from >= s.to {
		return ""
	}
	var b strings.Builder
	at := r.toks[s.from].start
	for _, t := range r.toks[s.from:s.to] {
		if r.src[t.start] != '$' || t.end-t.start < 2 || r.src[t.start+1] < '0' || r.src[t.start+1] > '9' {
			continue
		}
		n := 0
		if _, err := fmt.Sscan(r.src[t.start+1:t.end], &n); err == nil && n >= 1 && n <= len(r.params) {
			b.WriteString(r.src[at:t.start] + r.params[n-1])
			at = t.end
		}
	}
	b.WriteString(r.src[at:r.toks[s.to-1].end])
	return b.String()
}

func (r *rehearsal) line(s span) int {
	if s.from < len(r.toks) {
		return r.toks[s.from].line
	}
	return 1
}

// plan has a statement planned.
func (r *rehearsal) plan(s span, before string) {
	if text := r.text(s); text != "" {
		r.write(r.line(s), guardOpen+"FOR _manito IN EXPLAIN (COSTS off) "+before+text+" LOOP NULL; END LOOP;"+guardClose)
	}
}

// value has an expression planned.
func (r *rehearsal) value(s span) { r.plan(s, "SELECT ") }

// fill gives variables the columns of a query.
func (r *rehearsal) fill(query span, target string) {
	r.plan(query, "")
	if r.verb(query) == "select" {
		r.write(r.line(query), guardOpen+"FOR "+target+" IN SELECT * FROM ("+r.text(query)+") AS _manito_q LIMIT 0 LOOP NULL; END LOOP;"+guardClose)
	}
}

// verb is what a statement does in the end: for WITH, what its last part does.
func (r *rehearsal) verb(s span) string {
	depth := 0
	for _, t := range r.toks[s.from:s.to] {
		switch {
		case t.sign == '(':
			depth++
		case t.sign == ')':
			depth--
		case depth == 0 && slices.Contains([]string{"select", "values", "table"}, t.word):
			return "select"
		case depth == 0 && slices.Contains([]string{"insert", "update", "delete", "merge"}, t.word):
			return t.word
		case depth == 0 && t.word != "" && t.word != "with" && t == r.toks[s.from]:
			return "" // a statement that cannot be planned
		}
	}
	if s.from < s.to && r.toks[s.from].sign == '(' {
		return "select"
	}
	return ""
}

// returned compares the columns of a query with those that the function promises, as
// RETURN QUERY does: by place and by exact type.
func (r *rehearsal) returned(query span) {
	r.plan(query, "")
	if r.columns == nil || r.verb(query) != "select" {
		return
	}
	const mismatch = "RAISE EXCEPTION 'structure of query does not match function result type' USING ERRCODE = '42804', DETAIL = "
	var names []string
	for n := range len(r.columns) + 1 {
		names = append(names, fmt.Sprintf("_%d", n+1))
	}
	open := func(n int) string {
		return "FOR _manito IN SELECT * FROM (" + r.text(query) + ") AS _manito_q(" + strings.Join(names[:n], ", ") + ") LIMIT 0 LOOP NULL; END LOOP;"
	}
	number := literal(fmt.Sprintf("Number of returned columns does not match expected column count (%d).", len(r.columns)))
	line := r.line(query)
	r.write(line, guardOpen+guardOpen+open(len(names))+" "+mismatch+number+"; EXCEPTION WHEN invalid_column_reference THEN NULL; END;"+guardClose)
	// The types are only asked for when the query could be opened.
	types := ""
	for n, kind := range r.columns {
		types += fmt.Sprintf(" IF pg_catalog.pg_typeof(_manito.%s) <> %s::regtype THEN %spg_catalog.format('Returned type %%s does not match expected type %%s in column %d.', pg_catalog.pg_typeof(_manito.%[1]s), %[2]s); END IF;",
			names[n], literal(kind), mismatch, n+1)
	}
	r.write(line, guardOpen+guardOpen+open(len(r.columns))+types+" EXCEPTION WHEN invalid_column_reference THEN "+mismatch+number+"; END;"+guardClose)
}
