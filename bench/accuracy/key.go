package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// class is what a judge says of a call or an import.
type class byte

// The classes. Of calls:
const (
	classStatic   class = 's' // reaches one function, method or class of the repository, statically
	classDispatch class = 'i' // reaches an interface's or abstract method of the repository, or one of several declarations
	classValue    class = 'v' // calls a function held in a variable, parameter or field
	classExternal class = 'x' // reaches something outside of the repository
	classBuiltin  class = 'b' // a built-in of the language
	classConvert  class = 't' // a conversion written like a call
	classUnknown  class = 'u' // the judge does not know; nobody is charged for it
)

// Of imports: classExternal and classUnknown, and
const (
	classModule class = 'm' // a file or directory of the repository
	className   class = 'n' // a definition of the repository, named in an import or export clause
)

// place is a position in a repository. Lines and columns count from 1, columns in bytes.
// A file or directory as a whole has line 0.
type place struct {
	file         string
	line, column int
}

func (p place) String() string {
	if p.line == 0 {
		return p.file
	}
	return p.file + ":" + strconv.Itoa(p.line) + ":" + strconv.Itoa(p.column)
}

// judgement is the judge's word on one call or import, at the first byte of the name that is called or imported.
type judgement struct {
	line, column int
	class        class
	targets      []place // where what it reaches is declared: the names' first bytes
}

// definition is one that the judge's own parser lists.
type definition struct {
	line, column int    // of the name
	kind         string // in code.Kind's words
	name         string // with the names of what encloses it, joined by dots
}

// override says that a method stands in for another when that one is called.
type override struct {
	line, column int // of the method's name
	target       place
}

// judged is what the judge says about one file.
type judged struct {
	path      string
	sum       string // the first 16 hexadecimal digits of the SHA-256 of the bytes that were judged
	calls     []judgement
	imports   []judgement
	defs      []definition
	overrides []override
}

// answerKey is what a judge says about one package.
type answerKey struct {
	judge string // with its version
	files []judged
}

// normalize sorts everything and drops what stands twice, so that equal answers are equal bytes.
func (k *answerKey) normalize() {
	slices.SortFunc(k.files, func(a, b judged) int { return strings.Compare(a.path, b.path) })
	for i := range k.files {
		f := &k.files[i]
		for _, list := range []*[]judgement{&f.calls, &f.imports} {
			for j := range *list {
				t := &(*list)[j].targets
				slices.SortFunc(*t, comparePlaces)
				*t = slices.Compact(*t)
			}
			slices.SortStableFunc(*list, func(a, b judgement) int { return compareInts(a.line, b.line, a.column, b.column) })
			*list = slices.CompactFunc(*list, func(a, b judgement) bool { return a.line == b.line && a.column == b.column })
		}
		slices.SortFunc(f.defs, func(a, b definition) int {
			if c := compareInts(a.line, b.line, a.column, b.column); c != 0 {
				return c
			}
			return strings.Compare(a.kind+a.name, b.kind+b.name)
		})
		f.defs = slices.Compact(f.defs)
		slices.SortFunc(f.overrides, func(a, b override) int {
			if c := compareInts(a.line, b.line, a.column, b.column); c != 0 {
				return c
			}
			return comparePlaces(a.target, b.target)
		})
		f.overrides = slices.Compact(f.overrides)
	}
}

func compareInts(a, b, c, d int) int {
	if a != b {
		return a - b
	}
	return c - d
}

func comparePlaces(a, b place) int {
	if c := strings.Compare(a.file, b.file); c != 0 {
		return c
	}
	return compareInts(a.line, b.line, a.column, b.column)
}

// write stores a key as compressed lines of tab-separated fields: the judge, then
// per file its path and hash, its definitions (d), imports (i), calls (c) and
// overrides (o).
func (k *answerKey) write(w io.Writer) error {
	z, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return err
	}
	b := bufio.NewWriter(z)
	fmt.Fprintf(b, "judge\t%s\n", k.judge)
	list := func(letter string, js []judgement) {
		for _, j := range js {
			fmt.Fprintf(b, "%s\t%d\t%d\t%c", letter, j.line, j.column, j.class)
			for _, t := range j.targets {
				fmt.Fprintf(b, "\t%s", t)
			}
			b.WriteByte('\n')
		}
	}
	for _, f := range k.files {
		fmt.Fprintf(b, "file\t%s\t%s\n", f.path, f.sum)
		for _, d := range f.defs {
			fmt.Fprintf(b, "d\t%d\t%d\t%s\t%s\n", d.line, d.column, d.kind, d.name)
		}
		list("i", f.imports)
		list("c", f.calls)
		for _, o := range f.overrides {
			fmt.Fprintf(b, "o\t%d\t%d\t%s\n", o.line, o.column, o.target)
		}
	}
	if err := b.Flush(); err != nil {
		return err
	}
	return z.Close()
}

// readKey reads what write wrote.
func readKey(r io.Reader) (*answerKey, error) {
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(z)
	if err != nil {
		return nil, err
	}
	k := &answerKey{}
	for n, line := range bytes.Split(bytes.TrimSuffix(text, []byte("\n")), []byte("\n")) {
		if err := k.add(strings.Split(string(line), "\t")); err != nil {
			return nil, fmt.Errorf("line %d of the answer key: %w", n+1, err)
		}
	}
	return k, nil
}

func (k *answerKey) add(fields []string) error {
	switch {
	case fields[0] == "judge" && len(fields) == 2:
		k.judge = fields[1]
		return nil
	case fields[0] == "file" && len(fields) == 3:
		k.files = append(k.files, judged{path: fields[1], sum: fields[2]})
		return nil
	case len(k.files) == 0 || len(fields) < 4:
		return fmt.Errorf("unexpected %q", strings.Join(fields, "\t"))
	}
	f := &k.files[len(k.files)-1]
	line, err := strconv.Atoi(fields[1])
	if err != nil {
		return err
	}
	column, err := strconv.Atoi(fields[2])
	if err != nil {
		return err
	}
	switch fields[0] {
	case "d":
		if len(fields) != 5 {
			return fmt.Errorf("a definition has %d fields", len(fields))
		}
		f.defs = append(f.defs, definition{line, column, fields[3], fields[4]})
	case "o":
		t, err := parsePlace(fields[3])
		if err != nil {
			return err
		}
		f.overrides = append(f.overrides, override{line, column, t})
	case "c", "i":
		j := judgement{line: line, column: column, class: class(fields[3][0])}
		for _, s := range fields[4:] {
			t, err := parsePlace(s)
			if err != nil {
				return err
			}
			j.targets = append(j.targets, t)
		}
		if fields[0] == "c" {
			f.calls = append(f.calls, j)
		} else {
			f.imports = append(f.imports, j)
		}
	default:
		return fmt.Errorf("unknown kind of line %q", fields[0])
	}
	return nil
}

// parsePlace is the inverse of place.String.
func parsePlace(s string) (place, error) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		return place{file: s}, nil
	}
	j := strings.LastIndexByte(s[:i], ':')
	if j < 0 {
		return place{}, fmt.Errorf("no place: %q", s)
	}
	line, err := strconv.Atoi(s[j+1 : i])
	if err != nil {
		return place{}, err
	}
	column, err := strconv.Atoi(s[i+1:])
	return place{s[:j], line, column}, err
}
