package postgres

import "context"

// NameMatch is a symbol name that was found, with the files that define it in a ref.
type NameMatch struct {
	Name  string
	Paths []int32 // path ids; a superset: check the file
	Score float32 // 1 for equal, else similarity in 0..1
}

// NameMode says how a name is compared.
type NameMode uint8

// The ways to compare names.
const (
	NameExact     NameMode = iota
	NamePrefix             // bytewise
	NameSubstring          // without regard to case
	NameFuzzy              // trigram similarity, without regard to case
)

// Names finds symbol names of a repository, best first.
func (db *DB) Names(ctx context.Context, repo int32, pattern string, mode NameMode, limit int) ([]NameMatch, error) {
	panic("skeleton")
}
