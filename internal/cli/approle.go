package cli

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"manito/internal/config"
	"manito/internal/migrate"
	"manito/internal/pgembed"
)

// appPasswordName is the file beside the cluster's own password with that of the app roles.
const appPasswordName = "app-password"

// embeddedDSN is the address of the embedded database for the app role, which may change
// rows and nothing else: the program uses the superuser only to make the database and to
// migrate it. When the app can log in and finds the schema current, nothing else is asked.
func (a *app) embeddedDSN(ctx context.Context, cfg *config.Config, cluster *pgembed.Cluster) (string, error) {
	dsn, password, err := appDSN(cfg, cluster)
	if err != nil || a.migrator(cfg, dsn).Check(ctx) == nil {
		return dsn, err
	}
	d := &cfg.Database
	if err := cluster.EnsureDatabase(ctx, d.Name); err != nil {
		return "", err
	}
	m := a.migrator(cfg, cluster.DSN(d.Name))
	rep, err := m.Init(ctx, migrate.InitOptions{AppPassword: password})
	if err != nil {
		return "", err
	}
	if _, err := m.Up(ctx); err != nil {
		return "", err
	}
	return asRole(cluster.DSN(d.Name), rep.Roles.App, password), nil
}

// appDSN is the address of the embedded database for the app role, and its password.
func appDSN(cfg *config.Config, cluster *pgembed.Cluster) (dsn, password string, err error) {
	d := &cfg.Database
	password, err = appPassword(filepath.Dir(cluster.DataDir()))
	return asRole(cluster.DSN(d.Name), migrate.RolesFor(migrate.DefaultRolePrefix(d.Name, d.Schema)).App, password), password, err
}

// currentDSN is the app's address while the app finds its schema current, and else the
// superuser's, who can look at what is wrong.
func (a *app) currentDSN(ctx context.Context, cfg *config.Config, cluster *pgembed.Cluster) (string, error) {
	dsn, _, err := appDSN(cfg, cluster)
	if err != nil || a.migrator(cfg, dsn).Check(ctx) == nil {
		return dsn, err
	}
	return cluster.DSN(cfg.Database.Name), nil
}

// asRole is a keyword connection string with another user; of two settings the last one holds.
func asRole(dsn, user, password string) string {
	q := strings.NewReplacer(`\`, `\\`, `'`, `\'`)
	return fmt.Sprintf("%s user='%s' password='%s'", dsn, q.Replace(user), q.Replace(password))
}

// appPassword reads the password of the app roles, or makes one of 192 random bits. Only
// the file's owner can read it. Of several processes that make one, the first wins.
func appPassword(dir string) (string, error) {
	path := filepath.Join(dir, appPasswordName)
	password, err := readSecret(path)
	if err == nil && password != "" {
		return password, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("password of the app role: %w", err)
	}
	if err == nil { // empty: a disk was full
		if err := os.Remove(path); err != nil {
			return "", fmt.Errorf("empty password file: %w", err)
		}
	}
	var random [24]byte
	if _, err := rand.Read(random[:]); err != nil {
		return "", fmt.Errorf("random bytes for a password: %w", err)
	}
	f, err := os.CreateTemp(dir, appPasswordName+"-*") // with mode 0600
	if err != nil {
		return "", fmt.Errorf("password of the app role: %w", err)
	}
	_, err = f.WriteString(hex.EncodeToString(random[:]) + "\n")
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		// A link, unlike a rename, leaves the file of whoever was first.
		if err = os.Link(f.Name(), path); errors.Is(err, fs.ErrExist) {
			err = nil
		}
	}
	if err = errors.Join(err, os.Remove(f.Name())); err != nil {
		return "", fmt.Errorf("password of the app role: %w", err)
	}
	if password, err = readSecret(path); err != nil {
		return "", fmt.Errorf("password of the app role: %w", err)
	}
	return password, nil
}

// readSecret reads a file and keeps it to its owner.
func readSecret(path string) (string, error) {
	st, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if st.Mode().Perm() != 0o600 {
		if err := os.Chmod(path, 0o600); err != nil {
			return "", err
		}
	}
	text, err := os.ReadFile(path)
	return strings.TrimSpace(string(text)), err
}
