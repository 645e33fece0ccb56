package migrate

import (
	"testing"
)

var simple = map[string]string{
	"00001_a.sql": "-- +goose Up\ncreate table a (id bigint primary key, body text not null default '{{schema}}');\ninsert into a (id) select generate_series(1, 1000);\ncreate view a_view as select id from a;\n-- +goose Down\ndrop view a_view;\ndrop table a;\n",
	"00002_b.sql": "-- +goose NO TRANSACTION\n-- +goose Up\ncreate index concurrently if not exists a_body on a (body);\n-- +goose Down\ndrop index concurrently if exists a_body;\n",
	"00003_c.sql": "-- +goose Up\nalter table a add column x int;\ncreate function twice(n int) returns int language sql immutable set search_path = {{schema}}, pg_temp begin atomic; select case when n > 0 then n * 2 end; end;\n-- +goose Down\ndrop function twice(int);\nalter table a drop column x;\n",
}

func TestUpAndDown(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, c *cluster) {
		for _, schema := range []string{"manito", "manito_prod", "Odd Schema"} {
			t.Run(schema, func(t *testing.T) {
				t.Parallel()
				h := newHouse(t, c, schema)
				m := h.migrator(schema, sqlFiles(simple))
				rep, err := m.Up(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if rep.From != 0 || rep.To != 3 || len(rep.Applied) != 3 {
					t.Fatalf("got %+v", rep)
				}
				again, err := m.Up(t.Context())
				if err != nil || len(again.Applied) != 0 {
					t.Fatalf("second up: %+v, %v", again, err)
				}
				down, err := m.Down(t.Context(), DownOptions{To: 0, AllowDataLoss: true})
				if err != nil || len(down.Undone) != 3 {
					t.Fatalf("down: %+v, %v", down, err)
				}
			})
		}
	})
}
