package migrate

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Object is one thing in a schema. In its texts the names of the schema and of the roles
// are the placeholders of migrations, so that two installations can be compared.
type Object struct {
	Kind       string `json:"kind"`               // such as table, column, grant
	Name       string `json:"name"`               // unique within the kind
	Parent     string `json:"parent,omitempty"`   // kind and name of what it vanishes with
	Included   bool   `json:"included,omitempty"` // creating the parent creates it too
	Definition string `json:"definition"`         // what is compared; of functions a hash
	Create     string `json:"create"`             // SQL that makes it
	Alter      string `json:"alter,omitempty"`    // SQL that makes an existing one so
	Replace    bool   `json:"replace,omitempty"`  // Create does that too
	Drop       string `json:"drop"`               // SQL that removes it
}

func (o Object) key() string { return o.Kind + " " + o.Name }

// Catalog is a schema's objects, without the ledger, in a fixed order.
type Catalog []Object

// Hash is a digest of everything that is compared, in hexadecimal.
func (c Catalog) Hash() string {
	h := sha256.New()
	for _, o := range c {
		fmt.Fprintf(h, "%q %q %q\n", o.Kind, o.Name, o.Definition)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// kinds is the order in which objects can be created.
var kinds = []string{"schema", "type", "sequence", "table", "column", "default", "not null", "storage", "statistics", "compression",
	"constraint", "index", "function", "view", "trigger", "rule", "policy", "extended statistics", "operator", "owner", "grant", "default privilege", "comment"}

// readCatalog reads the objects of a site's schema. It sets the search path of the
// transaction to the site's, because the server then writes names in this schema
// without the schema's name.
func (s *site) readCatalog(ctx context.Context, tx pgx.Tx) (Catalog, error) {
	if _, err := tx.Exec(ctx, "set local search_path to "+s.searchPath()); err != nil {
		return nil, explain(ctx, err, "reading the catalogue")
	}
	var out Catalog
	for _, query := range catalogQueries {
		rows, err := tx.Query(ctx, query, s.schema, ledgerObjects)
		if err != nil {
			return nil, explain(ctx, err, "reading the catalogue")
		}
		objects, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (o Object, err error) {
			err = row.Scan(&o.Kind, &o.Name, &o.Parent, &o.Included, &o.Definition, &o.Create, &o.Alter, &o.Drop)
			if o.Alter == o.Create {
				o.Alter, o.Replace = "", true
			}
			return o, err
		})
		if err != nil {
			return nil, explain(ctx, err, "reading the catalogue")
		}
		out = append(out, objects...)
	}
	for i := range out {
		s.neutral(&out[i])
	}
	slices.SortFunc(out, order)
	return out, nil
}

func order(a, b Object) int {
	return cmp.Or(slices.Index(kinds, a.Kind)-slices.Index(kinds, b.Kind), strings.Compare(a.Name, b.Name))
}

// neutral replaces the installation's own names by placeholders. Roles come out of the
// queries as \x01name\x01; the schema's name stands where the server always writes it,
// in a search path, or where a migration had {{schema}}.
func (s *site) neutral(o *Object) {
	plain := s.schema // as the server writes it when it needs no quotes
	pairs := []string{
		quote(s.schema), "{{schema}}",
		"\x01" + s.roles.Owner + "\x01", "{{owner}}",
		"\x01" + s.roles.Migrator + "\x01", "{{migrator}}",
		"\x01" + s.roles.App + "\x01", "{{app}}",
		"\x01" + s.roles.Reader + "\x01", "{{reader}}",
		"\x01public\x01", "public",
		" SET search_path TO '" + plain + "'", " SET search_path TO {{schema}}",
		"CREATE STATISTICS " + plain + ".", "CREATE STATISTICS {{schema}}.",
	}
	for _, routine := range []string{"FUNCTION", "PROCEDURE"} {
		pairs = append(pairs, "CREATE OR REPLACE "+routine+" "+plain+".", "CREATE OR REPLACE "+routine+" {{schema}}.")
	}
	r := strings.NewReplacer(pairs...)
	for _, text := range []*string{&o.Name, &o.Parent, &o.Definition, &o.Create, &o.Alter, &o.Drop} {
		*text = r.Replace(*text)
		// A role that is none of the four keeps its own name, as an identifier.
		for {
			before, rest, ok := strings.Cut(*text, "\x01")
			if !ok {
				break
			}
			name, after, _ := strings.Cut(rest, "\x01")
			*text = before + quote(name) + after
		}
	}
	if o.Kind == "function" {
		sum := sha256.Sum256([]byte(o.Definition))
		o.Definition = "sha256:" + hex.EncodeToString(sum[:])
	}
}
