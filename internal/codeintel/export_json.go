package codeintel

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"path"

	"manito/internal/code"
	"manito/internal/graph"
)

// exportedFile is a file of the snapshot, read or not.
type exportedFile struct {
	Path        string   `json:"path"`
	Language    string   `json:"language"`              // as people call it
	Family      string   `json:"family,omitempty"`      // the extractor that reads it
	Lines       int      `json:"lines"`                 //
	Bytes       int      `json:"bytes"`                 //
	State       string   `json:"state"`                 // read, unread (an extractor exists, but the file could not be read) or unsupported
	Flags       []string `json:"flags,omitempty"`       // outline, broken, test, generated, module, dynamic, declaration
	Diagnostics int      `json:"diagnostics,omitempty"` // how many
	SHA256      string   `json:"sha256,omitempty"`      // of its bytes, hex
}

// exportedSymbol is one definition. A symbol with several has several entries with one id.
type exportedSymbol struct {
	ID            string `json:"id"`                   // the symbol string
	Key           string `json:"key"`                  // its 64-bit key, hex, as in the database
	Name          string `json:"name"`                 // as it is written
	QualifiedName string `json:"qualified_name"`       // with what encloses it, joined by dots
	Kind          string `json:"kind"`                 // function, method, constructor, class, struct, interface, ...
	File          string `json:"file"`                 //
	Line          int    `json:"line"`                 // first line of the declaration, without its comment
	Column        int    `json:"column"`               // of the name, on name_line
	NameLine      int    `json:"name_line"`            //
	EndLine       int    `json:"end_line"`             //
	Visibility    string `json:"visibility"`           // exported, private, protected or internal
	Parent        string `json:"parent,omitempty"`     // the id of what encloses it
	Test          bool   `json:"test,omitempty"`       // it stands in a test file or is a test
	Cyclomatic    int    `json:"cyclomatic,omitempty"` // complexity by McCabe
	Cognitive     int    `json:"cognitive,omitempty"`  // cognitive complexity
}

// exportedPackage is a scope that several files share.
type exportedPackage struct {
	ID    string `json:"id"`    // its symbol string
	Path  string `json:"path"`  // the folder of its first file; what edges that import it go to
	Files int    `json:"files"` // how many
}

// exportedExternal is a package outside of the repository.
type exportedExternal struct {
	ID      string `json:"id"` // what edges that import it go to
	Manager string `json:"manager,omitempty"`
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
}

func (e *exporter) json(ctx context.Context) error {
	g := e.x.g
	digest := g.Digest()
	e.out.put(`{"schema":"manito/export/v1","digest":"`, hex.EncodeToString(digest[:]), `"`)
	list := func(name string, fill func(put func(v any) error) error) error {
		e.out.put(",\n\"", name, "\":[")
		first := true
		err := fill(func(v any) error {
			if !first {
				e.out.put(",")
			}
			first = false
			b, err := json.Marshal(v)
			if err != nil {
				return err
			}
			e.out.put("\n")
			e.out.bytes(b)
			return e.out.err
		})
		e.out.put("]")
		return err
	}
	lists := []struct {
		name string
		fill func(put func(v any) error) error
	}{
		{"files", e.files},
		{"packages", func(put func(any) error) error {
			for _, n := range g.Packages() {
				if err := put(exportedPackage{g.Symbol(n), g.PackagePath(n), len(g.PackageFiles(n))}); err != nil {
					return err
				}
			}
			return nil
		}},
		{"externals", func(put func(any) error) error {
			for _, n := range g.Externals() {
				x := g.External(n)
				if err := put(exportedExternal{x.Symbol, x.Manager, x.Name, x.Version}); err != nil {
					return err
				}
			}
			return nil
		}},
		{"symbols", func(put func(any) error) error { return e.symbols(ctx, put) }},
		{"edges", func(put func(any) error) error {
			return e.edges(ctx, func(_ graph.Def, _ graph.Node, edge exportedEdge) error { return put(edge) })
		}},
	}
	for _, l := range lists {
		if err := list(l.name, l.fill); err != nil {
			return err
		}
	}
	e.out.put("}\n")
	return nil
}

func (e *exporter) files(put func(v any) error) error {
	g := e.x.g
	for f := range graph.FileNo(g.NumFiles()) {
		file := g.File(f)
		out := exportedFile{Path: file.Path, Language: file.Language, Family: file.Family, Lines: int(file.Lines), Bytes: int(file.Size), State: file.State.String(), Flags: flagWords(file.Flags), Diagnostics: int(file.Diagnostics)}
		if file.Hash != [32]byte{} {
			out.SHA256 = hex.EncodeToString(file.Hash[:])
		}
		if err := put(out); err != nil {
			return err
		}
	}
	return nil
}

func flagWords(f code.DocFlags) []string {
	var out []string
	for i, w := range []string{"outline", "broken", "test", "generated", "module", "dynamic", "declaration"} {
		if f>>i&1 != 0 {
			out = append(out, w)
		}
	}
	return out
}

func (e *exporter) symbols(ctx context.Context, put func(v any) error) error {
	g := e.x.g
	for f := range graph.FileNo(g.NumFiles()) {
		if err := ctx.Err(); err != nil {
			return err
		}
		first, end := g.FileDefs(f)
		for d := first; d < end; d++ {
			if err := put(e.symbol(d)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (e *exporter) symbol(d graph.Def) exportedSymbol {
	g := e.x.g
	s := e.x.define(d)
	def := g.Definition(d)
	key := uint64(g.Key(g.Node(d)))
	out := exportedSymbol{
		ID: s.ID, Key: hexKey(key), Name: s.Name, QualifiedName: s.QualifiedName, Kind: s.Kind, File: s.File, Line: int(def.Line) + 1, Column: s.Column, NameLine: s.Line, EndLine: s.EndLine,
		Visibility: s.Visibility, Test: s.Test, Cyclomatic: int(def.Cyclomatic), Cognitive: int(def.Cognitive),
	}
	if p := g.Parent(d); p != graph.None {
		out.Parent = g.Symbol(g.Node(p))
	}
	return out
}

func hexKey(k uint64) string {
	const digits = "0123456789abcdef"
	var b [16]byte
	for i := range b {
		b[15-i] = digits[k>>(4*i)&15]
	}
	return string(b[:])
}

func folderOf(p string) string { return path.Dir(p) }
