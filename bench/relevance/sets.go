package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"unicode"

	"manito/internal/chunk"
	"manito/internal/code"
)

// The kinds of sets.
const (
	naturalSet   = "natural"
	docstringSet = "docstring"
	typoSet      = "typo"
)

// sampleSeed chooses functions and names. Another seed is another set.
const sampleSeed = 20261125

// typosPerMistake is how many names of a corpus are written with each kind of mistake.
const typosPerMistake = 24

// ask is one question with the places that answer it.
type ask struct {
	id       string
	text     string
	relevant map[string]int
}

// set is the queries of one kind over one collection.
type set struct {
	kind    string
	half    Half // of natural questions, else ""
	corpus  string
	queries []ask
}

// name is how a set is called in results.
func (s *set) name() string {
	if s.half != "" {
		return fmt.Sprintf("%s-%s/%s", s.kind, s.half, s.corpus)
	}
	return s.kind + "/" + s.corpus
}

// asked is a collection with the sets that are asked of it.
type asked struct {
	Collection
	places []string // by chunk: path:qualified name
	sets   []set
}

// prepare makes what is asked of a corpus: natural questions and names with
// mistakes over the code as it is, first sentences over code without documentation.
func prepare(ctx context.Context, dir string, c corpusSpec, chosen []Half) ([]asked, error) {
	l, err := load(ctx, dir, c)
	if err != nil {
		return nil, err
	}
	files := l.files
	g, err := linkGraph(ctx, c.name, l.language, l.files, l.others)
	if err != nil {
		return nil, fmt.Errorf("corpus %s: %w", c.name, err)
	}
	var all []asked
	if !c.big {
		whole := asked{Collection: Collection{Graph: g}}
		for _, f := range files {
			whole.add(f, chunk.Split(f.path, f.doc, f.text))
		}
		whole.Training = whole.Chunks
		if c.natural {
			holders := holdersOf(files, whole.places)
			for _, half := range chosen {
				s, err := natural(c.name, half, holders)
				if err != nil {
					return nil, err
				}
				whole.sets = append(whole.sets, s)
			}
		}
		whole.sets = append(whole.sets, typos(c.name, &whole))
		all = append(all, whole)
	}
	if c.docstrings > 0 {
		functions := docstrings(c, files)
		functions.Graph = g
		all = append(all, functions)
	}
	return all, nil
}

// add appends chunks of a file.
func (a *asked) add(f codeFile, chunks []chunk.Chunk) {
	a.Files = append(a.Files, f)
	for i := range chunks {
		a.Chunks = append(a.Chunks, chunks[i])
		a.places = append(a.places, placeOf(f, chunks[i].Def))
	}
}

// placeOf is what labels call a definition. The file's own chunk has an empty name.
func placeOf(f codeFile, d code.DefID) string {
	if d == code.NoDef {
		return f.path + ":"
	}
	return f.path + ":" + f.doc.QualifiedName(d)
}

// holdersOf says for every symbol in whose chunk it stands: its own, else that of
// what encloses it, else the file's.
func holdersOf(files []codeFile, places []string) map[string]string {
	has := map[string]bool{}
	for _, p := range places {
		has[p] = true
	}
	holders := map[string]string{}
	for _, f := range files {
		for d := range f.doc.Defs {
			at := code.DefID(d)
			for at != code.NoDef && !has[placeOf(f, at)] {
				at = f.doc.Defs[at].Parent
			}
			holders[placeOf(f, code.DefID(d))] = placeOf(f, at)
		}
	}
	return holders
}

// natural are the questions of one half over a corpus. A label on what has no chunk
// of its own (a field, a short constant) is met by the chunk that it stands in.
func natural(corpusName string, half Half, holders map[string]string) (set, error) {
	s := set{kind: naturalSet, half: half, corpus: corpusName}
	all, err := readQuestions(questionFiles, half)
	if err != nil {
		return s, err
	}
	for _, q := range all {
		if q.Corpus != corpusName {
			continue
		}
		relevant := map[string]int{}
		for label, grade := range q.Relevant {
			holder, ok := holders[label]
			if !ok {
				return s, fmt.Errorf("%s: there is no symbol %s", q.ID, label)
			}
			relevant[holder] = max(relevant[holder], grade)
		}
		s.queries = append(s.queries, ask{q.ID, q.Query, relevant})
	}
	return s, nil
}

// typos are names that stand in one place of the corpus alone, written with mistakes.
func typos(corpusName string, a *asked) set {
	s := set{kind: typoSet, corpus: corpusName}
	times := map[string]int{}
	for i := range a.Chunks {
		times[strings.ToLower(a.Chunks[i].Name)]++
	}
	t := &typist{rand.New(rand.NewPCG(sampleSeed, 1))}
	order := t.r.Perm(len(a.Chunks))
	next := 0
	for _, m := range mistakes() {
		for n := 0; n < typosPerMistake && next < len(order); next++ {
			i := order[next]
			name := a.Chunks[i].Name
			if a.Chunks[i].Def == code.NoDef || times[strings.ToLower(name)] > 1 || !typable(name) {
				continue
			}
			typed := string(m.make(t, []rune(name)))
			if typed == name || times[strings.ToLower(typed)] > 0 && m.name != "case" {
				continue
			}
			n++
			s.queries = append(s.queries, ask{fmt.Sprintf("%s-%s-%02d", corpusName, m.name, n), typed, map[string]int{a.places[i]: Answer}})
		}
	}
	return s
}

