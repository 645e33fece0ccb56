package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"manito/internal/code"
	"manito/internal/problem"
)

// openArchive lists the files of a zip or tar archive. It unpacks nothing into
// folders: a zip's files are read where they lie, a tar's go one behind the
// other into one temporary file without a name.
func openArchive(ctx context.Context, in Input, path string) (*Tree, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, statProblem(path, err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(statProblem(path, err), f.Close())
	}
	head := make([]byte, 512)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return nil, errors.Join(problem.Wrap(err, problem.Invalid, "cannot read %s", path), f.Close())
	}
	t := &Tree{Kind: Archive, Root: path, Name: archiveName(path), limits: in.Limits.withDefaults(), languages: newLanguages()}
	a := &archive{tree: t, packed: info.Size(), seen: map[string]int{}}
	switch format := archiveFormat(head[:n]); format {
	case "":
		err = problem.New(problem.Usage, "%s is a file, not a folder, and no archive that can be read", path).
			Fix("scan the folder that holds it: %s", filepath.Dir(path))
	case "xz", "7z", "rar":
		err = problem.New(problem.Unsupported, "%s is an archive in %s format, which is not read", path, format).
			Fix("unpack it and scan the folder").Fix("pack it again as .tar.gz, .tar.zst or .zip")
	case "zip":
		err = a.zip(f, info.Size())
	default:
		err = a.tar(ctx, f, format, in.Dir)
	}
	if err == nil {
		a.strip()
		err = t.filter(ctx, t.Commit == "")
	}
	if _, kept := t.reader.(*zipReader); !kept {
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return t, nil
}

// archiveFormat recognises an archive by its first bytes: the compression, or
// "tar" for none; "" when it is none.
func archiveFormat(head []byte) string {
	for _, f := range [...]struct{ magic, name string }{
		{"PK\x03\x04", "zip"}, {"PK\x05\x06", "zip"}, {"\x1f\x8b", "gzip"}, {"BZh", "bzip2"}, {"\x28\xb5\x2f\xfd", "zstd"},
		{"\xfd7zXZ\x00", "xz"}, {"7z\xbc\xaf\x27\x1c", "7z"}, {"Rar!\x1a\x07", "rar"},
	} {
		if bytes.HasPrefix(head, []byte(f.magic)) {
			return f.name
		}
	}
	if len(head) == 512 && (bytes.HasPrefix(head[257:], []byte("ustar")) || tarChecksum(head)) {
		return "tar"
	}
	return ""
}

// tarChecksum tells whether a block carries the checksum of a tar header: the
// oldest tars have no other mark.
func tarChecksum(block []byte) bool {
	sum := int64(8 * ' ') // the checksum's own field counts as spaces
	for i, c := range block {
		if i < 148 || i >= 156 {
			sum += int64(c)
		}
	}
	want, err := strconv.ParseInt(strings.Trim(string(block[148:156]), " \x00"), 8, 64)
	return err == nil && want == sum && block[0] != 0
}

// archiveName is an archive's name without its extensions.
func archiveName(path string) string {
	name := filepath.Base(path)
	for _, ending := range [...]string{".zip", ".tar", ".tgz", ".tbz2", ".tbz", ".tzst", ".tar.gz", ".tar.bz2", ".tar.zst", ".jar", ".whl", ".crate", ".nupkg"} {
		if short, ok := strings.CutSuffix(strings.ToLower(name), ending); ok && short != "" && !strings.HasSuffix(short, ".tar") {
			return repositoryName(name[:len(short)])
		}
	}
	return repositoryName(name)
}

// archive collects the entries of an archive and holds it to the limits.
type archive struct {
	tree   *Tree
	packed int64          // bytes of the archive itself
	size   int64          // bytes of its files so far
	seen   map[string]int // index in tree.Files by path
	twice  map[string]int // how many more entries a path had
}

// ratioFrom is how much must be unpacked before the ratio counts: small files of
// one repeated byte are honest.
const ratioFrom = 64 << 20

// entry is one member of an archive.
type entry struct {
	name   string
	size   int64
	exec   bool
	link   string // where a link points
	kind   entryKind
	handle int64 // File.at
}

type entryKind uint8

const (
	entryFile entryKind = iota
	entryDirectory
	entrySymlink
	entryHardlink
	entrySpecial
)

