package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"manito/internal/problem"
)

// Repo is one repository.
type Repo struct {
	ID        int32
	Root      string // absolute path of its folder, or the URL it was cloned from; unique
	Name      string // what people call it; not unique
	Remote    string // URL of its origin; "" when there is none
	CreatedAt time.Time
}

// RepoInput is what EnsureRepo knows of a repository.
type RepoInput struct {
	Root, Name, Remote string
}

// EnsureRepo returns the repository with a root and makes it when there is none.
// Name and Remote are brought up to date; an empty one leaves what is stored.
func (db *DB) EnsureRepo(ctx context.Context, in RepoInput) (repo Repo, err error) {
	defer problem.Call(&err, "EnsureRepo(%q)", in.Root)
	for _, text := range []string{in.Root, in.Name, in.Remote} {
		if err := checkText("repository", text); err != nil {
			return repo, err
		}
	}
	err = db.transact(ctx, db.pool, "storing the repository", func(tx pgx.Tx) error {
		return tx.QueryRow(ctx, `
			insert into repo as r (root, name, remote) values ($1, $2, $3)
			on conflict (root) do update set name = coalesce(nullif(excluded.name, ''), r.name), remote = coalesce(nullif(excluded.remote, ''), r.remote)
			returning repo_id, root, name, remote, created_at`, in.Root, in.Name, in.Remote).
			Scan(&repo.ID, &repo.Root, &repo.Name, &repo.Remote, &repo.CreatedAt)
	})
	return repo, err
}

// Repos lists all repositories by name and root.
func (db *DB) Repos(ctx context.Context) (repos []Repo, err error) {
	defer problem.Call(&err, "Repos()")
	repos, err = query(ctx, db, scanRepo, `select repo_id, root, name, remote, created_at from repo order by name, root`)
	return repos, explain(ctx, err, "listing repositories")
}

func scanRepo(row pgx.CollectableRow) (r Repo, err error) {
	return r, row.Scan(&r.ID, &r.Root, &r.Name, &r.Remote, &r.CreatedAt)
}

// FindRepo returns the repository whose root, or else whose name, is as given.
// It gives problem.NotFound, or problem.Ambiguous when several have the name.
func (db *DB) FindRepo(ctx context.Context, rootOrName string) (repo Repo, err error) {
	defer problem.Call(&err, "FindRepo(%q)", rootOrName)
	found, err := query(ctx, db, scanRepo, `
		select repo_id, root, name, remote, created_at from repo where root = $1 or name = $1 order by root <> $1, root`, rootOrName)
	switch {
	case err != nil:
		return repo, explain(ctx, err, "looking for the repository")
	case len(found) == 1, len(found) > 1 && found[0].Root == rootOrName:
		return found[0], nil
	case len(found) > 1:
		e := problem.New(problem.Ambiguous, "%d repositories are called %q", len(found), rootOrName)
		for _, r := range found {
			e = e.Fix("name it by its root: %s", r.Root)
		}
		return repo, e
	}
	return repo, problem.New(problem.NotFound, "no repository %q is known", rootOrName).Fix("scan it: manito scan %s", rootOrName).Fix("list those that are known: manito status")
}

// belongings are the statements that delete what belongs to a repository, in an
// order in which nothing that is still there refers to what is gone.
var belongings = [...]string{
	`delete from projection where repo_id = $1`,
	`delete from ref where repo_id = $1`,
	`delete from file where repo_id = $1`,
	`delete from symbol_block where repo_id = $1`,
	`delete from dependency where repo_id = $1`,
	`delete from diagnostic where repo_id = $1`,
	`delete from external where repo_id = $1`,
	`delete from name where repo_id = $1`,
	`delete from snapshot where repo_id = $1`,
	`delete from node_block where repo_id = $1`,
	`delete from edge_block where repo_id = $1`,
	`delete from fact where repo_id = $1`,
	`delete from blob where repo_id = $1`,
	`delete from path where repo_id = $1`,
	`delete from scope where repo_id = $1`,
}

// RemoveRepo deletes a repository with all that belongs to it. Its refs go
// first, in one transaction with all that the views show of them; the rest
// follows table by table, so that it may be stopped and run again. It gives
// problem.Conflict while a scan holds the repository.
func (db *DB) RemoveRepo(ctx context.Context, repo int32) (err error) {
	defer problem.Call(&err, "RemoveRepo(%d)", repo)
	const visible = 8 // the first statements of belongings
	err = db.transact(ctx, db.ingest, "removing the repository", func(tx pgx.Tx) error {
		var held bool
		err := tx.QueryRow(ctx, `select exists (select from scan s where s.repo_id = r.repo_id and held) from repo r where repo_id = $1 for update`, repo).Scan(&held)
		switch {
		case err != nil:
			return notFound(err, "no repository has the id %d", repo)
		case held:
			return problem.New(problem.Conflict, "the repository is being scanned").Fix("wait for the scan to end, or stop it")
		}
		for _, statement := range belongings[:visible] {
			if _, err := tx.Exec(ctx, statement, repo); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return db.transact(ctx, db.ingest, "removing the repository", func(tx pgx.Tx) error {
		for _, statement := range belongings[visible:] {
			if _, err := tx.Exec(ctx, statement, repo); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, `delete from scan where repo_id = $1`, repo); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `delete from repo where repo_id = $1`, repo)
		return err
	})
}
