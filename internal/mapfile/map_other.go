//go:build !unix

package mapfile

func mapFile(path string) ([]byte, func() error, error) { return readFile(path) }

// syncDir does nothing where folders cannot be synced.
func syncDir(string) error { return nil }
