package langtest

import (
	"fmt"
	"path"
	"sort"
	"testing"

	"golang.org/x/tools/txtar"

	"manito/internal/lang"
)

// Tree is a lang.Repository held in memory.
type Tree struct {
	name  string
	files []lang.File
	data  map[string][]byte
}

// Repository makes a Tree of a txtar archive. Files whose extension belongs to
// one of the language's sources are extracted; reads lists their extensions
// (".go"). The tree's fallback module name is name.
func Repository(t testing.TB, l lang.Language, name, archive string, reads ...string) *Tree {
	t.Helper()
	tree := &Tree{name: name, data: make(map[string][]byte)}
	x := l.NewExtractor()
	for _, f := range txtar.Parse([]byte(archive)).Files {
		tree.data[f.Name] = f.Data
		for _, ext := range reads {
			if path.Ext(f.Name) == ext {
				base := path.Base(f.Name)
				doc := extract(x, x.Dialect(base, Source(l, base)), f.Data)
				if err := doc.Check(); err != nil {
					t.Fatalf("%s: %v", f.Name, err)
				}
				tree.files = append(tree.files, lang.File{Path: f.Name, Doc: doc})
			}
		}
	}
	sort.Slice(tree.files, func(i, j int) bool { return tree.files[i].Path < tree.files[j].Path })
	return tree
}

// Files implements lang.Repository.
func (r *Tree) Files() []lang.File { return r.files }

// Exists implements lang.Repository.
func (r *Tree) Exists(p string) bool { _, ok := r.data[p]; return ok }

// Manifests implements lang.Repository.
func (r *Tree) Manifests(base string) []string {
	var found []string
	for p := range r.data {
		if path.Base(p) == base {
			found = append(found, p)
		}
	}
	sort.Strings(found)
	return found
}

// Read implements lang.Repository.
func (r *Tree) Read(p string) ([]byte, error) {
	data, ok := r.data[p]
	if !ok {
		return nil, fmt.Errorf("%s: no such file in the test's tree", p)
	}
	return data, nil
}

// Name implements lang.Repository.
func (r *Tree) Name() string { return r.name }
