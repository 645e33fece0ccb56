package codeintel

import (
	"bufio"
	"context"
	"io"

	"manito/internal/code"
	"manito/internal/graph"
	"manito/internal/problem"
)

// ExportInput asks for the graph in another format.
type ExportInput struct {
	Format string // json, csv, dot, mermaid or graphml
	// Level is what the vertices are: symbols, files or folders. Empty means symbols
	// for graphml and csv, files for dot and mermaid; json has everything.
	Level string
	Kinds []string // edge kinds; empty means all
	// Table is what csv lists: edges (the default), symbols or files.
	Table string
}

// ExportFormats lists the formats that Export knows.
func ExportFormats() []string { return []string{"json", "csv", "dot", "mermaid", "graphml"} }

// Export writes the graph in another format. The output is the same bytes for
// the same snapshot. A call of an interface or base method is written as an edge
// to it and as one, likely or may, to each method that stands in for it.
func (x *Index) Export(ctx context.Context, w io.Writer, in ExportInput) (err error) {
	defer x.g.Guard(&err)()
	kinds := graph.AllKinds
	if len(in.Kinds) > 0 {
		if kinds, err = parseKinds(in.Kinds); err != nil {
			return err
		}
	}
	out := &keeper{w: bufio.NewWriterSize(w, 1<<18)}
	e := &exporter{x: x, out: out, kinds: kinds, level: in.Level}
	switch in.Format {
	case "", "json":
		err = e.json(ctx)
	case "csv":
		err = e.csv(ctx, in.Table)
	case "dot":
		err = e.dot(ctx)
	case "mermaid":
		err = e.mermaid(ctx)
	case "graphml":
		err = e.graphml(ctx)
	default:
		p := problem.New(problem.Usage, "there is no export format %q", in.Format)
		for _, f := range ExportFormats() {
			p.Fix("%s", f)
		}
		return p
	}
	if err != nil {
		return err
	}
	return out.flush()
}

// keeper writes strings and keeps the first error, so that it has to be looked at once.
type keeper struct {
	w   *bufio.Writer
	err error
}

func (k *keeper) put(parts ...string) {
	for _, p := range parts {
		if k.err == nil {
			_, k.err = k.w.WriteString(p)
		}
	}
}

func (k *keeper) bytes(b []byte) {
	if k.err == nil {
		_, k.err = k.w.Write(b)
	}
}

func (k *keeper) flush() error {
	if k.err != nil {
		return k.err
	}
	return k.w.Flush()
}

type exporter struct {
	x     *Index
	out   *keeper
	kinds graph.Kinds
	level string
}

// exportedEdge is an edge of the export.
type exportedEdge struct {
	Kind      string `json:"kind"`
	From      string `json:"from"` // a symbol's id, or a file's path for its top-level code
	To        string `json:"to"`   // a symbol's id, a file's path, a package's folder, or an external package's id
	File      string `json:"file"`
	Line      int    `json:"line"`
	Column    int    `json:"column"`
	Certainty string `json:"certainty"`
	Evidence  string `json:"evidence"`
	Tier      string `json:"tier"` // certainty/evidence
	Reason    string `json:"reason"`
	Via       string `json:"via,omitempty"` // the method that is written there, when To stands in for it
}

// id is what stands for a node in exports.
func (x *Index) id(n graph.Node) string {
	switch x.g.Class(n) {
	case graph.ClassFile:
		return x.g.Path(x.g.FileOf(x.g.FirstDef(n)))
	case graph.ClassPackage:
		return x.g.PackagePath(n)
	}
	return x.g.Symbol(n)
}

// edges yields the edges of the wanted kinds in path order, each dispatch target after the call that may reach it.
func (e *exporter) edges(ctx context.Context, yield func(source graph.Def, target graph.Node, edge exportedEdge) error) error {
	g := e.x.g
	for f := range graph.FileNo(g.NumFiles()) {
		if err := ctx.Err(); err != nil {
			return err
		}
		file := g.Path(f)
		_, end := g.FileDefs(f)
		for d := g.FileDef(f); d < end; d++ {
			from := ""
			for l := range g.Out(d) {
				if !e.kinds.Has(l.Kind) {
					continue
				}
				if from == "" {
					from = e.x.id(g.Node(d))
				}
				edge := exportedEdge{
					Kind: l.Kind.String(), From: from, To: e.x.id(l.Target), File: file, Line: int(l.Line) + 1, Column: int(l.Column) + 1,
					Certainty: l.Certainty.String(), Evidence: l.Reason.Evidence().String(), Reason: l.Reason.String(),
				}
				edge.Tier = edge.Certainty + "/" + edge.Evidence
				if err := yield(d, l.Target, edge); err != nil {
					return err
				}
				if l.Kind != code.EdgeCalls {
					continue
				}
				via := edge.To
				for _, t := range g.Implementations(l.Target) {
					tie := dispatchTie(l, t)
					edge.To, edge.Via, edge.Certainty, edge.Evidence, edge.Reason = e.x.id(t.Node), via, tie.Certainty, tie.Evidence, tie.Reason
					edge.Tier = edge.Certainty + "/" + edge.Evidence
					if err := yield(d, t.Node, edge); err != nil {
						return err
					}
				}
			}
		}
	}
	return nil
}

// coarse yields the arrows between files or folders, with how many edges each stands for.
func (e *exporter) coarse(ctx context.Context, standard string) (names []string, arrows [][3]int, err error) {
	g := e.x.g
	level := e.level
	if level == "" {
		level = standard
	}
	vertex := map[string]int{}
	place := func(d graph.Def) string { return g.Path(g.FileOf(d)) }
	switch level {
	case "files":
	case "folders":
		place = func(d graph.Def) string { return folderOf(g.Path(g.FileOf(d))) }
	case "symbols":
		place = func(d graph.Def) string { return e.x.id(g.Node(d)) }
	default:
		return nil, nil, problem.New(problem.Usage, "there is no level %q", level).Fix("ask for symbols, files or folders")
	}
	for d := range graph.Def(g.NumDefs()) {
		if level == "symbols" && g.Kind(d) == code.KindFile {
			continue
		}
		p := place(d)
		if _, ok := vertex[p]; !ok {
			vertex[p] = len(names)
			names = append(names, p)
		}
	}
	count := map[[2]int]int{}
	var order [][2]int
	err = e.edges(ctx, func(source graph.Def, target graph.Node, edge exportedEdge) error {
		t := g.FirstDef(target)
		if g.Class(target) == graph.ClassPackage {
			t = g.FileDef(g.PackageFiles(target)[0])
		}
		if t == graph.None {
			return nil
		}
		from, ok := vertex[place(source)]
		to, known := vertex[place(t)]
		if !ok || !known || from == to {
			return nil
		}
		k := [2]int{from, to}
		if count[k] == 0 {
			order = append(order, k)
		}
		count[k]++
		return nil
	})
	for _, k := range order {
		arrows = append(arrows, [3]int{k[0], k[1], count[k]})
	}
	return names, arrows, err
}
