package source

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"manito/internal/problem"
)

func hashOf(text string) Hash { return sha256.Sum256([]byte(text)) }

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

// unprivilegedEnv names a folder that the test binary, started again as another
// user, is to list: to root everything is readable.
const unprivilegedEnv = "MANITO_TEST_UNPRIVILEGED"

// scanUnprivileged lists and reads the folder and prints what it found.
func scanUnprivileged() int {
	t, err := Open(context.Background(), Input{Location: os.Getenv(unprivilegedEnv), Isolated: true})
	if err != nil {
		fmt.Printf("open: %v: %v\n", problem.KindOf(err), err)
		return 0
	}
	for i := range t.Files {
		c, err := t.Read(context.Background(), &t.Files[i])
		if err != nil {
			fmt.Printf("read: %v\n", err)
			return 1
		}
		fmt.Printf("file %s: %q", t.Files[i].Path, c.Bytes)
		for _, d := range c.Diagnostics {
			fmt.Printf(" [%s: %s]", d.Code, d.Message)
		}
		fmt.Println()
	}
	for _, s := range t.Skipped {
		fmt.Printf("skipped %s: %v\n", s.Path, s.Reason)
	}
	for _, d := range t.Diagnostics {
		fmt.Printf("noted %s\n", d.Code)
	}
	if err := errors.Join(t.Close()); err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}
