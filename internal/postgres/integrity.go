package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"manito/internal/problem"
)

// Breach is a row that breaks a law of the store.
type Breach struct {
	// Law is a stable word: "snapshot", "manifest", "definitions",
	// "edge-source", "edge-target", "edge-index", "edge-duplicate",
	// "edge-dictionary", "symbol-index", "name" or "orphan".
	Law    string
	Path   string // "" when it belongs to no file
	Detail string
}

// CheckIntegrity returns at most limit breaches of a ref: edges whose source or
// target does not exist, edges that stand twice, files without their content, fact,
// definitions or edges, an index from symbols or names that disagrees with them, and
// files that are not those of the projected snapshot. It reads the whole ref.
func (db *DB) CheckIntegrity(ctx context.Context, repo int32, ref string, limit int) (list []Breach, err error) {
	defer problem.Call(&err, "CheckIntegrity(%d, %q)", repo, ref)
	r, err := db.FindRef(ctx, repo, ref)
	if err != nil {
		return nil, err
	}
	err = db.ingesting(ctx, func(conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, `select law, coalesce(path, ''), detail from breaches($1, $2) order by law, path, detail limit $3`, repo, r.ID, limit)
		if err != nil {
			return err
		}
		list, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (b Breach, err error) { return b, row.Scan(&b.Law, &b.Path, &b.Detail) })
		if err != nil {
			return err
		}
		more, err := checkSnapshots(ctx, conn, r)
		list = append(list, more...)
		return err
	})
	if err != nil {
		return nil, explain(ctx, err, "checking the integrity")
	}
	return list[:min(len(list), limit)], nil
}

// checkSnapshots compares the projected files with their snapshot, and reads the published one.
func checkSnapshots(ctx context.Context, q interface {
	queryer
	QueryRow(ctx context.Context, statement string, args ...any) pgx.Row
}, r Ref) (list []Breach, err error) {
	for _, id := range []int32{r.Snapshot, r.Projected} {
		if id == 0 {
			continue
		}
		chain, err := readChain(ctx, q, r.Repo, id)
		if err != nil {
			list = append(list, Breach{Law: "snapshot", Detail: err.Error()})
			continue
		}
		if id != r.Projected {
			continue
		}
		c := columns(chain.manifest.Entries)
		var differ int
		err = q.QueryRow(ctx, `
			select count(*) from unnest($3::int4[], $4::int4[], $5::int4[], $6::int4[], $7::int4[]) s(path_id, blob_id, fact_id, block_id, scope_id)
			full join (select * from file where repo_id = $1 and ref_id = $2) f using (path_id)
			where (s.blob_id, s.fact_id, s.block_id, s.scope_id) is distinct from (f.blob_id, f.fact_id, f.block_id, f.scope_id)`,
			r.Repo, r.ID, c[0], c[1], c[2], c[3], c[4]).Scan(&differ)
		if err != nil {
			return nil, err
		}
		if differ > 0 {
			list = append(list, Breach{Law: "snapshot", Detail: "some of the files that the views show are not those of the projected snapshot"})
		}
	}
	return list, nil
}
