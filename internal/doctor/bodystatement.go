package doctor

import (
	"slices"
	"strings"
)

// block reads [<<label>>] [DECLARE …] BEGIN … [EXCEPTION …] END [label], without the semicolon.
func (r *rehearsal) block() {
	if r.sign('<') {
		r.write(r.peek().line, r.brackets())
	}
	var values []span
	if r.accept("declare") {
		r.write(r.peek().line, "DECLARE")
		for r.i < len(r.toks) && !r.at("begin") && !r.broken {
			values = append(values, r.declaration()...)
		}
	}
	if !r.accept("begin") {
		r.broken = true
		return
	}
	r.write(r.peek().line, "BEGIN")
	for _, v := range values {
		r.value(v)
	}
	r.statements("exception", "end")
	if r.accept("exception") {
		r.write(r.peek().line, "DECLARE sqlstate text; sqlerrm text; BEGIN")
		for r.accept("when") && !r.broken {
			r.until(0, "then")
			r.accept("then")
			r.statements("when", "end")
		}
		r.write(r.peek().line, "END;")
	}
	if !r.accept("end") {
		r.broken = true
		return
	}
	if !r.sign(';') && r.i < len(r.toks) {
		r.i++ // the label again
	}
	r.write(r.peek().line, "END;")
}

// brackets reads <<label>>.
func (r *rehearsal) brackets() string {
	from := r.i
	for r.i < len(r.toks) && !r.sign('>') {
		r.i++
	}
	for r.sign('>') {
		r.i++
	}
	return r.src[r.toks[from].start:r.toks[r.i-1].end]
}

// declaration copies one declaration without its value, and returns the value.
func (r *rehearsal) declaration() (values []span) {
	if r.accept("declare") {
		return nil
	}
	name := span{r.i, r.i + 1}
	line := r.peek().line
	r.i++
	if r.at("alias") {
		all := r.until(';')
		r.take(';')
		r.write(line, r.text(name)+" "+r.text(all)+";")
		return nil
	}
	if r.at("cursor") || r.at("scroll") || r.at("no", "scroll") {
		head := r.until(0, "for", "is")
		r.i++
		query := r.until(';')
		if !slices.ContainsFunc(r.toks[head.from:head.to], func(t token) bool { return t.sign == '(' }) { // its own parameters are not known here
			r.cursors[strings.ToLower(r.text(name))] = query
		}
		r.take(';')
		r.write(line, r.text(name)+" refcursor;")
		return nil
	}
	r.accept("constant")
	kind := r.typeSpan()
	r.accept("not", "null")
	if r.sign(':') || r.sign('=') || r.at("default") {
		r.i++
		values = append(values, r.until(';'))
	}
	r.take(';')
	r.write(line, r.text(name)+" "+r.text(kind)+";")
	return values
}

// typeSpan is the type of a declaration, with its collation.
func (r *rehearsal) typeSpan() span {
	from := r.i
	depth := 0
	for ; r.i < len(r.toks); r.i++ {
		t := r.toks[r.i]
		switch {
		case t.sign == '(' || t.sign == '[':
			depth++
		case t.sign == ')' || t.sign == ']':
			depth--
		case depth == 0 && (t.sign == ';' || t.sign == ':' || t.sign == '=' || t.word == "default" || t.word == "not"):
			return span{from, r.i}
		}
	}
	r.broken = true
	return span{from, r.i}
}

// statements reads statements up to one of the words.
func (r *rehearsal) statements(stop ...string) {
	for r.i < len(r.toks) && !r.broken {
		if slices.ContainsFunc(stop, func(w string) bool { return r.at(w) }) {
			return
		}
		r.statement()
	}
	r.broken = true
}

func (r *rehearsal) statement() {
	r.label = ""
	if r.sign('<') && !r.labelsBlock() {
		r.label = r.brackets()
	}
	switch {
	case r.sign(';'):
		r.i++
	case r.sign('<'), r.at("declare"), r.at("begin"):
		r.block()
		r.take(';')
	case r.accept("if"):
		r.conditional()
	case r.accept("case"):
		r.cases()
	case r.accept("while"):
		r.value(r.until(0, "loop"))
		r.loop()
	case r.at("loop"):
		r.loop()
	case r.accept("for"):
		r.forLoop()
	case r.accept("foreach"):
		r.until(0, "in")
		r.accept("in")
		r.accept("array")
		r.value(r.until(0, "loop"))
		r.loop()
	case r.accept("exit"), r.accept("continue"):
		r.until(0, "when")
		if r.accept("when") {
			r.value(r.until(';'))
		}
		r.take(';')
	case r.accept("return"):
		r.returns()
	case r.accept("raise"):
		r.raise()
	case r.accept("assert"):
		r.value(r.until(';'))
		r.take(';')
	case r.accept("perform"):
		r.value(r.until(';'))
		r.take(';')
	case r.at("execute"):
		r.execute()
		r.take(';')
	case r.accept("open"):
		r.open()
	case r.accept("fetch"):
		r.fetch()
	case r.at("get"), r.at("move"), r.at("close"), r.at("null"), r.at("commit"), r.at("rollback"), r.at("call"), r.at("do"):
		r.until(';')
		r.take(';')
	default:
		r.other()
	}
}

