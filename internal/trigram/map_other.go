//go:build !unix

package trigram

import "os"

// mapFile reads a file where files cannot be mapped.
func mapFile(path string) ([]byte, func() error, error) {
	b, err := os.ReadFile(path)
	return b, func() error { return nil }, err
}

// syncDir does nothing where folders cannot be synced.
func syncDir(string) error { return nil }
