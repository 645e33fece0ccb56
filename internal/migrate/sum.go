package migrate

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// SumName is the file beside the migrations that pins their names and contents.
const SumName = "migrations.sum"

// Sum is the content of migrations.sum for some files: one line each with the name,
// the checksum, and a chain that covers every line before it. Two branches that each
// add a migration therefore conflict in git on the last line, however the files are
// named.
func Sum(files []File) string {
	var b strings.Builder
	chain := sha256.Sum256(nil)
	for _, f := range files {
		chain = sha256.Sum256(fmt.Appendf(nil, "%x\n%s\n%s\n", chain, f.Name, f.Checksum))
		fmt.Fprintf(&b, "%s sha256:%s chain:%x\n", f.Name, f.Checksum, chain)
	}
	return b.String()
}

// checkSum compares migrations.sum with the files. A folder without the file is a
// finding too: nothing then notices a lost or a swapped migration.
func checkSum(fsys fs.FS, files []File) ([]Finding, error) {
	const fix = "if the change is meant, run: go generate ./internal/migrate"
	text, err := fs.ReadFile(fsys, SumName)
	if errors.Is(err, fs.ErrNotExist) {
		return []Finding{{Code: "sum", Severity: High, File: SumName, Message: SumName + " is missing", Fix: fix}}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", SumName, err)
	}
	got := lines(string(normalize(text)))
	want := lines(Sum(files))
	var out []Finding
	for i := 0; i < max(len(got), len(want)); i++ {
		switch {
		case i >= len(got):
			out = append(out, finding(files[i], "sum", 0, "%s is not in %s", files[i].Name, SumName).fix(fix))
		case i >= len(want):
			out = append(out, Finding{Code: "sum", Severity: High, File: SumName, Line: i + 1,
				Message: fmt.Sprintf("%s lists %q, which is not there", SumName, firstField(got[i])),
				Fix:     "restore the file, or " + fix})
		case got[i] != want[i]:
			// Every later line differs too, because the chain does; the first one says it all.
			return append(out, finding(files[i], "sum", 0, "%s says %q where the folder has %q",
				SumName, shorten(got[i]), shorten(want[i])).fix(fix)), nil
		}
	}
	return out, nil
}

func lines(s string) []string {
	s = strings.TrimSuffix(s, "\n")
	if s == "" {
		return nil
	}
	return strings.Split(s, "\n")
}

func firstField(line string) string {
	name, _, _ := strings.Cut(line, " ")
	return name
}

// shorten is a line of the sum with digests short enough to read.
func shorten(line string) string {
	var out []string
	for _, field := range strings.Fields(line) {
		if kind, digest, ok := strings.Cut(field, ":"); ok && len(digest) > 12 {
			field = kind + ":" + digest[:12]
		}
		out = append(out, field)
	}
	return strings.Join(out, " ")
}
