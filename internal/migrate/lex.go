package migrate

import (
	"strings"
	"unicode/utf8"
)

// tokenKind is what a piece of SQL text is, as far as splitting needs to know.
type tokenKind uint8

const (
	tokenSpace  tokenKind = iota
	tokenLine             // -- comment, without its line end
	tokenBlock            // /* comment */, which nests
	tokenString           // '…', E'…', U&'…'
	tokenQuoted           // "identifier"
	tokenDollar           // $tag$ … $tag$
	tokenWord             // an unquoted word or number
	tokenSymbol           // any other single character
	tokenBroken           // a quote or comment that never ends
)

// token is one piece of SQL; the tokens of a text, joined, are the text.
type token struct {
	kind  tokenKind
	text  string
	start int // byte offset in the text
}

// lex cuts SQL text into tokens by PostgreSQL's lexical rules (chapter "Lexical
// Structure" of its manual), with standard_conforming_strings on.
func lex(text string) []token {
	var out []token
	for at := 0; at < len(text); {
		kind, n := next(text[at:])
		out = append(out, token{kind, text[at : at+n], at})
		at += n
	}
	return out
}

// next is the kind and the length of the token that s, which is not empty, starts with.
func next(s string) (tokenKind, int) {
	c := s[0]
	switch {
	case isSpace(c):
		n := 1
		for n < len(s) && isSpace(s[n]) {
			n++
		}
		return tokenSpace, n
	case strings.HasPrefix(s, "--"):
		if n := strings.IndexByte(s, '\n'); n >= 0 {
			return tokenLine, n
		}
		return tokenLine, len(s)
	case strings.HasPrefix(s, "/*"):
		return block(s)
	case c == '\'':
		return quoteEnd(s, 1, '\'', false, tokenString)
	case c == '"':
		return quoteEnd(s, 1, '"', false, tokenQuoted)
	case c == '$':
		return dollar(s)
	case isWord(c):
		n := 1
		for n < len(s) && (isWord(s[n]) || s[n] == '$') {
			n++
		}
		if n < len(s) && s[n] == '\'' && n == 1 && strings.IndexByte("eEbBxXnN", c) >= 0 {
			return quoteEnd(s, 2, '\'', c == 'e' || c == 'E', tokenString)
		}
		if n == 1 && (c == 'u' || c == 'U') && len(s) > 2 && s[1] == '&' && (s[2] == '\'' || s[2] == '"') {
			kind := tokenString
			if s[2] == '"' {
				kind = tokenQuoted
			}
			return quoteEnd(s, 3, s[2], false, kind)
		}
		return tokenWord, n
	}
	_, n := utf8.DecodeRuneInString(s)
	return tokenSymbol, n
}

// block is the length of the nested comment that s starts with.
func block(s string) (tokenKind, int) {
	depth := 0
	for i := 0; i+1 < len(s); {
		switch s[i : i+2] {
		case "/*":
			depth++
			i += 2
		case "*/":
			depth--
			i += 2
			if depth == 0 {
				return tokenBlock, i
			}
		default:
			i++
		}
	}
	return tokenBroken, len(s)
}

// quoteEnd finds the end of a quoted piece whose content starts at from. A doubled
// quote stays inside; escapes says that a backslash hides the next character.
func quoteEnd(s string, from int, q byte, escapes bool, kind tokenKind) (tokenKind, int) {
	for i := from; i < len(s); i++ {
		switch {
		case escapes && s[i] == '\\':
			i++
		case s[i] == q:
			if i+1 < len(s) && s[i+1] == q {
				i++
				continue
			}
			return kind, i + 1
		}
	}
	return tokenBroken, len(s)
}

// dollar reads a dollar-quoted string, or the single character when it is none
// (a parameter such as $1).
func dollar(s string) (tokenKind, int) {
	n := 1
	for n < len(s) && isWord(s[n]) {
		if n == 1 && s[n] >= '0' && s[n] <= '9' {
			return tokenSymbol, 1
		}
		n++
	}
	if n >= len(s) || s[n] != '$' {
		return tokenSymbol, 1
	}
	tag := s[:n+1]
	if end := strings.Index(s[len(tag):], tag); end >= 0 {
		return tokenDollar, len(tag) + end + len(tag)
	}
	return tokenBroken, len(s)
}

func isSpace(c byte) bool {
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v'
}

func isWord(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c >= 0x80
}

// words are the words, identifiers and symbols of a statement in order: unquoted
// words in upper case, quoted identifiers with their quotes, everything else as it
// stands, spaces and comments left out. At most limit of them when limit is not 0.
func words(sql string, limit int) []string {
	var out []string
	for at := 0; at < len(sql) && (limit == 0 || len(out) < limit); {
		kind, n := next(sql[at:])
		text := sql[at : at+n]
		at += n
		switch kind {
		case tokenSpace, tokenLine, tokenBlock:
		case tokenWord:
			out = append(out, strings.ToUpper(text))
		default:
			out = append(out, text)
		}
	}
	return out
}
