package migrate

import (
	"encoding/json"
	"strings"
	"testing"
)

// Every report names its schema, says which database it is about, and has empty lists
// where there is nothing, never null.
func TestReportsAsJSON(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, c *cluster) {
		h := newHouse(t, c, "manito")
		m := h.migrator("manito", sqlFiles(simple))
		reports := map[string]func() (any, error){
			"manito/db-plan/v1":     func() (any, error) { return m.Plan(t.Context()) },
			"manito/db-validate/v1": func() (any, error) { return m.Validate(t.Context()) },
			"manito/db-status/v1":   func() (any, error) { return m.Status(t.Context()) },
			"manito/db-drift/v1":    func() (any, error) { return m.Drift(t.Context(), DriftOptions{}) },
			"manito/db-down/v1":     func() (any, error) { return m.Down(t.Context(), DownOptions{}) },
			"manito/db-up/v1":       func() (any, error) { return m.UpWith(t.Context(), UpOptions{DryRun: true}) },
			"manito/db-repair/v1":   func() (any, error) { return m.Repair(t.Context(), RepairOptions{}) },
			"manito/db-init/v1": func() (any, error) {
				return New(Config{DSN: c.dsn("postgres", h.database)}).Init(t.Context(), InitOptions{})
			},
		}
		check := func(name string, want string) {
			rep, err := reports[name]()
			if err != nil {
				t.Errorf("%s: %v", name, err)
				return
			}
			text, err := json.Marshal(rep)
			if err != nil {
				t.Fatal(err)
			}
			var fields struct {
				Schema, Database, Server string
				DatabaseSchema           string `json:"database_schema"`
			}
			if err := json.Unmarshal(text, &fields); err != nil {
				t.Fatal(err)
			}
			if fields.Schema != name || fields.Database != h.database || fields.DatabaseSchema != "manito" || fields.Server == "" {
				t.Errorf("%s: %+v", name, fields)
			}
			if strings.Contains(string(text), ":null") || !strings.Contains(string(text), want) {
				t.Errorf("%s: %s", name, text)
			}
		}
		check("manito/db-plan/v1", `"sql":"create table a`)
		check("manito/db-validate/v1", `"code":"sum"`)
		check("manito/db-status/v1", `"state":"pending"`)
		check("manito/db-drift/v1", `"changes":[]`)
		check("manito/db-down/v1", `"undone":[]`)
		check("manito/db-up/v1", `"dry_run":true`)
		check("manito/db-init/v1", `"steps":[]`)
		if _, err := m.Up(t.Context()); err != nil {
			t.Fatal(err)
		}
		check("manito/db-plan/v1", `"steps":[]`)
		check("manito/db-status/v1", `"state":"current"`)
		check("manito/db-repair/v1", `"actions":[]`)
	})
}
