package chunk

import (
	"path"
	"strings"

	"manito/internal/code"
)

// Bounds of files without symbols.
const (
	sectionBytes = 4 << 10  // a longer section is cut at the end of a paragraph
	fileBytes    = 64 << 10 // what is cut of configuration and data: they repeat themselves
	proseBytes   = 1 << 20  // and of prose
)

// sections cuts a file without symbols: prose at its headings, anything at its size.
func sections(name string, text []byte) []Chunk {
	if locked(name) {
		return nil
	}
	format := path.Ext(name)
	prose := format == ".md" || format == ".markdown" || format == ".mdx" || format == ".rst" || format == ".txt" || format == ".adoc"
	limit := fileBytes
	if prose {
		limit = proseBytes
	}
	s := sectioner{path: name, titles: []string{base(name)}, levels: []int{0}}
	rest := string(text[:min(len(text), limit)])
	fence := ""
	for len(rest) > 0 {
		line, next, _ := strings.Cut(rest, "\n")
		size := min(len(line)+1, len(rest))
		bare := strings.TrimSpace(line)
		switch {
		case fence != "":
			if strings.HasPrefix(bare, fence) {
				fence = ""
			}
		case strings.HasPrefix(bare, "```"), strings.HasPrefix(bare, "~~~"):
			fence = bare[:3]
		case prose:
			under, _, _ := strings.Cut(next, "\n")
			if level, title := headline(bare, strings.TrimSpace(under), format); level > 0 {
				s.flush()
				s.open(level, title)
			}
		}
		if s.size > 0 && (s.size+size > sectionBytes && bare == "" || s.size+size > 2*sectionBytes) {
			s.flush()
		}
		s.body.WriteString(rest[:size])
		s.size += size
		s.offset += size
		s.lines++
		rest = rest[size:]
	}
	s.flush()
	return s.out
}

// headline recognises a heading: its level, or 0.
func headline(line, under, format string) (int, string) {
	marks := "#"
	if format == ".adoc" {
		marks = "="
	}
	if n := len(line) - len(strings.TrimLeft(line, marks)); format != ".rst" && format != ".txt" && n >= 1 && n <= 6 && strings.HasPrefix(line[n:], " ") {
		return n, strings.TrimSpace(strings.TrimRight(line[n:], marks))
	}
	if len(line) == 0 || len(under) < 3 || len(under) < len(line)*2/3 || strings.Trim(under, under[:1]) != "" {
		return 0, ""
	}
	if i := strings.IndexByte("=-~^", under[0]); i >= 0 && strings.Trim(line, "=-~^|+") != "" {
		return i + 1, line
	}
	return 0, ""
}

// locked says whether a file is written by a tool about versions of dependencies.
func locked(name string) bool {
	switch b := base(name); b {
	case "package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock", "go.sum", "go.work.sum", "poetry.lock", "Pipfile.lock", "uv.lock", "Cargo.lock", "composer.lock", "Gemfile.lock":
		return true
	default:
		return strings.HasSuffix(b, ".map") || strings.HasSuffix(b, ".svg")
	}
}

// sectioner gathers the sections of one file.
type sectioner struct {
	path   string
	titles []string // of the headings above, outermost first; the first is the file's name
	levels []int
	body   strings.Builder
	size   int
	offset int    // of what comes next
	lines  uint32 // before what comes next
	begin  uint32 // line of the first byte of body
	out    []Chunk
}

// open begins a section under those of lower levels.
func (s *sectioner) open(level int, title string) {
	for len(s.levels) > 1 && s.levels[len(s.levels)-1] >= level {
		s.levels, s.titles = s.levels[:len(s.levels)-1], s.titles[:len(s.titles)-1]
	}
	s.levels, s.titles = append(s.levels, level), append(s.titles, title)
}

// flush ends the section at hand.
func (s *sectioner) flush() {
	body := strings.TrimSpace(s.body.String())
	last := len(s.titles) - 1
	if body != "" {
		s.out = append(s.out, Chunk{
			Def: code.NoDef, Kind: code.KindFile, Path: s.path, Name: s.titles[last],
			Container: strings.Join(s.titles[min(1, last):last], " > "), Body: body,
			Start: uint32(s.offset - s.size), End: uint32(s.offset), Line: s.begin, EndLine: max(s.lines, s.begin+1) - 1,
		})
	}
	s.body.Reset()
	s.size, s.begin = 0, s.lines
}
