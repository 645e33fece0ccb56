package query

import (
	"errors"
	"fmt"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"manito/internal/problem"
)

// Bounds of what Parse reads.
const (
	MaxBytes = 8 << 10 // of a query
	maxDepth = 100     // of brackets and minuses inside each other
)

// At is the place of a mistake in a query; errors.As finds it in every error of Parse and Fail.
type At struct {
	Byte   int // 0-based
	Column int // in characters, 0-based
}

// Error says where.
func (a *At) Error() string { return fmt.Sprintf("at character %d", a.Column+1) }

// Fail makes the error about a query that points at one of its bytes. Its kind is problem.Usage.
func Fail(text string, at int, format string, args ...any) *problem.Error {
	at = min(max(at, 0), len(text))
	return problem.New(problem.Usage, "%s in the query", fmt.Sprintf(format, args...)).
		Because(&At{Byte: at, Column: utf8.RuneCountInString(text[:at])})
}

// Parse reads a query. Its errors are of kind problem.Usage and wrap an *At.
func Parse(text string) (Query, error) {
	if len(text) > MaxBytes {
		return Query{}, problem.New(problem.Usage, "the query has %d bytes, more than %d", len(text), MaxBytes).
			Because(&At{Byte: MaxBytes, Column: utf8.RuneCountInString(text[:MaxBytes])}).Fix("search for less at a time")
	}
	for i, r := range text {
		if r == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(text[i:]); size == 1 {
				return Query{}, Fail(text, i, "a byte that is not UTF-8").Fix("send the query as UTF-8")
			}
		}
	}
	p := &parser{text: text, caseAt: -1}
	root, err := p.or(0)
	if err != nil {
		return Query{}, err
	}
	if p.at < len(text) { // or stops at the end or at a bracket
		return Query{}, p.fail(p.at, "a closing bracket without an opening one").Fix(`put code in quotes: "f(a, b)"`)
	}
	if root == nil {
		if p.caseAt >= 0 {
			return Query{}, p.fail(p.caseAt, "nothing to look for beside case:").Fix("add a word: case:yes ReadAll")
		}
		return Query{}, problem.New(problem.Usage, "the query is empty").Because(&At{}).Fix("say what to look for: manito search parse config")
	}
	return Query{Root: root, Case: p.fold}, nil
}

type parser struct {
	text   string
	at     int
	fold   Case
	caseAt int // the byte of the case: that set fold, -1 for none
}

func (p *parser) fail(at int, format string, args ...any) *problem.Error {
	return Fail(p.text, at, format, args...)
}

func (p *parser) space() {
	for p.at < len(p.text) {
		r, n := utf8.DecodeRuneInString(p.text[p.at:])
		if !unicode.IsSpace(r) {
			return
		}
		p.at += n
	}
}

// keyword reads one of the words between parts, in lower or in upper case. It must stand alone.
func (p *parser) keyword(word string) bool {
	rest := p.text[p.at:]
	if !strings.HasPrefix(rest, word) && !strings.HasPrefix(rest, strings.ToUpper(word)) {
		return false
	}
	if next, _ := utf8.DecodeRuneInString(rest[len(word):]); len(rest) > len(word) && !unicode.IsSpace(next) && next != '(' && next != ')' {
		return false
	}
	p.at += len(word)
	return true
}

// or reads parts with "or" between them. It returns nil when there is none but settings.
func (p *parser) or(depth int) (Q, error) {
	var parts Or
	for mark := p.at; ; {
		q, err := p.and(depth)
		if err != nil {
			return nil, err
		}
		p.space()
		if q != nil || len(parts) == 0 {
			mark = p.at // where an "or" would stand
		}
		more := p.keyword("or")
		if q == nil && (more || len(parts) > 0) {
			return nil, p.fail(mark, `"or" with nothing on one side`).Fix(`put the word in quotes to look for it: "or"`)
		}
		if nested, ok := q.(Or); ok {
			parts = append(parts, nested...)
		} else if q != nil {
			parts = append(parts, q)
		}
		if !more {
			break
		}
	}
	switch len(parts) {
	case 0:
		return nil, nil
	case 1:
		return parts[0], nil
	}
	return parts, nil
}

