package doctor

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Plan files beside those with the fixes.
const (
	planReadme = "README.md"  // what is in the folder, for the person who is handed it
	planVerify = "verify.sql" // every verify query: prints a row for what is not cleared
)

// WritePlan writes the plan as files that psql runs, and returns their names in the order
// in which they belong. The next file begins where another role must go on, so that a
// step never runs before what it builds on. A file of an earlier plan is never overwritten.
func (r *Report) WritePlan(dir string) ([]string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	var scripts []planScript
	var seen [][]string
	for _, step := range r.Plan {
		// One statement can clear two findings; a second time it could fail.
		if step.Safety == Advice || slices.ContainsFunc(seen, func(sql []string) bool { return slices.Equal(sql, step.SQL) }) {
			continue
		}
		seen = append(seen, step.SQL)
		if n := len(scripts); n == 0 || scripts[n-1].role != step.Role {
			scripts = append(scripts, planScript{name: fmt.Sprintf("%02d-%s.sql", n+1, strings.Map(fileSafe, step.Role)), role: step.Role})
		}
		last := &scripts[len(scripts)-1]
		last.steps = append(last.steps, step)
	}
	var files []string
	for _, s := range scripts {
		if err := writeNew(filepath.Join(dir, s.name), s.text(r.Database)); err != nil {
			return files, err
		}
		files = append(files, s.name)
	}
	if err := writeNew(filepath.Join(dir, planVerify), verifyText(scripts)); err != nil {
		return files, err
	}
	return files, writeNew(filepath.Join(dir, planReadme), r.planText(scripts))
}

// planScript is one file of a plan.
type planScript struct {
	name, role string
	steps      []Step
}

// text is what psql runs. The role is taken on with SET ROLE, because owners often
// cannot log in, and because what a superuser creates in passing would belong to it.
func (s planScript) text(database string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "-- Plan of manito db doctor for database %s, for %s. Run it with: psql -X -d DATABASE -f %s\n", comment(database), comment(s.role), s.name)
	b.WriteString("\\set ON_ERROR_STOP on\nSET search_path = pg_catalog;\nSET lock_timeout = '2s';\n")
	fmt.Fprintf(&b, "DO %s;\n", dollars(fmt.Sprintf("BEGIN IF current_database() <> %s THEN RAISE EXCEPTION 'this plan is for another database: %%', %[1]s; END IF; END", literal(database))))
	if s.role == "superuser" {
		fmt.Fprintf(&b, "DO %s;\n", dollars("BEGIN IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN RAISE EXCEPTION 'this file is for a superuser, not for %', current_user; END IF; END"))
	} else {
		fmt.Fprintf(&b, "SET ROLE %s;\n", quote(s.role))
	}
	for _, step := range s.steps {
		fmt.Fprintf(&b, "\n-- %s %s (%s, lock %s, %s)\n%s", step.ID, comment(step.Object), step.Safety, comment(step.Lock), comment(step.DryRun), commented("undo: "+step.Undo))
		if step.Transaction {
			fmt.Fprintf(&b, "BEGIN;\n%s;\nCOMMIT;\n", strings.Join(step.SQL, ";\n"))
		} else {
			fmt.Fprintf(&b, "%s;\n", strings.Join(step.SQL, ";\n"))
		}
	}
	return b.String()
}

func verifyText(scripts []planScript) string {
	var b strings.Builder
	b.WriteString("-- Run it after the plan, with: psql -X -q -At -d DATABASE -f " + planVerify + "\n-- Each row and each error that is printed is a finding that is still there.\nSET default_transaction_read_only = on;\nSET client_min_messages = error;\n")
	for _, s := range scripts {
		for _, step := range s.steps {
			if step.Verify != "" {
				fmt.Fprintf(&b, "\n-- %s %s\n%s;\n", step.ID, comment(step.Object), strings.TrimSuffix(strings.TrimSpace(step.Verify), ";"))
			}
		}
	}
	return b.String()
}

// planText is the plan for people.
func (r *Report) planText(scripts []planScript) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Plan for database %s\n\n%s.\n\n", cell(r.Database), cell(r.Summary()))
	if len(scripts) == 0 {
		b.WriteString("There is nothing that SQL can mend.\n")
		return b.String()
	}
	b.WriteString("Run the files in this order. Each one stops at its first error, and can be run again from the beginning after `manito db doctor --plan` has written a new plan.\n\n| file | run by | steps | of these guarded | not tried, or failed |\n|---|---|---|---|---|\n")
	for _, s := range scripts {
		guarded, untried := 0, 0
		for _, step := range s.steps {
			if step.Safety == Guarded {
				guarded++
			}
			if !strings.HasPrefix(step.DryRun, "ok") {
				untried++
			}
		}
		who := cell(s.role)
		if s.role != "superuser" {
			who += " or a member of it"
		}
		fmt.Fprintf(&b, "| [%s](%[1]s) | %s | %d | %d | %d |\n", s.name, who, len(s.steps), guarded, untried)
	}
	fmt.Fprintf(&b, "\nGuarded steps change rows or the bodies of functions, or build something big: make a backup first. Every step has its undo as a comment above it.\n\nAfterwards [%s](%[1]s) prints what is still there, as a row or as an error.\n\n```sh\n", planVerify)
	for _, s := range scripts {
		fmt.Fprintf(&b, "psql -X -d DATABASE -f %s\n", s.name)
	}
	fmt.Fprintf(&b, "psql -X -q -At -d DATABASE -f %s\n```\n", planVerify)
	for _, s := range scripts {
		for _, step := range s.steps {
			if !strings.HasPrefix(step.DryRun, "ok") {
				fmt.Fprintf(&b, "\n- %s, %s %s: %s\n", s.name, step.ID, cell(step.Object), cell(step.DryRun))
			}
		}
	}
	return b.String()
}

// writeNew writes a file that is not there yet.
func writeNew(path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if end := f.Close(); err == nil {
		err = end
	}
	return err
}

// dollars quotes a text with dollars that it does not have in it.
func dollars(text string) string {
	tag := "$plan$"
	for strings.Contains(text, tag) {
		tag = tag[:len(tag)-1] + "_$"
	}
	return tag + text + tag
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
