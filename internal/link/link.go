// Package link ties Documents together: it resolves every use of every file to
// the symbol it denotes, across files, and says how. It is language-neutral:
// what differs between languages stands in lang.Rules and lang.Modules.
//
// Link is a pure function of the files and the module system. It never guesses:
// a use becomes an edge when its target is determined, else a site with the
// reason. Dispatch is kept factored: a call of an interface or base method is
// an edge to that method, and each implementation has an edge "overrides" to
// the method it stands in for.
//
// The work has four phases: index (keys, tables, imports), values of all
// definitions (in one order, by one goroutine, so that cycles are cut at the
// same place whatever the number of workers), uses (files in parallel, over
// tables that no longer change), and dispatch.
//
// It may be imported by scan, codeintel and benchmarks.
package link

import (
	"context"
	"fmt"
	"path"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"manito/internal/code"
	"manito/internal/lang"
)

// Input is what is linked: all files of one language in one repository, sorted by path.
type Input struct {
	Rules   lang.Rules
	Modules lang.Modules
	Files   []lang.File
	Workers int // at least 1
}

// File is the outcome for one file, in the order of Input.Files.
type File struct {
	Scope    string   // the scope of its top-level definitions
	ScopeKey code.Key // ScopeKey(Scope)
	LocalKey code.Key // the scope key of its DefFileLocal definitions
	Keys     []code.Key
	Edges    []code.Edge // by Start within each phase; pack sorts them
	Sites    []code.Site
	Imports  []Import
}

// Import is the outcome of one Document.Imports entry.
type Import struct {
	Target   lang.TargetKind
	Key      code.Key // what the edge goes to: a file, an in-repository package or an external one; 0 when unresolved
	Path     string   // the target's file or directory in the repository, else ""
	External int      // index into Result.Externals + 1; 0 when not external
	Reason   string
}

// External is a package outside of the repository.
type External struct {
	Key                       code.Key
	Symbol                    string
	Manager, Package, Version string // Package is what was imported of it where that has a name of its own
	Standard                  bool
}

// Package is a scope that several files share: a package of the repository.
type Package struct {
	Key    code.Key
	Symbol string // the scope
	Name   string // the package clause
	Path   string // the directory of its first file
}

// Result is the outcome of Link.
type Result struct {
	Files     []File
	Externals []External // by symbol
	Packages  []Package  // by symbol; only for languages with package scopes
}

// FileKey is the key of a file as a whole.
func FileKey(path string) code.Key { return code.ScopeKey("file " + path) }

// LocalScope is the scope of the DefFileLocal definitions of a file.
func LocalScope(scope, file string) string {
	return scope + string(code.AppendName(nil, path.Base(file))) + "/"
}

// Link resolves the files.
func Link(ctx context.Context, in Input) (*Result, error) {
	l := &linker{in: in, files: in.Files}
	if err := l.index(ctx); err != nil {
		return nil, err
	}
	l.values()
	// What was remembered of expressions on the way may have been cut short by a
	// cycle that is closed now: uses begin with the definitions' values alone.
	clear(l.memo)
	clear(l.memoSet)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := l.parallel(ctx, func(file int32) { l.linkUses(file) }); err != nil {
		return nil, err
	}
	l.dispatch()
	return l.result(), nil
}

// parallel runs work on every file with the input's number of workers.
func (l *linker) parallel(ctx context.Context, work func(file int32)) error {
	var next atomic.Int32
	g, ctx := errgroup.WithContext(ctx)
	for range max(1, l.in.Workers) {
		g.Go(func() error {
			for {
				i := next.Add(1) - 1
				if int(i) >= len(l.files) {
					return nil
				}
				if i%64 == 0 && ctx.Err() != nil {
					return ctx.Err()
				}
				work(i)
			}
		})
	}
	return g.Wait()
}

// linker holds the tables. After index and values they are only read.
type linker struct {
	in    Input
	files []lang.File
	out   []File

	scopes    []scope
	scopeIDs  map[string]int32
	fileScope []int32          // scope of each file
	fileIDs   map[string]int32 // by path
	targets   [][]target       // by file, by import
	bound     [][]target       // as targets, for imports whose bound name is another module than the imported one; nil where none
	externals []External
	extIDs    map[string]int32

	base    []int32 // first global definition number of each file; one more at the end
	defFile []int32
	canon   []int32 // the definition that stands for all of the same symbol or merged declaration
	same    []int32 // next definition with the same member or top-level name, -1 at the end
	impl    []int32 // for an overload, the definition with the body; else itself
	members map[memberKey]int32
	top     map[topKey]int32
	exports []map[string]int32 // by file, export index by name; nil for package scopes
	globals map[string]ref     // exports of files without a scope of their own

	values_ []Value // of definitions
	state   []uint8
	memo    [][]Value // by file, of expressions
	memoSet [][]uint8
}

type scope struct {
	name  string
	key   code.Key
	files []int32
	pkg   string // package clause
}

type memberKey struct {
	owner int32 // canon
	name  string
}

type topKey struct {
	scope int32
	name  string
}

// ref is an export of a file.
type ref struct{ file, export int32 }

// target is a resolved module.
type target struct {
	kind     lang.TargetKind
	scope    int32 // for TargetScope
	file     int32 // for one-file scopes and TargetFile when it is code of this language, else -1
	external int32 // for TargetExternal
	path     string
	reason   string
}

func (l *linker) doc(file int32) *code.Document { return l.files[file].Doc }

func (l *linker) def(g int32) *code.Def {
	f := l.defFile[g]
	return &l.files[f].Doc.Defs[g-l.base[f]]
}

func (l *linker) defName(g int32) string {
	f := l.defFile[g]
	d := l.files[f].Doc
	return d.Names[d.Defs[g-l.base[f]].Name]
}

func (l *linker) key(g int32) code.Key {
	f := l.defFile[g]
	return l.out[f].Keys[g-l.base[f]]
}

func (l *linker) result() *Result {
	r := &Result{Files: l.out, Externals: l.externals}
	for _, s := range l.scopes {
		if l.in.Rules.PackageScope && len(s.files) > 0 {
			r.Packages = append(r.Packages, Package{Key: s.key, Symbol: s.name, Name: s.pkg, Path: path.Dir(l.files[s.files[0]].Path)})
		}
	}
	r.sort()
	return r
}

// checkCollisions refuses two different symbols with one key: 64 bits make it
// all but impossible, but an edge to the wrong symbol must not go unnoticed.
func (l *linker) checkCollisions() error {
	seen := make(map[code.Key]int32, len(l.defFile))
	for g := range l.defFile {
		g := int32(g)
		k := l.key(g)
		other, ok := seen[k]
		if !ok {
			seen[k] = g
			continue
		}
		f, of := l.defFile[g], l.defFile[other]
		same := l.fileScope[f] == l.fileScope[of] && l.doc(f).Descriptor(code.DefID(g-l.base[f])) == l.doc(of).Descriptor(code.DefID(other-l.base[of]))
		if !same {
			return fmt.Errorf("symbols %s and %s have the same key %x", l.doc(f).Descriptor(code.DefID(g-l.base[f])), l.doc(of).Descriptor(code.DefID(other-l.base[of])), uint64(k))
		}
	}
	return nil
}