// and reads parts that stand side by side.
func (p *parser) and(depth int) (Q, error) {
	var parts And
	for first := true; ; first = false {
		p.space()
		mark := p.at
		joined := p.keyword("and")
		if joined {
			if first {
				return nil, p.fail(mark, `"and" with nothing before it`).Fix(`put the word in quotes to look for it: "and"`)
			}
			p.space()
		}
		if p.at == len(p.text) || p.text[p.at] == ')' || p.peekOr() {
			if joined {
				return nil, p.fail(mark, `"and" with nothing after it`).Fix(`put the word in quotes to look for it: "and"`)
			}
			break
		}
		q, err := p.unary(depth)
		if err != nil {
			return nil, err
		}
		if nested, ok := q.(And); ok {
			parts = append(parts, nested...)
		} else if q != nil {
			parts = append(parts, q)
		}
	}
	switch len(parts) {
	case 0:
		return nil, nil
	case 1:
		return parts[0], nil
	}
	return parts, nil
}

func (p *parser) peekOr() bool {
	mark := p.at
	yes := p.keyword("or")
	p.at = mark
	return yes
}

// unary reads a part with the minuses before it. It returns nil for a setting.
func (p *parser) unary(depth int) (Q, error) {
	if depth > maxDepth {
		return nil, p.fail(p.at, "more than %d brackets and minuses inside each other", maxDepth).Fix("search for less at a time")
	}
	start := p.at
	switch p.text[p.at] {
	case '-':
		p.at++
		if next, _ := utf8.DecodeRuneInString(p.text[p.at:]); p.at == len(p.text) || unicode.IsSpace(next) || next == ')' {
			return nil, p.fail(start, "a minus with nothing after it").Fix(`put it in quotes to look for it: "-"`)
		}
		q, err := p.unary(depth + 1)
		if err != nil {
			return nil, err
		}
		if q == nil {
			return nil, p.fail(start, "a minus before something that cannot be excluded").Fix("leave the minus out")
		}
		return Not{q}, nil
	case '(':
		p.at++
		q, err := p.or(depth + 1)
		if err != nil {
			return nil, err
		}
		if p.at == len(p.text) {
			return nil, p.fail(start, "an opening bracket without a closing one").Fix(`put code in quotes: "f(a, b)"`)
		}
		p.at++ // or stopped at the closing bracket
		if q == nil {
			return nil, p.fail(start, "brackets with nothing to look for in them").Fix(`put them in quotes to look for them: "()"`)
		}
		return q, nil
	}
	return p.primary()
}

// primary reads a value, with or without a field.
func (p *parser) primary() (Q, error) {
	start := p.at
	name, ok := p.fieldName()
	if !ok {
		v, err := p.value()
		if err != nil {
			return nil, err
		}
		return Text{Value: v, At: start}, nil
	}
	at := p.at
	switch name {
	case "rule", "since":
		return nil, p.fail(start, "%s: is not there yet", name).Fix(`put it in quotes to look for the text: "%s:"`, name)
	case "case":
		return nil, p.setCase(start)
	}
	f := slices.Index(fieldWords[:], name)
	if f < 0 {
		return nil, p.unknown(start, name)
	}
	if next, _ := utf8.DecodeRuneInString(p.text[p.at:]); p.at == len(p.text) || unicode.IsSpace(next) || next == ')' {
		return nil, p.fail(at, "%s: without a value", name).Fix("write the value right after the colon: %s", example(Field(f)))
	}
	v, err := p.value()
	if err != nil {
		return nil, err
	}
	if v.Text == "" {
		return nil, p.fail(at, "%s: without a value", name).Fix("write the value right after the colon: %s", example(Field(f)))
	}
	if v.Form == Regexp && (Field(f) == Language || Field(f) == Kind) {
		return nil, p.fail(at, "a regex after %s:, which takes a name", name).Fix("write the name: %s", example(Field(f)))
	}
	return Is{Field: Field(f), Value: v, At: at}, nil
}

