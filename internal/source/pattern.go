package source

import (
	"bytes"
	"strings"
)

// patternKind is the cheapest way to match a pattern.
type patternKind uint8

const (
	patternBase       patternKind = iota // the base name equals text
	patternBaseSuffix                    // the base name ends with text ("*.o")
	patternBaseGlob                      // the base name matches glob
	patternPath                          // the path equals text
	patternPathGlob                      // the path begins with text, and its rest matches glob
)

// pattern is one line of an ignore file.
type pattern struct {
	kind    patternKind
	negated bool // "!": what matches is included again
	dirOnly bool // trailing "/": only directories match
	text    string
	glob    glob
}

// verdict is what ignore rules say of a path.
type verdict uint8

const (
	verdictNone    verdict = iota // no pattern matches
	verdictExclude                // the last pattern that matches excludes
	verdictInclude                // the last pattern that matches includes again
)

// patternList is one ignore file: its patterns in order. The last one that matches decides.
type patternList struct {
	patterns []pattern
	fold     bool
}

// parsePatterns reads an ignore file with the rules of gitignore(5): lines end
// in LF or CRLF, a byte order mark and comments are skipped, trailing spaces
// that no backslash protects are dropped. Nothing in it is an error.
func parsePatterns(text []byte, fold bool) patternList {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	list := patternList{fold: fold}
	for len(text) > 0 {
		line := text
		if end := bytes.IndexByte(text, '\n'); end >= 0 {
			line, text = text[:end], text[end+1:]
		} else {
			text = nil
		}
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		line = bytes.TrimSuffix(line, []byte("\r"))
		if nul := bytes.IndexByte(line, 0); nul >= 0 {
			line = line[:nul] // to git a line is a C string
		}
		if p, ok := compilePattern(trimSpaces(string(line)), fold); ok {
			list.patterns = append(list.patterns, p)
		}
	}
	return list
}

// trimSpaces drops trailing spaces up to one that a backslash protects.
func trimSpaces(line string) string {
	end := -1 // where the current run of spaces began
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case ' ':
			if end < 0 {
				end = i
			}
		case '\\':
			i++
			if i == len(line) {
				return line
			}
			end = -1
		default:
			end = -1
		}
	}
	if end >= 0 {
		return line[:end]
	}
	return line
}

// compilePattern compiles one line; ok is false when it can match nothing.
func compilePattern(line string, fold bool) (p pattern, ok bool) {
	if strings.HasPrefix(line, "!") {
		p.negated = true
		line = line[1:]
	}
	whole := line // with its trailing slash: git looks for wildcards in it
	if strings.HasSuffix(line, "/") {
		p.dirOnly = true
		line = line[:len(line)-1]
	}
	if line == "" {
		return p, false
	}
	if !strings.Contains(line, "/") {
		switch {
		case wildcard(line) == len(line):
			p.kind, p.text = patternBase, line
		case line[0] == '*' && wildcard(whole[1:]) == len(whole)-1:
			p.kind, p.text = patternBaseSuffix, line[1:]
		default:
			p.kind, p.glob = patternBaseGlob, compileGlob(line, false, fold)
		}
		return p, true
	}
	line = strings.TrimPrefix(line, "/")
	literal := wildcard(line)
	p.text = line[:literal]
	if literal == len(line) {
		p.kind = patternPath
		return p, true
	}
	// git compares the literal beginning apart and hands only the rest to its
	// matcher, so that "a**/b" sees its stars at the start of a pattern.
	p.kind, p.glob = patternPathGlob, compileGlob(line[literal:], true, fold)
	return p, true
}

// wildcard is the index of the first character that is not literal, or the length.
func wildcard(s string) int {
	if i := strings.IndexAny(s, `*?[\`); i >= 0 {
		return i
	}
	return len(s)
}

// decide says what the list says of a path. rel is relative to the directory of
// the ignore file, base is its last element.
func (l *patternList) decide(rel, base string, dir bool) verdict {
	for i := len(l.patterns) - 1; i >= 0; i-- {
		p := &l.patterns[i]
		if p.dirOnly && !dir || !l.matches(p, rel, base) {
			continue
		}
		if p.negated {
			return verdictInclude
		}
		return verdictExclude
	}
	return verdictNone
}

func (l *patternList) matches(p *pattern, rel, base string) bool {
	switch p.kind {
	case patternBase:
		return len(base) == len(p.text) && l.equal(base, p.text)
	case patternBaseSuffix:
		return len(base) >= len(p.text) && l.equal(base[len(base)-len(p.text):], p.text)
	case patternBaseGlob:
		return p.glob.match(base)
	case patternPath:
		return len(rel) == len(p.text) && l.equal(rel, p.text)
	default:
		n := len(p.text)
		return len(rel) >= n && l.equal(rel[:n], p.text) && p.glob.match(rel[n:])
	}
}

// equal compares strings of one length.
func (l *patternList) equal(a, b string) bool {
	if !l.fold {
		return a == b
	}
	for i := 0; i < len(a); i++ {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

// scope is the ignore files that hold in a directory: a list and those above it.
// Scopes never change, so that walkers share them.
type scope struct {
	above *scope
	list  patternList
	cut   int // how many bytes of a path stand before the part relative to the list's directory
}

// with is the scope below s in which a list holds; an empty list changes nothing.
func (s *scope) with(list patternList, cut int) *scope {
	if len(list.patterns) == 0 {
		return s
	}
	return &scope{above: s, list: list, cut: cut}
}

// decide says what the nearest list with an opinion says of a path.
func (s *scope) decide(path, base string, dir bool) verdict {
	for ; s != nil; s = s.above {
		if v := s.list.decide(path[s.cut:], base, dir); v != verdictNone {
			return v
		}
	}
	return verdictNone
}
