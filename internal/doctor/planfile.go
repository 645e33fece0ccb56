package doctor

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// WritePlan writes the plan as files that psql runs, one per role in the order of the
// plan, and returns their names. A file of an earlier plan is never overwritten.
func (r *Report) WritePlan(dir string) ([]string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	var files, roles []string
	body := map[string]*strings.Builder{}
	for _, step := range r.Plan {
		if step.Safety == Advice {
			continue
		}
		b := body[step.Role]
		if b == nil {
			b = &strings.Builder{}
			fmt.Fprintf(b, "-- Plan of manito db doctor for database %s.\n-- Run it as %s or as a superuser: psql -f FILE\n\\set ON_ERROR_STOP on\nSET search_path = pg_catalog;\nSET lock_timeout = '2s';\n", r.Database, step.Role)
			body[step.Role] = b
			roles = append(roles, step.Role)
		}
		fmt.Fprintf(b, "\n-- %s %s (%s, lock %s, %s)\n%s", step.ID, comment(step.Object), step.Safety, step.Lock, comment(step.DryRun), commented("undo: "+step.Undo))
		if step.Transaction {
			fmt.Fprintf(b, "BEGIN;\n%s;\nCOMMIT;\n", strings.Join(step.SQL, ";\n"))
		} else {
			fmt.Fprintf(b, "%s;\n", strings.Join(step.SQL, ";\n"))
		}
	}
	for i, role := range roles {
		name := fmt.Sprintf("%02d-%s.sql", i+1, strings.Map(fileSafe, role))
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err != nil {
			return files, err
		}
		_, err = f.WriteString(body[role].String())
		if end := f.Close(); err == nil {
			err = end
		}
		if err != nil {
			return files, err
		}
		files = append(files, name)
	}
	return files, nil
}

// comment keeps a text on the line of its comment.
func comment(text string) string { return strings.Join(strings.Fields(text), " ") }

// commented makes every line of a text a comment.
func commented(text string) string {
	return "-- " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n-- ") + "\n"
}

func fileSafe(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-' {
		return r
	}
	return '_'
}
