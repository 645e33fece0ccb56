package codeintel

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"manito/internal/code"
	"manito/internal/graph"
)

const (
	maxSignature = 400  // bytes
	maxDoc       = 8000 // bytes
)

// signature is a definition's heading on one line: from its first byte to its
// body, white space joined. What has no body gives its first line.
func signature(text []byte, d graph.Definition) string {
	if d.Kind == code.KindFile || int(d.End) > len(text) || d.Start > d.End {
		return ""
	}
	heading := text[d.Start:d.End]
	if d.Body > d.Start && d.Body <= d.End {
		heading = text[d.Start:d.Body]
	} else if i := bytes.IndexByte(heading, '\n'); i >= 0 && !d.Kind.Callable() {
		heading = heading[:i]
	}
	s := strings.Join(strings.Fields(printable(heading)), " ")
	s = strings.TrimRight(s, " {:=")
	s = strings.TrimSuffix(s, " =>")
	return cut(s, maxSignature)
}

// documentation is a definition's comment or documentation string without the signs that make it one.
func documentation(text []byte, d graph.Definition) string {
	if d.DocStart >= d.DocEnd || int(d.DocEnd) > len(text) {
		return ""
	}
	return cut(plainDoc(printable(text[d.DocStart:d.DocEnd])), maxDoc)
}

func printable(b []byte) string { return strings.ToValidUTF8(string(b), "\uFFFD") }

func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}

// plainDoc takes comment signs, string quotes and the common indentation away.
func plainDoc(s string) string {
	s = strings.TrimSpace(s)
	block := strings.HasPrefix(s, "/*")
	if block {
		s = strings.TrimSuffix(strings.TrimLeft(strings.TrimPrefix(s, "/"), "*!"), "*/")
	}
	for _, q := range []string{`"""`, "'''"} {
		i := strings.Index(s, q)
		if i < 0 || i > 2 || !strings.HasSuffix(s, q) || len(s) < i+6 {
			continue
		}
		s = s[i+3 : len(s)-3]
	}
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		l = strings.TrimRight(l, " \t\r")
		t := strings.TrimLeft(l, " \t")
		switch {
		case block && strings.HasPrefix(t, "*"):
			l = strings.TrimPrefix(t[1:], " ")
		case strings.HasPrefix(t, "//"):
			l = strings.TrimPrefix(strings.TrimLeft(t, "/!"), " ")
		case strings.HasPrefix(t, "#"):
			l = strings.TrimPrefix(strings.TrimLeft(t, "#"), " ")
		}
		lines[i] = l
	}
	indent := -1
	for _, l := range lines[min(1, len(lines)):] {
		if t := strings.TrimLeft(l, " \t"); t != "" && (indent < 0 || len(l)-len(t) < indent) {
			indent = len(l) - len(t)
		}
	}
	for i, l := range lines {
		if i > 0 && indent > 0 && len(l) >= indent {
			lines[i] = l[indent:]
		}
	}
	lines[0] = strings.TrimLeft(lines[0], " \t")
	return strings.Trim(strings.Join(lines, "\n"), "\n")
}
