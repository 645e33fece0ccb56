package postgres

import (
	"context"
	"encoding/binary"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"manito/internal/problem"
)

// addNames brings the dictionary of names up to the definitions of files that
// differ. It only adds: a name that nothing defines any more is left to Sweep.
func (j *projector) addNames(ctx context.Context) error {
	added := map[string][]int32{}
	for from, to := range j.pairs() {
		if to.fact == 0 || to.fact == from.fact {
			continue
		}
		had := map[string]bool{}
		if from.fact != 0 {
			for _, n := range j.nodes[from.fact].names {
				had[n] = true
			}
		}
		for _, n := range j.nodes[to.fact].names {
			if had[n] || len(n) > maxText {
				continue
			}
			paths := added[n]
			if len(paths) == 0 || paths[len(paths)-1] != to.path {
				added[n] = append(paths, to.path)
			}
		}
	}
	names := slices.Sorted(maps.Keys(added))
	known, err := j.knownNames(ctx, names)
	if err != nil {
		return err
	}
	// Sorted rows fill the index from left to right, which makes it smaller and faster to fill.
	var r rows
	for _, n := range names {
		if _, ok := known[n]; ok {
			continue
		}
		r.row(3)
		r.int4(j.l.repo)
		r.text(n)
		r.bytes(packPaths(added[n]))
		if len(r.b) >= chunk {
			if err := j.l.db.copyIn(ctx, &r, nameCopy); err != nil {
				return err
			}
			r.reset()
		}
	}
	if err := j.l.db.copyIn(ctx, &r, nameCopy); err != nil {
		return err
	}
	return j.extendNames(ctx, known, added)
}

const nameCopy = `copy name (repo_id, name, paths) from stdin (format binary)`

// knownNames finds which names the dictionary has, with their paths.
func (j *projector) knownNames(ctx context.Context, names []string) (map[string][]int32, error) {
	conn, err := j.l.db.acquire(ctx, j.l.db.pool)
	if err != nil {
		return nil, err
	}
	defer conn.Release()
	var some bool
	if err := conn.QueryRow(ctx, `select exists (select from name where repo_id = $1)`, j.l.repo).Scan(&some); err != nil || !some {
		return nil, explain(ctx, err, "reading names")
	}
	known := map[string][]int32{}
	for part := range slices.Chunk(names, batch) {
		err := eachRaw(ctx, conn, func(v [][]byte) (err error) {
			known[string(v[0])], err = unpackPaths(v[1])
			return err
		}, `select name, paths from name where repo_id = $1 and name = any ($2)`, j.l.repo, part)
		if err != nil {
			return nil, explain(ctx, err, "reading names")
		}
	}
	return known, nil
}

// extendNames adds paths to names that the dictionary has.
func (j *projector) extendNames(ctx context.Context, known, added map[string][]int32) error {
	var names []string
	var paths [][]byte
	for _, n := range slices.Sorted(maps.Keys(known)) {
		all := packPaths(slices.Concat(known[n], added[n]))
		if len(all) > 4*len(known[n]) {
			names, paths = append(names, n), append(paths, all)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return j.l.db.transact(ctx, j.l.db.ingest, "storing names", func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `
			update name n set paths = u.paths from unnest($2::text[], $3::bytea[]) u(name, paths) where n.repo_id = $1 and n.name = u.name`, j.l.repo, names, paths)
		return err
	})
}

// packPaths makes path ids, each once and ascending, four bytes each. It sorts the given slice.
func packPaths(paths []int32) []byte {
	slices.Sort(paths)
	paths = slices.Compact(paths)
	b := make([]byte, 0, 4*len(paths))
	for _, p := range paths {
		b = binary.BigEndian.AppendUint32(b, uint32(p))
	}
	return b
}

func unpackPaths(b []byte) ([]int32, error) {
	if len(b)%4 != 0 {
		return nil, errForm
	}
	paths := make([]int32, len(b)/4)
	for i := range paths {
		paths[i] = int32(binary.BigEndian.Uint32(b[4*i:]))
	}
	return paths, nil
}

// NameMatch is a symbol name that was found, with the files that define it in some ref.
type NameMatch struct {
	Name  string
	Paths []int32 // path ids, ascending; may list too many, never too few
	Score float32 // 1 for equal, else similarity in 0..1
}

// NameMode says how a name is compared.
type NameMode uint8

// The ways to compare names.
const (
	NameExact     NameMode = iota
	NamePrefix             // bytewise
	NameSubstring          // without regard to case of ASCII letters
	NameFuzzy              // trigram similarity, without regard to case of ASCII letters
)

// Names finds symbol names of a repository, best first.
func (db *DB) Names(ctx context.Context, repo int32, pattern string, mode NameMode, limit int) (found []NameMatch, err error) {
	defer problem.Call(&err, "Names(%d, %q)", repo, pattern)
	if err := checkText("name", pattern); err != nil {
		return nil, err
	}
	scan := func(row pgx.CollectableRow) (m NameMatch, err error) {
		var paths []byte
		if err = row.Scan(&m.Name, &paths, &m.Score); err == nil {
			m.Paths, err = unpackPaths(paths)
		}
		return m, err
	}
	switch mode {
	case NameExact:
		found, err = query(ctx, db, scan, `select name, paths, 1::float4 from name where repo_id = $1 and name = $2`, repo, pattern)
	case NamePrefix:
		found, err = query(ctx, db, scan, `
			select name, paths, length($2)::float4 / greatest(length(name), 1) from name
			where repo_id = $1 and name >= $2 and name < $2 || U&'\+10FFFF' and starts_with(name, $2) order by length(name), name limit $3`, repo, pattern, limit)
	case NameSubstring:
		found, err = query(ctx, db, scan, `
			select name, paths, length($2)::float4 / greatest(length(name), 1) from name
			where repo_id = $1 and name ilike $4 order by length(name), name limit $3`, repo, pattern, limit, "%"+escapeLike(pattern)+"%")
	default:
		found, err = query(ctx, db, scan, `
			select name, paths, similarity(name, $2) as score from name
			where repo_id = $1 and name % $2 order by score desc, length(name), name limit $3`, repo, pattern, limit)
	}
	return found, explain(ctx, err, "looking for names")
}

// escapeLike takes their meaning from the characters that LIKE gives one.
func escapeLike(s string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(s)
}
