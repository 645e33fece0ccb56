package graph

import (
	"path"

	"manito/internal/code"
)

// State says how much of a file is in the graph.
type State uint8

// The states of files.
const (
	StateRead        State = iota // an extractor read it; its Flags say how completely
	StateUnread                   // an extractor exists for it, but the file could not be read or was refused
	StateUnsupported              // no extractor reads its language
	numStates
)

// String is the state in lower case.
func (s State) String() string {
	switch s {
	case StateUnread:
		return "unread"
	case StateUnsupported:
		return "unsupported"
	}
	return "read"
}

// Marks of a file that its Document does not carry as a flag.
const (
	markPackage uint8 = 1 << iota // File.Package
	markScope                     // it looks names of its own scope up at run time, not only members of values
)

// File describes a file of the snapshot, both when it is given to a Builder and when it is read back.
type File struct {
	Path     string // slash-separated, relative to the repository's root
	Language string // as people call it: "TypeScript", "Go", "Markdown"
	Family   string // Document.Language of the extractor that reads it: "typescript"; "" when none does
	Dialect  string // how it was read: "tsx"; "" when it was not
	Scope    string // of its top-level definitions; "" when it was not read
	Package  bool   // files of its language that have the same scope share their names, so that the scope is a package of its own (Go)
	State    State
	Flags    code.DocFlags // of its Document; 0 when it was not read
	Size     uint32        // bytes
	Lines    uint32        // as an editor counts them
	Hash     [32]byte      // of its bytes; zero when they could not be read
	// Diagnostics is how many diagnostics it has. A Builder takes the Document's number when that is larger.
	Diagnostics uint32
	// Keys are the keys of the Document's definitions, when the caller has them; else the Builder computes them.
	Keys []code.Key
}

// File returns what is known of a file, without Keys.
func (g *Graph) File(f FileNo) File {
	out := File{
		Path: g.Path(f), Language: g.text(g.fileLang[f]), Family: g.text(g.fileFamily[f]), Dialect: g.text(g.fileDialect[f]),
		Scope: g.text(g.fileScope[f]), Package: g.fileMarks[f]&markPackage != 0, State: State(g.fileState[f]), Flags: code.DocFlags(g.fileFlags[f]),
		Size: g.fileSize[f], Lines: g.fileLines[f], Diagnostics: g.fileDiags[f],
	}
	copy(out.Hash[:], g.fileHash[32*int(f):])
	return out
}

// Path is a file's path.
func (g *Graph) Path(f FileNo) string { return g.text(g.filePath[f]) }

// Paths are the paths of many files in one piece of memory.
func (g *Graph) Paths(files []FileNo) []string {
	size := 0
	for _, f := range files {
		size += len(g.textBytes(g.filePath[f]))
	}
	buf := make([]byte, 0, size)
	for _, f := range files {
		buf = append(buf, g.textBytes(g.filePath[f])...)
	}
	all := string(buf)
	out := make([]string, len(files))
	for i, f := range files {
		n := len(g.textBytes(g.filePath[f]))
		out[i], all = all[:n], all[n:]
	}
	return out
}

// State is a file's state.
func (g *Graph) State(f FileNo) State { return State(g.fileState[f]) }

// DocFlags are the flags of a file's Document.
func (g *Graph) DocFlags(f FileNo) code.DocFlags { return code.DocFlags(g.fileFlags[f]) }

// Family is the language whose rules apply to a file: Document.Language, or "".
func (g *Graph) Family(f FileNo) string { return g.text(g.fileFamily[f]) }

// Dialect is how a file was read.
func (g *Graph) Dialect(f FileNo) string { return g.text(g.fileDialect[f]) }

// SameFamily says whether the same language's rules apply to two files.
func (g *Graph) SameFamily(a, b FileNo) bool { return g.fileFamily[a] == g.fileFamily[b] }

