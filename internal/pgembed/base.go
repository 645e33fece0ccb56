//go:build linux || darwin

package pgembed

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"manito/internal/problem"
)

// layout is the version of the base's layout, kept in the file of that name. A
// program that finds a higher one must not touch the folder.
const layout = 1

// base is the folder of a cluster, and whose it is.
type base struct {
	root    string   // Root, absolute
	dir     string   // absolute
	server  identity // who the server runs as
	owner   identity // who owns the files that only clients use: the owner of dir
	notices []string // what finding it changed
}

func (b *base) path(name string) string { return filepath.Join(b.dir, name) }

// dataDir is the folder of a major version's data.
func (b *base) dataDir(major int) string { return b.path(strconv.Itoa(major)) }

// findBase finds the base of a root, or nil when there is none yet.
func findBase(o Options) (*base, error) {
	if !filepath.IsAbs(o.Root) {
		return nil, problem.New(problem.Usage, "the home folder %q is not an absolute path", o.Root).
			Fix("set MANITO_HOME to an absolute path")
	}
	root, err := filepath.EvalSymlinks(o.Root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, blame(err, filepath.Clean(o.Root), "the home folder %s cannot be reached", o.Root)
	}
	link := filepath.Join(root, "db")
	dir, err := filepath.EvalSymlinks(link)
	if errors.Is(err, fs.ErrNotExist) {
		target, err := os.Readlink(link)
		if err != nil {
			return nil, nil // neither a folder nor a link
		}
		return nil, problem.New(problem.NotFound, "the database folder %s, to which %s points, is gone", target, link).
			Fix("bring %s back (a file system that is not mounted?)", target).
			Fix("rm %s   # to begin with an empty database", link)
	}
	if err != nil {
		return nil, blame(err, link, "the database folder %s cannot be reached", link)
	}
	b := &base{root: root, dir: dir}
	st, err := os.Stat(dir)
	if err != nil {
		return nil, blame(err, dir, "the database folder %s cannot be examined", dir)
	}
	b.owner = ownerOf(st)
	if me := os.Geteuid(); me != 0 && b.owner.uid != me {
		return nil, problem.New(problem.Denied, "the database folder %s belongs to %s, not to you", dir, b.owner).
			Fix("sudo chown -R %d:%d %s", me, os.Getegid(), dir).
			Fix("set MANITO_HOME to a folder of your own")
	}
	st, err = os.Stat(b.path("run"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // its maker has not finished, or died
	}
	if err != nil {
		return nil, blame(err, dir, "the database folder %s cannot be read", dir)
	}
	b.server = ownerOf(st)
	switch me := os.Geteuid(); {
	case me != 0 && b.server.uid != me:
		return nil, problem.New(problem.Denied, "the server of %s runs as %s, not as you", dir, b.server).
			Fix("sudo chown -R %d:%d %s   # while it is stopped", me, os.Getegid(), dir).
			Fix("set MANITO_HOME to a folder of your own")
	case b.server.uid == 0:
		// Only root in a user namespace of its own makes such a folder, see chooseServer.
		if b.server, err = b.server.withAlias(); err != nil {
			return nil, err
		}
	}
	return b, b.checkLayout()
}

func (b *base) checkLayout() error {
	text, err := os.ReadFile(b.path("layout"))
	if err != nil {
		return b.blame(err, "the file %s cannot be read", b.path("layout"))
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return problem.Wrap(err, problem.Invalid, "the file %s is damaged", b.path("layout"))
	}
	if n > layout {
		return problem.New(problem.Unsupported, "the database folder %s was laid out by a newer Manito (layout %d, this one knows %d)", b.dir, n, layout).
			Fix("use the newer Manito, or set MANITO_HOME to another folder")
	}
	return nil
}

// makeBase finds the base or makes it. Processes that make it at the same moment
// agree: what decides is made once, atomically, and every other step may be repeated.
func makeBase(o Options) (*base, error) {
	if b, err := findBase(o); b != nil || err != nil {
		return b, err
	}
	root, err := makeRoot(o.Root)
	if err != nil {
		return nil, err
	}
	link := filepath.Join(root, "db")
	b := &base{root: root, dir: link}
	if b.server, err = b.chooseServer(); err != nil {
		return nil, err
	}
	if _, err := os.Lstat(link); errors.Is(err, fs.ErrNotExist) {
		ok, err := b.server.canEnter(root)
		if err != nil {
			return nil, err
		}
		if !ok {
			if err := b.takeRefuge(o, link); err != nil {
				return nil, err
			}
		}
	}
	if err := mkdirAll(link, b.folderMode()); err != nil {
		return nil, blame(err, root, "the database folder %s cannot be made", link)
	}
	if b.dir, err = filepath.EvalSymlinks(link); err != nil {
		return nil, blame(err, link, "the database folder %s cannot be reached", link)
	}
	st, err := os.Stat(root)
	if err != nil {
		return nil, blame(err, root, "the home folder %s cannot be examined", root)
	}
	b.owner = ownerOf(st)
	if err := b.give(b.dir, b.owner); err != nil {
		return nil, err
	}
	if err := b.write("layout", []byte(strconv.Itoa(layout)+"\n"), b.owner); err != nil {
		return nil, err
	}
	// run is made last and under another name: it tells that the rest is there, and
	// its owner tells who the server runs as.
	run, err := os.MkdirTemp(b.dir, "run.")
	if err != nil {
		return nil, b.blame(err, "the database folder %s cannot be written", b.dir)
	}
	defer os.Remove(run) // in vain when it was renamed
	if err := b.give(run, b.server); err != nil {
		return nil, err
	}
	if err := os.Rename(run, b.path("run")); err != nil && !errors.Is(err, fs.ErrExist) && !errors.Is(err, syscall.ENOTEMPTY) {
		return nil, b.blame(err, "the folder %s cannot be made", b.path("run"))
	}
	notices := b.notices
	b, err = findBase(o)
	if err != nil {
		return nil, err
	}
	if b == nil {
		return nil, problem.New(problem.Conflict, "the database folder %s vanished while it was being made", link).Fix("try again")
	}
	b.notices = notices
	return b, nil
}

// folderMode lets the server's user pass through when it is not the owner.
func (b *base) folderMode() fs.FileMode {
	if b.server.uid != os.Geteuid() {
		return 0o711
	}
	return 0o700
}

// mkdirAll is os.MkdirAll with the very mode for what it makes, whatever the umask.
func mkdirAll(path string, mode fs.FileMode) error {
	if st, err := os.Stat(path); err == nil && st.IsDir() {
		return nil
	}
	if parent := filepath.Dir(path); parent != path {
		if err := mkdirAll(parent, mode); err != nil {
			return err
		}
	}
	err := os.Mkdir(path, mode)
	if errors.Is(err, fs.ErrExist) {
		st, e := os.Stat(path)
		if e == nil && st.IsDir() {
			return nil // somebody was faster
		}
	}
	if err != nil {
		return err
	}
	return os.Chmod(path, mode)
}

func makeRoot(path string) (string, error) {
	mode := fs.FileMode(0o700)
	if os.Geteuid() == 0 {
		mode = 0o711 // the server's user must pass through
	}
	if err := mkdirAll(path, mode); err != nil {
		return "", blame(err, path, "the home folder %s cannot be made", path)
	}
	root, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", blame(err, path, "the home folder %s cannot be reached", path)
	}
	return root, nil
}

