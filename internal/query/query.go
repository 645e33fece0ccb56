package query

import (
	"slices"
	"strings"
	"unicode"
)

// Query is a whole search.
type Query struct {
	Root Q
	Case Case
}

// Case says whether upper and lower case differ.
type Case uint8

// The settings of case.
const (
	CaseNo   Case = iota // they do not; the default
	CaseYes              // they do
	CaseAuto             // they do when what is looked for has an upper-case letter
)

var caseWords = [...]string{CaseNo: "no", CaseYes: "yes", CaseAuto: "auto"}

// String is the setting as a query spells it.
func (c Case) String() string { return caseWords[c] }

// Sensitive says whether a value is looked for with its case. A regex decides by
// its letters too; those of escapes (\S, \pL) do not count.
func (c Case) Sensitive(v Value) bool {
	if c != CaseAuto {
		return c == CaseYes
	}
	escaped := false
	for _, r := range v.Text {
		if v.Form == Regexp && r == '\\' && !escaped {
			escaped = true
			continue
		}
		if unicode.IsUpper(r) && !escaped {
			return true
		}
		escaped = false
	}
	return false
}

// Q is a node of a query's tree: And, Or, Not, Text or Is. String prints it so
// that Parse reads the same tree back.
type Q interface {
	String() string
	node()
}

// And holds when all of its parts do. It has at least two, none of them an And.
type And []Q

// Or holds when one of its parts does. It has at least two, none of them an Or.
type Or []Q

// Not holds when its part does not.
type Not struct{ Q Q }

// Text looks for a word, a phrase or a regex in texts.
type Text struct {
	Value
	At int // the byte of the query at which it begins
}

// Is holds of things whose field has a value.
type Is struct {
	Field Field
	Value
	At int // the byte of the query at which its value begins
}

// Form is how a value was written.
type Form uint8

// The forms of values.
const (
	Word   Form = iota // as it is: looked for in every way there is
	Phrase             // in quotes: looked for exactly as it stands
	Regexp             // in slashes: RE2, as Go's package regexp reads it
)

// Value is what is looked for, without quotes, slashes and escapes.
type Value struct {
	Text string
	Form Form
}

// Field is a property of what is searched.
type Field uint8

// The fields.
const (
	Symbol   Field = iota // the name of a symbol
	File                  // the path of a file
	Language              // the language of a file
	Repo                  // the name of a repository
	Kind                  // the kind of a symbol
	Calls                 // the name of something that a symbol calls
	Imports               // something that a file imports
)

var fieldWords = [...]string{Symbol: "sym", File: "file", Language: "lang", Repo: "repo", Kind: "kind", Calls: "calls", Imports: "imports"}

// String is the field as a query spells it, without the colon.
func (f Field) String() string { return fieldWords[f] }

// Fields lists the words that may stand before a colon, in the order of the documentation.
func Fields() []string { return append(slices.Clone(fieldWords[:]), "case") }

func (And) node()  {}
func (Or) node()   {}
func (Not) node()  {}
func (Text) node() {}
func (Is) node()   {}

// String prints the query so that Parse reads the same one back.
func (q Query) String() string {
	if q.Case == CaseNo {
		return q.Root.String()
	}
	return "case:" + q.Case.String() + " " + part(q.Root, true)
}

// String joins the parts with spaces.
func (q And) String() string {
	parts := make([]string, len(q))
	for i, p := range q {
		parts[i] = part(p, true)
	}
	return strings.Join(parts, " ")
}

// String joins the parts with "or".
func (q Or) String() string {
	parts := make([]string, len(q))
	for i, p := range q {
		parts[i] = p.String() // an And binds closer
	}
	return strings.Join(parts, " or ")
}

// String puts a minus before the part.
func (q Not) String() string {
	if and, ok := q.Q.(And); ok {
		return "-(" + and.String() + ")"
	}
	return "-" + part(q.Q, true)
}

// part is a node inside of a closer binding one.
func part(q Q, brackets bool) string {
	if or, ok := q.(Or); ok && brackets {
		return "(" + or.String() + ")"
	}
	return q.String()
}

// String is the value as a query spells it.
func (q Text) String() string { return q.Value.String() }

// String is the field, a colon and the value.
func (q Is) String() string { return q.Field.String() + ":" + q.Value.String() }

// String spells the value with the escapes that it needs.
func (v Value) String() string {
	switch v.Form {
	case Phrase:
		return `"` + escape(v.Text, func(r rune, _ bool) bool { return r == '"' }) + `"`
	case Regexp:
		return "/" + escapeSlashes(v.Text) + "/"
	}
	return escape(v.Text, func(r rune, first bool) bool {
		return strings.ContainsRune(`():`, r) || unicode.IsSpace(r) || first && strings.ContainsRune(`"/-`, r)
	})
}

// escape puts backslashes where they are needed.
func escape(s string, special func(r rune, first bool) bool) string {
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\\' || special(r, i == 0):
			b.WriteRune('\\')
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// escapeSlashes puts a backslash before the slashes of a regex that have none.
func escapeSlashes(s string) string {
	var b strings.Builder
	escaped := false
	for _, r := range s {
		if r == '/' && !escaped {
			b.WriteByte('\\')
		}
		escaped = r == '\\' && !escaped
		b.WriteRune(r)
	}
	return b.String()
}

// Walk calls visit for every node of a tree, from the root down and from left to
// right; not says whether an odd number of Nots is above the node.
func Walk(q Q, visit func(q Q, not bool)) { walk(q, false, visit) }

func walk(q Q, not bool, visit func(Q, bool)) {
	visit(q, not)
	switch q := q.(type) {
	case And:
		for _, p := range q {
			walk(p, not, visit)
		}
	case Or:
		for _, p := range q {
			walk(p, not, visit)
		}
	case Not:
		walk(q.Q, !not, visit)
	}
}
