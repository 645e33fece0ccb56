package adopt

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"manito/internal/code"
	"manito/internal/pack"
	"manito/internal/postgres"
	"manito/internal/problem"
)

// Project says what became of one project.
type Project struct {
	ID          string `json:"id"` // in the old database
	Name        string `json:"name"`
	Path        string `json:"path"` // as it was written there
	Root        string `json:"root"` // of the repository
	Ref         string `json:"ref"`
	Snapshot    int32  `json:"snapshot,omitempty"` // 0 in a dry run
	Unchanged   bool   `json:"unchanged,omitempty"`
	Digest      string `json:"digest,omitempty"`
	Files       int    `json:"files"`
	Definitions int    `json:"definitions"`
	Edges       int    `json:"edges"`
	Diagnostics int    `json:"diagnostics"`

	repo int32
}

// contents reads the contents of files by the numbers of their rows.
type contents func(ctx context.Context, rows []int64) (map[int64]string, error)

// describe makes the files of a project, by path. Definitions get their keys first, so
// that an edge may lead to a file that comes later.
func (x *project) describe(ctx context.Context, p *plan, read contents) ([]*made, error) {
	out := make([]*made, 0, len(x.files))
	for _, name := range slices.Sorted(maps.Keys(x.files)) {
		out = append(out, &made{file: x.files[name]})
	}
	packer, builder := pack.NewPacker(), &code.Builder{}
	for part := range slices.Chunk(out, 64) {
		var rows []int64
		for _, m := range part {
			if m.content >= 0 {
				rows = append(rows, m.row)
			}
		}
		texts, err := read(ctx, rows)
		if err != nil {
			return nil, err
		}
		for _, m := range part {
			var text []byte
			if m.content >= 0 {
				text = []byte(texts[m.row])
				if int64(len(text)) != m.content {
					return nil, problem.New(problem.Internal, "the content of %s has %d bytes instead of %d", m.path, len(text), m.content)
				}
				m.hash, m.z, m.lines = sha256.Sum256(text), packer.Text(text), lineCount(text)
			}
			if len(m.nodes) > 0 || len(m.diagnostics) > 0 {
				m.doc = m.file.describe(builder, nonNil(text, m.content >= 0))
			}
		}
	}
	for _, m := range out {
		if m.doc == nil {
			continue
		}
		m.block = m.tie(p, m.doc, packer)
		m.fact = identify(m.doc, packer)
		if err := m.doc.Check(); err != nil {
			return nil, problem.Wrap(err, problem.Internal, "the document of %s", m.path)
		}
	}
	return out, nil
}

// nonNil tells an empty content from none.
func nonNil(text []byte, kept bool) []byte {
	if kept && text == nil {
		return []byte{}
	}
	return text
}

// lineCount is the number of "\n", plus one for an unfinished last line.
func lineCount(text []byte) int32 {
	n := int32(strings.Count(string(text), "\n"))
	if len(text) > 0 && text[len(text)-1] != '\n' {
		n++
	}
	return n
}

// report sums up a project that was described.
func (x *project) report(files []*made) Project {
	r := Project{ID: x.id, Name: x.name, Path: x.place, Root: x.root, Ref: x.ref, Files: len(files)}
	for _, m := range files {
		if m.doc != nil {
			r.Definitions += len(m.doc.Defs)
			r.Diagnostics += len(m.doc.Diagnostics)
			r.Edges += m.block.Len()
		}
	}
	return r
}

// commit is the one that all nodes were made of; "" when there are none or several.
func (x *project) commit() string {
	if len(x.commits) != 1 {
		return ""
	}
	return slices.Collect(maps.Keys(x.commits))[0]
}

// publisher publishes projects.
type publisher struct {
	db     *postgres.DB
	t      *target
	known  map[string]bool // roots of repositories that were there before
	reach  func(phase)
	plan   *plan
	source contents
}

// publish makes a project the snapshot of its ref. Everything that is stored is known by
// its content, so that a run that was killed left nothing that this one does not find.
func (b *publisher) publish(ctx context.Context, x *project) (out Project, err error) {
	files, err := x.describe(ctx, b.plan, b.source)
	if err != nil {
		return out, err
	}
	out = x.report(files)
	in := postgres.RepoInput{Root: x.root, Name: x.name}
	if b.known[x.root] {
		in.Name = "" // a repository that was scanned has its name
	}
	repo, err := b.db.EnsureRepo(ctx, in)
	if err != nil {
		return out, err
	}
	b.known[x.root] = true
	out.repo = repo.ID
	lease, err := b.db.AcquireScan(ctx, postgres.ScanInput{Repo: repo.ID, Ref: x.ref, Kind: postgres.RefTag, Holder: postgres.ThisProcess()})
	if err != nil {
		return out, err
	}
	defer func() {
		clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		switch {
		case err == nil:
		case ctx.Err() != nil:
			err = errors.Join(err, lease.Cancel(clean))
		default:
			err = errors.Join(err, lease.Fail(clean, err))
		}
		err = errors.Join(err, lease.Release(clean))
	}()
	err = b.store(lease.Context(), lease, x, files, &out)
	return out, err
}

