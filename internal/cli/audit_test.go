package cli_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"manito/internal/config"
	"manito/internal/doctor"
)

// boxes are those of the audit that the project was started from.
var boxes = []string{
	"Pool health", "SSL connection", "Connection timeout", "Pool exhaustion recovery",
	"Migration application", "Migration rollback", "Duplicate migration", "Migration validation",
	"Graph node creation", "Graph edge creation", "Symbol reference storage", "Embedding storage",
	"Scan result insertion", "File metadata storage", "Dependency tracking", "Conflict detection",
	"API key encryption", "API key decryption", "Key rotation", "Access control",
}

// TestAuditNamesWhatExists holds docs/audit.md to the tests, checks and settings that it
// names: each box has a test of its own name, or belongs to a system that is absent.
func TestAuditNamesWhatExists(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "audit.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string][]string{}
	for line := range strings.Lines(string(page)) {
		if cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|"); strings.HasPrefix(line, "|") && len(cells) == 4 {
			for i := range cells {
				cells[i] = strings.Trim(strings.TrimSpace(cells[i]), "`")
			}
			rows[cells[0]] = cells
		}
	}
	for _, box := range boxes {
		row, ok := rows[box]
		if !ok {
			t.Errorf("docs/audit.md has no row for the box %q", box)
			continue
		}
		folder, test := row[2], row[3]
		if later, found := strings.CutPrefix(test, "not in this version: it belongs to "); found {
			absent := false
			for _, s := range config.Settings {
				absent = absent || s.Later == later
			}
			if !absent {
				t.Errorf("%s: %s is there by now, and the box has no test", box, later)
			}
			continue
		}
		if want := "Test" + strings.ReplaceAll(box, " ", ""); !strings.EqualFold(test, want) {
			t.Errorf("the box %q is tested by %s and not by a test of its name", box, test)
		}
		if !defines(t, filepath.Join("..", "..", folder), test) {
			t.Errorf("%s has no %s", folder, test)
		}
	}
	ids := map[string]bool{}
	for _, c := range doctor.Checks() {
		ids[c.Describe().ID] = true
	}
	for _, m := range regexp.MustCompile(`--only ([A-Z]+-[0-9]+)`).FindAllStringSubmatch(string(page), -1) {
		if !ids[m[1]] {
			t.Errorf("docs/audit.md names the check %s, which does not exist", m[1])
		}
	}
}

// defines says whether a test is defined in a folder.
func defines(t *testing.T, folder, test string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "\nfunc "+test+"(t *testing.T)") {
			return true
		}
	}
	return false
}
