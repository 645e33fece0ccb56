package link

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"manito/internal/code"
	"manito/internal/lang"
)

// index computes keys and tables and resolves imports.
func (l *linker) index(ctx context.Context) error {
	n := len(l.files)
	l.out = make([]File, n)
	l.scopeIDs = make(map[string]int32)
	l.extIDs = make(map[string]int32)
	l.fileIDs = make(map[string]int32, n)
	l.fileScope = make([]int32, n)
	l.base = make([]int32, n+1)
	l.targets = make([][]target, n)
	l.bound = make([][]target, n)
	l.memo = make([][]Value, n)
	l.memoSet = make([][]uint8, n)
	for i, f := range l.files {
		l.fileIDs[f.Path] = int32(i)
		l.base[i+1] = l.base[i] + int32(len(f.Doc.Defs))
		s := l.in.Modules.Scope(f.Path)
		id := l.scopeID(s)
		l.fileScope[i] = id
		l.scopes[id].files = append(l.scopes[id].files, int32(i))
		if l.scopes[id].pkg == "" {
			l.scopes[id].pkg = f.Doc.Names[f.Doc.Package]
		}
	}
	total := l.base[n]
	l.defFile = make([]int32, total)
	l.canon = make([]int32, total)
	l.same = make([]int32, total)
	l.impl = make([]int32, total)
	l.values_ = make([]Value, total)
	l.state = make([]uint8, total)
	resolved := make([][]resolvedImport, n)
	err := l.parallel(ctx, func(file int32) {
		l.indexFile(file)
		resolved[file] = l.resolveImports(file)
	})
	if err != nil {
		return err
	}
	l.takeImports(resolved)
	l.tables()
	return l.checkCollisions()
}

func (l *linker) scopeID(name string) int32 {
	id, ok := l.scopeIDs[name]
	if !ok {
		id = int32(len(l.scopes))
		l.scopeIDs[name] = id
		l.scopes = append(l.scopes, scope{name: name, key: code.ScopeKey(name)})
	}
	return id
}

// indexFile computes the keys of a file's definitions.
func (l *linker) indexFile(file int32) {
	f := l.files[file]
	s := &l.scopes[l.fileScope[file]]
	out := &l.out[file]
	out.Scope, out.ScopeKey = s.name, s.key
	out.LocalKey = code.ScopeKey(LocalScope(s.name, f.Path))
	out.Keys = make([]code.Key, len(f.Doc.Defs))
	var buf []byte
	for i := range f.Doc.Defs {
		g := l.base[file] + int32(i)
		l.defFile[g] = file
		l.canon[g], l.same[g], l.impl[g] = g, -1, g
		buf = f.Doc.AppendDescriptor(buf[:0], code.DefID(i))
		k := code.DescriptorKey(string(buf))
		if fileLocal(f.Doc, code.DefID(i)) {
			out.Keys[i] = out.LocalKey ^ k
		} else {
			out.Keys[i] = s.key ^ k
		}
	}
}

// fileLocal says whether a definition or one of its parents is visible in its file only.
func fileLocal(doc *code.Document, d code.DefID) bool {
	for d != code.NoDef {
		if doc.Defs[d].Flags&code.DefFileLocal != 0 {
			return true
		}
		d = doc.Defs[d].Parent
	}
	return false
}

type resolvedImport struct {
	target lang.Target
	bound  *lang.Target
}

func (l *linker) resolveImports(file int32) []resolvedImport {
	f := l.files[file]
	if len(f.Doc.Imports) == 0 {
		return nil
	}
	out := make([]resolvedImport, len(f.Doc.Imports))
	for i := range f.Doc.Imports {
		imp := &f.Doc.Imports[i]
		specifier := f.Doc.Names[imp.Specifier]
		out[i].target = l.in.Modules.Resolve(f.Path, imp, specifier)
		// `import a.b.c` loads a.b.c and binds a.
		if l.in.Rules.SubmodulesAreMembers && imp.Kind == code.ImportModule && imp.Relative == 0 {
			if head, _, dotted := strings.Cut(specifier, "."); dotted && f.Doc.Names[imp.Local] == head {
				t := l.in.Modules.Resolve(f.Path, imp, head)
				out[i].bound = &t
			}
		}
	}
	return out
}