// typable says whether a name is long enough to be recognised with a mistake and
// has two parts or more, so that each kind of mistake changes it.
func typable(name string) bool {
	for _, r := range name {
		if r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return false
		}
	}
	return len(name) >= 7 && len(nameParts([]rune(name))) >= 2 && !strings.HasPrefix(name, "_")
}

// leastLines is how many lines a function must have to be looked for: shorter ones say nothing but their name.
const leastLines = 4

// docstrings looks for functions by the first sentence of their documentation,
// among all functions of the corpus without documentation. Generated code is not
// asked for: it may be a copy of what a method has learned elsewhere.
func docstrings(c corpusSpec, files []codeFile) asked {
	type function struct {
		file  int
		def   code.DefID
		query string // "" when its documentation makes none
	}
	var functions []function
	for i, f := range files {
		for _, ch := range chunk.Split(f.path, f.doc, f.text) {
			if !functionOf(f, &ch) {
				continue
			}
			sought := function{file: i, def: ch.Def}
			if f.doc.Flags&code.DocGenerated == 0 {
				sought.query = sentenceQuery(ch.Doc, ch.Name)
			}
			functions = append(functions, sought)
		}
	}
	r := rand.New(rand.NewPCG(sampleSeed, 2))
	held := map[function]bool{}
	for _, i := range r.Perm(len(functions)) {
		if len(held) == c.docstrings {
			break
		}
		if functions[i].query != "" {
			held[functions[i]] = true
		}
	}
	a := asked{sets: []set{{kind: docstringSet, corpus: c.name}}}
	out := &a.sets[0]
	secret := make([]map[code.DefID]bool, len(files))
	for _, f := range functions {
		if secret[f.file] == nil {
			secret[f.file] = map[code.DefID]bool{}
		}
		if held[f] {
			secret[f.file][f.def] = true
			place := placeOf(files[f.file], f.def)
			out.queries = append(out.queries, ask{fmt.Sprintf("%s-%s", c.name, place), f.query, map[string]int{place: Answer}})
		}
	}
	for i, f := range files {
		bare := stripped(f, func(code.DefID) bool { return true })
		kept := slices.DeleteFunc(chunk.Split(f.path, bare.doc, bare.text), func(ch chunk.Chunk) bool { return !functionOf(f, &ch) })
		a.add(bare, kept)
		known := stripped(f, func(d code.DefID) bool { return secret[i][d] })
		a.Training = append(a.Training, chunk.Split(f.path, known.doc, known.text)...)
	}
	return a
}

// functionOf says whether a chunk is a function that can be looked for.
func functionOf(f codeFile, c *chunk.Chunk) bool {
	return c.Def != code.NoDef && c.Kind.Callable() && f.doc.Defs[c.Def].BodyStart != 0 && c.EndLine-c.Line+1 >= leastLines
}

// stripped is a file without the documentation of some of its callables: white
// space stands where it stood.
func stripped(f codeFile, which func(code.DefID) bool) codeFile {
	text, doc := slices.Clone(f.text), *f.doc
	doc.Defs = slices.Clone(doc.Defs)
	for d := range doc.Defs {
		def := &doc.Defs[d]
		if !def.Kind.Callable() || !which(code.DefID(d)) {
			continue
		}
		for i := def.DocStart; i < def.DocEnd; i++ {
			if text[i] != '\n' {
				text[i] = ' '
			}
		}
		def.DocStart, def.DocEnd = 0, 0
	}
	return codeFile{f.path, text, &doc}
}

// Bounds of a first sentence that can be searched for.
const (
	leastWords   = 5 // of the sentence
	leastMeaning = 4 // words of three letters or more, without the function's name
)

// sentenceQuery is the first sentence of a documentation without the function's
// name; "" when it says too little or is an instruction to tools.
func sentenceQuery(doc, name string) string {
	words := strings.Fields(firstSentence(doc))
	if len(words) < leastWords || strings.HasPrefix(words[0], "go:") || strings.HasPrefix(words[0], "Deprecated") {
		return ""
	}
	meaning := 0
	words = slices.DeleteFunc(words, func(w string) bool {
		return strings.EqualFold(strings.TrimFunc(w, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) }), name)
	})
	for _, w := range words {
		if len(strings.TrimFunc(w, unicode.IsPunct)) >= 3 {
			meaning++
		}
	}
	if meaning < leastMeaning {
		return ""
	}
	return strings.Join(words, " ")
}

// firstSentence is a documentation up to its first full stop, empty line or tag.
func firstSentence(doc string) string {
	var lines []string
	for line := range strings.SplitSeq(doc, "\n") {
		line = strings.TrimSpace(line)
		if line == "" && len(lines) > 0 || strings.HasPrefix(line, "@") || strings.HasPrefix(line, ":param") {
			break
		}
		if line != "" {
			lines = append(lines, line)
		}
	}
	text := strings.Join(lines, " ")
	if i := strings.Index(text, ". "); i > 0 {
		text = text[:i]
	}
	return strings.TrimSuffix(text, ".")
}
