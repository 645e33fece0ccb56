package source

import (
	"context"
	"errors"
	"strings"

	"manito/internal/code"
)

// flatFolder is what is known of a directory of a flat listing.
type flatFolder struct {
	own      *scope
	excluded bool
}

// flatFilter decides about the paths of a flat listing.
type flatFilter struct {
	skipping bool             // leave out the folders that are left out outside of a work tree
	files    map[string]*File // ignore files and markers, by path
	folders  map[string]flatFolder
	load     func(f *File, limit int64) ([]byte, bool, error)
	skip     func(Skipped)
}

// filter applies the .manitoignore files of a listing that is not walked, that
// of a commit or an archive. Its .gitignore files do not count: what was
// committed or packed was chosen. skipping leaves out what a walk would leave
// out of a folder that is no work tree.
func (t *Tree) filter(ctx context.Context, skipping bool) error {
	ff := flatFilter{skipping: skipping, files: map[string]*File{}, folders: map[string]flatFolder{}}
	for i := range t.Files {
		f := &t.Files[i]
		switch lastElement(f.Path) {
		case ownIgnore, "CACHEDIR.TAG", "pyvenv.cfg":
			if !f.Link {
				ff.files[f.Path] = f
			}
		}
	}
	if len(ff.files) == 0 && !skipping {
		return nil
	}
	ff.load = func(f *File, limit int64) ([]byte, bool, error) { return t.load(ctx, f, limit) }
	ff.skip = func(s Skipped) { t.Skipped = append(t.Skipped, s) }
	kept := make([]File, 0, len(t.Files)) // not in place: the filter still points into the listing
	for i := range t.Files {
		keep, err := ff.wanted(t.Files[i].Path)
		if err != nil {
			return err
		}
		if keep {
			kept = append(kept, t.Files[i])
		}
	}
	t.Files = kept
	return nil
}

// load reads a small file of the listing; ok is false, and noted, when it cannot be read.
func (t *Tree) load(ctx context.Context, f *File, limit int64) (text []byte, ok bool, err error) {
	if f.Size <= limit {
		text, err = t.reader.read(ctx, f, nil)
		var refusal *fileError
		if err == nil {
			return text, true, nil
		}
		if !errors.As(err, &refusal) {
			return nil, false, err
		}
	}
	shown, _ := escapePath(f.Path)
	t.Diagnostics = append(t.Diagnostics, code.Diagnostic{Severity: code.SeverityWarning, Code: "ignore-file", Message: "the ignore file " + shown + " could not be read; what it excludes is listed"})
	return nil, false, nil
}

// wanted tells whether a file stays in the listing.
func (ff *flatFilter) wanted(path string) (bool, error) {
	above, name := splitPath(path)
	d, err := ff.folder(above)
	if err != nil || d.excluded {
		return false, err
	}
	return d.own.decide(path, name, false) != verdictExclude, nil
}

// folder finds out about a directory, given as "" or ending in a slash.
func (ff *flatFilter) folder(path string) (flatFolder, error) {
	if d, ok := ff.folders[path]; ok {
		return d, nil
	}
	var d flatFolder
	if path != "" {
		dir := strings.TrimSuffix(path, "/")
		above, name := splitPath(dir)
		up, err := ff.folder(above)
		if err != nil {
			return d, err
		}
		d = up
		if !d.excluded {
			own := d.own.decide(dir, name, true)
			d.excluded = own == verdictExclude
			if ff.skipping && own == verdictNone {
				if d.excluded, err = ff.leftOut(path, dir, name); err != nil {
					return d, err
				}
			}
		}
	}
	if f := ff.files[path+ownIgnore]; f != nil && !d.excluded {
		text, ok, err := ff.load(f, maxIgnoreSize)
		if err != nil {
			return d, err
		}
		if ok {
			d.own = d.own.with(parsePatterns(text, false), len(path))
		}
	}
	ff.folders[path] = d
	return d, nil
}

// leftOut tells whether a directory is left out by its name or by a file in it.
func (ff *flatFilter) leftOut(path, dir, name string) (bool, error) {
	reason, skip := skippedByName(name)
	message := "left out by its name; a .manitoignore file with \"!" + name + "/\" lists it"
	if !skip {
		var failed error
		message = "its contents say that a tool made it"
		reason, skip = skippedByContent(
			func(name string) bool { return ff.files[path+name] != nil },
			func(name string) []byte {
				text, _, err := ff.load(ff.files[path+name], 1<<16)
				failed = err
				return text
			})
		if failed != nil {
			return false, failed
		}
	}
	if skip {
		ff.skip(Skipped{Path: dir, Directory: true, Reason: reason, Message: message})
	}
	return skip, nil
}

// splitPath splits a path before its last element.
func splitPath(path string) (above, name string) {
	cut := strings.LastIndexByte(path, '/') + 1
	return path[:cut], path[cut:]
}