// takeImports turns the module system's answers into numbers, file by file so that the numbering is the same on every run.
func (l *linker) takeImports(resolved [][]resolvedImport) {
	for file, list := range resolved {
		if len(list) == 0 {
			continue
		}
		l.targets[file] = make([]target, len(list))
		l.out[file].Imports = make([]Import, len(list))
		for i := range list {
			t := l.take(list[i].target)
			l.targets[file][i] = t
			if list[i].bound != nil {
				if l.bound[file] == nil {
					l.bound[file] = make([]target, len(list))
					for j := range l.bound[file] {
						l.bound[file][j].file = -2
					}
				}
				l.bound[file][i] = l.take(*list[i].bound)
			}
			l.out[file].Imports[i] = l.importOutcome(t)
		}
	}
}

func (l *linker) take(t lang.Target) target {
	out := target{kind: t.Kind, file: -1, scope: -1, path: t.Path, reason: t.Reason}
	switch t.Kind {
	case lang.TargetScope:
		id, ok := l.scopeIDs[t.Scope]
		if !ok || len(l.scopes[id].files) == 0 {
			out.kind = lang.TargetUnresolved
			return out
		}
		out.scope = id
		if !l.in.Rules.PackageScope {
			out.file = l.scopes[id].files[0]
			if f, ok := l.fileIDs[t.Path]; ok && l.fileScope[f] == id {
				out.file = f
			}
		}
	case lang.TargetExternal:
		out.external = l.externalID(t)
	case lang.TargetFile:
		if f, ok := l.fileIDs[t.Path]; ok {
			out.file = f
		}
	}
	return out
}

func (l *linker) externalID(t lang.Target) int32 {
	symbol := externalSymbol(t)
	id, ok := l.extIDs[symbol]
	if !ok {
		id = int32(len(l.externals))
		l.extIDs[symbol] = id
		l.externals = append(l.externals, External{Key: code.ScopeKey(symbol), Symbol: symbol, Manager: t.Manager, Package: cmp.Or(t.Namespace, t.Package), Version: t.Version, Standard: t.Standard})
	}
	return id
}

// externalSymbol is the symbol of an external package: SCIP's four fields, with "." for what is not known.
func externalSymbol(t lang.Target) string {
	field := func(s string) string {
		if s == "" {
			return "."
		}
		return strings.ReplaceAll(s, " ", "  ")
	}
	symbol := "external " + field(t.Manager) + " " + field(t.Package) + " " + field(t.Version) + " "
	if t.Namespace != "" {
		symbol = string(append(code.AppendName([]byte(symbol), t.Namespace), '/'))
	}
	return symbol
}

func (l *linker) importOutcome(t target) Import {
	out := Import{Target: t.kind, Path: t.path, Reason: t.reason}
	switch t.kind {
	case lang.TargetScope:
		if t.file >= 0 {
			out.Path = l.files[t.file].Path
			out.Key = FileKey(out.Path)
		} else {
			out.Key = l.scopes[t.scope].key
		}
	case lang.TargetFile:
		out.Key = FileKey(t.path)
	case lang.TargetExternal:
		out.External = int(t.external) + 1
		out.Key = l.externals[t.external].Key
	}
	return out
}

