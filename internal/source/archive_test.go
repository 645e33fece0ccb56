package source

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"manito/internal/problem"
)

// member is an entry of an archive to be made.
type member struct {
	name, text, link string
	kind             byte // of tar; 0 is a file
	exec             bool
}

func makeTar(tb testing.TB, members []member) []byte {
	tb.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, m := range members {
		h := &tar.Header{Name: m.name, Typeflag: m.kind, Linkname: m.link, Mode: 0o644, Size: int64(len(m.text)), Format: tar.FormatGNU}
		if m.kind == 0 {
			h.Typeflag = tar.TypeReg
		}
		if m.exec {
			h.Mode = 0o755
		}
		if err := w.WriteHeader(h); err != nil {
			tb.Fatal(err)
		}
		if _, err := io.WriteString(w, m.text); err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func makeZip(tb testing.TB, members []member) []byte {
	tb.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, m := range members {
		h := &zip.FileHeader{Name: m.name, Method: zip.Deflate}
		mode := fs.FileMode(0o644)
		if m.exec {
			mode = 0o755
		}
		text := m.text
		switch m.kind {
		case tar.TypeSymlink:
			mode, text = fs.ModeSymlink|0o777, m.link
		case tar.TypeFifo:
			mode = fs.ModeNamedPipe
		}
		h.SetMode(mode)
		f, err := w.CreateHeader(h)
		if err != nil {
			tb.Fatal(err)
		}
		if !strings.HasSuffix(m.name, "/") {
			if _, err := io.WriteString(f, text); err != nil {
				tb.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func gzipped(tb testing.TB, data []byte) []byte {
	tb.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(data); err != nil {
		tb.Fatal(err)
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func zstded(tb testing.TB, data []byte) []byte {
	tb.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		tb.Fatal(err)
	}
	return w.EncodeAll(data, nil)
}

// store writes an archive to a file of its own.
func store(tb testing.TB, name string, data []byte) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		tb.Fatal(err)
	}
	return path
}

// ordinary is a release as people pack it.
func ordinary() []member {
	return []member{
		{name: "pkg-1.0/", kind: tar.TypeDir}, {name: "pkg-1.0/a.go", text: "package a\n"}, {name: "pkg-1.0/empty.py"}, {name: "pkg-1.0/run", text: "#!/bin/sh\n", exec: true},
		{name: "pkg-1.0/sub/b.py", text: strings.Repeat("x = 1\n", 1000)}, {name: "pkg-1.0/.gitignore", text: "*.py\n"}, {name: "pkg-1.0/node_modules/m/i.js", text: "a"},
		{name: "pkg-1.0/drop/c.go"}, {name: "pkg-1.0/.manitoignore", text: "/drop/\n"}, {name: "./pkg-1.0/./sub//dots.py", text: "d"},
	}
}

// TestArchives lists and reads the same files from every format.
func TestArchives(t *testing.T) {
	t.Parallel()
	members := ordinary()
	plain := makeTar(t, members)
	old := bytes.Clone(plain) // without the ustar mark, as the first tars wrote it
	for at := 0; at+512 <= len(old); at += 512 {
		if block := old[at : at+512]; bytes.HasPrefix(block[257:], []byte("ustar")) {
			sum := int64(0)
			for i := 257; i < 265; i++ {
				sum += int64(block[i])
				block[i] = 0
			}
			var was int64
			for _, c := range bytes.Trim(block[148:156], " \x00") {
				was = was*8 + int64(c-'0')
			}
			copy(block[148:156], octal(was-sum))
		}
	}
	for name, data := range map[string][]byte{
		"r.tar": plain, "r.tar.gz": gzipped(t, plain), "r.tgz": gzipped(t, plain), "r.tar.zst": zstded(t, plain), "r.zip": makeZip(t, members), "r.jar": makeZip(t, members), "r.v7.tar": old,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tree := openTree(t, Input{Location: store(t, name, data), Dir: t.TempDir()})
			want := []string{".gitignore", ".manitoignore", "a.go", "empty.py", "run", "sub/b.py", "sub/dots.py"}
			if diff := cmp.Diff(want, paths(tree)); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
			if len(tree.Skipped) != 1 || tree.Skipped[0].Path != "node_modules" {
				t.Errorf("skipped %+v", tree.Skipped)
			}
			if tree.Kind != Archive || tree.Name != strings.SplitN(name, ".", 2)[0] && name != "r.v7.tar" {
				t.Errorf("%v named %q", tree.Kind, tree.Name)
			}
			for _, m := range members {
				path := strings.TrimPrefix(strings.ReplaceAll(strings.ReplaceAll(m.name, "./", ""), "//", "/"), "pkg-1.0/")
				if !slices.Contains(want, path) {
					continue
				}
				if c := content(t, tree, path); string(c.Bytes) != m.text || c.Hash != hashOf(m.text) {
					t.Errorf("%s: %q", path, c.Bytes)
				}
				if f := find(t, tree, path); f.Exec != m.exec || f.Size != int64(len(m.text)) {
					t.Errorf("%s: exec %v, size %d", path, f.Exec, f.Size)
				}
			}
		})
	}
}

// TestBzip2 reads a bzip2 archive, which this library can read but not write.
func TestBzip2(t *testing.T) {
	t.Parallel()
	data, err := base64.StdEncoding.DecodeString("QlpoOTFBWSZTWZ9Nv60AAHT7gMqQAEBAAfWAABBqiN4ACAggAFQ0p6hpiZGE9IyPUEkUaaAaAGgfc3DoQRpQhGM2iStrqQIYNnOHnKAoMIQyB81gERjDMNR9/Y4y8xnddVVeCIgPxdyRThQkJ9Nv60A=")
	if err != nil {
		t.Fatal(err)
	}
	tree := openTree(t, Input{Location: store(t, "a.tar.bz2", data)})
	if c := content(t, tree, "a.go"); string(c.Bytes) != "package a\n" || tree.Name != "a" {
		t.Errorf("%q in %q", c.Bytes, tree.Name)
	}
}

func octal(n int64) []byte {
	text := make([]byte, 8)
	for i := 5; i >= 0; i-- {
		text[i] = byte('0' + n%8)
		n /= 8
	}
	text[6], text[7] = 0, ' '
	return text
}

// TestGitArchive takes the commit from an archive that git made, in which everything was chosen.
func TestGitArchive(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	repo := filepath.Join(dir, "repo")
	git(t, dir, "init", "-q", repo)
	write(t, repo, map[string]string{"a.go": "package a\n", "node_modules/m.js": "a\n"})
	git(t, repo, "add", ".")
	git(t, repo, "commit", "-qm", "first")
	head := strings.TrimSpace(git(t, repo, "rev-parse", "HEAD"))
	for _, format := range []string{"tar", "tar.gz", "zip"} {
		path := filepath.Join(dir, "r."+format)
		git(t, repo, "archive", "--format="+format, "--prefix=repo-1/", "-o", path, "HEAD")
		tree := openTree(t, Input{Location: path})
		if tree.Commit != head {
			t.Errorf("%s: commit %q, want %s", format, tree.Commit, head)
		}
		if diff := cmp.Diff([]string{"a.go", "node_modules/m.js"}, paths(tree)); diff != "" {
			t.Errorf("%s: files (-want +got):\n%s", format, diff)
		}
	}
}

// TestArchiveLinks lists links and special files, and follows and unpacks none.
func TestArchiveLinks(t *testing.T) {
	t.Parallel()
	members := []member{
		{name: "a.go", text: "package a\n"}, {name: "out", kind: tar.TypeSymlink, link: "/etc/passwd"}, {name: "up", kind: tar.TypeSymlink, link: "../../x"}, {name: "loop", kind: tar.TypeSymlink, link: "loop"},
	}
	for name, data := range map[string][]byte{
		"a.tar": makeTar(t, append(slices.Clip(members), member{name: "hard", kind: tar.TypeLink, link: "a.go"}, member{name: "pipe", kind: tar.TypeFifo}, member{name: "disk", kind: tar.TypeBlock})),
		"a.zip": makeZip(t, append(slices.Clip(members), member{name: "pipe", kind: tar.TypeFifo})),
	} {
		tree := openTree(t, Input{Location: store(t, name, data)})
		for _, path := range []string{"out", "up", "loop", "hard"} {
			if name == "a.zip" && path == "hard" {
				continue
			}
			f := find(t, tree, path)
			if c := content(t, tree, path); !f.Link || c.Bytes != nil || c.Skip != SkipLink || len(f.Diagnostics) != 1 {
				t.Errorf("%s: %s: %+v", name, path, f)
			}
		}
		if d := find(t, tree, "out").Diagnostics[0]; !strings.Contains(d.Message, "to /etc/passwd, not followed") {
			t.Errorf("%s: %q", name, d.Message)
		}
		if len(tree.Skipped) == 0 || tree.Skipped[len(tree.Skipped)-1].Reason != SkipSpecial {
			t.Errorf("%s: skipped %+v", name, tree.Skipped)
		}
	}
}

// TestArchiveRefused refuses archives that were made to do harm.
func TestArchiveRefused(t *testing.T) {
	t.Parallel()
	fine := member{name: "a.go", text: "package a\n"}
	for _, bad := range []string{"../x", "a/../../x", "/etc/x", "a/..", "..", `C:/x`} {
		for name, data := range map[string][]byte{"a.tar": makeTar(t, []member{fine, {name: bad, text: "x"}}), "a.zip": makeZip(t, []member{fine, {name: bad, text: "x"}})} {
			refused(t, name+" with "+bad, Input{Location: store(t, name, data)}, problem.Invalid, "is refused")
		}
	}
	refused(t, "zip with backslashes", Input{Location: store(t, "a.zip", makeZip(t, []member{{name: `..\x`, text: "x"}}))}, problem.Invalid, "is refused")
	refused(t, "a link that leaves", Input{Location: store(t, "a.tar", makeTar(t, []member{{name: "../x", kind: tar.TypeSymlink, link: "y"}}))}, problem.Invalid, "is refused")
	refused(t, "a long name", Input{Location: store(t, "a.tar", makeTar(t, []member{{name: strings.Repeat("x/", 3000), kind: tar.TypeDir}}))}, problem.Invalid, "too long")
	refused(t, "many files", Input{Location: store(t, "a.tar", makeTar(t, []member{{name: "a"}, {name: "b"}, {name: "c"}})), Limits: Limits{Files: 2}}, problem.Exhausted, "more than 2 files")
	refused(t, "many files", Input{Location: store(t, "a.zip", makeZip(t, []member{{name: "a"}, {name: "b"}, {name: "c"}})), Limits: Limits{Files: 2}}, problem.Exhausted, "more than 2 files")

	zeros := strings.Repeat("\x00", 80<<20)
	large := []member{{name: "zeros", text: zeros}}
	refused(t, "gzip bomb", Input{Location: store(t, "a.tar.gz", gzipped(t, makeTar(t, large)))}, problem.Exhausted, "bomb")
	refused(t, "zstd bomb", Input{Location: store(t, "a.tar.zst", zstded(t, makeTar(t, large)))}, problem.Exhausted, "bomb")
	bomb := makeZip(t, large)
	refused(t, "zip bomb", Input{Location: store(t, "a.zip", bomb)}, problem.Exhausted, "bomb")
	refused(t, "unpacked size", Input{Location: store(t, "a.tar.gz", gzipped(t, makeTar(t, []member{{name: "a", text: zeros[:1<<20]}}))), Limits: Limits{ArchiveSize: 1 << 19}}, problem.Exhausted, "limit of 512 KiB")
	refused(t, "unpacked size of a zip", Input{Location: store(t, "a.zip", makeZip(t, []member{{name: "a", text: zeros[:1<<20]}})), Limits: Limits{ArchiveSize: 1 << 19}}, problem.Exhausted, "limit of 512 KiB")
	refused(t, "many names for the same bytes", Input{Location: store(t, "a.zip", overlapping(t))}, problem.Exhausted, "bomb")

	whole := gzipped(t, makeTar(t, []member{{name: "a", text: "text"}}))
	refused(t, "cut", Input{Location: store(t, "a.tar.gz", whole[:len(whole)/2])}, problem.Invalid, "damaged")
	refused(t, "no tar", Input{Location: store(t, "a.gz", gzipped(t, []byte(strings.Repeat("only text\n", 100))))}, problem.Invalid, "holds no tar")
	refused(t, "cut zip", Input{Location: store(t, "a.zip", bomb[:len(bomb)-10])}, problem.Invalid, "damaged")
}

// overlapping is a zip whose directory names one large member many times.
func overlapping(tb testing.TB) []byte {
	tb.Helper()
	data := makeZip(tb, []member{{name: "aaaa", text: strings.Repeat("\x00", 30<<20)}})
	at := bytes.LastIndex(data, []byte("PK\x01\x02"))
	end := bytes.LastIndex(data, []byte("PK\x05\x06"))
	record := data[at:end]
	out := bytes.Clone(data[:at])
	for i := range 50 {
		copied := bytes.Clone(record)
		copy(copied[46:], []byte{'a', 'a', 'a' + byte(i%26), 'a' + byte(i/26)})
		out = append(out, copied...)
	}
	tail := bytes.Clone(data[end:])
	binary.LittleEndian.PutUint16(tail[8:], 50)
	binary.LittleEndian.PutUint16(tail[10:], 50)
	binary.LittleEndian.PutUint32(tail[12:], uint32(50*len(record)))
	return append(out, tail...)
}

func refused(t *testing.T, name string, in Input, kind problem.Kind, want string) {
	t.Helper()
	in.Isolated, in.Dir = true, t.TempDir()
	tree, err := Open(t.Context(), in)
	if err == nil {
		tree.Close()
		t.Errorf("%s: not refused", name)
		return
	}
	if problem.KindOf(err) != kind || !strings.Contains(err.Error(), want) {
		t.Errorf("%s: %v: %v; want %v with %q", name, problem.KindOf(err), err, kind, want)
	}
	if left, err := os.ReadDir(in.Dir); err != nil || len(left) != 0 {
		t.Errorf("%s: left behind: %v, %v", name, left, err)
	}
}

// TestArchiveDamage tells of one damaged member and reads the rest.
func TestArchiveDamage(t *testing.T) {
	t.Parallel()
	data := makeZip(t, []member{{name: "a.go", text: strings.Repeat("package a // a\n", 100)}, {name: "b.go", text: "package b\n"}, {name: "large.js", text: strings.Repeat("f();\n", 1000)}})
	at := bytes.Index(data, []byte("a.go")) + 10 // in the compressed bytes of the first
	data[at] ^= 0xff
	tree := openTree(t, Input{Location: store(t, "a.zip", data), Limits: Limits{FileSize: 4000}})
	if c := content(t, tree, "a.go"); c.Skip != SkipUnreadable || len(c.Diagnostics) != 1 {
		t.Errorf("the damaged one: %+v", c)
	}
	if c := content(t, tree, "b.go"); string(c.Bytes) != "package b\n" {
		t.Errorf("the sound one: %+v", c)
	}
	if c := content(t, tree, "large.js"); c.Skip != SkipTooLarge {
		t.Errorf("the large one: %+v", c)
	}
	lying := makeZip(t, []member{{name: "a.go", text: strings.Repeat("x", 1000)}})
	directory := bytes.LastIndex(lying, []byte("PK\x01\x02"))
	binary.LittleEndian.PutUint32(lying[directory+24:], 10) // the size that it declares
	short := openTree(t, Input{Location: store(t, "b.zip", lying)})
	if c := content(t, short, "a.go"); c.Skip != SkipUnreadable {
		t.Errorf("longer than declared: %+v", c)
	}
}

// TestArchiveTwice takes the last of the entries with one path, as unpacking would.
func TestArchiveTwice(t *testing.T) {
	t.Parallel()
	members := []member{{name: "a.go", text: "first"}, {name: "b.go"}, {name: "./a.go", text: "second"}, {name: "a.go", text: "third"}}
	for name, data := range map[string][]byte{"a.tar": makeTar(t, members), "a.zip": makeZip(t, members)} {
		tree := openTree(t, Input{Location: store(t, name, data)})
		if c := content(t, tree, "a.go"); string(c.Bytes) != "third" || len(tree.Files) != 2 {
			t.Errorf("%s: %q of %q", name, c.Bytes, paths(tree))
		}
		if d := find(t, tree, "a.go").Diagnostics; len(d) != 1 || !strings.Contains(d[0].Message, "3 times") {
			t.Errorf("%s: %v", name, d)
		}
	}
}

// FuzzArchive opens and reads any bytes as an archive: it fails cleanly or keeps to the rules.
func FuzzArchive(f *testing.F) {
	members := []member{{name: "p/a.go", text: "package a\n"}, {name: "p/l", kind: tar.TypeSymlink, link: "../x"}, {name: "p/b/c.py", text: "x = 1\n"}}
	plain := makeTar(f, members)
	for _, data := range [][]byte{plain, gzipped(f, plain), zstded(f, plain), makeZip(f, members), []byte("BZh91AY&SY")} {
		f.Add(data)
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := os.CreateTemp(dir, "")
		if err != nil {
			t.Fatal(err)
		}
		defer os.Remove(file.Name())
		if _, err := file.Write(data); err != nil {
			t.Fatal(err)
		}
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
		limits := Limits{FileSize: 1 << 20, Files: 1000, ArchiveSize: 8 << 20}
		tree, err := Open(context.Background(), Input{Location: file.Name(), Dir: dir, Isolated: true, Limits: limits})
		if err != nil {
			var known *problem.Error
			if !errors.As(err, &known) || known.Kind == problem.Internal {
				t.Fatalf("%v", err)
			}
			return
		}
		defer tree.Close()
		for i := range tree.Files {
			file := &tree.Files[i]
			if !filepath.IsLocal(filepath.FromSlash(file.Path)) || strings.Contains(file.Path, "\\x00") {
				t.Fatalf("path %q", file.Path)
			}
			c, err := tree.Read(context.Background(), file)
			if err != nil {
				t.Fatal(err)
			}
			if c.Skip == SkipNone && !c.Binary && len(c.Diagnostics) == 0 && int64(len(c.Bytes)) != file.Size {
				t.Fatalf("%q has %d bytes, listed with %d", file.Path, len(c.Bytes), file.Size)
			}
		}
	})
}