func (p *parser) unknown(start int, name string) error {
	err := p.fail(start, "unknown field %s:", name)
	for _, known := range Fields() {
		if strings.HasPrefix(known, name) || strings.HasPrefix(name, known) || oneEdit(known, name) {
			err.Fix("did you mean %s:?", known)
		}
	}
	return err.Fix("fields are %s:", strings.Join(Fields(), ": ")).Fix(`put code in quotes: "%s:…"`, name)
}

// oneEdit says whether two words differ by one letter: another, one more, one less or two swapped.
func oneEdit(a, b string) bool {
	if len(a) < len(b) {
		a, b = b, a
	}
	if len(a)-len(b) > 1 {
		return false
	}
	i := 0
	for i < len(b) && a[i] == b[i] {
		i++
	}
	switch {
	case len(a) > len(b):
		return a[i+1:] == b[i:]
	case i == len(b) || a[i+1:] == b[i+1:]:
		return true
	}
	return i+1 < len(b) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
}

func example(f Field) string {
	return [...]string{Symbol: "sym:ReadAll", File: "file:cmd/", Language: "lang:go", Repo: "repo:manito", Kind: "kind:function", Calls: "calls:Open", Imports: "imports:net/http"}[f]
}

// fieldName reads a field with its colon. Code has colons too: a::b, http://x, x:int, C:\ and
// a colon at the end of a word that is no field are text.
func (p *parser) fieldName() (string, bool) {
	rest := p.text[p.at:]
	n := 0
	for n < len(rest) && (rest[n]|0x20 >= 'a' && rest[n]|0x20 <= 'z') {
		n++
	}
	if n < 2 || n == len(rest) || rest[n] != ':' {
		return "", false
	}
	name := strings.ToLower(rest[:n])
	if after := rest[n+1:]; !slices.Contains(Fields(), name) && name != "rule" && name != "since" {
		next, _ := utf8.DecodeRuneInString(after)
		if after == "" || unicode.IsSpace(next) || strings.ContainsRune(":=)", next) || strings.HasPrefix(after, "//") {
			return "", false
		}
	} else if strings.HasPrefix(after, ":") {
		return "", false // file::name
	}
	p.at += n + 1
	return name, true
}

func (p *parser) setCase(start int) error {
	at := p.at
	v, err := p.value()
	if err != nil {
		return err
	}
	c := slices.Index(caseWords[:], strings.ToLower(v.Text))
	if c < 0 || v.Form != Word {
		return p.fail(at, "case: takes yes, no or auto").Fix("write case:yes to tell upper from lower case")
	}
	if p.caseAt >= 0 && p.fold != Case(c) {
		return p.fail(start, "case:%s after case:%s; case: is a setting of the whole query", Case(c), p.fold).Fix("keep one of them")
	}
	p.fold, p.caseAt = Case(c), start
	return nil
}

// value reads a word, a phrase or a regex.
func (p *parser) value() (Value, error) {
	if p.at < len(p.text) {
		switch p.text[p.at] {
		case '"':
			return p.phrase()
		case '/':
			return p.regex()
		}
	}
	return p.word()
}

// ended checks that a phrase or regex is followed by a space, a bracket or nothing.
func (p *parser) ended(what, fix string) error {
	if next, _ := utf8.DecodeRuneInString(p.text[p.at:]); p.at < len(p.text) && !unicode.IsSpace(next) && next != ')' {
		return p.fail(p.at, "text right after the end of a %s", what).Fix("%s", fix)
	}
	return nil
}

