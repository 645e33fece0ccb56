package migrate

import "testing"

func TestRealMigrations(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, c *cluster) {
		for _, schema := range []string{"manito", "manito_prod", "Odd Schema"} {
			t.Run(schema, func(t *testing.T) {
				t.Parallel()
				h := newHouse(t, c, schema)
				m := New(Config{DSN: c.dsn(h.roles.Migrator, h.database), Schema: schema})
				if _, err := m.Up(t.Context()); err != nil {
					t.Fatal(err)
				}
				if _, err := m.Down(t.Context(), DownOptions{AllowDataLoss: true}); err != nil {
					t.Fatal(err)
				}
				if _, err := m.UpWith(t.Context(), UpOptions{DryRun: true}); err != nil {
					t.Fatal(err)
				}
			})
		}
	})
}
