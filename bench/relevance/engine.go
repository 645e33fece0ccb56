package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"unicode"

	"manito/internal/chunk"
	"manito/internal/code"
	"manito/internal/graph"
	"manito/internal/query"
	"manito/internal/search"
	"manito/internal/trigram"
)

// engine is the product's search over an index that a scan would make. Several
// methods share one.
type engine struct {
	school *school
	of     *chunk.Chunk // the first of the collection that is open
	dir    string       // of the index, temporary
	index  *search.Index
	chunks map[chunkAt]int
	byLine map[graph.FileNo][]int // chunks of a file, the outer before the inner
	lines  [][2]uint32
}

// chunkAt names a chunk as the engine does: by its definition, or by file and line.
type chunkAt struct {
	file graph.FileNo
	def  graph.Def
	line uint32
}

// open makes the index of a collection, if it is not open.
func (e *engine) open(ctx context.Context, c Collection) (err error) {
	if e.of == &c.Chunks[0] {
		return nil
	}
	if err := e.Close(); err != nil {
		return err
	}
	if e.dir, err = os.MkdirTemp("", "relevance-"); err != nil {
		return err
	}
	g := c.Graph
	files := make([]codeFile, g.NumFiles())
	for _, f := range c.Files {
		no, ok := g.FileByPath(f.path)
		if !ok {
			return fmt.Errorf("the graph has no file %s", f.path)
		}
		files[no] = f
	}
	corpus := search.Corpus{Digest: g.Digest(), Files: make([]search.File, len(files))}
	for i, f := range files {
		corpus.Files[i] = search.File{Path: f.path, Hash: hashOf(f.text), Size: int64(len(f.text)), Text: true, Reader: "relevance"}
	}
	corpus.Texts = func(_ context.Context, ask []int, yield func(int, []byte) error) error {
		for _, i := range ask {
			if err := yield(i, files[i].text); err != nil {
				return err
			}
		}
		return nil
	}
	corpus.Documents = func(_ context.Context, ask []int) ([]*code.Document, error) {
		out := make([]*code.Document, len(ask))
		for k, i := range ask {
			out[k] = files[i].doc
		}
		return out, nil
	}
	model, err := e.school.train(ctx, c.Training)
	if err != nil {
		return err
	}
	if _, err := search.Update(ctx, search.UpdateInput{Dir: e.dir, Corpus: corpus, Model: model}); err != nil {
		return err
	}
	if e.index, err = search.Open(e.dir, g); err != nil {
		return err
	}
	e.number(c)
	e.of = &c.Chunks[0]
	return nil
}

// number knows the collection's chunks by their places.
func (e *engine) number(c Collection) {
	e.chunks, e.byLine = map[chunkAt]int{}, map[graph.FileNo][]int{}
	e.lines = make([][2]uint32, len(c.Chunks))
	for i := range c.Chunks {
		ch := &c.Chunks[i]
		f, _ := c.Graph.FileByPath(ch.Path)
		at := chunkAt{f, graph.None, ch.Line}
		if ch.Def != code.NoDef {
			first, _ := c.Graph.FileDefs(f)
			at = chunkAt{f, first + graph.Def(ch.Def), 0}
		}
		e.chunks[at] = i
		e.lines[i] = [2]uint32{ch.Line, ch.EndLine}
		e.byLine[f] = append(e.byLine[f], i)
	}
}

// Close removes the index.
func (e *engine) Close() error {
	if e.dir == "" {
		return nil
	}
	var err error
	if e.index != nil {
		err = e.index.Close()
	}
	err = errors.Join(err, os.RemoveAll(e.dir))
	*e = engine{school: e.school}
	return err
}

// request reads a question as the command line does. What the query language
// does not understand, a person would be told and ask again in plain words.
func request(text string) (search.Request, error) {
	q, err := query.Parse(text)
	if err != nil {
		text = plain(text)
		if q, err = query.Parse(text); err != nil {
			return search.Request{}, err
		}
	}
	// More is asked for than is counted: what is no chunk of the collection is left out.
	return search.Request{Text: text, Query: q, Limit: 4 * depth}, nil
}

// plain leaves nothing of a text but its words.
func plain(text string) string {
	words := strings.FieldsFunc(text, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	return strings.Join(slices.DeleteFunc(words, func(w string) bool { return strings.EqualFold(w, "or") || strings.EqualFold(w, "and") }), " ")
}

// results are the chunks of what was found.
func (e *engine) results(found *search.Found, k int) []int {
	var out []int
	for _, r := range found.Results {
		at := chunkAt{r.File, r.Def, 0}
		if r.Def == graph.None {
			at.line = r.Line
		}
		if i, ok := e.chunks[at]; ok {
			out = append(out, i)
		}
	}
	return out[:min(k, len(out))]
}

// innermost is the shortest chunk of a file that has a line.
func (e *engine) innermost(f graph.FileNo, line uint32) (int, bool) {
	best, found := 0, false
	for _, i := range e.byLine[f] {
		if l := e.lines[i]; l[0] <= line && line <= l[1] && (!found || l[1]-l[0] <= e.lines[best][1]-e.lines[best][0]) {
			best, found = i, true
		}
	}
	return best, found
}

// ranked is one of the product's modes.
type ranked struct {
	*engine
	name string
	ask  func(x *search.Index, ctx context.Context, r search.Request) (*search.Found, error)
}

func (m *ranked) Name() string                                  { return m.name }
func (m *ranked) Index(ctx context.Context, c Collection) error { return m.open(ctx, c) }

func (m *ranked) Search(ctx context.Context, text string, k int) ([]int, error) {
	r, err := request(text)
	if err != nil {
		return nil, err
	}
	found, err := m.ask(m.index, ctx, r)
	if err != nil {
		return nil, err
	}
	return m.results(found, k), nil
}

// texts is the product's search for texts: the chunks of files that have all
// words, those with the most of the lines first.
type texts struct{ *engine }

func (*texts) Name() string                                    { return "text" }
func (t *texts) Index(ctx context.Context, c Collection) error { return t.open(ctx, c) }

func (t *texts) Search(ctx context.Context, text string, k int) ([]int, error) {
	r, err := request(text)
	if err != nil {
		return nil, err
	}
	lines := map[int]int{}
	_, err = t.index.Texts(ctx, r, search.TextLimits{Lines: 20000, LinesPerFile: 2000}, func(f trigram.File) bool {
		for _, l := range f.Lines {
			if i, ok := t.innermost(graph.FileNo(f.File), l.Number); ok {
				lines[i]++
			}
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	out := make([]int, 0, len(lines))
	for i := range lines {
		out = append(out, i)
	}
	slices.SortFunc(out, func(a, b int) int { return cmp.Or(lines[b]-lines[a], a-b) })
	return out[:min(k, len(out))], nil
}