func (p *parser) phrase() (Value, error) {
	start := p.at
	p.at++
	var b strings.Builder
	for p.at < len(p.text) {
		switch c := p.text[p.at]; c {
		case '"':
			p.at++
			if b.Len() == 0 {
				return Value{}, p.fail(start, "quotes with nothing between them").Fix(`write \" to look for a quote`)
			}
			return Value{Text: b.String(), Form: Phrase}, p.ended("phrase", `write \" for a quote inside of quotes, and a space after the last`)
		case '\\':
			if err := p.escape(&b); err != nil {
				return Value{}, err
			}
		default:
			b.WriteByte(c)
			p.at++
		}
	}
	return Value{}, p.fail(start, "a quote that is not closed").Fix(`close it, or write \" to look for a quote`)
}

func (p *parser) regex() (Value, error) {
	const slashes = `write \/ for a slash inside of a regex; put a path in quotes: "/etc/passwd"`
	start := p.at
	p.at++
	var b strings.Builder
	for p.at < len(p.text) {
		switch c := p.text[p.at]; {
		case c == '/':
			p.at++
			if b.Len() == 0 {
				return Value{}, p.fail(start, "a regex with nothing in it").Fix(`put slashes in quotes to look for them: "//"`)
			}
			v := Value{Text: b.String(), Form: Regexp}
			if err := p.ended("regex", slashes); err != nil {
				return Value{}, err
			}
			return v, p.compiles(start, v.Text)
		case c == '\\' && p.at+1 < len(p.text):
			_, n := utf8.DecodeRuneInString(p.text[p.at+1:])
			if p.text[p.at+1] != '/' {
				b.WriteByte(c)
			}
			b.WriteString(p.text[p.at+1 : p.at+1+n])
			p.at += 1 + n
		default:
			b.WriteByte(c)
			p.at++
		}
	}
	return Value{}, p.fail(start, "a regex that is not closed").Fix(slashes)
}

// compiles points at the part of a regex that cannot be read.
func (p *parser) compiles(start int, pattern string) error {
	_, err := syntax.Parse(pattern, syntax.Perl)
	if err == nil {
		return nil
	}
	at, why := start, err.Error()
	var bad *syntax.Error
	if errors.As(err, &bad) {
		why = string(bad.Code)
		// The slashes of the query have backslashes that the pattern has not, so the place is looked for in the query.
		if i := strings.LastIndex(p.text[start+1:p.at-1], bad.Expr); bad.Expr != "" && i >= 0 {
			at, why = start+1+i, fmt.Sprintf("%s: %q", bad.Code, bad.Expr)
		}
	}
	return p.fail(at, "a regex that cannot be read (%s)", why).Fix("regexes are RE2: https://github.com/google/re2/wiki/Syntax").Fix(`put the text in quotes to look for it as it stands`)
}

// word reads up to a space, or to a closing bracket that the word did not open itself.
func (p *parser) word() (Value, error) {
	var b strings.Builder
	for open := 0; p.at < len(p.text); {
		r, n := utf8.DecodeRuneInString(p.text[p.at:])
		switch {
		case unicode.IsSpace(r) || r == ')' && open == 0:
			return Value{Text: b.String()}, nil
		case r == '\\':
			if err := p.escape(&b); err != nil {
				return Value{}, err
			}
			continue
		case r == '(':
			open++
		case r == ')':
			open--
		}
		b.WriteRune(r)
		p.at += n
	}
	return Value{Text: b.String()}, nil
}

// escape reads a backslash with the character after it.
func (p *parser) escape(b *strings.Builder) error {
	if p.at+1 == len(p.text) {
		return p.fail(p.at, "a backslash with nothing after it").Fix(`write \\ to look for a backslash`)
	}
	r, n := utf8.DecodeRuneInString(p.text[p.at+1:])
	switch {
	case r == 'n':
		b.WriteByte('\n')
	case r == 't':
		b.WriteByte('\t')
	case r == 'r':
		b.WriteByte('\r')
	case r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r)):
		return p.fail(p.at, `the unknown escape \%c`, r).Fix(`write \\ to look for a backslash, or a regex between slashes: /\%c/`, r)
	default:
		b.WriteRune(r)
	}
	p.at += 1 + n
	return nil
}
