package pgembed

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// processesIn lists the processes whose working folder is a data folder: all of a
// server's, whoever their parent is.
func processesIn(t *testing.T, dir string) []int {
	t.Helper()
	found, err := filepath.Glob("/proc/[0-9]*/cwd")
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, link := range found {
		if cwd, err := os.Readlink(link); err == nil && (cwd == dir || cwd == dir+" (deleted)") {
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(link)))
			if err != nil {
				t.Fatal(err)
			}
			pids = append(pids, pid)
		}
	}
	return pids
}
