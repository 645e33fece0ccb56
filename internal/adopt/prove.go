package adopt

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"manito/internal/problem"
)

type factKey struct {
	blob    int32
	dialect string
}

// facts are those of a repository that an adoption has stored.
func (t *target) facts(ctx context.Context, repo int32) (map[factKey]int32, error) {
	rows, err := t.conn.Query(ctx, `select blob_id, dialect, fact_id from `+t.name("fact")+` where repo_id = $1 and language = $2 and extractor = $3`, repo, language, extractor)
	if err != nil {
		return nil, explain(ctx, err, "looking for known facts")
	}
	defer rows.Close()
	out := map[factKey]int32{}
	for rows.Next() {
		var k factKey
		var id int32
		if err := rows.Scan(&k.blob, &k.dialect, &id); err != nil {
			return nil, explain(ctx, err, "looking for known facts")
		}
		out[k] = id
	}
	return out, explain(ctx, rows.Err(), "looking for known facts")
}

// prove counts what is stored of a ref and looks whether it keeps the laws of the store.
func (t *target) prove(ctx context.Context, repo, ref int32, want *Project) error {
	err := t.reading(ctx, func(q asker) error { return t.count(ctx, q, repo, ref, want) })
	return explain(ctx, err, "proving what was stored")
}

func (t *target) count(ctx context.Context, q asker, repo, ref int32, want *Project) error {
	var files, definitions, edges, diagnostics int
	err := q.QueryRow(ctx, `
		select count(*), coalesce(sum(cardinality(n.dkeys)), 0), coalesce(sum(case when b.wide then cardinality(b.e) / 2 else cardinality(b.e) end), 0),
			(select count(*) from `+t.name("diagnostic")+` d where d.repo_id = $1 and d.ref_id = $2)
		from `+t.name("file")+` f left join `+t.name("node_block")+` n using (repo_id, fact_id) left join `+t.name("edge_block")+` b using (repo_id, block_id)
		where f.repo_id = $1 and f.ref_id = $2`, repo, ref).Scan(&files, &definitions, &edges, &diagnostics)
	if err != nil {
		return err
	}
	if files != want.Files || definitions != want.Definitions || edges != want.Edges || diagnostics != want.Diagnostics {
		return problem.New(problem.Internal, "project %s: %d files, %d definitions, %d edges and %d diagnostics are stored instead of %d, %d, %d and %d",
			want.ID, files, definitions, edges, diagnostics, want.Files, want.Definitions, want.Edges, want.Diagnostics)
	}
	var law, where, detail string
	err = q.QueryRow(ctx, `select law, coalesce(path, ''), detail from `+t.name("breaches")+`($1, $2) limit 1`, repo, ref).Scan(&law, &where, &detail)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return nil
	case err != nil:
		return err
	}
	return problem.New(problem.Internal, "project %s breaks a law of the store (%s): %s: %s", want.ID, law, where, detail)
}
