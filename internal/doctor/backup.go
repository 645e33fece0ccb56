package doctor

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// majorOf finds the major version in what pg_dump --version prints.
var majorOf = regexp.MustCompile(`\) (\d+)`)

// dump writes the schemas under examination to a file in a folder. pg_dump refuses
// servers newer than itself, so that is looked at first.
func (s *session) dump(ctx context.Context, folder string) error {
	program, err := exec.LookPath("pg_dump")
	if err != nil {
		return fmt.Errorf("pg_dump is not installed")
	}
	said, err := exec.CommandContext(ctx, program, "--version").Output()
	if err != nil {
		return fmt.Errorf("asking pg_dump for its version: %w", err)
	}
	if m := majorOf.FindSubmatch(said); m != nil {
		if major, err := strconv.Atoi(string(m[1])); err == nil && major < s.server.number/10000 {
			return fmt.Errorf("pg_dump is of version %d, the server is %s", major, s.server.version)
		}
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	file := filepath.Join(folder, "before-doctor-"+time.Now().UTC().Format("20060102T150405.000Z")+".dump")
	args := []string{"--format=custom", "--file=" + file + ".part", "--dbname=" + s.opt.DSN, "--lock-wait-timeout=2000"}
	for _, c := range s.scopes {
		args = append(args, "--schema="+`"`+strings.ReplaceAll(c.Name, `"`, `""`)+`"`)
	}
	cmd := exec.CommandContext(ctx, program, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("pg_dump: %w: %s", err, bytes.TrimSpace(stderr.Bytes()))
	}
	return os.Rename(file+".part", file)
}
