package typescript

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// A json is a value of a package.json or tsconfig.json. Objects keep the order
// of their keys, which decides among the conditions of "exports".
type json struct {
	kind   byte // 's' string, 'o' object, 'a' array, 'l' anything else; 0 when absent
	text   string
	keys   []string
	values []*json
}

// absent is what is not there. It is never changed.
var absent = &json{}

// get is the value of a key, or absent.
func (v *json) get(key string) *json {
	for i, k := range v.keys {
		if k == key {
			return v.values[i]
		}
	}
	return absent
}

// str is a string's text, "" for anything else.
func (v *json) str() string {
	if v.kind == 's' {
		return v.text
	}
	return ""
}

// strs are the strings of an array.
func (v *json) strs() []string {
	if v.kind != 'a' {
		return nil
	}
	var out []string
	for _, e := range v.values {
		if e.kind == 's' {
			out = append(out, e.text)
		}
	}
	return out
}

// maxJSONDepth bounds nesting; deeper values are absent.
const maxJSONDepth = 200

// parseJSON reads JSON with comments and trailing commas, the way the tools
// read tsconfig.json. It reads as far as it understands: what is broken is absent.
func parseJSON(text []byte) *json {
	p := jsonParser{text: strings.TrimPrefix(string(text), "\uFEFF")}
	return p.value(0)
}

type jsonParser struct {
	text string
	at   int
}

// space skips white space and comments.
func (p *jsonParser) space() {
	for p.at < len(p.text) {
		switch rest := p.text[p.at:]; {
		case strings.HasPrefix(rest, "//"):
			if i := strings.IndexByte(rest, '\n'); i >= 0 {
				p.at += i
			} else {
				p.at = len(p.text)
			}
		case strings.HasPrefix(rest, "/*"):
			if i := strings.Index(rest[2:], "*/"); i >= 0 {
				p.at += i + 4
			} else {
				p.at = len(p.text)
			}
		case rest[0] == ' ' || rest[0] == '\t' || rest[0] == '\n' || rest[0] == '\r':
			p.at++
		default:
			return
		}
	}
}

// take moves over a byte if it comes next.
func (p *jsonParser) take(c byte) bool {
	p.space()
	if p.at < len(p.text) && p.text[p.at] == c {
		p.at++
		return true
	}
	return false
}

func (p *jsonParser) value(depth int) *json {
	p.space()
	if p.at >= len(p.text) || depth > maxJSONDepth {
		p.at = len(p.text)
		return absent
	}
	switch p.text[p.at] {
	case '{':
		p.at++
		v := &json{kind: 'o'}
		for !p.take('}') {
			if p.take(',') {
				continue
			}
			if p.at >= len(p.text) || p.text[p.at] != '"' {
				p.at = len(p.text)
				return v
			}
			key := p.str()
			if !p.take(':') {
				p.at = len(p.text)
				return v
			}
			v.keys = append(v.keys, key)
			v.values = append(v.values, p.value(depth+1))
		}
		return v
	case '[':
		p.at++
		v := &json{kind: 'a'}
		for !p.take(']') {
			if p.take(',') {
				continue
			}
			before := p.at
			e := p.value(depth + 1)
			if p.at == before || p.at >= len(p.text) {
				p.at = len(p.text)
				return v
			}
			v.values = append(v.values, e)
		}
		return v
	case '"':
		return &json{kind: 's', text: p.str()}
	}
	start := p.at
	for p.at < len(p.text) && !strings.ContainsRune(" \t\r\n,]}/", rune(p.text[p.at])) {
		p.at++
	}
	return &json{kind: 'l', text: p.text[start:p.at]}
}

// str reads a string, whose quote comes next.
func (p *jsonParser) str() string {
	p.at++
	start := p.at
	var out strings.Builder
	for p.at < len(p.text) {
		switch c := p.text[p.at]; c {
		case '"':
			out.WriteString(p.text[start:p.at])
			p.at++
			return out.String()
		case '\\':
			out.WriteString(p.text[start:p.at])
			p.escape(&out)
			start = p.at
		default:
			p.at++
		}
	}
	out.WriteString(p.text[min(start, len(p.text)):])
	return out.String()
}

func (p *jsonParser) escape(out *strings.Builder) {
	if p.at+1 >= len(p.text) {
		p.at = len(p.text)
		return
	}
	c := p.text[p.at+1]
	p.at += 2
	switch c {
	case 'n':
		out.WriteByte('\n')
	case 't':
		out.WriteByte('\t')
	case 'r':
		out.WriteByte('\r')
	case 'b', 'f':
		out.WriteByte(' ')
	case 'u':
		if p.at+4 <= len(p.text) {
			if n, err := strconv.ParseUint(p.text[p.at:p.at+4], 16, 32); err == nil {
				p.at += 4
				r := rune(n)
				if !utf8.ValidRune(r) {
					r = utf8.RuneError
				}
				out.WriteRune(r)
			}
		}
	default:
		out.WriteByte(c)
	}
}
