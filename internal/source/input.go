package source

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"manito/internal/problem"
)

// Input says which files to list.
type Input struct {
	// Location is a folder, a bare repository, an archive file or a git URL
	// (https, http, ssh, git, file, or host:path).
	Location string
	// Revision chooses a commit of a git repository by branch, tag, hash or
	// expression. "" reads a folder as it lies on disk, and of anything else in git
	// the commit of its HEAD.
	Revision string
	// History asks for the whole history of a git URL; without it only the commit's
	// files are fetched where the server allows it.
	History bool
	// Dir is where clones of git URLs are kept between scans. "" keeps none: what is
	// needed goes to a temporary folder that Close removes.
	Dir string
	// Isolated reads neither the user's nor the system's git configuration: no
	// credential helpers, no URL rewriting, no global excludes. A server that opens
	// what others name sets it.
	Isolated bool
	Limits   Limits
}

// Limits bound what one tree may take. A zero field means its default.
type Limits struct {
	FileSize     int64 // bytes; a larger file is listed and not read; 32 MiB
	OutlineSize  int64 // bytes; of a larger file only an outline is taken; 2 MiB
	Files        int   // files of a tree; more is an error; 2 million
	ArchiveSize  int64 // bytes of an archive's files together, unpacked; more is an error; 8 GiB
	ArchiveRatio int64 // unpacked to packed bytes, once 64 MiB are unpacked; more is an error; 200
}

func (l Limits) withDefaults() Limits {
	return Limits{
		FileSize:     cmp.Or(l.FileSize, 32<<20),
		OutlineSize:  cmp.Or(l.OutlineSize, 2<<20),
		Files:        cmp.Or(l.Files, 2_000_000),
		ArchiveSize:  cmp.Or(l.ArchiveSize, 8<<30),
		ArchiveRatio: cmp.Or(l.ArchiveRatio, 200),
	}
}

// Open lists the files of a folder, a git repository or an archive. What is
// wrong with the input as a whole is an error; what is wrong with one file is
// told by the file.
func Open(ctx context.Context, in Input) (*Tree, error) {
	t, err := open(ctx, in)
	if err != nil {
		return nil, err
	}
	if err := t.finish(); err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return t, nil
}

func open(ctx context.Context, in Input) (*Tree, error) {
	if in.Location == "" {
		return nil, problem.New(problem.Usage, "nothing to scan was named").Fix("name a folder, a git URL or an archive")
	}
	if strings.HasPrefix(in.Revision, "-") {
		return nil, problem.New(problem.Usage, "%q is no git revision", in.Revision).Fix("name a branch, a tag or a commit")
	}
	info, err := os.Stat(in.Location)
	switch {
	case err == nil:
	case looksLikeURL(in.Location):
		return openRemote(ctx, in)
	default:
		return nil, statProblem(in.Location, err)
	}
	path, err := filepath.Abs(in.Location)
	if err != nil {
		return nil, problem.Wrap(err, problem.Internal, "cannot find out where %s is", in.Location)
	}
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return nil, statProblem(in.Location, err)
	}
	switch {
	case info.Mode().IsRegular():
		if in.Revision != "" {
			return nil, problem.New(problem.Usage, "%s is a file; it has no revision %q", in.Location, in.Revision)
		}
		return openArchive(ctx, in, path)
	case !info.IsDir():
		return nil, problem.New(problem.Usage, "%s is no folder and no archive", in.Location)
	}
	if dir, ok := openGitDir(path); ok {
		return openRepository(ctx, in, dir, path, "")
	}
	if in.Revision == "" {
		return openFolder(ctx, in, path)
	}
	dir, top, ok := findWorkTree(path)
	if !ok {
		return nil, problem.New(problem.Usage, "%s is not in a git repository, so it has no revision %q", in.Location, in.Revision).
			Fix("leave the revision away to scan the folder as it is")
	}
	below, err := filepath.Rel(top, path)
	if err != nil {
		return nil, problem.Wrap(err, problem.Internal, "cannot place %s in its work tree", path)
	}
	return openRepository(ctx, in, dir, path, strings.TrimPrefix(filepath.ToSlash(below), "."))
}

// statProblem explains why a location cannot be looked at.
func statProblem(location string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return problem.New(problem.NotFound, "%s does not exist", location).
			Fix("check the path; a git URL begins with https:// or ssh://, or reads host:path")
	case errors.Is(err, fs.ErrPermission):
		return problem.New(problem.Denied, "%s may not be read by this user", location).
			Fix("give this user the right to read it, or run as one who has it")
	}
	return problem.Wrap(err, problem.Invalid, "cannot look at %s", location)
}
