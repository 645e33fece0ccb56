package search

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"manito/internal/chunk"
	"manito/internal/embed/builtin"
	"manito/internal/mapfile"
	"manito/internal/problem"
	"manito/internal/term"
	"manito/internal/trigram"
)

// UpdateInput says what to index and where.
type UpdateInput struct {
	Dir    string // folder of the repository's search files; it is made when it is missing
	Corpus Corpus
	// Distrust looks at every byte of the files that could be used again. Set it after Damaged.
	Distrust bool
	// NoVectors leaves out search by meaning.
	NoVectors bool
	// Model makes the vectors; nil for one that is trained on the snapshot or on one before it.
	Model *builtin.Model
	// Progress is told how many files are indexed of how many that have to be; nil for nobody.
	Progress func(done, total int)
}

// Change is what an Update did.
type Change struct {
	Texts    int // contents that were added to the text index
	Files    int // files that were cut into chunks and had their words counted
	Segments int // of chunks
}

// Update makes the index of a snapshot: what is there already is used, and only
// what is new is read. Indexes that are open are not disturbed; a reader of another
// snapshot never waits. An Update that is killed leaves files that the next one uses.
func Update(ctx context.Context, in UpdateInput) (change Change, err error) {
	if err := os.MkdirAll(in.Dir, 0o700); err != nil {
		return change, problem.Wrap(err, problem.Internal, "folder of search files")
	}
	if change.Texts, err = updateTexts(ctx, in); err != nil {
		return change, err
	}
	u := &chunkUpdate{UpdateInput: in}
	defer func() { err = errors.Join(err, u.close()) }()
	if u.texts, err = trigram.Open(in.Dir, in.Corpus.Digest); err != nil {
		return change, err
	}
	if err = u.run(ctx); err != nil {
		return change, err
	}
	change.Files, change.Segments = u.made, len(u.names)
	return change, nil
}

// updateTexts brings the text index up to the snapshot.
func updateTexts(ctx context.Context, in UpdateInput) (added int, err error) {
	c := &in.Corpus
	hashes := make([]trigram.Hash, len(c.Files))
	byHash := make(map[trigram.Hash]int, len(c.Files))
	for i := range c.Files {
		if f := &c.Files[i]; f.Text && f.Size > 0 {
			hashes[i] = trigram.Hash(f.Hash)
			byHash[hashes[i]] = i
		}
	}
	change, err := trigram.Update(ctx, in.Dir, trigram.Snapshot{Digest: c.Digest, Files: hashes, Distrust: in.Distrust,
		Texts: func(ctx context.Context, ask []trigram.Hash, give func(trigram.Hash, []byte) error) error {
			files := make([]int, len(ask))
			for i, h := range ask {
				files[i] = byHash[h]
			}
			done := 0
			return c.Texts(ctx, files, func(file int, text []byte) error {
				if done++; in.Progress != nil {
					in.Progress(done, len(files))
				}
				return give(hashes[file], text)
			})
		}})
	return change.Added, err
}

// Made says whether a folder has the search files of any snapshot.
func Made(dir string) (bool, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, problem.Wrap(err, problem.Internal, "folder of search files")
	}
	return slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return strings.HasSuffix(e.Name(), manifestSuffix) }), nil
}

