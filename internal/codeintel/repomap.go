package codeintel

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"manito/internal/code"
	"manito/internal/graph"
	"manito/internal/problem"
)

// RepoMapInput asks for a map of the repository that fits a budget.
type RepoMapInput struct {
	Tokens int    // budget; 0 means 2000
	Folder string // only files below it; "" means all
	Tests  bool   // also tests
	// Focus are symbols or files near which the map should be denser.
	Focus []string
}

// RepoMap names the most important files and in each its most important
// definitions, most important first, as many as fit the budget. Importance is
// the share of attention that flows to a definition along calls, types and
// inheritance (PageRank). A token is taken to be four bytes.
type RepoMap struct {
	Schema  string        `json:"schema"` // manito/map/v1
	Budget  int           `json:"budget"`
	Tokens  int           `json:"tokens"` // of Text
	Files   []RepoMapFile `json:"files"`
	Omitted int           `json:"omitted_files"` // files with definitions that did not fit
	Text    string        `json:"text"`          // the map as it is meant to be read
}

// RepoMapFile is a file of the map.
type RepoMapFile struct {
	File    string          `json:"file"`
	Share   float64         `json:"share"` // of all attention, by its definitions
	Symbols []RepoMapSymbol `json:"symbols"`
	Omitted int             `json:"omitted_symbols"`
}

// RepoMapSymbol is a definition of the map.
type RepoMapSymbol struct {
	Name      string `json:"name"`
	Kind      string `json:"kind"`
	Line      int    `json:"line"`
	Signature string `json:"signature"`
}

const (
	mapTokens    = 2000
	bytesInToken = 4
	mapSymbols   = 12 // of one file at most
)

type mapFile struct {
	file   graph.FileNo
	share  float64
	score  float64 // share, raised near the focus
	defs   []graph.Def
	scores []float64
}

// RepoMap answers what matters most in the repository.
func (x *Index) RepoMap(ctx context.Context, in RepoMapInput) (out *RepoMap, err error) {
	defer x.g.Guard(&err)()
	budget := cmp.Or(in.Tokens, mapTokens)
	if budget < 50 {
		return nil, problem.New(problem.Usage, "a map of %d tokens would say nothing", budget).Fix("give it 50 or more")
	}
	ranks, err := x.g.Ranks(ctx)
	if err != nil {
		return nil, err
	}
	near, err := x.focus(ctx, in.Focus)
	if err != nil {
		return nil, err
	}
	files := x.mapFiles(in, ranks, near)
	out = &RepoMap{Schema: "manito/map/v1", Budget: budget, Files: []RepoMapFile{}}
	var text strings.Builder
	room := budget * bytesInToken
	for i := 0; i < len(files); i += 32 { // contents are fetched in batches, as far as the budget goes
		batch := files[i:min(len(files), i+32)]
		var paths []string
		for _, f := range batch {
			paths = append(paths, x.g.Path(f.file))
		}
		texts, err := x.texts(ctx, paths)
		if err != nil {
			return nil, err
		}
		full := false
		for j, f := range batch {
			e, lines := x.mapEntry(f, texts[paths[j]], room-text.Len())
			if len(e.Symbols) == 0 {
				full = true
				break
			}
			text.WriteString(lines)
			out.Files = append(out.Files, e)
		}
		if full {
			break
		}
	}
	out.Text = text.String()
	out.Tokens = (len(out.Text) + bytesInToken - 1) / bytesInToken
	out.Omitted = len(files) - len(out.Files)
	return out, nil
}

// focus gives the nodes around the focused ones a factor.
func (x *Index) focus(ctx context.Context, names []string) (map[graph.Node]float64, error) {
	if len(names) == 0 {
		return nil, nil
	}
	out := map[graph.Node]float64{}
	raise := func(n graph.Node, by float64) { out[n] = max(out[n], by) }
	for _, name := range names {
		s, err := x.resolve(name)
		if err != nil {
			return nil, err
		}
		for _, n := range x.seeds(s) {
			raise(n, 50)
			for d := x.g.FirstDef(n); d != graph.None; d = x.g.NextDef(d) {
				for l := range x.g.Out(d) {
					raise(l.Target, 10)
				}
				if x.g.Kind(d) == code.KindFile {
					for _, c := range x.g.Children(d) {
						raise(x.g.Node(c), 25)
					}
				}
			}
		}
		r, err := x.g.Impact(ctx, s.nodes, graph.ReachOptions{Depth: 1, Limit: 200})
		if err != nil {
			return nil, err
		}
		for _, reached := range r.Nodes {
			raise(reached.Node, 10)
		}
	}
	return out, nil
}

// mapFiles scores the files and their definitions.
func (x *Index) mapFiles(in RepoMapInput, ranks []float64, near map[graph.Node]float64) []mapFile {
	g := x.g
	folder := strings.Trim(strings.TrimPrefix(in.Folder, "./"), "/")
	var out []mapFile
	for f := range graph.FileNo(g.NumFiles()) {
		if !in.Tests && g.DocFlags(f)&code.DocTest != 0 || g.DocFlags(f)&code.DocGenerated != 0 {
			continue
		}
		if p := g.Path(f); folder != "" && folder != "." && p != folder && !strings.HasPrefix(p, folder+"/") {
			continue
		}
		m := mapFile{file: f}
		first, end := g.FileDefs(f)
		for d := first; d < end; d++ {
			score := ranks[g.Node(d)]
			if k, ok := near[g.Node(d)]; ok {
				score *= k
			}
			m.score += score
			m.share += ranks[g.Node(d)]
			switch k := g.Kind(d); {
			case !in.Tests && g.Flags(d)&code.DefTest != 0, k == code.KindField, k == code.KindParameter, k == code.KindEnumMember, k == code.KindTypeParameter:
				continue
			case k == code.KindVariable || k == code.KindConstant || k == code.KindProperty:
				score /= 4
			}
			m.defs = append(m.defs, d)
			m.scores = append(m.scores, score)
		}
		if len(m.defs) > 0 {
			out = append(out, m)
		}
	}
	slices.SortStableFunc(out, func(a, b mapFile) int { return cmp.Compare(b.score, a.score) })
	return out
}

// mapEntry chooses a file's definitions and renders them within the room.
func (x *Index) mapEntry(f mapFile, text []byte, room int) (RepoMapFile, string) {
	g := x.g
	order := make([]int, len(f.defs))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(f.scores[b], f.scores[a]) })
	out := RepoMapFile{File: g.Path(f.file), Share: f.share}
	head := out.File + "\n"
	size := len(head)
	type line struct {
		def graph.Def
		sym RepoMapSymbol
		s   string
	}
	var lines []line
	for _, i := range order {
		if len(lines) == mapSymbols {
			break
		}
		d := f.defs[i]
		def := g.Definition(d)
		sym := RepoMapSymbol{Name: g.QualifiedName(d), Kind: def.Kind.String(), Line: int(def.Line) + 1, Signature: signature(text, def)}
		if sym.Signature == "" {
			sym.Signature = sym.Kind + " " + sym.Name
		}
		s := fmt.Sprintf("  %d: %s\n", sym.Line, cut(sym.Signature, 160))
		if size+len(s) > room {
			break
		}
		size += len(s)
		lines = append(lines, line{d, sym, s})
	}
	if len(lines) == 0 {
		return out, ""
	}
	slices.SortFunc(lines, func(a, b line) int { return cmp.Compare(a.def, b.def) })
	rendered := head
	for _, l := range lines {
		rendered += l.s
		out.Symbols = append(out.Symbols, l.sym)
	}
	out.Omitted = len(f.defs) - len(lines)
	return out, rendered
}
