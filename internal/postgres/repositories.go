package postgres

import (
	"context"
	"time"
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
func (db *DB) EnsureRepo(ctx context.Context, in RepoInput) (Repo, error) { panic("skeleton") }

// Repos lists all repositories by name and root.
func (db *DB) Repos(ctx context.Context) ([]Repo, error) { panic("skeleton") }

// FindRepo returns the repository whose root, or else whose name, is as given.
// It gives problem.NotFound, or problem.Ambiguous when several have the name.
func (db *DB) FindRepo(ctx context.Context, rootOrName string) (Repo, error) { panic("skeleton") }

// RemoveRepo deletes a repository with all that belongs to it, in small
// transactions; its refs go first, so that readers see it whole or not at all.
// It gives problem.Conflict while a scan holds the repository.
func (db *DB) RemoveRepo(ctx context.Context, repo int32) error { panic("skeleton") }
