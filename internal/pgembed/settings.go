//go:build linux || darwin

package pgembed

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"manito/internal/problem"
)

// confName is the file, in the data folder, with the settings that Manito chooses.
// It is rewritten before each start. ALTER SYSTEM beats it.
const confName = "manito.conf"

// laws are the settings that keep what was acknowledged and let nobody in. They are
// given on the server's command line, which beats every file and ALTER SYSTEM.
// synchronous_commit off was measured to lose acknowledged rows at every kill, and to
// save nothing; backups stream the log, which takes wal_level replica.
func laws(settings map[string]string) []string {
	return []string{
		"-c", "fsync=on",
		"-c", "full_page_writes=on",
		"-c", "synchronous_commit=on",
		"-c", "wal_level=" + cmp.Or(settings["wal_level"], "replica"),
		"-c", "listen_addresses=",
		"-c", "unix_socket_permissions=0700",
	}
}

// tuned are the settings of one cluster.
type tuned struct {
	memory   uint64 // bytes that the machine, or our container, has
	walLZ4   bool
	toastLZ4 bool
}

// values are the settings that Manito chooses, before Options.Settings.
func (t tuned) values() map[string]string {
	mb := func(bytes, low, high uint64) string {
		return strconv.FormatUint(min(max(bytes>>20, low), high), 10) + "MB"
	}
	v := map[string]string{
		"max_connections": "120", // a serving process has 50, and there may be two
		"max_wal_senders": "10",

		"shared_buffers":                      mb(t.memory/8, 32, 256), // the system caches files too, and a laptop has other uses
		"effective_cache_size":                mb(t.memory/2, 128, 64<<10),
		"work_mem":                            "32MB",
		"maintenance_work_mem":                mb(t.memory/32, 64, 1024),
		"huge_pages":                          "try",
		"random_page_cost":                    "1.1",
		"jit":                                 "off", // compiling costs more than our queries
		"max_wal_size":                        "4GB",
		"min_wal_size":                        "80MB",
		"checkpoint_timeout":                  "15min",
		"autovacuum_naptime":                  "20s",
		"wal_compression":                     "on",
		"default_toast_compression":           "pglz",
		"checkpoint_completion_target":        "0.9",
		"autovacuum_vacuum_cost_limit":        "1000",
		"max_parallel_workers_per_gather":     "2",
		"max_parallel_maintenance_workers":    "2",
		"idle_in_transaction_session_timeout": "60s",

		"password_encryption":        "scram-sha-256",
		"ssl":                        "off", // a Unix socket
		"timezone":                   "UTC",
		"log_timezone":               "UTC",
		"log_line_prefix":            "%m [%p] %q%a %d ",
		"logging_collector":          "off",
		"log_checkpoints":            "off",
		"log_min_duration_statement": "250ms",
		"log_parameter_max_length":   "0", // values may be secrets
	}
	if t.walLZ4 {
		v["wal_compression"] = "lz4"
	}
	if t.toastLZ4 {
		v["default_toast_compression"] = "lz4"
	}
	return v
}

// checkSettings refuses settings that would break a law.
func checkSettings(settings map[string]string) error {
	for name, value := range settings {
		bad := func(why string) error {
			return problem.New(problem.Usage, "the database setting %s = %s is not allowed: %s", name, value, why).
				Fix("leave %s out of the settings given to Manito", name)
		}
		if name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_.") != "" {
			return problem.New(problem.Usage, "%q is not the name of a database setting", name)
		}
		if strings.ContainsAny(value, "\n\r\x00") {
			return bad("a value is one line")
		}
		low := 0
		switch name {
		case "fsync", "full_page_writes", "synchronous_commit", "zero_damaged_pages", "ignore_checksum_failure", "ignore_invalid_pages":
			return bad("it could lose acknowledged data")
		case "listen_addresses", "port", "unix_socket_directories", "unix_socket_permissions", "unix_socket_group",
			"hba_file", "ident_file", "config_file", "data_directory", "external_pid_file", "bonjour":
			return bad("Manito itself says where the database is and who gets in")
		case "wal_level":
			if value != "replica" && value != "logical" {
				return bad("backups need replica or logical")
			}
		case "max_connections":
			low = 120
		case "max_wal_senders":
			low = 4
		}
		if n, err := strconv.Atoi(value); low > 0 && (err != nil || n < low) {
			return bad(fmt.Sprintf("at least %d are needed", low))
		}
	}
	return nil
}

// configure writes the settings into a data folder, if they are not there already.
func (c *Cluster) configure(ctx context.Context, p programs, dir string) error {
	path := filepath.Join(dir, confName)
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return c.blame(err, "the settings %s cannot be read", path)
	}
	st, err := os.Stat(p.path("postgres"))
	if err != nil {
		return blame(err, p.dir, "PostgreSQL's programs in %s cannot be examined", p.dir)
	}
	// What a build of the server accepts is asked once and kept in the first lines.
	id := fmt.Sprintf("# %s %s %d %d\n", p.path("postgres"), p.version, st.Size(), st.ModTime().UnixNano())
	t := tuned{memory: totalMemory()}
	if rest, ok := bytes.CutPrefix(old, []byte(id)); ok {
		line, _, _ := bytes.Cut(rest, []byte("\n"))
		t.walLZ4 = bytes.Contains(line, []byte("wal_lz4"))
		t.toastLZ4 = bytes.Contains(line, []byte("toast_lz4"))
	} else {
		t.walLZ4 = c.accepts(ctx, p, dir, "wal_compression", "lz4")
		t.toastLZ4 = c.accepts(ctx, p, dir, "default_toast_compression", "lz4")
		if ctx.Err() != nil {
			return interrupted(ctx, "interrupted while asking PostgreSQL for its abilities")
		}
	}
	text := t.conf(id, c.opt.Settings)
	if text == string(old) {
		return nil
	}
	return c.write(filepath.Join(filepath.Base(dir), confName), []byte(text), c.server)
}

// conf is the text of the settings file.
func (t tuned) conf(id string, settings map[string]string) string {
	var b strings.Builder
	b.WriteString(id)
	b.WriteString("# accepts:")
	if t.walLZ4 {
		b.WriteString(" wal_lz4")
	}
	if t.toastLZ4 {
		b.WriteString(" toast_lz4")
	}
	b.WriteString("\n# Written by Manito before each start; use ALTER SYSTEM to change a setting for good.\n")
	values := t.values()
	maps.Copy(values, settings)
	for _, name := range slices.Sorted(maps.Keys(values)) {
		fmt.Fprintf(&b, "%s = '%s'\n", name, strings.NewReplacer(`'`, `''`, `\`, `\\`).Replace(values[name]))
	}
	return b.String()
}

// accepts asks the server whether it knows a value: builds differ.
func (c *Cluster) accepts(ctx context.Context, p programs, dir, name, value string) bool {
	return c.server.command(ctx, p.path("postgres"), "-D", dir, "-C", name, "-c", name+"="+value).Run() == nil
}
