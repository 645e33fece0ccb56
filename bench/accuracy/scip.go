package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"manito/bench/scip"
)

// scipJudge turns a SCIP index into an answer key. Which places are calls, imports
// and definitions is not the index's word but that of the language's own parser.
type scipJudge struct {
	root    string
	project string // the part of a symbol that says it is the package's own: "npm rxjs 7.8.2 "
	// listed: the lister resolves module specifiers.
	listed bool

	texts      map[string][][]byte // lines by path
	defs       map[string][]place  // by symbol; local symbols are prefixed with their path
	uses       map[place][]string  // symbols by place
	nature     map[place]string    // what a declaration is as a target
	names      map[place]string    // qualified names of definitions
	files      map[string]*judged
	implements map[string][]string // symbols that a symbol implements
}

func newScipJudge(root, project string) *scipJudge {
	return &scipJudge{root: root, project: project, texts: map[string][][]byte{}, defs: map[string][]place{}, uses: map[place][]string{},
		nature: map[place]string{}, names: map[place]string{}, files: map[string]*judged{}, implements: map[string][]string{}}
}

// lines are those of a file of the package.
func (j *scipJudge) lines(path string) ([][]byte, error) {
	if l, ok := j.texts[path]; ok {
		return l, nil
	}
	text, err := os.ReadFile(filepath.Join(j.root, filepath.FromSlash(path)))
	if err != nil {
		return nil, err
	}
	l := bytes.Split(text, []byte("\n"))
	j.texts[path] = l
	return l, nil
}

// place turns a 0-based line and a column in UTF-16 units into one that counts as Manito does.
func (j *scipJudge) place(path string, line, column int) (place, error) {
	lines, err := j.lines(path)
	if err != nil {
		return place{}, err
	}
	if line >= len(lines) {
		return place{}, fmt.Errorf("%s has no line %d", path, line+1)
	}
	text, at := lines[line], 0
	for n := 0; n < column && at < len(text); {
		r, size := utf8.DecodeRune(text[at:])
		at += size
		n++
		if r > 0xffff {
			n++
		}
	}
	return place{path, line + 1, at + 1}, nil
}

// index reads the SCIP index.
func (j *scipJudge) index(file string) error {
	raw, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	docs, err := scip.Read(raw)
	if err != nil {
		return err
	}
	for _, doc := range docs {
		path := filepath.ToSlash(doc.Path)
		if !filepath.IsLocal(filepath.FromSlash(path)) {
			continue
		}
		for _, s := range doc.Symbols {
			j.implements[global(path, s.Symbol)] = s.Implements
		}
		for _, o := range doc.Occurrences {
			p, err := j.place(path, o.Line, o.Column)
			if err != nil {
				return err
			}
			symbol := global(path, o.Symbol)
			if !o.Definition {
				j.uses[p] = append(j.uses[p], symbol)
				continue
			}
			if isModule(o.Symbol) && p.line == 1 && p.column == 1 { // and no namespace
				p = place{file: path}
			}
			j.defs[symbol] = append(j.defs[symbol], p)
		}
	}
	return nil
}

// global makes a document's local symbols distinct.
func global(path, symbol string) string {
	if strings.HasPrefix(symbol, "local ") {
		return path + " " + symbol
	}
	return symbol
}

// isModule says whether a symbol is a file as a whole.
func isModule(symbol string) bool {
	return strings.HasSuffix(symbol, "/") || strings.HasSuffix(symbol, "/__init__:")
}

// item is a line of a lister.
type item struct {
	kind string
	at   place
	rest []string
}

// list reads what a language's own parser lists; columns are in UTF-16 units when utf16 is set.
func (j *scipJudge) list(out []byte, utf16 bool) error {
	var items []item
	path := ""
	scan := bufio.NewScanner(bytes.NewReader(out))
	scan.Buffer(nil, 1<<20)
	for scan.Scan() {
		f := strings.Split(scan.Text(), "\t")
		if f[0] == "file" {
			path = f[1]
			lines, err := j.lines(path)
			if err != nil {
				return err
			}
			j.files[path] = &judged{path: path, sum: sumOf(bytes.Join(lines, []byte("\n")))}
			continue
		}
		line, err := strconv.Atoi(f[1])
		if err != nil {
			return err
		}
		column, err := strconv.Atoi(f[2])
		if err != nil {
			return err
		}
		p := place{path, line, column}
		if utf16 {
			if p, err = j.place(path, line-1, column-1); err != nil {
				return err
			}
		}
		items = append(items, item{f[0], p, f[3:]})
	}
	if err := scan.Err(); err != nil {
		return err
	}
	for _, it := range items {
		switch it.kind {
		case "t":
			j.nature[it.at] = it.rest[0]
		case "d":
			j.names[it.at] = it.rest[1]
			f := j.files[it.at.file]
			f.defs = append(f.defs, definition{it.at.line, it.at.column, it.rest[0], it.rest[1]})
		}
	}
	for _, it := range items {
		f := j.files[it.at.file]
		switch it.kind {
		case "c":
			f.calls = append(f.calls, j.call(it.at))
		case "m":
			f.imports = append(f.imports, j.moduleAt(it))
		case "n":
			f.imports = append(f.imports, j.name(it))
		}
	}
	j.overrides()
	return nil
}

