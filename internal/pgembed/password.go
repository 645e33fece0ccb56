//go:build linux || darwin

package pgembed

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"manito/internal/problem"
)

// passwordName is the file, in the base, with the superuser's password.
const passwordName = "password"

// errNoPassword says that the file is missing or empty.
var errNoPassword = errors.New("there is no password file")

// readPassword reads the superuser's password and keeps the file to its owner.
func (c *Cluster) readPassword() (string, error) {
	path := c.path(passwordName)
	st, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", errNoPassword
	}
	if err != nil {
		return "", c.blame(err, "the password file %s cannot be examined", path)
	}
	if perm := st.Mode().Perm(); perm != 0o600 {
		if err := os.Chmod(path, 0o600); err != nil {
			return "", c.blame(err, "the password file %s has mode %04o and cannot be given 0600", path, perm)
		}
		c.notice(fmt.Sprintf("The password file %s had mode %04o; it is 0600 again.", path, perm))
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", c.blame(err, "the password file %s cannot be read", path)
	}
	if password := strings.TrimSpace(string(text)); password != "" {
		return password, nil
	}
	return "", errNoPassword
}

// newPassword makes a password of 192 random bits and writes it.
func (c *Cluster) newPassword() (string, error) {
	var random [24]byte
	if _, err := rand.Read(random[:]); err != nil {
		return "", problem.Wrap(err, problem.Internal, "no random bytes for a password")
	}
	password := hex.EncodeToString(random[:])
	return password, c.write(passwordName, []byte(password+"\n"), c.owner)
}

// resetPassword gives the superuser a new password in a cluster whose server is
// stopped: its file was lost, or came from elsewhere. Whoever may do this owns the
// data anyway. The caller holds the server's lock.
func (c *Cluster) resetPassword(ctx context.Context, p programs, lock *os.File) error {
	password, err := c.newPassword()
	if err != nil {
		return err
	}
	// Single-user mode reads statements from its standard input, one a line.
	cmd := c.server.command(ctx, p.path("postgres"), "--single", "-D", c.dataDir(p.major), "postgres")
	cmd.Stdin = strings.NewReader(fmt.Sprintf("alter role %s password '%s'\n", Superuser, password))
	cmd.ExtraFiles = []*os.File{lock}
	said, err := cmd.CombinedOutput()
	if err != nil || strings.Contains(string(said), "ERROR:") {
		if ctx.Err() != nil {
			return interrupted(ctx, "interrupted while giving the database a new password")
		}
		return c.diagnose(string(said), err, "the database's password is lost, and a new one cannot be set")
	}
	c.notice("The password of the database was lost; it has a new one. Nothing else changed.")
	return nil
}
