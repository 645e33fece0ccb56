// Package check asks the TypeScript compiler's type checker what names denote. It
// is the measure for the edges that Manito finds without a checker, and may be
// imported by benchmarks and tests only: it carries the whole compiler.
package check

import (
	"context"

	"github.com/microsoft/typescript-go/internal/ast"
	"github.com/microsoft/typescript-go/internal/bundled"
	"github.com/microsoft/typescript-go/internal/compiler"
	"github.com/microsoft/typescript-go/internal/core"
	"github.com/microsoft/typescript-go/internal/scanner"
	"github.com/microsoft/typescript-go/internal/tsoptions"
	"github.com/microsoft/typescript-go/internal/tspath"
	"github.com/microsoft/typescript-go/internal/vfs/osvfs"
)

// Program is a set of files that the checker knows.
type Program struct {
	program *compiler.Program
	own     map[string]*ast.SourceFile
}

// Options say how the files find each other.
type Options struct {
	Root  string   // absolute; where the files lie
	Files []string // absolute
}

// New reads the files and what they import.
func New(o Options) *Program {
	options := &core.CompilerOptions{
		AllowJs: core.TSTrue, NoEmit: core.TSTrue, SkipLibCheck: core.TSTrue, Jsx: core.JsxEmitPreserve, Module: core.ModuleKindESNext,
		ModuleResolution: core.ModuleResolutionKindBundler, Target: core.ScriptTargetESNext, Strict: core.TSTrue,
	}
	fs := bundled.WrapFS(osvfs.FS())
	host := compiler.NewCompilerHost(o.Root, fs, bundled.LibPath(), nil, nil)
	config := tsoptions.NewParsedCommandLine(options, o.Files, tspath.ComparePathsOptions{CurrentDirectory: o.Root, UseCaseSensitiveFileNames: true})
	p := &Program{program: compiler.NewProgram(compiler.ProgramOptions{Host: host, Config: config}), own: make(map[string]*ast.SourceFile, len(o.Files))}
	wanted := make(map[string]bool, len(o.Files))
	for _, f := range o.Files {
		wanted[f] = true
	}
	for _, f := range p.program.SourceFiles() {
		if wanted[f.FileName()] {
			p.own[f.FileName()] = f
		}
	}
	return p
}

// Place is where a name is declared.
type Place struct {
	File  string
	Start int
}

// Reference is an identifier and where what it denotes is declared: nowhere when the checker does not know.
type Reference struct {
	Start    int
	Text     string
	Called   bool // it is what a call or new names
	Declared []Place
}

// References are the identifiers of a file.
func (p *Program) References(file string) []Reference {
	f := p.own[file]
	if f == nil {
		return nil
	}
	c, done := p.program.GetTypeCheckerForFileExclusive(context.Background(), f)
	defer done()
	var out []Reference
	var visit func(n *ast.Node) bool
	visit = func(n *ast.Node) bool {
		if (n.Kind == ast.KindIdentifier || n.Kind == ast.KindPrivateIdentifier) && n.Flags&ast.NodeFlagsReparsed == 0 {
			r := Reference{Start: scanner.GetTokenPosOfNode(n, f, false), Text: n.Text(), Called: called(n)}
			if s := c.GetSymbolAtLocation(n); s != nil {
				if s.Flags&ast.SymbolFlagsAlias != 0 {
					s = c.SkipAlias(s)
				}
				for _, d := range s.Declarations {
					at := d
					if name := ast.GetNameOfDeclaration(d); name != nil {
						at = name
					}
					source := ast.GetSourceFileOfNode(d)
					r.Declared = append(r.Declared, Place{File: source.FileName(), Start: scanner.GetTokenPosOfNode(at, source, false)})
				}
			}
			out = append(out, r)
		}
		n.ForEachChild(visit)
		return false
	}
	f.AsNode().ForEachChild(visit)
	return out
}

// called says whether an identifier is what a call, new, tag or element names.
func called(n *ast.Node) bool {
	p := n.Parent
	if p.Kind == ast.KindPropertyAccessExpression {
		if p.Name() != n {
			return false
		}
		n, p = p, p.Parent
	}
	switch p.Kind {
	case ast.KindCallExpression, ast.KindNewExpression:
		return p.Expression() == n
	case ast.KindTaggedTemplateExpression:
		return p.AsTaggedTemplateExpression().Tag == n
	case ast.KindJsxOpeningElement, ast.KindJsxSelfClosingElement:
		return p.TagName() == n
	}
	return false
}