// tables fills the member, top-level and export tables.
func (l *linker) tables() {
	total := len(l.defFile)
	l.members = make(map[memberKey]int32, total)
	l.top = make(map[topKey]int32, total/2)
	l.globals = make(map[string]ref)
	l.exports = make([]map[string]int32, len(l.files))
	last := make([]int32, total) // end of each chain
	chain := func(head, g int32) {
		for l.same[last[head]] >= 0 {
			last[head] = l.same[last[head]]
		}
		l.same[last[head]] = g
		last[head] = g
	}
	for i := range last {
		last[i] = int32(i)
	}
	// Top-level names and members written inside of their owner.
	for g := range l.defFile {
		g := int32(g)
		d := l.def(g)
		f := l.defFile[g]
		if d.Parent == code.NoDef && d.Owner == 0 {
			if d.Flags&code.DefFileLocal != 0 {
				continue
			}
			k := topKey{l.fileScope[f], l.defName(g)}
			if head, ok := l.top[k]; ok {
				l.merge(head, g)
				chain(head, g)
			} else {
				l.top[k] = g
			}
		} else if d.Owner == 0 {
			l.addMember(l.canon[l.base[f]+int32(d.Parent)], g, chain)
		}
	}
	// Members written outside of their owner.
	for g := range l.defFile {
		g := int32(g)
		d := l.def(g)
		if d.Owner == 0 {
			continue
		}
		f := l.defFile[g]
		if owner, ok := l.top[topKey{l.fileScope[f], l.doc(f).Names[d.Owner]}]; ok {
			l.addMember(l.canon[owner], g, chain)
		}
	}
	l.overloads()
	if !l.in.Rules.PackageScope {
		l.exportTables()
	}
}

func (l *linker) addMember(owner, g int32, chain func(head, g int32)) {
	k := memberKey{owner, l.defName(g)}
	if head, ok := l.members[k]; ok {
		l.merge(head, g)
		chain(head, g)
		return
	}
	l.members[k] = g
}

// merge lets two declarations of one name share their members: build variants
// of a type (Go), merged interfaces, classes and namespaces (TypeScript).
func (l *linker) merge(head, g int32) {
	a, b := l.def(head).Kind, l.def(g).Kind
	if mergeable(a) && mergeable(b) {
		l.canon[g] = l.canon[head]
	}
}

func mergeable(k code.Kind) bool {
	return k.IsType() && k != code.KindTypeParameter || k == code.KindNamespace || k == code.KindFunction || k == code.KindVariable || k == code.KindConstant
}

// overloads maps each declaration without a body to the definition of the same name that follows it.
func (l *linker) overloads() {
	for g := len(l.defFile) - 1; g >= 0; g-- {
		if l.def(int32(g)).Flags&code.DefOverload == 0 {
			continue
		}
		for n := l.same[g]; n >= 0; n = l.same[n] {
			if l.defFile[n] != l.defFile[g] {
				break
			}
			if l.def(n).Flags&code.DefOverload == 0 && l.def(n).Kind.Callable() {
				l.impl[g] = n
				break
			}
		}
	}
}

func (l *linker) exportTables() {
	for file := range l.files {
		doc := l.doc(int32(file))
		m := make(map[string]int32, len(doc.Exports))
		for i := range doc.Exports {
			name := doc.Names[doc.Exports[i].Name]
			if name == "*" {
				continue
			}
			if _, ok := m[name]; !ok || l.in.Rules.SubmodulesAreMembers { // in Python the last binding wins
				m[name] = int32(i)
			}
		}
		l.exports[file] = m
		if doc.Flags&code.DocModule == 0 && !l.in.Rules.SubmodulesAreMembers {
			for name, i := range m {
				if old, ok := l.globals[name]; !ok || old.file > int32(file) {
					l.globals[name] = ref{int32(file), i}
				}
			}
		}
	}
}

func (r *Result) sort() {
	order := make([]int, len(r.Externals))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(r.Externals[a].Symbol, r.Externals[b].Symbol) })
	position := make([]int, len(order))
	sorted := make([]External, len(order))
	for to, from := range order {
		sorted[to] = r.Externals[from]
		position[from] = to
	}
	r.Externals = sorted
	for i := range r.Files {
		for j := range r.Files[i].Imports {
			if n := r.Files[i].Imports[j].External; n > 0 {
				r.Files[i].Imports[j].External = position[n-1] + 1
			}
		}
	}
	slices.SortFunc(r.Packages, func(a, b Package) int { return cmp.Compare(a.Symbol, b.Symbol) })
}
