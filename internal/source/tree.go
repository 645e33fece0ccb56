package source

import (
	"context"
	"crypto/sha256"
	"strconv"
	"strings"
	"unicode/utf8"

	"manito/internal/code"
	"manito/internal/problem"
)

// Hash is the SHA-256 of a file's bytes as they are stored in the repository.
type Hash [sha256.Size]byte

// Kind is where a Tree comes from.
type Kind uint8

// The kinds of trees.
const (
	Folder  Kind = iota // the files as they lie on disk
	Git                 // the files of a commit, read from a git repository
	Archive             // the files of a zip or tar archive
)

// String is the kind in lower case.
func (k Kind) String() string {
	switch k {
	case Git:
		return "git"
	case Archive:
		return "archive"
	}
	return "folder"
}

// Tree is the files of one repository at one moment. It is safe for concurrent
// use and must be closed.
type Tree struct {
	Kind   Kind
	Root   string // absolute path of the folder, bare repository or archive; for a URL, the URL without secrets
	Name   string // a name for the repository: the last element of Root, without ".git" or the archive's extension
	Remote string // the URL of the remote "origin" or the one that was given, without secrets; "" none
	Commit string // the commit that HEAD names or that is read, in hexadecimal; "" none
	Branch string // the branch that is checked out or was asked for; "" none or not known

	Files       []File // sorted bytewise by path
	Skipped     []Skipped
	Diagnostics []code.Diagnostic // about the tree as a whole: rules that could not be read

	reader    reader
	languages *languages
	limits    Limits
}

// File is what the listing tells of a file.
type File struct {
	Path      string // slash-separated, relative to the root; valid UTF-8 (see Diagnostics when it had to be escaped), unique
	Size      int64  // in bytes when it was listed
	Language  string // by name: "go", "tsx", "c++"; "" when only the content can tell
	Type      Type
	Link      bool // a symbolic or hard link; it is not followed and not read
	Exec      bool // the owner may execute it
	Vendored  bool // a copy of other people's code
	Generated bool // written by a program, by its name alone

	Diagnostics []code.Diagnostic

	raw string // where the reader finds it, when that is not Path: the name on disk, a git object, or nothing
	at  int64  // likewise: an offset or an index
}

// SkipReason says why something that exists is not in Files, or why a file was not read.
type SkipReason uint8

// The reasons.
const (
	SkipNone           SkipReason = iota
	SkipVersionControl            // a version control system's own directory
	SkipDependencies              // installed dependencies
	SkipBuildOutput               // caches and output of tools
	SkipNested                    // another repository inside of this one
	SkipSubmodule                 // a submodule that is not checked out
	SkipSpecial                   // no file, directory or link: a socket, pipe or device
	SkipUnreadable                // it could not be read
	SkipLink                      // a link
	SkipTooLarge                  // larger than Limits.FileSize
	SkipVanished                  // it was listed and was gone when it was to be read
)

// String is the reason in lower case, dashed.
func (r SkipReason) String() string {
	names := [...]string{"", "version-control", "dependencies", "build-output", "nested-repository", "submodule", "special",
		"unreadable", "link", "too-large", "vanished"}
	if int(r) < len(names) {
		return names[r]
	}
	return "reason-" + strconv.Itoa(int(r))
}

// Skipped is something below the root that is not in Files although no ignore
// rule excludes it.
type Skipped struct {
	Path      string // as File.Path
	Directory bool   // it and everything below it
	Reason    SkipReason
	Message   string // for people
}

// Content is what reading a file tells. Bytes is nil unless Skip is SkipNone.
type Content struct {
	Bytes     []byte // the file; UTF-16 is turned into UTF-8
	Hash      Hash   // of the bytes as stored, before any decoding
	Language  string // settled by the content where the name left it open; "" unknown
	Type      Type
	Lines     int  // lines, counting a last one without a line feed
	Binary    bool // it is no text; Language is "" then
	Minified  bool // its lines are too long for people
	Outline   bool // only an outline should be taken: minified, or larger than Limits.OutlineSize
	Vendored  bool
	Generated bool
	Skip      SkipReason // why it was not read
	// Diagnostics are those of reading; File.Diagnostics are not repeated.
	Diagnostics []code.Diagnostic
}

