package postgres

import "context"

// RefStatus is a ref with what is known about its last scan and its projection.
type RefStatus struct {
	Repo     Repo
	Ref      Ref
	Manifest Manifest // without entries
	LastScan Scan
}

// Status lists every ref of every repository (repo 0), or of one.
func (db *DB) Status(ctx context.Context, repo int32) ([]RefStatus, error) { panic("skeleton") }