// takeRefuge makes link point to a folder that the server's user can enter.
func (b *base) takeRefuge(o Options, link string) error {
	refuge := o.Refuge
	if refuge == "" {
		refuge = "/var/lib/manito"
	}
	if err := mkdirAll(refuge, 0o711); err != nil {
		return blame(err, refuge, "the folder %s cannot be made", refuge)
	}
	dir := filepath.Join(refuge, "db-"+shortHash(b.root))
	if err := mkdirAll(dir, 0o711); err != nil {
		return blame(err, refuge, "the folder %s cannot be made", dir)
	}
	ok, err := b.server.canEnter(dir)
	if err != nil {
		return err
	}
	if !ok {
		return problem.New(problem.Denied, "we are root, and the server's user %s can enter neither %s nor %s", b.server, b.root, dir).
			Fix("set MANITO_HOME to a folder that every user may enter").
			Fix("run Manito as an ordinary user")
	}
	if err := os.Symlink(dir, link); err != nil && !errors.Is(err, fs.ErrExist) {
		return blame(err, b.root, "the link %s cannot be made", link)
	}
	b.notices = append(b.notices, fmt.Sprintf(
		"The database is in %s: PostgreSQL does not run as root, and its user %s may not enter %s.", dir, b.server, b.root))
	return nil
}

