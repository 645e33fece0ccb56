package trigram_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"manito/internal/trigram"
)

// killed is the environment variable that makes the test's program a writer.
const killed = "MANITO_TEST_TRIGRAM_WRITER"

// versions are the trees that the writer writes one after the other.
func version(i int) tree {
	tr := tree{[]byte("needle\n")}
	for n := range 60 {
		tr = append(tr, []byte(strings.Repeat(fmt.Sprintf("text %d of version %d\n", n, i), 400)))
	}
	return tr
}

// TestKilledWriter kills a process that writes indexes again and again: whatever
// index is there is whole.
func TestKilledWriter(t *testing.T) {
	t.Parallel()
	const versions = 6
	if dir := os.Getenv(killed); dir != "" {
		for i := 0; ; i++ {
			if _, err := trigram.Update(context.Background(), dir, version(i%versions).snapshot()); err != nil {
				t.Fatal(err)
			}
		}
	}
	dir := t.TempDir()
	update(t, dir, version(0).snapshot())
	found := 0
	for i := range 8 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKilledWriter$")
		cmd.Env = append(os.Environ(), killed+"="+dir)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(20+13*i) * time.Millisecond)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		var exit *exec.ExitError
		if err := cmd.Wait(); !errors.As(err, &exit) {
			t.Fatalf("the writer ended by itself: %v", err)
		}
		for v := range versions {
			ix, err := trigram.Open(dir, version(v).snapshot().Digest)
			if errors.Is(err, os.ErrNotExist) && v > 0 {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			found++
			if err := errors.Join(ix.Verify(t.Context()), ix.Close()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if found < 8 {
		t.Errorf("only %d indexes were seen", found)
	}
}
