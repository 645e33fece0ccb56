package postgres

import (
	"context"
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
	fresh, err := j.freshNames(ctx, names)
	if err != nil {
		return err
	}
	// Sorted rows fill the index from left to right, which makes it smaller and faster to fill.
	var r rows
	var oldNames []string
	var oldPaths []int32
	for _, n := range names {
		if !fresh[n] {
			for _, p := range added[n] {
				oldNames, oldPaths = append(oldNames, n), append(oldPaths, p)
			}
			continue
		}
		r.row(3)
		r.int4(j.l.repo)
		r.text(n)
		slices.Sort(added[n])
		r.int4s(slices.Compact(added[n]))
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
	if len(oldNames) == 0 {
		return nil
	}
	return j.l.db.transact(ctx, j.l.db.ingest, "storing names", func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `
			update name n set paths = array (select unnest(n.paths) union select unnest(a.paths) order by 1)
			from (select u.name, array_agg(u.path) as paths from unnest($2::text[], $3::int4[]) u(name, path) group by u.name) a
			where n.repo_id = $1 and n.name = a.name and not n.paths @> a.paths`, j.l.repo, oldNames, oldPaths)
		return err
	})
}

const nameCopy = `copy name (repo_id, name, paths) from stdin (format binary)`

// freshNames finds which names the dictionary does not have.
func (j *projector) freshNames(ctx context.Context, names []string) (map[string]bool, error) {
	fresh := make(map[string]bool, len(names))
	for _, n := range names {
		fresh[n] = true
	}
	var any bool
	conn, err := j.l.db.acquire(ctx, j.l.db.pool)
	if err != nil {
		return nil, err
	}
	defer conn.Release()
	if err := conn.QueryRow(ctx, `select exists (select from name where repo_id = $1)`, j.l.repo).Scan(&any); err != nil || !any {
		return fresh, explain(ctx, err, "reading names")
	}
	for part := range slices.Chunk(names, batch) {
		err := eachRaw(ctx, conn, func(v [][]byte) error {
			delete(fresh, string(v[0]))
			return nil
		}, `select name from name where repo_id = $1 and name = any ($2)`, j.l.repo, part)
		if err != nil {
			return nil, explain(ctx, err, "reading names")
		}
	}
	return fresh, nil
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
	scan := func(row pgx.CollectableRow) (m NameMatch, err error) { return m, row.Scan(&m.Name, &m.Paths, &m.Score) }
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