func (b *publisher) store(ctx context.Context, lease *postgres.Lease, x *project, files []*made, out *Project) error {
	if err := lease.Phase(ctx, "adopt"); err != nil {
		return err
	}
	entries, err := b.write(ctx, lease, files)
	if err != nil {
		return err
	}
	b.reach(phaseWritten)
	digest := digestOf(files)
	p, err := lease.Publish(ctx, postgres.Publication{Commit: x.commit(), Digest: digest, Entries: entries, Stats: x.figures(files, out)})
	if err != nil {
		return err
	}
	out.Snapshot, out.Unchanged, out.Digest = p.Snapshot, p.Unchanged, hex.EncodeToString(digest[:])
	b.reach(phasePublished)
	if err := lease.Phase(ctx, "project"); err != nil {
		return err
	}
	rows, externals := tableRows(files, entries)
	documents := map[int32]*code.Document{}
	for i, m := range files {
		if m.doc != nil {
			documents[entries[i].FactID] = m.doc
		}
	}
	if err := lease.Project(ctx, postgres.Projection{Files: rows, Externals: externals, Document: func(fact int32) *code.Document { return documents[fact] }}); err != nil {
		return err
	}
	b.reach(phaseProjected)
	return b.t.prove(ctx, lease.Repo(), lease.Ref(), out)
}

// write stores what is not stored yet, and lists the snapshot in the order of the files.
func (b *publisher) write(ctx context.Context, lease *postgres.Lease, files []*made) ([]postgres.Entry, error) {
	repo := lease.Repo()
	var hashes [][32]byte
	digests := make([][16]byte, len(files))
	for i, m := range files {
		if m.z != nil {
			hashes = append(hashes, m.hash)
		}
		if m.doc != nil && m.block.Len() > 0 {
			digests[i] = m.block.Digest(m.identity())
		}
	}
	blobs, err := b.db.KnownBlobs(ctx, repo, hashes)
	if err != nil {
		return nil, err
	}
	facts, err := b.t.facts(ctx, repo)
	if err != nil {
		return nil, err
	}
	blocks, err := b.db.KnownBlocks(ctx, repo, slices.DeleteFunc(slices.Clone(digests), func(d [16]byte) bool { return d == [16]byte{} }))
	if err != nil {
		return nil, err
	}
	w := lease.Writer()
	entries := make([]postgres.Entry, len(files))
	for i, m := range files {
		e := &entries[i]
		if e.PathID, err = w.Path(ctx, m.path); err != nil {
			return nil, err
		}
		if m.z != nil {
			if known, ok := blobs[m.hash]; ok {
				e.BlobID = known.ID
			} else if e.BlobID, err = w.Blob(ctx, postgres.BlobInput{Hash: m.hash, Size: int32(m.content), Lines: m.lines, Z: m.z}); err != nil {
				return nil, err
			}
		}
		if m.doc == nil {
			continue
		}
		if e.ScopeID, err = w.Scope(ctx, scope(m.path)); err != nil {
			return nil, err
		}
		if known, ok := facts[factKey{e.BlobID, m.doc.Dialect}]; ok {
			e.FactID = known
		} else if e.FactID, err = w.Fact(ctx, postgres.FactInput{Blob: e.BlobID, Language: language, Dialect: m.doc.Dialect, Extractor: extractor, Z: m.fact}); err != nil {
			return nil, err
		}
		if digests[i] == [16]byte{} {
			continue
		}
		if known, ok := blocks[digests[i]]; ok {
			e.BlockID = known
		} else if e.BlockID, err = w.Block(ctx, postgres.BlockInput{Digest: digests[i], Block: &m.block}); err != nil {
			return nil, err
		}
	}
	return entries, w.Flush(ctx)
}

// identity is what the fact of a file is known by, whatever its id.
func (m *made) identity() []byte {
	h := sha256.New()
	h.Write(m.hash[:])
	h.Write([]byte(m.doc.Language + "\x00" + m.doc.Dialect + "\x00"))
	h.Write(binary.LittleEndian.AppendUint32(nil, extractor))
	return h.Sum(nil)
}
