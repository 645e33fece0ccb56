package link_test

import (
	"fmt"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"manito/internal/code"
	"manito/internal/lang"
	"manito/internal/lang/golang"
	"manito/internal/lang/python"
	"manito/internal/lang/typescript"
	"manito/internal/link"
)

// tree is a repository in memory.
type tree struct {
	texts map[string][]byte
	files []lang.File
}

func (t *tree) Files() []lang.File { return t.files }
func (t *tree) Exists(p string) bool {
	_, ok := t.texts[p]
	return ok
}
func (t *tree) Name() string { return "repo" }
func (t *tree) Manifests(base string) []string {
	var out []string
	for p := range t.texts {
		if path.Base(p) == base {
			out = append(out, p)
		}
	}
	slices.Sort(out)
	return out
}
func (t *tree) Read(p string) ([]byte, error) {
	if b, ok := t.texts[p]; ok {
		return b, nil
	}
	return nil, fmt.Errorf("no file %s", p)
}

// languages are those whose stories are told below, by file extension.
func languages() map[string]lang.Language {
	return map[string]lang.Language{".go": golang.Language(), ".ts": typescript.Language(), ".py": python.Language()}
}

// load extracts the archive's files of one language, in path order.
func load(t *testing.T, ar *txtar.Archive, language lang.Language, accept func(ext string) bool) *tree {
	t.Helper()
	repo := &tree{texts: map[string][]byte{}}
	for _, f := range ar.Files {
		repo.texts[f.Name] = f.Data
	}
	var paths []string
	for p := range repo.texts {
		if accept(path.Ext(p)) {
			paths = append(paths, p)
		}
	}
	slices.Sort(paths)
	ex := language.NewExtractor()
	for _, p := range paths {
		source := map[string]string{".go": "go", ".py": "python", ".ts": "typescript", ".tsx": "tsx", ".js": "javascript", ".jsx": "jsx"}[path.Ext(p)]
		dialect := ex.Dialect(path.Base(p), source)
		doc := ex.Extract(t.Context(), lang.Input{Text: repo.texts[p], Dialect: dialect})
		if err := doc.Check(); err != nil {
			t.Fatalf("%s: %v", p, err)
		}
		repo.files = append(repo.files, lang.File{Path: p, Doc: doc})
	}
	return repo
}

