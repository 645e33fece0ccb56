// Package bind resolves names of one file as the TypeScript compiler resolves
// them. It is the measure for the extractor's own binding and may be imported by
// tests only, so that the product does not carry the compiler's binder.
package bind

import (
	"github.com/microsoft/typescript-go/internal/ast"
	"github.com/microsoft/typescript-go/internal/binder"
	"github.com/microsoft/typescript-go/internal/core"
	"github.com/microsoft/typescript-go/internal/scanner"
)

// Resolver resolves the names of one file.
type Resolver struct {
	file     *ast.SourceFile
	resolver binder.NameResolver
}

// New binds a file.
func New(file *ast.SourceFile) *Resolver {
	binder.BindSourceFile(file)
	r := &Resolver{file: file, resolver: binder.NameResolver{CompilerOptions: &core.CompilerOptions{Target: core.ScriptTargetESNext}}}
	if ast.IsGlobalSourceFile(file.AsNode()) {
		r.resolver.Globals = file.AsNode().Locals()
	}
	return r
}

// Name is an identifier that the compiler would look up by its scope.
type Name struct {
	Start    int
	Text     string
	Declared []int // where the names of its declarations begin; none when the file declares none
	Implicit bool  // declared, but by something without a name of its own
}

// Names are the names of the file that the compiler looks up, in the order of the tree.
func (r *Resolver) Names() []Name {
	var out []Name
	var visit func(n *ast.Node) bool
	visit = func(n *ast.Node) bool {
		if n.Kind == ast.KindIdentifier && n.Flags&ast.NodeFlagsReparsed == 0 {
			if meaning, ok := meaningOf(n); ok && n.Text() != "" {
				out = append(out, r.name(n, meaning))
			}
		}
		n.ForEachChild(visit)
		return false
	}
	r.file.AsNode().ForEachChild(visit)
	return out
}

func (r *Resolver) name(n *ast.Node, meaning ast.SymbolFlags) Name {
	out := Name{Start: scanner.GetTokenPosOfNode(n, r.file, false), Text: n.Text()}
	s := r.resolver.Resolve(n, n.Text(), meaning|ast.SymbolFlagsAlias, nil, false, false)
	if s == nil {
		return out
	}
	for _, d := range s.Declarations {
		name := ast.GetNameOfDeclaration(d)
		if name == nil {
			out.Implicit = true
			continue
		}
		out.Declared = append(out.Declared, scanner.GetTokenPosOfNode(name, r.file, false))
	}
	if len(s.Declarations) == 0 {
		out.Implicit = true
	}
	return out
}

// meaningOf says in which meaning an identifier is looked up, and whether it is at all.
func meaningOf(n *ast.Node) (ast.SymbolFlags, bool) {
	p := n.Parent
	switch {
	case p == nil, p.Kind == ast.KindMetaProperty, p.Name() == n && p.Kind != ast.KindShorthandPropertyAssignment, ast.IsJsxTagName(n) && scanner.IsIntrinsicJsxName(n.Text()):
		return 0, false
	case p.Kind == ast.KindQualifiedName:
		if p.AsQualifiedName().Left != n {
			return 0, false
		}
		top := p
		for top.Parent.Kind == ast.KindQualifiedName {
			top = top.Parent
		}
		switch top.Parent.Kind {
		case ast.KindTypeQuery:
			return ast.SymbolFlagsValue, true
		case ast.KindTypeReference:
			return ast.SymbolFlagsNamespace, true
		}
		return 0, false
	case p.Kind == ast.KindTypeReference:
		return ast.SymbolFlagsType, true
	case p.Kind == ast.KindTypeQuery:
		return ast.SymbolFlagsValue, true
	case p.Kind == ast.KindPropertyAccessExpression && heritageOfType(p):
		return ast.SymbolFlagsNamespace, true
	case ast.IsExpressionNode(n):
		if p.Kind == ast.KindExpressionWithTypeArguments && p.Parent.Kind == ast.KindHeritageClause && !ast.IsExpressionWithTypeArgumentsInClassExtendsClause(p) {
			return ast.SymbolFlagsType, true
		}
		return ast.SymbolFlagsValue, true
	case p.Kind == ast.KindShorthandPropertyAssignment && p.Name() == n:
		return ast.SymbolFlagsValue, true
	}
	return 0, false
}

// heritageOfType says whether a property access is the name of an interface in a heritage clause.
func heritageOfType(n *ast.Node) bool {
	for n.Parent.Kind == ast.KindPropertyAccessExpression && n.Parent.Expression() == n {
		n = n.Parent
	}
	p := n.Parent
	return p.Kind == ast.KindExpressionWithTypeArguments && p.Parent.Kind == ast.KindHeritageClause && !ast.IsExpressionWithTypeArgumentsInClassExtendsClause(p)
}