// Damaged says whether an error means that search files are missing, damaged or of
// another version, so that Update with Distrust makes them again.
func Damaged(err error) bool {
	for _, e := range []error{fs.ErrNotExist, trigram.ErrCorrupt, trigram.ErrVersion, mapfile.ErrCorrupt, mapfile.ErrVersion} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// chunkUpdate brings the chunks up to the snapshot.
type chunkUpdate struct {
	UpdateInput
	texts *trigram.Index
	have  []*held
	at    map[[32]byte]spot     // by key of a file
	names []string              // of the segments of the snapshot
	files map[string][]member   // by segment: the snapshot's files in it
	model string                // of the vectors; "" for none
	cut   map[int][]chunk.Chunk // by file, what training looked at; nil when nothing was trained
	made  int
	// averages are those of the segments that are used; nil as long as there is none.
	averages *[term.NumFields]float32
}

// held is a segment that was there.
type held struct {
	*segment
	live int64 // bytes of files that the snapshot has
	away bool  // it is not used any more
}

// dead says whether most of a segment is of other snapshots.
func (h *held) dead() bool { return h.live == 0 || h.live*2 < h.bytes }

// spot is a file in a segment.
type spot struct {
	segment string
	file    int
}

const (
	// waveBytes is how much text one new segment has, so that memory is bounded.
	waveBytes = 64 << 20
	// Above manySegments those that are small are made anew together, until fewSegments are left.
	manySegments, fewSegments = 8, 4
	// maxAnew is how much text one Update reads again in order to have fewer segments.
	maxAnew = 8 << 20
)

func (u *chunkUpdate) run(ctx context.Context) error {
	if err := u.open(ctx); err != nil {
		return err
	}
	u.choose()
	if err := u.make(ctx); err != nil {
		return err
	}
	m := u.manifest()
	if u.NoVectors && u.served(m) {
		return nil
	}
	if err := u.embed(ctx); err != nil {
		return err
	}
	m.model = []uint8(u.model)
	return m.write(u.Dir)
}

// served says whether the snapshot has this index already: one with vectors is not
// replaced by one without.
func (u *chunkUpdate) served(m *manifest) bool {
	have, f, err := readManifest(u.Dir, u.Corpus.Digest)
	if err != nil {
		return false // it is made again
	}
	same := u.made == 0 && slices.Equal(have.names, m.names) && slices.Equal(have.segment, m.segment) && slices.Equal(have.position, m.position)
	return f.Close() == nil && same
}

// open opens the segments that are there; damaged ones are removed.
func (u *chunkUpdate) open(ctx context.Context) error {
	entries, err := os.ReadDir(u.Dir)
	if err != nil {
		return fmt.Errorf("search files: %w", err)
	}
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), tableSuffix)
		if !ok || !segmentName(name) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		s, err := openSegment(u.Dir, name)
		switch {
		case err == nil:
			u.have = append(u.have, &held{segment: s})
		case Damaged(err):
			if err := removeSegment(u.Dir, name); err != nil {
				return err
			}
		default:
			return err
		}
	}
	return nil
}

func removeSegment(dir, name string) error {
	for _, suffix := range []string{tableSuffix, termsSuffix} {
		if err := os.Remove(filepath.Join(dir, name+suffix)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("search files: %w", err)
		}
	}
	return nil
}

// choose decides which segments are used. One that is mostly of other snapshots is
// not, because what it has counts in how rare words are; nor are small ones when
// there are many. Segments whose scores do not compare are not used together.
func (u *chunkUpdate) choose() {
	wanted := make(map[[32]byte]bool, len(u.Corpus.Files))
	for i := range u.Corpus.Files {
		if f := &u.Corpus.Files[i]; f.Text {
			wanted[f.key()] = true
		}
	}
	for _, h := range u.have {
		for f := range h.files() {
			if wanted[h.key(f)] {
				h.live += int64(h.sizes[f])
			}
		}
	}
	slices.SortStableFunc(u.have, func(a, b *held) int { return cmp.Or(cmp.Compare(b.live, a.live), cmp.Compare(a.name, b.name)) })
	used := 0
	for _, h := range u.have {
		if u.averages == nil && !h.dead() {
			a := h.terms.Averages()
			u.averages = &a
		}
		if h.away = h.dead() || h.terms.Averages() != *u.averages; !h.away {
			used++
		}
	}
	budget := int64(maxAnew)
	if used > manySegments {
		for i := len(u.have) - 1; used > fewSegments && i >= 0; i-- {
			if h := u.have[i]; !h.away && h.live <= budget {
				h.away = true
				budget -= h.live
				used--
			}
		}
	}
	u.at = make(map[[32]byte]spot, len(wanted))
	for _, h := range u.have {
		if h.away {
			continue
		}
		for f := range h.files() {
			if k := h.key(f); wanted[k] {
				if _, taken := u.at[k]; !taken {
					u.at[k] = spot{h.name, f}
				}
			}
		}
	}
}

