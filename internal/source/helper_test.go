package source

import (
	"os/exec"
	"testing"
)

// userGit runs git with the configuration that the test's environment names.
func userGit(tb testing.TB, dir string, args ...string) string {
	tb.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		tb.Fatalf("git %v: %v", args, err)
	}
	return string(out)
}

const unprivilegedEnv = "MANITO_TEST_UNPRIVILEGED"

func scanUnprivileged() int { return 0 }
