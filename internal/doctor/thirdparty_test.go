package doctor

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// vendor is the schema of somebody else's program, as its Go module carries it.
type vendor struct {
	name, module, version string
	sum                   string // of the module, so that the schema judged is always the same
	files                 string // pattern in the module, in the order of the names
	change                func(sql string) string
	after                 string            // what the program does beside running the files
	accepted              map[string]stands // findings below high, by the check
}

// stands is how many objects of a schema a check speaks of, and why that stays: what is
// said is true, and its authors chose it.
type stands struct {
	objects int
	why     string
}

// ofServer is what every database on the test's server is told.
var ofServer = stands{1, "about the server: pg_stat_statements needs a restart, which is the operator's to choose"}

var vendors = []vendor{
	{name: "river", module: "github.com/riverqueue/river/riverdriver/riverpgxv5", version: "v0.51.1", sum: "h1:ojQHIvNGa7YRKjoCN5OC/N/vxKWwmVco761q2RozI+U=", files: "migration/main/*.up.sql",
		after:    "insert into river_migration (line, version) select 'main', v from generate_series(1, 8) v; revoke insert, update, delete on river_migration from doctor_test_app",
		accepted: map[string]stands{"SET-03": ofServer}},
	{name: "authelia", module: "github.com/authelia/authelia/v4", version: "v4.38.0", sum: "h1:PwJjCqORzOm5oZmlnQjwewzo/L/nQevEai2cuLMNdEM=", files: "internal/storage/migrations/postgres/*.up.sql",
		after: "revoke insert, update, delete on migrations from doctor_test_app",
		accepted: map[string]stands{"SET-03": ofServer,
			"IDX-02":  {5, "an index on (client_id) beside one on (client_id, subject): it costs each write, and harms nothing"},
			"KEY-01":  {1, "totp_configurations lost its id; the unique index on the user's name finds a row, and logical replication would want a key"},
			"KEY-02":  {13, "keys of sessions to their consent without an index: deleting a consent reads the sessions, of which there are few"},
			"SEQ-05":  {20, "serial keys of 32 bits: enough for a login server, true all the same"},
			"TYPE-01": {21, "lengths of texts are limited in the type, in the way of MySQL, which it supports as well"}}},
	{name: "temporal", module: "go.temporal.io/server", version: "v1.25.0", sum: "h1:HwP7musDblTbobv8727t5riWB5T1UKqUZBLmIrWFwF8=", files: "schema/postgresql/v12/temporal/schema.sql",
		accepted: map[string]stands{"SET-03": ofServer,
			"SCL-01":  {14, "its task queues and namespaces belong to no shard of the history"},
			"TYPE-01": {31, "lengths in the type and timestamp without time zone, in the way of MySQL; it writes UTC"}}},
	{name: "openfga", module: "github.com/openfga/openfga", version: "v1.8.0", sum: "h1:Yqsont2a4Taocg8hunsIXMDX4TPv1CbGTS5Co3IAs00=", files: "assets/migrations/postgres/*.sql",
		change:   func(sql string) string { return gooseDown.ReplaceAllString(sql, "") },
		accepted: map[string]stands{"SET-03": ofServer}},
}

var gooseDown = regexp.MustCompile(`(?s)-- \+goose Down.*`)

// TestThirdParty examines schemas that people run in earnest. They are set up as an
// operator would who follows the doctor: an owner that cannot log in, a program's role
// with rights on rows. On none of them is there a critical or high finding, and every
// lower one is listed with its reason.
func TestThirdParty(t *testing.T) {
	t.Parallel()
	for _, g := range vendors {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			p := newPatient(t)
			p.exec(t, `create schema third authorization doctor_test_owner; grant usage on schema third to doctor_test_app;
				alter default privileges for role doctor_test_owner in schema third grant select, insert, update, delete on tables to doctor_test_app;
				alter default privileges for role doctor_test_owner in schema third grant usage, select on sequences to doctor_test_app;
				set role doctor_test_owner; set search_path = third, public`)
			for _, file := range g.sources(t) {
				text, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				sql := strings.ReplaceAll(string(text), "/* TEMPLATE: schema */", "")
				if g.change != nil {
					sql = g.change(sql)
				}
				if _, err := p.conn.Exec(t.Context(), sql, pgx.QueryExecModeSimpleProtocol); err != nil {
					t.Fatalf("%s: %v", filepath.Base(file), err)
				}
			}
			if g.after != "" {
				p.exec(t, g.after)
			}
			p.exec(t, "reset role; reset search_path; analyze")
			opt := p.options()
			opt.Schema = "third"
			r := examine(t, opt)
			seen := map[string]int{}
			for _, f := range r.Findings {
				seen[f.ID]++
				if f.Severity.AtLeast(High) || g.accepted[f.ID].why == "" {
					t.Errorf("%s %s of %s: %s", f.Severity, f.ID, f.Object, f.Evidence)
				}
			}
			for id, s := range g.accepted {
				if seen[id] != s.objects {
					t.Errorf("%s is found of %d objects, %d are listed", id, seen[id], s.objects)
				}
			}
			for _, k := range r.Missed() {
				t.Errorf("not looked at: %+v", k)
			}
		})
	}
}

// sources downloads the module, through the cache of the go command, and lists its files.
func (g vendor) sources(t *testing.T) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "mod", "download", "-json", g.module+"@"+g.version)
	cmd.Dir = t.TempDir()                                                           // outside of every module
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off", "GONOSUMDB=*") // the sum is compared below
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	var got struct{ Dir, Sum, Error string }
	if json.Unmarshal(out, &got) != nil || err != nil || got.Error != "" {
		t.Fatalf("downloading %s: %v %s %s", g.module, err, got.Error, stderr.Bytes())
	}
	if got.Sum != g.sum {
		t.Fatalf("%s has the sum %s, want %s", g.module, got.Sum, g.sum)
	}
	files, err := filepath.Glob(filepath.Join(got.Dir, g.files))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s has no %s: %v", g.module, g.files, err)
	}
	slices.Sort(files)
	return files
}
