package codeintel

import (
	"path"
	"strings"

	"manito/internal/graph"
	"manito/internal/problem"
)

// file finds a file by its path, by the end of its path when only one has it, or by an absolute path.
func (x *Index) file(p, raw string) (graph.FileNo, error) {
	p = path.Clean(strings.ReplaceAll(p, `\`, "/"))
	if f, ok := x.g.FileByPath(p); ok {
		return f, nil
	}
	if strings.HasPrefix(p, "/") || strings.HasPrefix(p, "../") {
		for rest := p; ; {
			_, after, ok := strings.Cut(rest, "/")
			if !ok {
				break
			}
			if f, ok := x.g.FileByPath(after); ok {
				return f, nil
			}
			rest = after
		}
	}
	var found []graph.FileNo
	for f := range graph.FileNo(x.g.NumFiles()) {
		if strings.HasSuffix(x.g.Path(f), "/"+p) {
			found = append(found, f)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		e := &Missing{Query: raw, problem: problem.New(problem.NotFound, "the snapshot has no file %s", p)}
		e.problem.Fix("scan again when the file is new: manito scan .")
		return 0, e
	}
	e := &Ambiguous{Query: raw, Total: len(found), problem: problem.New(problem.Ambiguous, "%d files end in %s", len(found), p)}
	for _, f := range found[:min(len(found), maxChoices)] {
		e.Choices = append(e.Choices, x.symbol(x.g.FileNode(f)))
		e.problem.Fix("%s", x.g.Path(f))
	}
	return 0, e
}

// place finds a file, folder package or external package by the name of the query.
func (x *Index) place(q query) (subject, bool) {
	if looksLikeFile(q.raw) {
		if f, err := x.file(q.raw, q.raw); err == nil {
			return subject{[]graph.Node{x.g.FileNode(f)}}, true
		}
	}
	var found []graph.Node
	for _, n := range x.g.Packages() {
		if p := x.g.PackagePath(n); p == q.raw || strings.HasSuffix(p, "/"+q.raw) {
			found = append(found, n)
		}
	}
	if len(found) == 0 {
		for _, n := range x.g.Externals() {
			if x.g.External(n).Name == q.raw {
				found = append(found, n)
			}
		}
	}
	if len(found) != 1 {
		return subject{}, false
	}
	return subject{found}, true
}

func (x *Index) newMissing(q query, near []Symbol, format string, args ...any) *Missing {
	e := &Missing{Query: q.raw, Near: near, problem: problem.New(problem.NotFound, format, args...)}
	for _, s := range near {
		e.problem.Fix("did you mean %s (%s, %s)?", s.QualifiedName, s.Kind, Location{s.File, s.Line, 0})
	}
	return e
}

func (x *Index) missing(q query, name string) error {
	near := x.near(name, 5)
	e := x.newMissing(q, near, "the snapshot has no symbol %q", q.raw)
	if len(near) == 0 {
		e.problem.Fix("scan again when it is new: manito scan .")
	}
	return e
}