// make chunks the files that no segment has.
func (u *chunkUpdate) make(ctx context.Context) error {
	var missing []int
	for i := range u.Corpus.Files {
		if f := &u.Corpus.Files[i]; f.Text && f.Size > 0 {
			if _, ok := u.at[f.key()]; !ok {
				missing = append(missing, i)
			}
		}
	}
	for rest := missing; len(rest) > 0; {
		n, bytes := 0, int64(0)
		for n < len(rest) && (n == 0 || bytes+u.Corpus.Files[rest[n]].Size <= waveBytes) {
			bytes += u.Corpus.Files[rest[n]].Size
			n++
		}
		list, err := u.chunks(ctx, rest[:n])
		if err != nil {
			return err
		}
		name, own, err := makeSegment(ctx, u.Dir, u.Corpus.Files, list, u.averages)
		if err != nil {
			return err
		}
		if u.averages == nil {
			u.averages = &own
		}
		for i, f := range list {
			u.at[u.Corpus.Files[f.File].key()] = spot{name, i}
		}
		rest = rest[n:]
		if u.made += n; u.Progress != nil {
			u.Progress(u.made, len(missing))
		}
	}
	return nil
}

// chunks cuts files into chunks.
func (u *chunkUpdate) chunks(ctx context.Context, files []int) ([]FileChunks, error) {
	docs, err := u.Corpus.Documents(ctx, files)
	if err != nil {
		return nil, err
	}
	texts := make([]fileText, len(files))
	for i, f := range files {
		text, ok, err := u.texts.Text(uint32(f))
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, problem.New(problem.Internal, "the text index has no text of %s", u.Corpus.Files[f].Path)
		}
		texts[i] = fileText{f, text, docs[i]}
	}
	return split(ctx, u.Corpus.Files, texts)
}

// manifest says where the files of the snapshot are.
func (u *chunkUpdate) manifest() *manifest {
	u.files = map[string][]member{}
	m := &manifest{digest: u.Corpus.Digest[:]}
	number := map[string]uint32{}
	for i := range u.Corpus.Files {
		s, ok := u.at[u.Corpus.Files[i].key()]
		if !ok || !u.Corpus.Files[i].Text {
			m.segment, m.position = append(m.segment, noSegment), append(m.position, 0)
			continue
		}
		n, known := number[s.segment]
		if !known {
			n = uint32(len(u.names))
			number[s.segment] = n
			u.names = append(u.names, s.segment)
		}
		m.segment, m.position = append(m.segment, n), append(m.position, uint32(s.file))
		u.files[s.segment] = append(u.files[s.segment], member{i, s.file})
	}
	m.names = []uint8(strings.Join(u.names, "\n"))
	return m
}

func (u *chunkUpdate) close() error {
	var errs []error
	if u.texts != nil {
		errs = append(errs, u.texts.Close())
	}
	for _, h := range u.have {
		errs = append(errs, h.close())
	}
	return errors.Join(errs...)
}

// Chunks cuts the files of a corpus into chunks, some at a time, without keeping
// anything; it is for those who store chunks elsewhere.
func Chunks(ctx context.Context, c *Corpus, files []int, yield func(FileChunks) error) error {
	for part := range slices.Chunk(files, 512) {
		docs, err := c.Documents(ctx, part)
		if err != nil {
			return err
		}
		number := make(map[int]int, len(part))
		for i, f := range part {
			number[f] = i
		}
		err = c.Texts(ctx, part, func(file int, text []byte) error {
			return yield(FileChunks{File: file, Chunks: chunk.Split(c.Files[file].Path, docs[number[file]], text)})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Sweep removes the search files of a repository that no snapshot to keep uses.
func Sweep(dir string, keep [][32]byte) error {
	if _, err := trigram.Sweep(dir, keep); err != nil {
		return err
	}
	used, segments := map[string]bool{}, map[string]bool{}
	for _, digest := range keep {
		used[manifestName(digest)] = true
		m, f, err := readManifest(dir, digest)
		if Damaged(err) {
			continue
		}
		if err != nil {
			return err
		}
		used[string(m.model)+modelSuffix] = true
		for _, s := range m.segments() {
			segments[s] = true
			used[s+tableSuffix], used[s+termsSuffix], used[vectorsName(s, string(m.model))] = true, true, true
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("search files: %w", err)
	}
	for _, e := range entries {
		switch filepath.Ext(e.Name()) {
		case tableSuffix, termsSuffix, manifestSuffix, modelSuffix, vectorsSuffix, providedSuffix:
			segment, _, _ := strings.Cut(e.Name(), "-")
			if used[e.Name()] || filepath.Ext(e.Name()) == providedSuffix && segments[segment] {
				continue
			}
			if err := os.Remove(filepath.Join(dir, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("search files: %w", err)
			}
		}
	}
	return nil
}
