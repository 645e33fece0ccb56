package migrate

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

var updateChaos = flag.Bool("update-chaos", false, "write docs/chaos.md from testdata/chaos.json")

// chaosResult is what the chaos did.
type chaosResult struct {
	Schema     string          `json:"schema"`
	Date       string          `json:"date"` // of the end of the run, UTC
	Go         string          `json:"go"`
	System     string          `json:"system"`
	Servers    map[string]bool `json:"servers"`    // versions of PostgreSQL
	Migrations int64           `json:"migrations"` // the newest built-in version
	Processes  int             `json:"processes"`
	Rounds     int             `json:"rounds"`
	Runs       int             `json:"runs"`
	Failures   int             `json:"failures"`        // runs that did not exit with 0
	Twice      int             `json:"applied_twice"`   // migrations that were applied twice in a round
	Deadlocks  int             `json:"deadlocks"`       // attempts that ended with 40P01
	Invalid    int             `json:"invalid_indexes"` // after a round
	Kills      map[string]int  `json:"kills"`           // by direction and phase
	KillsTotal int             `json:"kills_total"`
	Recovered  int             `json:"recovered"` // after which the next run made everything right
}

// counts are those of this process.
var counts = struct {
	sync.Mutex
	chaosResult
}{chaosResult: chaosResult{Schema: "manito/migrate-chaos/v2", Processes: crowdSize, Kills: map[string]int{}, Servers: map[string]bool{}}}

// crowdSize is how many processes bring one database up at once.
const crowdSize = 8

// writeCounts writes the counts where MANITO_CHAOS_REPORT says.
func writeCounts() {
	name := os.Getenv("MANITO_CHAOS_REPORT")
	counts.Lock()
	defer counts.Unlock()
	if name == "" || counts.Runs+counts.KillsTotal == 0 {
		return
	}
	counts.Date, counts.Go, counts.System = time.Now().UTC().Format("2006-01-02 15:04"), runtime.Version(), runtime.GOOS+"/"+runtime.GOARCH
	counts.Migrations = New(Config{}).latest()
	text, err := json.MarshalIndent(counts.chaosResult, "", "  ")
	if err == nil {
		err = os.WriteFile(name, append(text, '\n'), 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "writing the counts:", err)
	}
}

// TestChaosResult holds the committed result of the last full run to what the full run
// must show, and docs/chaos.md to the result.
func TestChaosResult(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("testdata", "chaos.json"))
	if err != nil {
		t.Fatalf("%v: scripts/chaos.sh writes it", err)
	}
	var r chaosResult
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	if r.Processes != 8 || r.Rounds < 100 || r.Runs != r.Rounds*r.Processes {
		t.Errorf("%d rounds of %d processes, %d runs: a full run has 8 x 100 at least", r.Rounds, r.Processes, r.Runs)
	}
	if r.Failures+r.Twice+r.Deadlocks+r.Invalid != 0 {
		t.Errorf("%d failures, %d applied twice, %d deadlocks, %d invalid indexes", r.Failures, r.Twice, r.Deadlocks, r.Invalid)
	}
	total := 0
	for _, n := range r.Kills {
		total += n
	}
	if total < 100 || total != r.KillsTotal || r.Recovered != total {
		t.Errorf("%d kills, %d by phase, %d recovered", r.KillsTotal, total, r.Recovered)
	}
	for _, p := range []string{string(phaseBeforeDDL), string(phaseAfterDDL), string(phaseBeforeLedger), string(phaseBeforeCommit), "in a concurrent build"} {
		if r.Kills["up "+p] == 0 {
			t.Errorf("nobody was killed on the way up: %s", p)
		}
	}
	page := filepath.Join("..", "..", "docs", "chaos.md")
	want := chaosPage(r)
	if *updateChaos {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(page); err != nil || string(got) != want {
		t.Errorf("docs/chaos.md is not what testdata/chaos.json says (%v): go test ./internal/migrate -run ChaosResult -update-chaos", err)
	}
}

// chaosPage is the result for readers.
func chaosPage(r chaosResult) string {
	var b strings.Builder
	fmt.Fprintf(&b, `# Migrators in a crowd, and killed

<!-- Written by scripts/chaos.sh; do not edit. -->

`+"`scripts/chaos.sh`"+` on %s UTC: PostgreSQL %s, %s, %s, built-in migrations up to version %d.

%d rounds in which %d processes bring one empty database up at the same time:

| runs | not exit 0 | migrations applied twice | deadlocks | invalid indexes |
|---:|---:|---:|---:|---:|
| %d | %d | %d | %d | %d |

%d processes ended by SIGKILL in the middle of their work. After each, the catalogue, the ledger, the
history and the rows were right once the next run, unaided, was through: %d of %d times.

| killed | times |
|---|---:|
`, r.Date, strings.Join(slices.Sorted(maps.Keys(r.Servers)), ", "), r.Go, r.System, r.Migrations, r.Rounds, r.Processes,
		r.Runs, r.Failures, r.Twice, r.Deadlocks, r.Invalid, r.KillsTotal, r.Recovered, r.KillsTotal)
	for _, name := range slices.Sorted(maps.Keys(r.Kills)) {
		fmt.Fprintf(&b, "| %s | %d |\n", name, r.Kills[name])
	}
	b.WriteString("\nA phase is a moment inside one migration. locked: the migration lock was obtained. before-ddl: the attempt is recorded and no statement\n" +
		"ran. after-ddl: every statement ran. before-ledger: the ledger row is the next statement. before-commit: it is written. after-commit:\n" +
		"the next migration has not begun. In a concurrent build: CREATE INDEX CONCURRENTLY waits for a writer; by its server process: that one is ended, too.\n")
	return b.String()
}
