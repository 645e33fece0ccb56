package postgres_test

import (
	"slices"
	"strings"
	"testing"

	"manito/internal/postgres"
	"manito/internal/postgres/postgrestest"
)

// TestIntegrityCheckFindsEveryBreach plants each kind of damage and looks for it.
func TestIntegrityCheckFindsEveryBreach(t *testing.T) {
	t.Parallel()
	for law, damage := range map[string]string{
		"edge-source":     `update edge_block b set e = array_append(b.e, b.e[1] | (8191::int8 << 51)) where block_id = 3`,
		"edge-index":      `update edge_block b set e = array_append(b.e, (b.e[1] & ~(8191::int8 << 38)) | (8000::int8 << 38)) where block_id = 3`,
		"edge-target":     `update edge_block b set targets[2] = 4711 where block_id = 3`,
		"edge-duplicate":  `update edge_block b set e = array_append(b.e, b.e[1]) where block_id = 3`,
		"edge-dictionary": `update edge_block b set targets[2] = targets[1] where block_id = 3`,
		"manifest":        `delete from blob where blob_id = 3`,
		"definitions":     `delete from node_block where fact_id = 3`,
		"symbol-index":    `update symbol_block set paths[2] = paths[2] % 3 + 4`,
		"name":            `delete from name where name = (select min(name) from name)`,
		"orphan":          `update dependency set path_id = 4711 where path_id = 3`,
		"snapshot":        `update file set block_id = (select max(block_id) from edge_block) where path_id = 3`,
	} {
		t.Run(law, func(t *testing.T) {
			t.Parallel()
			d := postgrestest.New(t)
			db := d.Open(t)
			newCorpus(small).scan(t, db, "/r", "main")
			tag, err := d.Connect(t, d.Admin).Exec(t.Context(), damage)
			if err != nil || tag.RowsAffected() == 0 {
				t.Fatalf("no damage was done: %s %v", tag, err)
			}
			breaches, err := db.CheckIntegrity(t.Context(), repoID(t, db, "/r"), "main", 1000)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(breaches, func(b postgres.Breach) bool { return b.Law == law && b.Detail != "" }) {
				t.Fatalf("not found among %+v", breaches)
			}
		})
	}
	t.Run("sources", func(t *testing.T) {
		t.Parallel()
		d := postgrestest.New(t)
		db := d.Open(t)
		newCorpus(small).scan(t, db, "/r", "main")
		if _, err := d.Connect(t, d.Admin).Exec(t.Context(), `update symbol_block set sources = array_replace(sources, 2::int2, 3::int2)`); err != nil {
			t.Fatal(err)
		}
		breaches, err := db.CheckIntegrity(t.Context(), repoID(t, db, "/r"), "main", 1000)
		if err != nil {
			t.Fatal(err)
		}
		var found []string
		for _, b := range breaches {
			if b.Law == "symbol-index" {
				found = append(found, b.Detail)
			}
		}
		for _, part := range []string{"lacks the mention", "wrong mention"} {
			if !strings.Contains(strings.Join(found, "\n"), part) {
				t.Errorf("%q is not among %q", part, found)
			}
		}
	})
}
