package pgembed

import (
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// processesIn lists the processes whose working folder is a data folder: all of a
// server's, whoever their parent is.
func processesIn(t *testing.T, dir string) []int {
	t.Helper()
	// lsof fails when it finds nothing.
	out, err := exec.Command("lsof", "-a", "-d", "cwd", "-t", "-c", "postgres", dir).Output()
	if err != nil && len(out) > 0 {
		t.Fatal(err)
	}
	var pids []int
	for _, field := range strings.Fields(string(out)) {
		pid, err := strconv.Atoi(field)
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	return pids
}