// reader gives the bytes of a tree's files.
type reader interface {
	// read returns a file's bytes, in buf when it is large enough. It returns a
	// fileError when the file alone is to blame.
	read(ctx context.Context, f *File, buf []byte) ([]byte, error)
	close() error
}

// fileError is why one file could not be read; the rest of the tree can be.
type fileError struct {
	reason  SkipReason
	message string
}

func (e *fileError) Error() string { return e.message }

// Read reads a file. Whatever is wrong with the file alone is told by the
// Content; the error is for a context that is done and for a tree that cannot be
// read any further.
func (t *Tree) Read(ctx context.Context, f *File) (Content, error) {
	return t.ReadInto(ctx, f, nil)
}

// ReadInto is Read with a buffer: the bytes are put into buf when it has the
// capacity, otherwise into a new, larger one. A worker that hands Bytes[:0] of
// each Content to the next call allocates only for ever larger files.
func (t *Tree) ReadInto(ctx context.Context, f *File, buf []byte) (Content, error) {
	if err := ctx.Err(); err != nil {
		return Content{}, err
	}
	c := Content{Language: f.Language, Type: f.Type, Vendored: f.Vendored, Generated: f.Generated}
	switch {
	case f.Link:
		c.Skip = SkipLink
		return c, nil // the listing said it
	case f.Size > t.limits.FileSize:
		c.refuse(tooLarge(f.Size, t.limits.FileSize))
		return c, nil
	}
	raw, err := t.reader.read(ctx, f, buf)
	if err != nil {
		refusal, ok := err.(*fileError)
		if !ok {
			return Content{}, err
		}
		c.refuse(refusal)
		return c, nil
	}
	t.examine(&c, f, raw)
	return c, nil
}

// refuse records why the file was not read.
func (c *Content) refuse(e *fileError) {
	c.Skip = e.reason
	c.Diagnostics = append(c.Diagnostics, code.Diagnostic{Severity: code.SeverityWarning, Code: e.reason.String(), Message: e.message})
}

func tooLarge(size, limit int64) *fileError {
	return &fileError{SkipTooLarge, "the file has " + bytesText(size) + ", more than the limit of " + bytesText(limit) + "; it was not read"}
}

// Close gives back what the tree holds: processes, open and temporary files.
func (t *Tree) Close() error {
	if t.reader == nil {
		return nil
	}
	return problem.Wrap(t.reader.close(), problem.Internal, "closing %s", t.Root)
}

// bytesText writes a size for people.
func bytesText(n int64) string {
	switch {
	case n >= 10<<30:
		return strconv.FormatInt(n>>30, 10) + " GiB"
	case n >= 10<<20:
		return strconv.FormatInt(n>>20, 10) + " MiB"
	case n >= 10<<10:
		return strconv.FormatInt(n>>10, 10) + " KiB"
	}
	return strconv.FormatInt(n, 10) + " bytes"
}

// escapePath makes a path valid UTF-8: each byte that is not is written \xNN.
func escapePath(path string) (string, bool) {
	if utf8.ValidString(path) {
		return path, false
	}
	const hex = "0123456789abcdef"
	var b strings.Builder
	for i := 0; i < len(path); {
		r, size := utf8.DecodeRuneInString(path[i:])
		if r == utf8.RuneError && size == 1 {
			b.WriteString(`\x`)
			b.WriteByte(hex[path[i]>>4])
			b.WriteByte(hex[path[i]&15])
		} else {
			b.WriteString(path[i : i+size])
		}
		i += size
	}
	return b.String(), true
}
