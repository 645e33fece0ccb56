package migrate

import (
	"embed"
	"io/fs"
)

//go:generate go run ./sum

// embedded holds Manito's own migrations and their sum. The folder is embedded
// whole, because a pattern such as *.sql does not compile while it matches nothing.
//
//go:embed migrations
var embedded embed.FS

// Files is the folder of Manito's own migrations, as built into this program.
func Files() fs.FS {
	sub, err := fs.Sub(embedded, "migrations")
	if err != nil {
		panic(err) // the folder is embedded above; fs.Sub fails only for an invalid path
	}
	return sub
}
