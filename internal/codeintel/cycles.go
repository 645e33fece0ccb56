package codeintel

import (
	"context"
	"path"

	"manito/internal/code"
	"manito/internal/graph"
	"manito/internal/problem"
)

// CyclesInput asks what depends on itself.
type CyclesInput struct {
	Level string // files (the default), folders or symbols
	// All counts the imports that are gone at run time or not made when a file is
	// loaded too: type-only imports, imports inside of functions.
	All   bool
	Limit int // of cycles listed; 0 means 100, negative all
}

// Cycles lists the groups whose members all depend on each other, the largest first.
type Cycles struct {
	Schema string  `json:"schema"` // manito/cycles/v1
	Level  string  `json:"level"`
	Total  int     `json:"total"`
	Across int     `json:"across_folders"` // cycles whose members lie in several folders
	Cycles []Cycle `json:"cycles"`
}

// Cycle is one group.
type Cycle struct {
	Size    int         `json:"size"`
	Members []string    `json:"members"` // paths, or symbol strings
	Across  bool        `json:"across_folders"`
	Example []CycleStep `json:"example"` // a way round through some of the members
	// Shortest says that no way round is shorter than the example.
	Shortest bool `json:"shortest"`
}

// CycleStep is one arrow of an example, with a place where it is written.
type CycleStep struct {
	From string   `json:"from"`
	To   string   `json:"to"`
	Kind string   `json:"kind"`
	At   Location `json:"at"`
}

// Cycles answers what depends on itself.
func (x *Index) Cycles(ctx context.Context, in CyclesInput) (out *Cycles, err error) {
	defer x.g.Guard(&err)()
	g := x.g
	out = &Cycles{Schema: "manito/cycles/v1", Level: in.Level, Cycles: []Cycle{}}
	imports := graph.Imports{Erased: in.All, Deferred: in.All}
	var d *graph.Digraph
	var name, folder func(v uint32) string
	var step func(from, to uint32) CycleStep
	filePath := func(v uint32) string { return g.Path(graph.FileNo(v)) }
	switch in.Level {
	case "", "files":
		out.Level = "files"
		d = g.FileImports(imports)
		name, folder = filePath, func(v uint32) string { return path.Dir(filePath(v)) }
		step = func(from, to uint32) CycleStep { return x.importStep(graph.FileNo(from), graph.FileNo(to), imports) }
	case "folders":
		files := g.FileImports(imports)
		folders := g.FolderImports(files)
		d = folders.Digraph
		name = func(v uint32) string { return folders.Paths[v] }
		folder = name
		step = func(from, to uint32) CycleStep {
			return x.folderStep(files, folders.Paths[from], folders.Paths[to], imports)
		}
	case "symbols":
		kinds := graph.KindsOf(code.EdgeCalls, code.EdgeInstantiates, code.EdgeExtends)
		d = g.SymbolCalls(kinds)
		name = func(v uint32) string { return g.Symbol(graph.Node(v)) }
		folder = func(v uint32) string { return path.Dir(g.Path(g.FileOf(g.FirstDef(graph.Node(v))))) }
		step = func(from, to uint32) CycleStep { return x.symbolStep(graph.Node(from), graph.Node(to), kinds) }
	default:
		return nil, problem.New(problem.Usage, "there are no cycles of %q", in.Level).Fix("ask for files, folders or symbols")
	}
	// A function that calls itself is recursion, not a cycle among several.
	cycles, err := d.Cycles(ctx, false)
	if err != nil {
		return nil, err
	}
	out.Total = len(cycles)
	limit := limitOf(in.Limit)
	for i, c := range cycles {
		e := Cycle{Size: len(c.Members), Shortest: c.Shortest, Members: []string{}, Example: []CycleStep{}}
		for _, v := range c.Members {
			e.Across = e.Across || folder(v) != folder(c.Members[0])
		}
		if e.Across {
			out.Across++
		}
		if limit > 0 && i >= limit {
			continue
		}
		for _, v := range c.Members {
			e.Members = append(e.Members, name(v))
		}
		for j, v := range c.Example {
			e.Example = append(e.Example, step(v, c.Example[(j+1)%len(c.Example)]))
		}
		out.Cycles = append(out.Cycles, e)
	}
	return out, nil
}

// importStep finds the first import by which one file imports another.
func (x *Index) importStep(from, to graph.FileNo, o graph.Imports) CycleStep {
	g := x.g
	s := CycleStep{From: g.Path(from), To: g.Path(to), Kind: code.EdgeImports.String(), At: Location{File: g.Path(from)}}
	for l := range g.Out(g.FileDef(from)) {
		if l.Kind != code.EdgeImports || !o.Takes(l.Flags) || !x.stands(l.Target, to) {
			continue
		}
		s.At = x.at(l.Source, l.Line, l.Column)
		break
	}
	return s
}

// stands says whether a node is a file, belongs to it, or is a package that it belongs to.
func (x *Index) stands(n graph.Node, f graph.FileNo) bool {
	g := x.g
	if g.Class(n) == graph.ClassPackage {
		for _, o := range g.PackageFiles(n) {
			if o == f {
				return true
			}
		}
		return false
	}
	for d := g.FirstDef(n); d != graph.None; d = g.NextDef(d) {
		if g.FileOf(d) == f {
			return true
		}
	}
	return false
}

// folderStep finds the first import by which a file of one folder imports one of another.
func (x *Index) folderStep(files *graph.Digraph, from, to string, o graph.Imports) CycleStep {
	g := x.g
	s := CycleStep{From: from, To: to, Kind: code.EdgeImports.String()}
	for f := range uint32(files.Len()) {
		if path.Dir(g.Path(graph.FileNo(f))) != from || g.DocFlags(graph.FileNo(f))&code.DocTest != 0 {
			continue
		}
		for _, t := range files.Successors(f) {
			if path.Dir(g.Path(graph.FileNo(t))) == to {
				s.At = x.importStep(graph.FileNo(f), graph.FileNo(t), o).At
				return s
			}
		}
	}
	return s
}

// symbolStep finds the first edge by which one symbol depends on another.
func (x *Index) symbolStep(from, to graph.Node, kinds graph.Kinds) CycleStep {
	g := x.g
	s := CycleStep{From: g.Symbol(from), To: g.Symbol(to)}
	for d := g.FirstDef(from); d != graph.None; d = g.NextDef(d) {
		for l := range g.Out(d) {
			if l.Target == to && kinds.Has(l.Kind) {
				s.Kind = l.Kind.String()
				s.At = x.at(d, l.Line, l.Column)
				return s
			}
		}
	}
	return s
}