// targets are where the symbols at a place are declared. known is false when one
// of them is the package's own and declared nowhere, or there is none.
func (j *scipJudge) targets(p place) (in []place, external, known bool) {
	if q := (place{p.file, p.line, p.column - 1}); len(j.uses[p]) == 0 && j.quoted(q) {
		p = q // the occurrence of a string begins at its quote
	}
	known = len(j.uses[p]) > 0
	for _, s := range j.uses[p] {
		switch defs := j.defs[s]; {
		case len(defs) > 0:
			in = append(in, defs...)
		case strings.Contains(s, j.project) || strings.Contains(s, " local "):
			known = false
		default:
			external = true
		}
	}
	return in, external, known
}

func (j *scipJudge) quoted(p place) bool {
	lines := j.texts[p.file]
	return p.column > 0 && p.line <= len(lines) && p.column <= len(lines[p.line-1]) && strings.IndexByte("'\"`", lines[p.line-1][p.column-1]) >= 0
}

func (j *scipJudge) call(p place) judgement {
	out := judgement{line: p.line, column: p.column, class: classUnknown}
	in, external, known := j.targets(p)
	switch {
	case len(in) == 0 && known && external:
		out.class = classExternal
		return out
	case len(in) == 0 || !known:
		return out
	}
	out.targets = in
	things := map[string]bool{}
	count := map[string]int{}
	for _, t := range in {
		name, ok := j.names[t]
		if !ok {
			name = strconv.Itoa(t.line)
		}
		things[t.file+" "+name] = true
		count[j.nature[t]]++
	}
	switch {
	case count["value"] == len(in) || count[""] == len(in):
		out.class = classValue
	case count["value"]+count[""] > 0:
		out.class = classUnknown // a function or something else: merged declarations
		out.targets = nil
	case count["abstract"] > 0 || len(things) > 1 || external:
		out.class = classDispatch
	default:
		out.class = classStatic
	}
	return out
}

// moduleAt judges a module specifier: by the lister's word when it resolves modules itself.
func (j *scipJudge) moduleAt(it item) judgement {
	out := judgement{line: it.at.line, column: it.at.column, class: classUnknown}
	if j.listed {
		out.class = classExternal
		for _, path := range it.rest {
			out.class, out.targets = classModule, append(out.targets, place{file: path})
		}
		return out
	}
	in, external, known := j.targets(it.at)
	for _, t := range in {
		if t.line == 0 {
			out.class, out.targets = classModule, append(out.targets, t)
		}
	}
	if len(in) == 0 && known && external {
		out.class = classExternal
	}
	return out
}

func (j *scipJudge) name(it item) judgement {
	p := it.at
	out := judgement{line: p.line, column: p.column, class: classUnknown}
	for _, path := range it.rest {
		out.class, out.targets = className, append(out.targets, place{file: path})
	}
	if len(out.targets) > 0 {
		return out
	}
	in, external, known := j.targets(p)
	switch {
	case len(in) > 0 && known && !external:
		out.class, out.targets = className, in
	case len(in) == 0 && known && external:
		out.class = classExternal
	}
	return out
}

// overrides are the index's relationships between methods.
func (j *scipJudge) overrides() {
	for s, targets := range j.implements {
		for _, target := range targets {
			for _, from := range j.defs[s] {
				f := j.files[from.file]
				if n := j.nature[from]; f == nil || n != "code" && n != "abstract" {
					continue
				}
				for _, to := range j.defs[target] {
					if n := j.nature[to]; (n == "code" || n == "abstract") && to != from {
						f.overrides = append(f.overrides, override{from.line, from.column, to})
					}
				}
			}
		}
	}
}

// key is the answer key of the files that were listed.
func (j *scipJudge) key(judge string) *answerKey {
	k := &answerKey{judge: judge}
	for _, f := range j.files {
		k.files = append(k.files, *f)
	}
	for i := range k.files {
		for n := range k.files[i].calls {
			slices.SortFunc(k.files[i].calls[n].targets, comparePlaces)
		}
	}
	k.normalize()
	return k
}
