package doctor

import "strings"

// token is a word, a literal or a sign of a plpgsql body, by its place in the text.
type token struct {
	start, end int
	line       int    // from 1
	word       string // in lower case, for a word that is not quoted
	sign       byte   // of punctuation; ':' stands for :=, 'd' for two dots, '<' for <<
}

// lex splits a body into tokens. Comments and white space are left out; what it does not
// know is a sign of its own, so that it never fails.
func lex(src string) (out []token) {
	line := 1
	for i := 0; i < len(src); {
		start, from := i, line
		switch c := src[i]; {
		case c == '\n':
			line++
			i++
			continue
		case c == ' ' || c == '\t' || c == '\r' || c == '\f':
			i++
			continue
		case strings.HasPrefix(src[i:], "--"):
			if i += strings.IndexByte(src[i:]+"\n", '\n'); i > len(src) {
				i = len(src)
			}
			continue
		case strings.HasPrefix(src[i:], "/*"):
			i = commentEnd(src, i)
			line += strings.Count(src[start:i], "\n")
			continue
		case c == '\'':
			i = stringEnd(src, i, i > 0 && (src[i-1] == 'E' || src[i-1] == 'e') && (i < 2 || !letter(src[i-2])))
		case c == '"':
			i = stringEnd(src, i, false)
		case c == '$' && i+1 < len(src) && src[i+1] >= '0' && src[i+1] <= '9':
			for i++; i < len(src) && src[i] >= '0' && src[i] <= '9'; i++ {
			}
		case c == '$':
			i = dollarEnd(src, i)
		case c >= '0' && c <= '9':
			for i < len(src) && (letter(src[i]) || src[i] == '.' && !strings.HasPrefix(src[i:], "..")) {
				i++
			}
		case letter(c):
			for i < len(src) && (letter(src[i]) || src[i] == '$') {
				i++
			}
			out = append(out, token{start, i, from, strings.ToLower(src[start:i]), 0})
			continue
		default:
			sign, n := c, 1
			switch {
			case strings.HasPrefix(src[i:], ":="):
				n = 2
			case c == ':':
				sign = 0
			case strings.HasPrefix(src[i:], ".."):
				sign, n = 'd', 2
			case strings.HasPrefix(src[i:], "<<"):
				n = 2
			case c == '<':
				sign = 0
			}
			i += n
			out = append(out, token{start, i, from, "", sign})
			continue
		}
		line += strings.Count(src[start:i], "\n")
		out = append(out, token{start: start, end: i, line: from})
	}
	return out
}

func letter(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c >= 0x80
}

// commentEnd is the end of a comment that may hold others.
func commentEnd(src string, i int) int {
	depth := 0
	for i < len(src) {
		switch {
		case strings.HasPrefix(src[i:], "/*"):
			depth++
			i += 2
		case strings.HasPrefix(src[i:], "*/"):
			i += 2
			if depth--; depth == 0 {
				return i
			}
		default:
			i++
		}
	}
	return i
}

// stringEnd is the end of a string or quoted name that begins at i.
func stringEnd(src string, i int, escapes bool) int {
	quote := src[i]
	for i++; i < len(src); i++ {
		switch {
		case escapes && src[i] == '\\':
			i++
		case src[i] == quote && i+1 < len(src) && src[i+1] == quote:
			i++
		case src[i] == quote:
			return i + 1
		}
	}
	return len(src)
}

// dollarEnd is the end of a dollar-quoted string, or of the sign when it begins none.
func dollarEnd(src string, i int) int {
	j := i + 1
	for j < len(src) && letter(src[j]) {
		j++
	}
	if j >= len(src) || src[j] != '$' {
		return i + 1
	}
	tag := src[i : j+1]
	k := strings.Index(src[j+1:], tag)
	if k < 0 {
		return len(src)
	}
	return j + 1 + k + len(tag)
}