// SameScope says whether two files share their top-level names.
func (g *Graph) SameScope(a, b FileNo) bool { return g.fileScope[a] == g.fileScope[b] }

// EvaluatesScope says whether a file looks names of its own scope up at run time
// (eval, globals), so that it may mean whatever it can see. A file that is
// code.DocDynamic otherwise only chooses members of values.
func (g *Graph) EvaluatesScope(f FileNo) bool { return g.fileMarks[f]&markScope != 0 }

// ScopeFiles lists the files that share f's top-level names, f among them, in path order.
func (g *Graph) ScopeFiles(f FileNo) []FileNo {
	if g.fileMarks[f]&markPackage == 0 {
		return []FileNo{f}
	}
	n, ok := g.Find(code.ScopeKey(g.text(g.fileScope[f])))
	if !ok || g.Class(n) != ClassPackage {
		return []FileNo{f}
	}
	return g.PackageFiles(n)
}

// PackageOf is the package of the repository that a file belongs to; false for
// files of languages whose files are modules of their own.
func (g *Graph) PackageOf(f FileNo) (Node, bool) {
	if g.fileMarks[f]&markPackage == 0 {
		return None, false
	}
	n, ok := g.Find(code.ScopeKey(g.text(g.fileScope[f])))
	return n, ok && g.Class(n) == ClassPackage
}

// PackageFiles lists the files of a package of the repository, in path order.
func (g *Graph) PackageFiles(n Node) []FileNo {
	p := g.nodeDef[n]
	list := g.pkgFile[g.pkgAt[p]:g.pkgAt[p+1]]
	out := make([]FileNo, len(list))
	for i, f := range list {
		out[i] = FileNo(f)
	}
	return out
}

// PackagePath is the directory of the first file of a package of the repository, "." for the root.
func (g *Graph) PackagePath(n Node) string {
	return path.Dir(g.Path(FileNo(g.pkgFile[g.pkgAt[g.nodeDef[n]]])))
}

// External describes a package outside of the repository.
type External struct {
	Key     code.Key
	Symbol  string
	Manager string // "npm", "gomod", "pypi"
	Name    string
	Version string // "" when unknown
}

// External returns what is known of an external package.
func (g *Graph) External(n Node) External {
	e := g.extText[4*int(g.nodeDef[n]):]
	return External{Key: g.Key(n), Symbol: g.text(e[0]), Manager: g.text(e[1]), Name: g.text(e[2]), Version: g.text(e[3])}
}

// Packages lists the packages of the repository, by symbol.
func (g *Graph) Packages() []Node {
	return nodeRange(g.counts[countPackageBase], g.counts[countExternalBase])
}

// Externals lists the external packages, by symbol.
func (g *Graph) Externals() []Node {
	return nodeRange(g.counts[countExternalBase], uint32(g.NumNodes()))
}

func nodeRange(from, to uint32) []Node {
	out := make([]Node, 0, to-from)
	for n := from; n < to; n++ {
		out = append(out, Node(n))
	}
	return out
}

// Language is what people call a file's language.
func (g *Graph) Language(f FileNo) string { return g.text(g.fileLang[f]) }

// Packaged says whether files of a file's language share the names of their scope (File.Package).
func (g *Graph) Packaged(f FileNo) bool { return g.fileMarks[f]&markPackage != 0 }

// FlaggedFiles lists the files whose Document has any of the flags, in path order.
func (g *Graph) FlaggedFiles(flags code.DocFlags) []FileNo {
	var out []FileNo
	for f, have := range g.fileFlags {
		if code.DocFlags(have)&flags != 0 {
			out = append(out, FileNo(f))
		}
	}
	return out
}

// UnreadFiles lists the files that are not in StateRead, in path order.
func (g *Graph) UnreadFiles() []FileNo {
	var out []FileNo
	for f, s := range g.fileState {
		if State(s) != StateRead {
			out = append(out, FileNo(f))
		}
	}
	return out
}