// labelsBlock says whether the label that comes next is a block's.
func (r *rehearsal) labelsBlock() bool {
	for j := r.i + 1; j < len(r.toks) && j < r.i+5; j++ {
		if r.toks[j].sign == '>' {
			continue
		}
		if w := r.toks[j].word; j > r.i+1 && r.toks[j-1].sign == '>' {
			return w == "declare" || w == "begin"
		}
	}
	return false
}

// conditional reads IF after its first word.
func (r *rehearsal) conditional() {
	for {
		r.value(r.until(0, "then"))
		r.accept("then")
		r.statements("elsif", "elseif", "else", "end")
		if r.accept("elsif") || r.accept("elseif") {
			continue
		}
		break
	}
	if r.accept("else") {
		r.statements("end")
	}
	if !r.accept("end", "if") {
		r.broken = true
	}
	r.take(';')
}

// cases reads CASE after its first word.
func (r *rehearsal) cases() {
	operand := r.until(0, "when")
	r.value(operand)
	for r.accept("when") && !r.broken {
		when := r.until(0, "then")
		if operand.from < operand.to {
			r.write(r.line(when), guardOpen+"FOR _manito IN EXPLAIN (COSTS off) SELECT ("+r.text(operand)+") IN ("+r.text(when)+") LOOP NULL; END LOOP;"+guardClose)
		} else {
			r.value(when)
		}
		r.accept("then")
		r.statements("when", "else", "end")
	}
	if r.accept("else") {
		r.statements("end")
	}
	if !r.accept("end", "case") {
		r.broken = true
	}
	r.take(';')
}

// loop reads LOOP … END LOOP [label];
func (r *rehearsal) loop() {
	if !r.accept("loop") {
		r.broken = true
		return
	}
	r.statements("end")
	if !r.accept("end", "loop") {
		r.broken = true
	}
	if !r.sign(';') {
		r.i++
	}
	r.take(';')
}

// forLoop reads FOR after its first word: over numbers, a query, a cursor or text that is run.
func (r *rehearsal) forLoop() {
	label := r.label
	target := r.until(0, "in")
	r.accept("in")
	line := r.line(target)
	from := r.i
	if r.at("execute") {
		r.execute("loop")
		r.loop()
		return
	}
	r.accept("reverse")
	first := r.until('d', "loop")
	if r.sign('d') {
		r.i++
		last := r.until(0, "by", "loop")
		r.value(first)
		r.value(last)
		if r.accept("by") {
			r.value(r.until(0, "loop"))
		}
		r.write(line, label+" DECLARE "+r.text(target)+" int4; BEGIN")
		r.loop()
		r.write(line, "END;")
		return
	}
	query := span{from, r.i}
	if r.verb(query) == "" && query.from < query.to {
		// A cursor, whose loop brings a record of its own.
		r.write(line, label+" DECLARE "+r.text(target)+" record; BEGIN")
		if bound, ok := r.cursors[strings.ToLower(r.text(span{query.from, query.from + 1}))]; ok {
			r.fill(bound, r.text(target))
		}
		r.loop()
		r.write(line, "END;")
		return
	}
	r.fill(query, r.text(target))
	r.loop()
}

// returns reads RETURN after its first word.
func (r *rehearsal) returns() {
	switch {
	case r.accept("next"):
		r.value(r.until(';'))
	case r.accept("query"):
		if r.at("execute") {
			r.execute()
		} else {
			r.returned(r.until(';'))
		}
	default:
		r.value(r.until(';'))
	}
	r.take(';')
}

// raise reads RAISE after its first word: the values of its placeholders and options.
func (r *rehearsal) raise() {
	for !r.sign(';') && r.i < len(r.toks) && !r.broken {
		switch {
		case r.sign(','):
			r.i++
			r.value(r.until(',', "using"))
		case r.accept("using"):
			for !r.sign(';') && !r.broken {
				r.until('=')
				if r.sign(':') || r.sign('=') {
					r.i++
				}
				r.value(r.until(','))
				if r.sign(',') {
					r.i++
				}
			}
		default:
			r.i++
		}
	}
	r.take(';')
}