// give makes a file or folder somebody's; only root can, and only root needs to.
func (b *base) give(path string, to identity) error {
	if os.Geteuid() != 0 {
		return nil
	}
	if st, err := os.Lstat(path); err == nil && ownerOf(st).uid == to.uid {
		return nil
	}
	if err := os.Lchown(path, to.uid, to.gid); err != nil {
		return problem.Wrap(err, problem.Denied, "%s cannot be given to %s", path, to)
	}
	return nil
}

// write replaces a file at once, durably: after a crash it has its old contents or the new ones.
func (b *base) write(name string, text []byte, owner identity) error {
	path := b.path(name)
	fail := func(err error) error { return b.blame(err, "the file %s cannot be written", path) }
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp") // mode 0600
	if err != nil {
		return fail(err)
	}
	defer os.Remove(f.Name()) // in vain when it was renamed
	defer f.Close()
	if _, err := f.Write(text); err != nil {
		return fail(err)
	}
	if err := f.Sync(); err != nil {
		return fail(err)
	}
	if err := b.give(f.Name(), owner); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return fail(err)
	}
	return syncDir(filepath.Dir(path))
}

// syncDir makes the names in a folder durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return blame(err, dir, "the folder %s cannot be opened", dir)
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) { // some file systems have nothing to sync
		return problem.Wrap(err, problem.Internal, "the folder %s cannot be synced", dir)
	}
	return nil
}

// current is the major version of the data folder in use, 0 when there is none yet.
func (b *base) current() (int, error) {
	link := b.path("current")
	name, err := os.Readlink(link)
	if errors.Is(err, fs.ErrNotExist) {
		return b.onlyData()
	}
	if err != nil {
		return 0, b.blame(err, "the link %s cannot be read", link)
	}
	major, err := strconv.Atoi(name)
	if err != nil {
		return 0, problem.New(problem.Invalid, "the link %s names %q, which is not a major version of PostgreSQL", link, name).
			Fix("ln -sfn MAJOR %s   # the name of the data folder beside it", link)
	}
	if _, err := os.Stat(b.dataDir(major)); errors.Is(err, fs.ErrNotExist) {
		return 0, problem.New(problem.NotFound, "the data folder %s is gone", b.dataDir(major)).
			Fix("bring it back, from a backup if need be").
			Fix("rm %s   # to begin with an empty database", link)
	}
	return major, nil
}

// onlyData finds the data folder when the link to it is missing: its maker died
// between the last two steps, or somebody deleted it.
func (b *base) onlyData() (int, error) {
	names, err := os.ReadDir(b.dir)
	if err != nil {
		return 0, b.blame(err, "the database folder %s cannot be read", b.dir)
	}
	found := 0
	for _, e := range names {
		major, err := strconv.Atoi(e.Name())
		if err != nil || !e.IsDir() {
			continue
		}
		if found != 0 {
			return 0, problem.New(problem.Ambiguous, "%s holds data of PostgreSQL %d and %d, and nothing says which is in use", b.dir, found, major).
				Fix("ln -s %d %s", found, b.path("current")).Fix("ln -s %d %s", major, b.path("current"))
		}
		found = major
	}
	return found, nil
}

// setCurrent says which data folder is in use, at once and durably.
func (b *base) setCurrent(major int) error {
	tmp := b.path("current.tmp")
	if err := os.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return b.blame(err, "%s cannot be removed", tmp)
	}
	if err := os.Symlink(strconv.Itoa(major), tmp); err != nil {
		return b.blame(err, "the link %s cannot be made", tmp)
	}
	if err := b.give(tmp, b.owner); err != nil {
		return err
	}
	if err := os.Rename(tmp, b.path("current")); err != nil {
		return b.blame(err, "the link %s cannot be made", b.path("current"))
	}
	return syncDir(b.dir)
}

// shortHash names a path in few bytes.
func shortHash(path string) string {
	sum := sha256.Sum256([]byte(path))
	return hex.EncodeToString(sum[:4])
}
