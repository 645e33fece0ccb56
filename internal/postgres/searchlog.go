package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"manito/internal/problem"
)

// Search is a search that was made.
type Search struct {
	Repo       int32
	Repository string // filled by readers
	At         time.Time
	Mode       string
	Query      string
	Results    int
	Took       time.Duration
	Partial    bool // the answer said that it was not everything
	Times      int  // how often; filled by Searches when it groups
}

// LogSearch records a search and deletes those that are older than keep. keep 0 records nothing.
func (db *DB) LogSearch(ctx context.Context, s Search, keep time.Duration) (err error) {
	defer problem.Call(&err, "LogSearch(%d)", s.Repo)
	if keep <= 0 {
		return nil
	}
	text := clean(s.Query)
	if len(text) > maxText {
		text = clean(text[:maxText])
	}
	return db.transact(ctx, db.pool, "recording the search", func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `
			with gone as (delete from search_log where at < now() - make_interval(secs => $7))
			insert into search_log (repo_id, mode, query, results, micros, partial) values ($1, $2, $3, $4, $5, $6)`,
			s.Repo, s.Mode, text, s.Results, s.Took.Microseconds(), s.Partial, keep.Seconds())
		return err
	})
}

// SearchesInput chooses searches.
type SearchesInput struct {
	Repo  int32 // 0 for all
	Empty bool  // only complete answers without a result, each query once with how often it was made
	Limit int
}

// Searches lists searches, the latest first; with Empty the most frequent first.
func (db *DB) Searches(ctx context.Context, in SearchesInput) (list []Search, err error) {
	defer problem.Call(&err, "Searches(%d)", in.Repo)
	scan := func(row pgx.CollectableRow) (s Search, err error) {
		var micros int64
		err = row.Scan(&s.Repo, &s.Repository, &s.At, &s.Mode, &s.Query, &s.Results, &micros, &s.Partial, &s.Times)
		s.Took = time.Duration(micros) * time.Microsecond
		return s, err
	}
	if in.Empty {
		list, err = query(ctx, db, scan, `
			select l.repo_id, r.name, max(l.at), l.mode, l.query, 0, max(l.micros), false, count(*)::int4
			from search_log l join repo r using (repo_id) where $1 in (0, l.repo_id) and l.results = 0 and not l.partial
			group by l.repo_id, r.name, l.mode, l.query order by count(*) desc, max(l.at) desc, l.query limit $2`, in.Repo, in.Limit)
	} else {
		list, err = query(ctx, db, scan, `
			select l.repo_id, r.name, l.at, l.mode, l.query, l.results, l.micros, l.partial, 1
			from search_log l join repo r using (repo_id) where $1 in (0, l.repo_id) order by l.at desc, l.log_id desc limit $2`, in.Repo, in.Limit)
	}
	return list, explain(ctx, err, "reading the search log")
}

// DeleteSearches deletes the recorded searches of a repository (0 for all) and says how many there were.
func (db *DB) DeleteSearches(ctx context.Context, repo int32) (n int64, err error) {
	defer problem.Call(&err, "DeleteSearches(%d)", repo)
	err = db.transact(ctx, db.pool, "deleting the search log", func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `delete from search_log where $1 in (0, repo_id)`, repo)
		n = tag.RowsAffected()
		return err
	})
	return n, err
}