// execute reads EXECUTE text [INTO target] [USING values] up to a semicolon or a word.
func (r *rehearsal) execute(stop ...string) {
	r.accept("execute")
	words := append([]string{"into", "using"}, stop...)
	r.value(r.until(0, words...))
	for !r.broken {
		switch {
		case r.accept("into"):
			r.until(0, append([]string{"using"}, stop...)...)
		case r.accept("using"):
			for {
				r.value(r.until(',', append([]string{"into"}, stop...)...))
				if !r.sign(',') {
					break
				}
				r.i++
			}
		default:
			return
		}
	}
}

// open reads OPEN after its first word.
func (r *rehearsal) open() {
	name := strings.ToLower(r.text(span{r.i, r.i + 1}))
	r.until(0, "for")
	if r.accept("for") {
		if r.at("execute") {
			r.execute()
		} else {
			r.cursors[name] = r.until(';')
			r.plan(r.cursors[name], "")
		}
	} else if bound, ok := r.cursors[name]; ok {
		r.plan(bound, "")
	}
	r.take(';')
}

// fetch reads FETCH after its first word, and gives the target the cursor's columns.
func (r *rehearsal) fetch() {
	how := r.until(0, "into")
	if r.accept("into") {
		target := r.until(';')
		if bound, ok := r.cursors[strings.ToLower(r.text(span{how.to - 1, how.to}))]; ok && how.to > how.from {
			r.fill(bound, r.text(target))
		}
	}
	r.take(';')
}

// other reads an assignment or a statement of SQL.
func (r *rehearsal) other() {
	from := r.i
	all := r.until(';')
	r.take(';')
	if r.broken || all.from >= all.to {
		return
	}
	switch r.toks[from].word {
	case "select", "insert", "update", "delete", "merge", "with", "values":
		r.sql(all)
		return
	}
	depth := 0
	for j := all.from; j < all.to; j++ {
		switch t := r.toks[j]; {
		case t.sign == '(' || t.sign == '[':
			depth++
		case t.sign == ')' || t.sign == ']':
			depth--
		case depth == 0 && j > all.from && (t.sign == ':' || t.sign == '='):
			r.value(span{j + 1, all.to})
			if j > all.from+1 {
				r.value(span{all.from, j}) // a field or an element
			}
			return
		}
	}
	// Anything else changes the schema or the session, and cannot be planned.
}

// sql reads a statement of SQL, and takes INTO out of it.
func (r *rehearsal) sql(s span) {
	into, after := r.into(s)
	verb := r.verb(s)
	if into < 0 {
		if verb == "select" {
			r.write(r.line(s), "RAISE EXCEPTION 'query has no destination for result data' USING ERRCODE = '42601', HINT = 'If you want to discard the results of a SELECT, use PERFORM instead.';")
		}
		r.plan(s, "")
		return
	}
	from := into + 1
	if r.toks[from].word == "strict" {
		from++
	}
	target := r.text(span{from, after})
	text := strings.TrimSpace(r.text(span{s.from, into}) + " " + r.text(span{after, s.to}))
	r.write(r.line(s), guardOpen+"FOR _manito IN EXPLAIN (COSTS off) "+text+" LOOP NULL; END LOOP;"+guardClose)
	if verb == "select" {
		r.write(r.line(s), guardOpen+"SELECT * INTO "+target+" FROM ("+text+") AS _manito_q LIMIT 0;"+guardClose)
	}
}

// into finds INTO outside of parentheses that is no part of INSERT or MERGE, and where its
// targets end: names with their fields, parted by commas.
func (r *rehearsal) into(s span) (at, after int) {
	depth := 0
	for j := s.from; j < s.to; j++ {
		t := r.toks[j]
		switch {
		case t.sign == '(':
			depth++
		case t.sign == ')':
			depth--
		case depth == 0 && t.word == "into" && j > s.from && r.toks[j-1].word != "insert" && r.toks[j-1].word != "merge":
			k := j + 1
			if k < s.to && r.toks[k].word == "strict" {
				k++
			}
			for k < s.to {
				k++ // a name
				if k < s.to && (r.toks[k].sign == '.' || r.toks[k].sign == ',') {
					k++
					continue
				}
				break
			}
			return j, k
		}
	}
	return -1, 0
}