func resolve(t *testing.T, repo *tree, language lang.Language, workers int) *link.Result {
	t.Helper()
	modules, err := language.NewModules(t.Context(), repo)
	if err != nil {
		t.Fatal(err)
	}
	res, err := link.Link(t.Context(), link.Input{Rules: language.Rules, Modules: modules, Files: repo.files, Workers: workers})
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// marker is an expectation in a comment: //@ calls pkg/file.go:Type.Method reason words.
var marker = regexp.MustCompile(`(?://|#)@ (.*)$`)

// TestStories holds what link says of each marked line against the line's
// comment. A comment lists the line's edges, separated by ";": kind, target as
// file:qualified name, then certainty when it is not must. "site REASON NAME" expects an unresolved site;
// "none" expects neither. Import edges and reads are looked at only when some marker of the line names them.
func TestStories(t *testing.T) {
	t.Parallel()
	stories, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(stories) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	for _, story := range stories {
		t.Run(strings.TrimSuffix(filepath.Base(story), ".txtar"), func(t *testing.T) {
			t.Parallel()
			ar, err := txtar.ParseFile(story)
			if err != nil {
				t.Fatal(err)
			}
			marked := 0
			for ext, language := range languages() {
				repo := load(t, ar, language, func(e string) bool {
					return e == ext || ext == ".ts" && slices.Contains([]string{".tsx", ".js", ".jsx", ".mjs", ".cjs"}, e)
				})
				if len(repo.files) == 0 {
					continue
				}
				res := resolve(t, repo, language, 1)
				for _, workers := range []int{2, 7} {
					if diff := cmp.Diff(res, resolve(t, repo, language, workers)); diff != "" {
						t.Fatalf("%d workers give another result:\n%s", workers, diff)
					}
				}
				checkIntegrity(t, repo, res)
				marked += compare(t, repo, res)
			}
			if marked == 0 {
				t.Fatal("the story marks no line")
			}
		})
	}
}

// checkIntegrity: both ends of every edge exist.
func checkIntegrity(t *testing.T, repo *tree, res *link.Result) {
	t.Helper()
	known := map[code.Key]bool{}
	for i, f := range repo.files {
		known[link.FileKey(f.Path)] = true
		for _, k := range res.Files[i].Keys {
			known[k] = true
		}
	}
	for p := range repo.texts {
		known[link.FileKey(p)] = true
	}
	for _, x := range res.Externals {
		known[x.Key] = true
	}
	for _, p := range res.Packages {
		known[p.Key] = true
	}
	for i, f := range repo.files {
		for _, e := range res.Files[i].Edges {
			if !known[e.Target] || int(e.Source) >= len(f.Doc.Defs) || e.Source < code.NoDef {
				t.Errorf("%s: edge %+v has an end that does not exist", f.Path, e)
			}
		}
	}
}

func compare(t *testing.T, repo *tree, res *link.Result) (marked int) {
	t.Helper()
	names := map[code.Key]string{}
	for i, f := range repo.files {
		names[link.FileKey(f.Path)] = f.Path
		for d := range f.Doc.Defs {
			if k := res.Files[i].Keys[d]; names[k] == "" {
				names[k] = f.Path + ":" + f.Doc.QualifiedName(code.DefID(d))
			}
		}
	}
	for _, x := range res.Externals {
		names[x.Key] = x.Package
	}
	for _, p := range res.Packages {
		names[p.Key] = "package " + p.Path
	}
	for i, f := range repo.files {
		got := map[int][]string{}
		for _, e := range res.Files[i].Edges {
			line, _ := f.Doc.Line(e.Start)
			s := e.Kind.String() + " " + names[e.Target]
			if e.Certainty != code.Must {
				s += " " + e.Certainty.String()
			}
			if !slices.Contains(got[int(line)], s) {
				got[int(line)] = append(got[int(line)], s)
			}
		}
		for _, s := range res.Files[i].Sites {
			line, _ := f.Doc.Line(s.Start)
			got[int(line)] = append(got[int(line)], fmt.Sprintf("site %s %s", siteWord(s.Reason), f.Doc.Names[s.Name]))
		}
		for n, text := range strings.Split(string(repo.texts[f.Path]), "\n") {
			m := marker.FindStringSubmatch(text)
			if m == nil {
				continue
			}
			marked++
			var want, have []string
			kinds := map[string]bool{"calls": true, "instantiates": true, "extends": true, "implements": true, "overrides": true}
			for _, w := range strings.Split(m[1], ";") {
				if w = strings.TrimSpace(w); w != "none" {
					want = append(want, w)
					kinds[strings.Fields(w)[0]] = true
				}
			}
			for _, g := range got[n] {
				if kinds[strings.Fields(g)[0]] {
					have = append(have, g)
				}
			}
			slices.Sort(want)
			slices.Sort(have)
			if diff := cmp.Diff(want, have); diff != "" {
				t.Errorf("%s:%d %s\n(-want +got)\n%s", f.Path, n+1, strings.TrimSpace(text), diff)
			}
		}
	}
	return marked
}

func siteWord(r code.Reason) string {
	switch r {
	case code.SiteUnknownReceiver:
		return "unknown-receiver"
	case code.SiteNoMember:
		return "no-member"
	case code.SiteDynamic:
		return "dynamic"
	case code.SiteExternal:
		return "external"
	case code.SiteGlobal:
		return "global"
	case code.SiteUnresolvedModule:
		return "unresolved-module"
	case code.SiteNoExport:
		return "no-export"
	case code.SiteAmbiguous:
		return "ambiguous"
	case code.SiteValue:
		return "value"
	}
	return r.String()
}
