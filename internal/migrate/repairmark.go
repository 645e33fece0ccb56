package migrate

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"manito/internal/problem"
)

// candidate is a file that will be marked applied.
type candidate struct {
	file   File
	reason string
}

// candidates are the files to mark applied, by version: those that were named, and the
// next one when its last try failed and the catalogue is nevertheless as if it had
// succeeded. Each is proven by running the files in a scratch schema. It runs before the
// transaction of the repair, because the scratch schema needs its own.
func (r *repair) candidates(ctx context.Context) ([]candidate, error) {
	applied, err := r.site.readLedger(ctx, r.conn)
	if err != nil {
		return nil, err
	}
	todo := pending(r.m.files, applied)
	if len(todo) == 0 && len(r.options.MarkApplied) == 0 {
		return nil, nil
	}
	live, err := r.site.liveCatalog(ctx, r.conn)
	if err != nil {
		return nil, err
	}
	var out []candidate
	for _, v := range slices.Sorted(slices.Values(r.options.MarkApplied)) {
		f, err := r.file(v)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(todo, func(p File) bool { return p.Version == v }) {
			continue // it is applied
		}
		out = append(out, candidate{f, r.options.Reason})
	}
	if len(out) > 0 {
		return out, r.prove(ctx, out, todo, applied, live)
	}
	next := todo[0]
	attempts, err := r.site.readAttempts(ctx, r.conn, 1000)
	if err != nil {
		return nil, err
	}
	last, tried := lastTries(attempts)[next.Version]
	if !tried || last.Direction != "up" || last.Outcome == "ok" || next.Version < newest(applied) || changesRows(next) {
		return nil, nil
	}
	before, err := r.m.scratchCatalog(ctx, r.conn, r.site, next.Version-1)
	if err != nil {
		return nil, err
	}
	after, err := r.m.scratchCatalog(ctx, r.conn, r.site, next.Version)
	if err != nil {
		return nil, err
	}
	if live.Hash() == after.Hash() && before.Hash() != after.Hash() {
		return []candidate{{next, "its last try ended as " + last.Outcome + ", and the catalogue is as if it had been applied"}}, nil
	}
	return nil, nil
}

// prove checks that the catalogue is as if the named files had been applied.
func (r *repair) prove(ctx context.Context, named []candidate, todo []File, applied []Applied, live Catalog) error {
	top := max(newest(applied), named[len(named)-1].file.Version)
	for _, f := range todo {
		if f.Version < top && !slices.ContainsFunc(named, func(c candidate) bool { return c.file.Version == f.Version }) {
			return problem.New(problem.Conflict, "%s is not applied either, and comes before version %d", f.Name, top).
				Fix("name it too: --mark-applied %d", f.Version)
		}
	}
	want, err := r.m.scratchCatalog(ctx, r.conn, r.site, top)
	if err != nil {
		return err
	}
	if changes := r.site.changes(want, live); len(changes) > 0 {
		c := changes[0]
		return problem.New(problem.Conflict, "the catalogue is not as if version %d had been applied: %s %s %s, and %d more differences", top, c.Op, c.Kind, c.Name, len(changes)-1).
			Fix("apply it properly: manito db up").
			Fix("or bring the catalogue into line first; the first statement: %s", c.SQL)
	}
	return nil
}

// changesRows says whether a file does more than define objects, which no catalogue shows.
func changesRows(f File) bool {
	for _, s := range f.Up {
		w := words(s.SQL, 2)
		if len(w) > 0 && !slices.Contains([]string{"CREATE", "ALTER", "DROP", "COMMENT", "GRANT", "REVOKE"}, w[0]) {
			return true
		}
		if len(w) > 1 && w[0] == "CREATE" && slices.Contains(words(s.SQL, 0), "AS") && (w[1] == "TABLE" || w[1] == "UNLOGGED") {
			return true
		}
	}
	return false
}

// markApplied writes the ledger row that is missing and keeps the attempts that failed.
func (r *repair) markApplied(ctx context.Context, tx pgx.Tx, c candidate) error {
	f := c.file
	var before json.RawMessage
	err := tx.QueryRow(ctx, r.site.expand(`select coalesce(jsonb_agg(to_jsonb(a) order by a.attempt_id), '[]') from {{schema}}.migration_attempt a where version = $1`), f.Version).Scan(&before)
	if err != nil {
		return explain(ctx, err, "reading the attempts")
	}
	var after json.RawMessage
	err = tx.QueryRow(ctx, r.site.expand(`insert into {{schema}}.migration (version, name, checksum, in_transaction, duration_ms, app_version)
		values ($1, $2, $3, $4, 0, $5) returning to_jsonb(migration)`), f.Version, f.Name, f.Checksum[:], f.Transaction, r.m.cfg.AppVersion).Scan(&after)
	if err != nil {
		return explain(ctx, err, "writing the ledger")
	}
	sql := fmt.Sprintf(`INSERT INTO {{schema}}.migration (version, name, checksum, in_transaction, duration_ms, app_version) VALUES (%d, %s, '\x%s', %t, 0, %s);`,
		f.Version, literal(f.Name), f.Checksum, f.Transaction, literal(r.m.cfg.AppVersion))
	r.note("mark-applied", f.Version, r.site.expand(sql), "marked %s as applied; the catalogue proves it", f.Name)
	return r.log(ctx, tx, "mark-applied", &f.Version, c.reason, before, after)
}

// indexes mends invalid indexes, each by a statement of its own that does not block
// writers. One that a pending file builds is dropped, because that file builds it anew;
// so is what a broken-off REINDEX left behind; others are rebuilt in place.
func (r *repair) indexes(ctx context.Context) error {
	broken, err := r.site.invalidIndexes(ctx, r.conn)
	if err != nil {
		return err
	}
	applied, err := r.site.readLedger(ctx, r.conn)
	if err != nil {
		return err
	}
	rebuilt := map[string]bool{}
	for _, f := range pending(r.m.files, applied) {
		for _, s := range f.Up {
			if b, ok := concurrentIndex(r.site.expand(s.SQL)); ok {
				rebuilt[b.name] = true
			}
		}
	}
	for _, x := range broken {
		action, sql := "reindex", "REINDEX INDEX CONCURRENTLY "
		if x.Leftover || rebuilt[quote(x.Name)] {
			action, sql = "drop-index", "DROP INDEX CONCURRENTLY "
		}
		sql += quote(r.site.schema) + "." + quote(x.Name)
		r.note(action, 0, sql+";", "the index %s on %s is invalid", x.Name, x.Table)
		if r.options.DryRun {
			continue
		}
		if _, err := r.conn.Exec(ctx, sql); err != nil {
			return explain(ctx, err, "repairing the index "+x.Name)
		}
		err := pgx.BeginFunc(ctx, r.conn, func(tx pgx.Tx) error {
			return r.log(ctx, tx, action, nil, "the index was invalid", x, nil)
		})
		if err != nil {
			return explain(ctx, err, "recording the repair")
		}
		r.report.Actions[len(r.report.Actions)-1].Done = true
	}
	return nil
}
