package scan

import (
	"cmp"
	"context"
	"iter"
	"path"
	"slices"
	"strings"

	"manito/internal/code"
	"manito/internal/lang"
	"manito/internal/link"
	"manito/internal/postgres"
)

// publish moves the ref to what was written, in one small transaction.
func (r *run) publish(ctx context.Context) error {
	entries := make([]postgres.Entry, len(r.files))
	for i := range r.files {
		f := &r.files[i]
		entries[i] = postgres.Entry{Path: r.tree.Files[i].Path, PathID: f.path, BlobID: f.blob, FactID: f.fact, BlockID: f.block, ScopeID: f.scope}
	}
	r.report.Digest = newHasher().root(len(r.files), func(i int) (string, [32]byte) { return r.tree.Files[i].Path, r.files[i].digest })
	r.figures()
	p, err := r.lease.Publish(ctx, postgres.Publication{Commit: r.tree.Commit, Digest: r.report.Digest, Entries: entries, Stats: &r.report.Stats})
	if err != nil {
		return err
	}
	r.report.Snapshot, r.report.Unchanged = p.Snapshot, p.Unchanged
	return nil
}

// figures sums up the scan.
func (r *run) figures() {
	st := &r.report.Stats
	st.Schema = "manito/scan/v1"
	byName := map[string]int{}
	for i := range r.files {
		f, t := &r.files[i], &r.tree.Files[i]
		st.Files++
		st.Edges += f.nedges
		st.Unresolved += f.nsites
		st.Diagnostics += len(f.diags)
		if f.doc != nil {
			st.Definitions += len(f.doc.Defs)
			st.Diagnostics += len(f.doc.Diagnostics)
			if f.wasNew {
				st.Extracted++
			} else {
				st.Reused++
			}
		}
		if !f.read {
			continue
		}
		st.Bytes += t.Size
		st.Lines += int64(f.lines)
		if t.Language == "" {
			continue
		}
		at, ok := byName[t.Language]
		if !ok {
			at = len(st.Languages)
			byName[t.Language] = at
			st.Languages = append(st.Languages, LanguageStats{Name: t.Language, Graph: f.lang >= 0})
		}
		st.Languages[at].Files++
		st.Languages[at].Lines += int64(f.lines)
		st.Languages[at].Bytes += t.Size
	}
	slices.SortFunc(st.Languages, func(a, b LanguageStats) int {
		return cmp.Or(cmp.Compare(b.Lines, a.Lines), cmp.Compare(a.Name, b.Name))
	})
}

// project makes the rows that SQL users see.
func (r *run) project(ctx context.Context) error {
	facts := make(map[int32]*code.Document, len(r.files))
	for i := range r.files {
		if f := &r.files[i]; f.fact != 0 {
			facts[f.fact] = f.doc
		}
	}
	return r.lease.Project(ctx, postgres.Projection{
		Files:     r.rows(),
		Externals: r.externals,
		Document:  func(fact int32) *code.Document { return facts[fact] },
	})
}

func (r *run) rows() iter.Seq[postgres.File] {
	paths := make(map[string]int32, len(r.files))
	for i := range r.files {
		paths[r.tree.Files[i].Path] = r.files[i].path
	}
	return func(yield func(postgres.File) bool) {
		for i := range r.files {
			f, t := &r.files[i], &r.tree.Files[i]
			row := postgres.File{PathID: f.path, Language: t.Language, Encoding: encoding(f), Size: t.Size, Flags: r.flags(i)}
			if o := r.outcome(i); o != nil {
				row.Dependencies = r.dependencies(f, o, paths)
			}
			for _, g := range f.diags {
				row.Diagnostics = append(row.Diagnostics, postgres.Diagnostic{Severity: g.Severity, Code: g.Code, Message: g.Message})
			}
			if f.doc != nil {
				for _, g := range f.doc.Diagnostics {
					line, column := f.doc.Line(g.Start)
					row.Diagnostics = append(row.Diagnostics, postgres.Diagnostic{Severity: g.Severity, Code: g.Code, Message: g.Message, Line: int32(line), Column: int32(column)})
				}
			}
			if !yield(row) {
				return
			}
		}
	}
}

// dependencies lists the distinct imports of a file with where they lead.
func (r *run) dependencies(f *fileState, o *link.File, paths map[string]int32) []postgres.Dependency {
	type at struct {
		start     uint32
		specifier code.NameID
	}
	res := r.results[f.lang]
	seen := map[at]bool{}
	var out []postgres.Dependency
	for i := range o.Imports {
		imp, to := &f.doc.Imports[i], &o.Imports[i]
		k := at{imp.Start, imp.Specifier}
		if seen[k] {
			continue
		}
		seen[k] = true
		line, column := f.doc.Line(imp.Start)
		d := postgres.Dependency{Line: int32(line), Column: int32(column), Specifier: f.doc.Names[imp.Specifier], Kind: imp.Kind, TypeOnly: imp.TypeOnly, Optional: imp.Optional, Reason: to.Reason}
		for range imp.Relative {
			d.Specifier = "." + d.Specifier
		}
		switch to.Target {
		case lang.TargetScope, lang.TargetFile, lang.TargetDirectory:
			d.State = postgres.DependencyResolved
			d.Target = paths[to.Path]
			d.Scope = to.Path
		case lang.TargetExternal:
			x := res.Externals[to.External-1]
			d.External = x.Key
			d.State = postgres.DependencyExternal
			if x.Standard {
				d.State = postgres.DependencyStandard
			}
		default:
			d.State = postgres.DependencyUnresolved
			if d.Reason == "" {
				d.Reason = "not found"
			}
		}
		out = append(out, d)
	}
	return out
}

func (r *run) flags(i int) postgres.FileFlags {
	t, f := &r.tree.Files[i], &r.files[i]
	var flags postgres.FileFlags
	if f.doc != nil {
		flags |= postgres.FileFlags(f.doc.Flags)
	}
	if t.Generated {
		flags |= postgres.FileFlags(code.DocGenerated)
	}
	if t.Vendored {
		flags |= postgres.FileVendored
	}
	if f.binary {
		flags |= postgres.FileBinary
	}
	if !f.read {
		flags |= postgres.FileUnread
	}
	switch path.Base(t.Path) {
	case "go.mod", "go.work", "package.json", "tsconfig.json", "pyproject.toml", "setup.cfg", "setup.py", "requirements.txt":
		flags |= postgres.FileManifest
	}
	return flags
}

// encoding names how a file's bytes are to be read.
func encoding(f *fileState) string {
	switch {
	case !f.read:
		return ""
	case f.binary:
		return "binary"
	}
	for _, g := range f.diags {
		if g.Code != "encoding" {
			continue
		}
		for _, name := range []string{"utf-16le", "utf-16be"} {
			if strings.Contains(g.Message, name) {
				return name
			}
		}
		if strings.HasPrefix(g.Message, "invalid UTF-8") {
			return "unknown-8bit"
		}
	}
	return "utf-8"
}