// add takes an entry in. An entry that would leave the archive's folder makes
// the whole archive refused: it was made to attack whoever unpacks it.
func (a *archive) add(e entry) error {
	path, err := a.path(e.name)
	if err != nil {
		return err
	}
	if path == "" || e.kind == entryDirectory {
		return nil
	}
	if e.kind == entrySpecial {
		a.tree.Skipped = append(a.tree.Skipped, Skipped{Path: path, Reason: SkipSpecial, Message: "a device, pipe or other special file"})
		return nil
	}
	f := File{Path: path, Size: e.size, Exec: e.exec, at: e.handle}
	switch e.kind {
	case entrySymlink:
		f.Exec = false
		f.link(e.link)
	case entryHardlink:
		f.Link, f.Exec = true, false
		target, _ := escapePath(e.link)
		f.Diagnostics = append(f.Diagnostics, code.Diagnostic{Severity: code.SeverityInfo, Code: "link", Message: "a hard link to " + target + ", not followed"})
	}
	if i, ok := a.seen[path]; ok {
		a.tree.Files[i] = f // as unpacking would have it
		if a.twice == nil {
			a.twice = map[string]int{}
		}
		a.twice[path]++
		return nil
	}
	if len(a.tree.Files) >= a.tree.limits.Files {
		return problem.New(problem.Exhausted, "%s has more than %d files", a.tree.Root, a.tree.limits.Files).Fix("raise the limit on files")
	}
	a.seen[path] = len(a.tree.Files)
	a.tree.Files = append(a.tree.Files, f)
	return nil
}

// grow counts unpacked bytes against the limits; packed is how many bytes they came from.
func (a *archive) grow(n, packed int64) error {
	if a.size += n; n < 0 || a.size < 0 {
		a.size = math.MaxInt64
	}
	return a.bounded(a.size, packed)
}

// bounded holds a number of unpacked bytes to the limits.
func (a *archive) bounded(size, packed int64) error {
	limits := a.tree.limits
	switch {
	case size > limits.ArchiveSize:
		return problem.New(problem.Exhausted, "%s unpacks to more than the limit of %s", a.tree.Root, bytesText(limits.ArchiveSize)).
			Fix("unpack it and scan the folder, if you trust it").Fix("raise the limit on archives")
	case size > ratioFrom && size/limits.ArchiveRatio > packed:
		return problem.New(problem.Exhausted, "%s unpacks to more than %d times its size, which no source does: refused as a decompression bomb", a.tree.Root, limits.ArchiveRatio).
			Fix("unpack it and scan the folder, if you trust it")
	}
	return nil
}

// maxEntryName bounds the name of an entry: longer than any system's paths.
const maxEntryName = 4096

// path cleans an entry's name, "" for the archive's own folder.
func (a *archive) path(name string) (string, error) {
	refuse := func(why string) (string, error) {
		shown, _ := escapePath(name[:min(len(name), 200)])
		return "", problem.New(problem.Invalid, "%s is refused: its entry %q %s", a.tree.Root, shown, why).
			Fix("do not unpack it; get the archive from a source that you trust")
	}
	switch {
	case strings.IndexByte(name, 0) >= 0:
		return refuse("has a NUL byte in its name")
	case len(name) > maxEntryName:
		return refuse("has a name that is too long")
	case strings.HasPrefix(name, "/"):
		return refuse("is an absolute path")
	case len(name) > 2 && name[1] == ':' && (name[2] == '/' || name[2] == '\\') && lower(name[0]) >= 'a' && lower(name[0]) <= 'z':
		return refuse("is an absolute path")
	}
	for element := range strings.SplitSeq(name, "/") {
		if element == ".." {
			return refuse("leads out of the archive")
		}
	}
	if name = path.Clean(name); name == "." {
		name = ""
	}
	return name, nil
}

// strip takes away the one folder that everything lies in, as archives of a
// release have it, and tells which paths came more than once.
func (a *archive) strip() {
	t := a.tree
	for path, n := range a.twice {
		f := &t.Files[a.seen[path]]
		f.Diagnostics = append(f.Diagnostics, code.Diagnostic{Severity: code.SeverityWarning, Code: "duplicate", Message: fmt.Sprintf("the archive holds this path %d times; the last one counts", n+1)})
	}
	if len(t.Files) == 0 {
		return
	}
	top, _, ok := strings.Cut(t.Files[0].Path, "/")
	if !ok {
		return
	}
	top += "/"
	for i := range t.Files {
		if !strings.HasPrefix(t.Files[i].Path, top) {
			return
		}
	}
	for i := range t.Skipped {
		if !strings.HasPrefix(t.Skipped[i].Path, top) {
			return
		}
	}
	for i := range t.Files {
		t.Files[i].Path = t.Files[i].Path[len(top):]
	}
	for i := range t.Skipped {
		t.Skipped[i].Path = t.Skipped[i].Path[len(top):]
	}
}
