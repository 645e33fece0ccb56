package postgres

import "context"

// Breach is an edge or row that breaks a law of the store.
type Breach struct {
	Law    string // stable word: "edge-source", "edge-target", "edge-duplicate", "edge-order", "manifest", ...
	Path   string // "" when it belongs to no file
	Detail string
}

// CheckIntegrity reads the projection of a ref and returns at most limit
// breaches: edges whose source or target does not exist, edges that stand twice,
// manifest rows without blob, fact or block, and an index from symbols to files that disagrees with them.
func (db *DB) CheckIntegrity(ctx context.Context, repo int32, ref string, limit int) ([]Breach, error) {
	panic("skeleton")
}
