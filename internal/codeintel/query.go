package codeintel

import (
	"strconv"
	"strings"

	"manito/internal/problem"
)

// query is what a person typed to name a symbol, taken apart.
type query struct {
	raw    string
	symbol string   // a whole symbol string
	path   string   // the file part of path:line, path:line:column and path:name
	line   int      // from 1, 0 when not given
	column int      // from 1, 0 when not given
	parts  []string // the name with what stands before it: net, http, Client, Do
}

// maxQuery bounds a query; no symbol is as long.
const maxQuery = 8192

// parseQuery understands
//
//	Do   Client.Do   http.Client.Do   net/http.Client.Do   (*Client).Do   Client#do   Client::do   f(a, b)
//	src/http/client.go:Client.Do   client.go:12   client.go:12:5   src/http/client.go
//	scip-go gomod std . `net/http`/Client#Do().
func parseQuery(raw string) (query, error) {
	q := query{raw: strings.TrimSpace(raw)}
	s := q.raw
	if s == "" {
		return q, problem.New(problem.Usage, "no symbol was named").Fix("name one: Client.Do, net/http.Get, client.go:12 or src/client.go:Do")
	}
	if len(s) > maxQuery {
		return q, problem.New(problem.Usage, "a symbol's name of %d bytes is too long", len(s))
	}
	if isSymbolString(s) {
		q.symbol = s
		return q, nil
	}
	for _, word := range []string{"func ", "function ", "def ", "class ", "interface ", "type ", "new ", "async ", "struct ", "const ", "var ", "let "} {
		if rest, ok := strings.CutPrefix(s, word); ok && strings.TrimSpace(rest) != "" {
			s = strings.TrimSpace(rest)
		}
	}
	if path, line, column, ok := position(s); ok {
		q.path, q.line, q.column = path, line, column
		return q, nil
	}
	if path, name, ok := pathAndName(s); ok {
		q.path, s = path, name
	}
	q.parts = nameParts(s)
	if len(q.parts) == 0 && q.path == "" {
		return q, problem.New(problem.Usage, "%q names no symbol", raw).Fix("name one: Client.Do, net/http.Get, client.go:12 or src/client.go:Do")
	}
	return q, nil
}

// isSymbolString tells a whole symbol string: four fields (scheme, manager,
// package, version) and descriptors, the last of which ends in its sign.
func isSymbolString(s string) bool {
	if strings.HasPrefix(s, "external ") || strings.HasPrefix(s, "file ") {
		return true
	}
	return strings.Count(s, " ") >= 4 && strings.IndexByte(".#/!]", s[len(s)-1]) >= 0
}

// position takes path:line and path:line:column apart.
func position(s string) (path string, line, column int, ok bool) {
	rest, last, found := cutLast(s, ':')
	if !found || rest == "" {
		return "", 0, 0, false
	}
	n, err := strconv.Atoi(last)
	if err != nil || n < 1 {
		return "", 0, 0, false
	}
	if before, middle, found := cutLast(rest, ':'); found && before != "" {
		if m, err := strconv.Atoi(middle); err == nil && m >= 1 {
			return before, m, n, true
		}
	}
	return rest, n, 0, true
}

func cutLast(s string, sep byte) (before, after string, found bool) {
	i := strings.LastIndexByte(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

// pathAndName takes path:name apart: the part before the first single colon (or
// before "#" after a file's ending) must look like a file.
func pathAndName(s string) (path, name string, ok bool) {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case ':':
			if i+1 < len(s) && s[i+1] == ':' {
				if !looksLikeFile(s[:i]) {
					i++
					continue
				}
				return s[:i], s[i+2:], len(s) > i+2
			}
		case '#':
		case '`', '(', '[', '<':
			return "", "", false
		default:
			continue
		}
		if looksLikeFile(s[:i]) && i+1 < len(s) {
			return s[:i], s[i+1:], true
		}
	}
	return "", "", false
}

// looksLikeFile says whether the last part of a path has an ending, or the path has a slash.
func looksLikeFile(p string) bool {
	base := p[strings.LastIndexByte(p, '/')+1:]
	i := strings.LastIndexByte(base, '.')
	return len(base) > 0 && (i >= 0 && i+1 < len(base) || strings.IndexByte(p, '/') >= 0)
}

// nameParts splits a name at dots, slashes, "#", "::" and "->". Parentheses and
// stars of a receiver, arguments and type arguments are left out; what stands in
// backticks, and a bracketed name ([Symbol.iterator]), is one part.
func nameParts(s string) []string {
	var parts []string
	var cur []byte
	flush := func() {
		if len(cur) > 0 {
			parts = append(parts, string(cur))
			cur = cur[:0]
		}
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '`':
			if end := strings.IndexByte(s[i+1:], '`'); end >= 0 {
				cur = append(cur, s[i+1:i+1+end]...)
				i += end + 1
			}
		case c == '#' && len(cur) == 0:
			cur = append(cur, c) // a private name of JavaScript: Box.#secret
		case c == '.' || c == '/' || c == '#':
			flush()
		case c == ':' && i+1 < len(s) && s[i+1] == ':', c == '-' && i+1 < len(s) && s[i+1] == '>':
			flush()
			i++
		case c == ':':
			flush()
		case c == '(' && len(cur) > 0, c == '[' && len(cur) > 0, c == '<' && len(cur) > 0:
			i = skipBrackets(s, i)
		case c == '[':
			end := skipBrackets(s, i)
			cur = append(cur, s[i:min(end+1, len(s))]...)
			i = end
		case c == '(' || c == ')' || c == '*' || c == '&' || c == ' ' || c == '\t' || c == '\n' || c == ']' || c == '>' || c == '<':
			// of a receiver, or left over
		default:
			cur = append(cur, c)
		}
	}
	flush()
	return parts
}

// skipBrackets returns the position of the bracket that closes the one at i, or the last position when none does.
func skipBrackets(s string, i int) int {
	depth := 0
	for ; i < len(s); i++ {
		switch s[i] {
		case '(', '[', '<':
			depth++
		case ')', ']', '>':
			depth--
			if depth == 0 {
				return i
			}
		}
	}
	return len(s) - 1
}
