package cli

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// TestAppPasswordIsOne: however many processes start at once, all use one password, which only its owner reads.
func TestAppPasswordIsOne(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, appPasswordName), nil, 0o644); err != nil { // a disk was full
		t.Fatal(err)
	}
	if _, err := appPassword(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, appPasswordName)); err != nil {
		t.Fatal(err)
	}
	got := make([]string, 32)
	var all sync.WaitGroup
	for i := range got {
		all.Go(func() {
			var err error
			if got[i], err = appPassword(dir); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, p := range got {
		if p != got[0] || len(p) != 48 {
			t.Fatalf("passwords %q and %q", p, got[0])
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Fatalf("left behind: %v %v", entries, err)
	}
	path := filepath.Join(dir, appPasswordName)
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := appPassword(dir); err != nil {
		t.Fatal(err)
	}
	if st, err := os.Stat(path); err != nil || st.Mode().Perm() != 0o600 {
		t.Fatal(st.Mode(), err)
	}
}

// TestAsRole quotes what a password may hold.
func TestAsRole(t *testing.T) {
	t.Parallel()
	dsn := asRole("host=/x user=a password='b'", `o'hara`, `it's \ "x" y`)
	user, password, err := login(dsn)
	if err != nil || user != `o'hara` || password != `it's \ "x" y` {
		t.Fatalf("%q %q %v", user, password, err)
	}
}
