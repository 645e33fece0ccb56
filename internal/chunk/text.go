package chunk

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// isText says whether bytes are worth cutting: no zero byte and mostly UTF-8 at their head.
func isText(text []byte) bool {
	head := text[:min(len(text), 8<<10)]
	if bytes.IndexByte(head, 0) >= 0 {
		return false
	}
	bad := 0
	for i := 0; i < len(head); {
		r, n := utf8.DecodeRune(head[i:])
		if r == utf8.RuneError && n == 1 {
			bad++
		}
		i += n
	}
	return bad*10 <= len(head)
}

// cut shortens a text to a number of bytes, at the end of a line where there is
// one in the last quarter, else between two characters.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	s = s[:limit]
	if i := strings.LastIndexByte(s, '\n'); i > limit*3/4 {
		return s[:i]
	}
	for i := 0; i < utf8.UTFMax && len(s) > 0; i++ {
		if r, n := utf8.DecodeLastRuneInString(s); r != utf8.RuneError || n > 1 {
			break
		}
		s = s[:len(s)-1]
	}
	return s
}

// oneLine puts a text into one line, with one space where there was white space.
func oneLine(text []byte) string { return strings.Join(strings.Fields(string(text)), " ") }

// squeeze takes away white space at the ends of lines and all but one of several empty lines.
func squeeze(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	empty := 0
	for line := range strings.SplitSeq(s, "\n") {
		line = strings.TrimRight(line, " \t\r")
		if line == "" {
			empty++
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('\n')
			if empty > 0 {
				b.WriteByte('\n')
			}
		}
		empty = 0
		b.WriteString(line)
	}
	return b.String()
}

// comment takes the marks off a comment or documentation string of any of the
// languages that use //, /* */, #, --, """ or ”'. Directives to tools are left out.
func comment(text []byte) string {
	s := strings.TrimSpace(string(text))
	for _, quote := range []string{`"""`, `'''`, `"`, `'`} {
		// Python allows prefixes before a string's quotes.
		trimmed := strings.TrimLeft(s, "rRuUbBfF")
		if len(s)-len(trimmed) <= 2 && strings.HasPrefix(trimmed, quote) && strings.HasSuffix(trimmed, quote) && len(trimmed) >= 2*len(quote) {
			s = trimmed[len(quote) : len(trimmed)-len(quote)]
			break
		}
	}
	var b strings.Builder
	for line := range strings.SplitSeq(s, "\n") {
		line = strings.TrimSpace(line)
		if directive(line) {
			continue
		}
		line = strings.TrimSuffix(line, "*/")
		line = strings.TrimPrefix(line, "/*")
		line = strings.TrimLeft(line, "/*#!-")
		line = strings.TrimSpace(line)
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(line)
	}
	return strings.TrimSpace(b.String())
}

// directive says whether a comment line speaks to a tool: //go:build, //nolint, # type:, eslint-disable, a shebang.
func directive(line string) bool {
	if strings.HasPrefix(line, "#!") {
		return true
	}
	rest, ok := strings.CutPrefix(line, "//")
	if ok && rest != "" && rest[0] >= 'a' && rest[0] <= 'z' {
		word, _, _ := strings.Cut(rest, " ")
		return strings.Contains(word, ":") || word == "nolint" || word == "export"
	}
	rest = strings.TrimLeft(line, "/*# ")
	return strings.HasPrefix(rest, "eslint-") || strings.HasPrefix(rest, "type:") || strings.HasPrefix(rest, "noqa") || strings.HasPrefix(rest, "@ts-")
}

// licence says whether a comment is about rights and not about code.
func licence(s string) bool {
	head := strings.ToLower(s[:min(len(s), 600)])
	return strings.Contains(head, "copyright") || strings.Contains(head, "license") || strings.Contains(head, "licence")
}

// commentLength is the length of the comment with which a text begins, 0 when it begins otherwise.
func commentLength(s string) int {
	switch {
	case strings.HasPrefix(s, "/*"):
		if i := strings.Index(s, "*/"); i >= 0 {
			return i + 2
		}
	case strings.HasPrefix(s, `"""`), strings.HasPrefix(s, "'''"):
		if i := strings.Index(s[3:], s[:3]); i >= 0 {
			return i + 6
		}
	case strings.HasPrefix(s, "//"), strings.HasPrefix(s, "#"):
		mark := "#"
		if s[0] == '/' {
			mark = "//"
		}
		n := 0
		for line := range strings.Lines(s) {
			if !strings.HasPrefix(strings.TrimSpace(line), mark) {
				break
			}
			n += len(line)
		}
		return n
	}
	return 0
}
