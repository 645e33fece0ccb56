package source

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"manito/internal/problem"
)

// gitIndex is what git tracks in a work tree.
type gitIndex struct {
	names    []string // sorted bytewise, distinct
	gitlinks map[string]bool
}

const modeGitlink = 0o160000

// errIndexExtension says that the index needs an extension that is not read here.
var errIndexExtension = errors.New("the index is split or sparse")

// has tells whether a path is tracked as a file.
func (x *gitIndex) has(path string) bool {
	if x == nil {
		return false
	}
	_, found := slices.BinarySearch(x.names, path)
	return found && !x.gitlinks[path]
}

// hasBelow tells whether anything below a directory is tracked.
func (x *gitIndex) hasBelow(dir string) bool {
	if x == nil {
		return false
	}
	i, _ := slices.BinarySearch(x.names, dir+"/")
	return i < len(x.names) && strings.HasPrefix(x.names[i], dir+"/")
}

// readGitIndex reads the index of a git directory. It reads the file itself
// (gitformat-index(5)), because `git ls-files` obeys the repository's
// configuration, which can name programs to run. Only an index that is split or
// sparse is left to git.
func readGitIndex(ctx context.Context, git gitCommand, dir gitDir, root string, config gitConfig) (*gitIndex, error) {
	path := filepath.Join(dir.path, "index")
	data, err := readLimited(path, maxIndexSize)
	if errors.Is(err, fs.ErrNotExist) {
		return &gitIndex{}, nil // nothing was ever added
	}
	if err != nil {
		return nil, problem.Wrap(err, problem.Denied, "cannot read the git index")
	}
	hashSize := 20
	if strings.EqualFold(config["extensions.objectformat"], "sha256") {
		hashSize = 32
	}
	index, err := parseGitIndex(data, hashSize)
	if errors.Is(err, errIndexExtension) {
		return listGitIndex(ctx, git, dir, root)
	}
	if err != nil {
		return nil, problem.New(problem.Invalid, "the git index %s cannot be read", path).Because(err).
			Fix("rebuild it: rm %s && git -C %s reset", path, root)
	}
	return index, nil
}

// parseGitIndex reads versions 2 to 4 of the index.
func parseGitIndex(data []byte, hashSize int) (*gitIndex, error) {
	broken := errors.New("it is cut off or damaged")
	if len(data) < 12+hashSize || string(data[:4]) != "DIRC" {
		return nil, broken
	}
	version, count := binary.BigEndian.Uint32(data[4:]), binary.BigEndian.Uint32(data[8:])
	if version < 2 || version > 4 {
		return nil, errors.New("its version is not known")
	}
	body := data[12 : len(data)-hashSize] // what follows is the checksum
	fixed := 40 + hashSize + 2            // stat data, hash, flags
	if int64(count)*int64(fixed) > int64(len(body)) {
		return nil, broken
	}
	index := &gitIndex{names: make([]string, 0, count)}
	previous := ""
	for range count {
		if len(body) < fixed {
			return nil, broken
		}
		mode := binary.BigEndian.Uint32(body[24:])
		size := fixed
		if flags := binary.BigEndian.Uint16(body[40+hashSize:]); flags&0x4000 != 0 && version >= 3 {
			size += 2
		}
		if len(body) < size {
			return nil, broken
		}
		name, used := body[size:], 0
		prefix := ""
		if version == 4 {
			drop, n := indexVarint(name)
			if n == 0 || drop > uint64(len(previous)) {
				return nil, broken
			}
			prefix = previous[:uint64(len(previous))-drop]
			name, used = name[n:], n
		}
		end := bytes.IndexByte(name, 0)
		if end < 0 {
			return nil, broken
		}
		path := prefix + string(name[:end])
		used += end + 1
		if version != 4 {
			used = (size+end+8)&^7 - size // padded with NULs to a multiple of eight
		}
		if size+used > len(body) {
			return nil, broken
		}
		body = body[size+used:]
		if path != previous || len(index.names) == 0 { // an unmerged path stands there once per side
			index.names = append(index.names, path)
		}
		if mode == modeGitlink {
			if index.gitlinks == nil {
				index.gitlinks = map[string]bool{}
			}
			index.gitlinks[path] = true
		}
		previous = path
	}
	for len(body) >= 8 {
		if body[0] >= 'a' && body[0] <= 'z' { // lower case: must be understood to read the entries
			return nil, errIndexExtension
		}
		size := int64(binary.BigEndian.Uint32(body[4:]))
		if size > int64(len(body)-8) {
			return nil, broken
		}
		body = body[8+size:]
	}
	slices.Sort(index.names) // as git keeps it; a damaged order must not break the search
	return index, nil
}

// indexVarint reads git's offset encoding; n is 0 when it is cut off or too large.
func indexVarint(data []byte) (value uint64, n int) {
	for i, c := range data {
		if i > 8 {
			return 0, 0
		}
		if i > 0 {
			value++
		}
		value = value<<7 | uint64(c&0x7f)
		if c&0x80 == 0 {
			return value, i + 1
		}
	}
	return 0, 0
}

// listGitIndex asks git for the tracked files.
func listGitIndex(ctx context.Context, git gitCommand, dir gitDir, root string) (*gitIndex, error) {
	out, err := git.output(ctx, root, "--git-dir="+dir.path, "--work-tree="+root, "ls-files", "-z", "--stage")
	if err != nil {
		return nil, err
	}
	index := &gitIndex{}
	for entry := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		about, path, ok := strings.Cut(entry, "\t")
		if !ok {
			continue
		}
		if n := len(index.names); n == 0 || index.names[n-1] != path {
			index.names = append(index.names, path)
		}
		if strings.HasPrefix(about, "160000 ") {
			if index.gitlinks == nil {
				index.gitlinks = map[string]bool{}
			}
			index.gitlinks[path] = true
		}
	}
	slices.Sort(index.names)
	return index, nil
}
