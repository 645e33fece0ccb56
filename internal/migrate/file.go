package migrate

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"

	"manito/internal/problem"
)

// File is one migration, parsed.
type File struct {
	Version      int64    // the number that its name starts with
	Name         string   // its name in the folder, such as 00001_core.sql
	Checksum     Checksum // over the text with LF line ends
	Transaction  bool     // false after "-- +goose NO TRANSACTION"
	Up, Down     []Statement
	Irreversible string // the reason after "-- irreversible:"; empty when there is a Down
}

// Checksum is the SHA-256 of a file.
type Checksum [sha256.Size]byte

// String is the checksum in hexadecimal.
func (c Checksum) String() string { return fmt.Sprintf("%x", c[:]) }

// Statement is one SQL statement of a file, without its semicolon.
type Statement struct {
	SQL  string // placeholders not yet expanded
	Line int    // of its first word, counted from 1
}

// Finding is one thing that is wrong with the migrations or with the database.
type Finding struct {
	Code     string   `json:"code"`              // stable word, such as "checksum"
	Severity Severity `json:"severity"`          // what Validate and Lint compare with --fail-on
	Version  int64    `json:"version,omitempty"` // 0 when it is about no single file
	File     string   `json:"file,omitempty"`    //
	Line     int      `json:"line,omitempty"`    // counted from 1; 0 when it is about the whole file
	Message  string   `json:"message"`           // what is wrong
	Fix      string   `json:"fix,omitempty"`     // what to do
}

// Severity orders findings; its words are what --fail-on takes.
type Severity string

// The severities, gravest first.
const (
	High   Severity = "high"
	Medium Severity = "medium"
	Low    Severity = "low"
	Info   Severity = "info"
)

// fileName is the shape of a migration's name: five digits, an underscore, words.
var fileName = regexp.MustCompile(`^(\d{5})_[a-z0-9][a-z0-9_]*\.sql$`)

// placeholder finds {{word}}, also misspelled ones.
var placeholder = regexp.MustCompile(`\{\{([^{}]*)\}\}`)

// Parse reads every migration of a folder. It goes on after a mistake so that all
// are found at once; the files are sorted by version and hold only those that parse.
func Parse(fsys fs.FS) ([]File, []Finding, error) {
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, nil, fmt.Errorf("reading the migrations: %w", err)
	}
	var files []File
	var findings []Finding
	for _, e := range entries {
		if e.IsDir() || path.Ext(e.Name()) != ".sql" {
			continue
		}
		text, err := fs.ReadFile(fsys, e.Name())
		if err != nil {
			return nil, nil, fmt.Errorf("reading migration %s: %w", e.Name(), err)
		}
		f, bad := ParseFile(e.Name(), text)
		findings = append(findings, bad...)
		if !slices.ContainsFunc(bad, func(b Finding) bool { return b.Code == "name" }) {
			files = append(files, f)
		}
	}
	slices.SortStableFunc(files, func(a, b File) int { return int(a.Version - b.Version) })
	findings = append(findings, sequence(files)...)
	return files, findings, nil
}

// sequence finds versions that occur twice and numbers left out.
func sequence(files []File) []Finding {
	var out []Finding
	for i := 1; i < len(files); i++ {
		prev, f := files[i-1], files[i]
		switch {
		case f.Version == prev.Version:
			out = append(out, finding(f, "duplicate", 0, "%s has the version of %s", f.Name, prev.Name).
				fix("give the newer of the two the next free number"))
		case f.Version != prev.Version+1:
			out = append(out, finding(f, "gap", 0, "%s follows %s: the numbers between them are missing", f.Name, prev.Name).
				fix("rename it to number %05d, or restore the missing file", prev.Version+1))
		}
	}
	if len(files) > 0 && files[0].Version != 1 {
		out = append(out, finding(files[0], "gap", 0, "the first migration is %s, not number 00001", files[0].Name).
			fix("restore the missing files"))
	}
	return out
}

func finding(f File, code string, line int, format string, args ...any) Finding {
	return Finding{Code: code, Severity: High, Version: f.Version, File: f.Name, Line: line, Message: fmt.Sprintf(format, args...)}
}

func (f Finding) fix(format string, args ...any) Finding {
	f.Fix = fmt.Sprintf(format, args...)
	return f
}

// invalid makes the first of some findings an error; nil when there are none.
func invalid(findings []Finding) error {
	if len(findings) == 0 {
		return nil
	}
	first := findings[0]
	where := first.File
	if first.Line > 0 {
		where = fmt.Sprintf("%s:%d", first.File, first.Line)
	}
	e := problem.New(problem.Invalid, "migration %s: %s", where, first.Message)
	if where == "" {
		e = problem.New(problem.Invalid, "migrations: %s", first.Message)
	}
	if first.Fix != "" {
		e = e.Fix("%s", first.Fix)
	}
	if len(findings) > 1 {
		e = e.Fix("see the other %d: manito db validate", len(findings)-1)
	}
	return e
}

// normalize removes what a checkout may change without an edit: CRLF line ends.
func normalize(text []byte) []byte { return bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")) }

// ParseFile reads one migration. The annotations are goose's; statements end at
// semicolons outside of quotes, dollar quotes and BEGIN ATOMIC bodies, so that
// StatementBegin and StatementEnd are allowed and not needed.
func ParseFile(name string, text []byte) (File, []Finding) {
	text = normalize(text)
	f := File{Name: name, Checksum: sha256.Sum256(text), Transaction: true}
	number := fileName.FindStringSubmatch(name)
	if number == nil {
		return f, []Finding{finding(f, "name", 0, "the name %s is not of the form 00001_words_in_lower_case.sql", name).
			fix("rename the file")}
	}
	f.Version, _ = strconv.ParseInt(number[1], 10, 64) // five digits always parse
	if f.Version == 0 {
		return f, []Finding{finding(f, "name", 0, "version 00000 is reserved for the empty schema").fix("start with 00001")}
	}
	p := fileParser{file: &f, text: string(text)}
	p.run()
	p.check()
	return f, p.findings
}
