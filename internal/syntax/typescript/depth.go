package typescript

import "bytes"

// What a file may nest. Hand-written code stays below 60 brackets, generated
// code below 200. The parser needs 1 to 3 kB of stack for a bracket and 300 to
// 450 bytes for a level without one (a=>a=>, !!!!, x=x=), of the 512 MB that a
// goroutine can have.
const (
	maxBrackets = 500
	maxAngles   = 1000    // "<" without ">" in one statement: each is tried as type arguments, in time quadratic to what follows
	maxAsync    = 8       // "async(" in the parentheses of another: each doubles the time
	maxPlain    = 1 << 17 // bytes of one statement without brackets and strings
)

// tooDeep says whether the parser would need too much stack or time for a text.
// It reads brackets, strings, templates, comments and regular expressions
// approximately; where it is wrong, it is by a few levels.
func tooDeep(text []byte) bool {
	if len(text) < maxBrackets {
		return len(text) > maxAsync*6 && bytes.Count(text, []byte("async")) > maxAsync && newLexer(text).tooDeep()
	}
	// Counting is some twenty times faster than reading, and enough for most files.
	brackets := bytes.Count(text, []byte{'('}) + bytes.Count(text, []byte{'['}) + bytes.Count(text, []byte{'{'})
	if brackets <= maxBrackets && len(text) <= maxPlain && bytes.Count(text, []byte{'<'}) <= maxAngles && bytes.Count(text, []byte("async")) <= maxAsync {
		return false
	}
	return newLexer(text).tooDeep()
}

// frame is an open bracket and what is counted directly inside of it.
type frame struct {
	open   byte // '(', '[', '{', '$' for that of a template, 0 for the file
	async  bool
	angles int
	plain  int
}

type lexer struct {
	text   []byte
	at     int
	frames []frame
	async  int  // open frames with async
	last   byte // last byte that is neither space nor comment
	word   int  // where the word before at begins, when last ends a word
}

func newLexer(text []byte) *lexer {
	return &lexer{text: text, frames: make([]frame, 1, 64)}
}

func (x *lexer) tooDeep() bool {
	for x.at < len(x.text) {
		if len(x.frames) > maxBrackets || x.async > maxAsync {
			return true
		}
		c := x.text[x.at]
		top := &x.frames[len(x.frames)-1]
		switch c {
		case ' ', '\t', '\n', '\r':
			x.at++
			continue
		case '(', '[', '{':
			async := c == '(' && isWord(x.last) && string(x.lastWord()) == "async"
			if async {
				x.async++
			}
			x.frames = append(x.frames, frame{open: c, async: async})
		case ')':
			x.close('(')
		case ']':
			x.close('[')
		case '}':
			if x.close('{') {
				x.last = '`'
				x.template(x.at + 1)
				continue
			}
			x.frames[len(x.frames)-1].plain = 0
		case ';', ',':
			top.plain = 0
			if c == ';' {
				top.angles = 0
			}
		case '<':
			if isWord(x.last) || x.last == ')' || x.last == ']' {
				if string(x.lastWord()) == "async" && isWord(x.last) {
					top.angles += maxAngles / maxAsync
				}
				if top.angles++; top.angles > maxAngles {
					return true
				}
			}
		case '>':
			if x.last != '=' && top.angles > 0 {
				top.angles--
			}
		case '"', '\'':
			if end := x.stringEnd(c); end > 0 {
				x.at, x.last = end, c
				continue
			}
		case '`':
			x.last = c
			x.template(x.at + 1)
			continue
		case '/':
			if end := x.slashEnd(); end > 0 {
				x.at = end
				continue
			}
		default:
			if isWord(c) {
				x.word = x.at
				for x.at < len(x.text) && isWord(x.text[x.at]) {
					x.at++
				}
				top.plain += x.at - x.word
				x.last = 'a'
				if top.plain > maxPlain {
					return true
				}
				continue
			}
		}
		x.last = c
		x.at++
		if top := &x.frames[len(x.frames)-1]; top.plain < maxPlain {
			top.plain++
		} else {
			return true
		}
	}
	return false
}

// close pops up to the innermost frame of a bracket, if there is one, and says whether that was a template's.
func (x *lexer) close(open byte) (template bool) {
	for i := len(x.frames) - 1; i > 0; i-- {
		if o := x.frames[i].open; o == open || open == '{' && o == '$' {
			for _, f := range x.frames[i:] {
				if f.async {
					x.async--
				}
			}
			x.frames = x.frames[:i]
			return o == '$'
		}
	}
	return false
}

// template skips text of a template literal from an offset: to its end or into its next substitution.
func (x *lexer) template(at int) {
	for at < len(x.text) {
		switch x.text[at] {
		case '\\':
			at++
		case '`':
			x.at = at + 1
			return
		case '$':
			if at+1 < len(x.text) && x.text[at+1] == '{' {
				x.frames = append(x.frames, frame{open: '$'})
				x.at, x.last = at+2, '{'
				return
			}
		}
		at++
	}
	x.at = len(x.text)
}

// stringEnd is the offset after the string that begins here; 0 when it does not
// end on its line, which is what an apostrophe in the text of a JSX element does.
func (x *lexer) stringEnd(quote byte) int {
	for i := x.at + 1; i < len(x.text); i++ {
		switch x.text[i] {
		case '\\':
			i++
		case quote:
			return i + 1
		case '\n':
			return 0
		}
	}
	return 0
}

// slashEnd is the offset after the comment or regular expression that begins here; 0 for a division.
func (x *lexer) slashEnd() int {
	rest := x.text[x.at:]
	switch {
	case bytes.HasPrefix(rest, []byte("//")):
		if i := bytes.IndexByte(rest, '\n'); i >= 0 {
			return x.at + i
		}
		return len(x.text)
	case bytes.HasPrefix(rest, []byte("/*")):
		if i := bytes.Index(rest[2:], []byte("*/")); i >= 0 {
			return x.at + 2 + i + 2
		}
		return len(x.text)
	}
	switch {
	case x.last == ')' || x.last == ']' || x.last == '}' || x.last == '"' || x.last == '\'' || x.last == '`':
		return 0
	case isWord(x.last) && !beforeExpression(string(x.lastWord())):
		return 0
	}
	class := false
	for i := x.at + 1; i < len(x.text); i++ {
		switch x.text[i] {
		case '\\':
			i++
		case '[':
			class = true
		case ']':
			class = false
		case '/':
			if !class {
				x.last = '"' // it is a value
				return i + 1
			}
		case '\n':
			return 0
		}
	}
	return 0
}

func (x *lexer) lastWord() []byte {
	end := x.word
	for end < len(x.text) && isWord(x.text[end]) {
		end++
	}
	return x.text[x.word:end]
}

func beforeExpression(word string) bool {
	switch word {
	case "return", "typeof", "case", "in", "of", "delete", "void", "throw", "new", "do", "else", "yield", "await", "instanceof":
		return true
	}
	return false
}

func isWord(c byte) bool {
	return c >= 0x80 || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '$'
}
