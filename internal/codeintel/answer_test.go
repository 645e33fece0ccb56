package codeintel

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"manito/internal/code"
	"manito/internal/graph"
	"manito/internal/problem"
)

var update = flag.Bool("update", false, "write the golden files anew")

const shop = `
-- go.mod --
module example.com/shop

go 1.26
-- pay/pay.go --
// Package pay moves money.
package pay

import "fmt"

// Payer pays.
//
// It may fail.
type Payer interface {
	Pay(cents int) error
}

// Card is a Payer.
type Card struct {
	limit int
}

// NewCard makes a Card with a limit.
func NewCard(limit int) *Card { return &Card{limit: limit} }

// Pay implements Payer.
func (c *Card) Pay(cents int) error {
	if cents > c.limit {
		return fmt.Errorf("%d is over %d", cents, c.limit)
	}
	return nil
}

// Checkout pays with anything that pays.
func Checkout(p Payer, cents int) error {
	return p.Pay(cents)
}
-- pay/pay_test.go --
package pay

import "testing"

func TestCheckout(t *testing.T) {
	if err := Checkout(NewCard(5), 3); err != nil {
		t.Fatal(err)
	}
}
-- cmd/main.go --
package main

import "example.com/shop/pay"

var card = pay.NewCard(100)

func main() {
	run(card)
}

func run(c *pay.Card) {
	if err := pay.Checkout(c, 7); err != nil {
		panic(err)
	}
	_ = c.Pay(1)
}
-- tools/one.py --
import tools.two

def first():
    """Calls the second."""
    return tools.two.second()
-- tools/two.py --
from tools import one

def second():
    return one.first()
-- tools/__init__.py --
-- README.md --
# Shop
`

// answers are all questions whose answers are kept as golden files.
func answers(w *world) map[string]func(context.Context) (any, error) {
	return map[string]func(context.Context) (any, error){
		"symbol":        func(ctx context.Context) (any, error) { return w.Symbol(ctx, SymbolInput{Symbol: "Card"}) },
		"symbol_method": func(ctx context.Context) (any, error) { return w.Symbol(ctx, SymbolInput{Symbol: "Card.Pay"}) },
		"definition": func(ctx context.Context) (any, error) {
			return w.Definition(ctx, DefinitionInput{Symbol: "pay.Payer", Source: true})
		},
		"references": func(ctx context.Context) (any, error) { return w.References(ctx, ReferencesInput{Symbol: "Card.Pay"}) },
		"references_file": func(ctx context.Context) (any, error) {
			return w.References(ctx, ReferencesInput{Symbol: "tools/two.py"})
		},
		"callers":      func(ctx context.Context) (any, error) { return w.Callers(ctx, CallersInput{Symbol: "Card.Pay"}) },
		"callees":      func(ctx context.Context) (any, error) { return w.Callees(ctx, CalleesInput{Symbol: "Checkout"}) },
		"callees_type": func(ctx context.Context) (any, error) { return w.Callees(ctx, CalleesInput{Symbol: "Card"}) },
		"impact":       func(ctx context.Context) (any, error) { return w.Impact(ctx, ImpactInput{Symbol: "Card.Pay"}) },
		"outline":      func(ctx context.Context) (any, error) { return w.Outline(ctx, OutlineInput{Path: "pay/pay.go"}) },
		"path": func(ctx context.Context) (any, error) {
			return w.Path(ctx, PathInput{From: "main.main", To: "Card.Pay"})
		},
		"cycles_files":   func(ctx context.Context) (any, error) { return w.Cycles(ctx, CyclesInput{}) },
		"cycles_symbols": func(ctx context.Context) (any, error) { return w.Cycles(ctx, CyclesInput{Level: "symbols"}) },
		"languages":      func(ctx context.Context) (any, error) { return w.Languages(ctx) },
		"overview":       func(ctx context.Context) (any, error) { return w.Overview(ctx) },
		"map":            func(ctx context.Context) (any, error) { return w.RepoMap(ctx, RepoMapInput{Tokens: 120}) },
	}
}

func TestGoldenAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shop)
	for name, ask := range answers(w) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v, err := ask(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			var b bytes.Buffer
			e := json.NewEncoder(&b)
			e.SetEscapeHTML(false)
			e.SetIndent("", "  ")
			if err := e.Encode(v); err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(b.Bytes(), []byte("null")) {
				t.Error("a list is null")
			}
			golden(t, name+".json", b.Bytes())
		})
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", "golden", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("%s (-want +got), run with -update when it is right:\n%s", path, d)
	}
}

func TestExports(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	w := newWorld(t, shop)
	for name, in := range map[string]ExportInput{
		"export.json": {Format: "json"}, "export_edges.csv": {Format: "csv"}, "export_symbols.csv": {Format: "csv", Table: "symbols"}, "export_files.csv": {Format: "csv", Table: "files"},
		"export.dot": {Format: "dot"}, "export_folders.mmd": {Format: "mermaid", Level: "folders"}, "export.graphml": {Format: "graphml"}, "export_files.graphml": {Format: "graphml", Level: "files", Kinds: []string{"imports"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var b bytes.Buffer
			if err := w.Export(ctx, &b, in); err != nil {
				t.Fatal(err)
			}
			golden(t, name, b.Bytes())
			switch filepath.Ext(name) {
			case ".json":
				var v struct {
					Schema  string
					Symbols []struct{ ID string }
					Files   []struct{ Path string }
					Edges   []struct{ From, To, Certainty, Evidence, Tier string }
				}
				if err := json.Unmarshal(b.Bytes(), &v); err != nil {
					t.Fatal(err)
				}
				known := map[string]bool{}
				for _, s := range v.Symbols {
					known[s.ID] = true
				}
				for _, f := range v.Files {
					known[f.Path] = true
				}
				for _, e := range v.Edges {
					if !known[e.From] || e.Tier != e.Certainty+"/"+e.Evidence {
						t.Errorf("edge %+v", e)
					}
				}
			case ".csv":
				rows, err := csv.NewReader(&b).ReadAll()
				if err != nil || len(rows) < 2 {
					t.Errorf("%d rows, %v", len(rows), err)
				}
			case ".graphml":
				d := xml.NewDecoder(&b)
				for {
					if _, err := d.Token(); err == io.EOF {
						break
					} else if err != nil {
						t.Fatal(err)
					}
				}
			}
		})
	}
	for _, in := range []ExportInput{{Format: "pdf"}, {Format: "csv", Table: "x"}, {Format: "dot", Level: "x"}, {Kinds: []string{"x"}}} {
		if err := w.Export(ctx, io.Discard, in); problem.KindOf(err) != problem.Usage || len(problem.Fixes(err)) == 0 {
			t.Errorf("%+v: %v, want a usage error with fixes", in, err)
		}
	}
	broken := errors.New("the disk is full")
	for _, f := range ExportFormats() {
		if err := w.Export(ctx, failing{broken}, ExportInput{Format: f}); !errors.Is(err, broken) {
			t.Errorf("%s to a full disk: %v", f, err)
		}
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// TestReferencesStandInTheText: at every place that is listed the name is written, and nothing is listed twice.
func TestReferencesStandInTheText(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for _, archive := range []string{shop, manyNames, tsBase, pyBase} {
		w := newWorld(t, archive)
		for n := range graph.Node(w.g.NumNodes()) {
			if w.g.Class(n) != graph.ClassSymbol {
				continue
			}
			r, err := w.References(ctx, ReferencesInput{Symbol: w.g.Symbol(n), Limit: -1})
			if err != nil {
				t.Fatal(err)
			}
			count := 0
			seen := map[Location]string{}
			for _, f := range r.Files {
				lines := strings.Split(string(w.texts[f.File]), "\n")
				for _, ref := range f.References {
					count++
					at := Location{f.File, ref.Line, ref.Column}
					if seen[at] == ref.Kind {
						t.Errorf("%s is listed twice at %s", r.Symbol.QualifiedName, at)
					}
					seen[at] = ref.Kind
					if rest := lines[ref.Line-1][ref.Column-1:]; ref.Through == nil && ref.Kind != code.EdgeImplements.String() && !strings.HasPrefix(rest, r.Symbol.Name) {
						t.Errorf("%s is said to be used at %s, where %.20q stands", r.Symbol.QualifiedName, at, rest)
					}
				}
			}
			sum := 0
			for _, c := range r.ByKind {
				sum += c
			}
			if count != r.Total || sum != r.Total {
				t.Errorf("%s: total %d, listed %d, by kind %d", r.Symbol.QualifiedName, r.Total, count, sum)
			}
			// Callees turns callers around.
			callers, err := w.Callers(ctx, CallersInput{Symbol: w.g.Symbol(n), Limit: -1})
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range callers.Callers {
				back, err := w.Callees(ctx, CalleesInput{Symbol: c.Symbol.ID, Limit: -1})
				if err != nil {
					t.Fatal(err)
				}
				if !slices.ContainsFunc(back.Callees, func(x Callee) bool { return x.Symbol.ID == callers.Symbol.ID }) {
					t.Errorf("%s calls %s, but is not said to", c.Symbol.QualifiedName, callers.Symbol.QualifiedName)
				}
			}
		}
	}
}

// TestLimits: what is cut is counted.
func TestLimits(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	w := newWorld(t, shop)
	r, err := w.References(ctx, ReferencesInput{Symbol: "pay.Card", Limit: 2})
	if err != nil || r.Total <= 2 || len(r.Files) == 0 {
		t.Fatalf("%+v %v", r, err)
	}
	n := 0
	for _, f := range r.Files {
		n += len(f.References)
	}
	if n != 2 {
		t.Errorf("%d places with a limit of 2", n)
	}
	c, err := w.Callers(ctx, CallersInput{Symbol: "NewCard", Limit: 1})
	if err != nil || c.Total != 2 || len(c.Callers) != 1 {
		t.Errorf("%+v %v", c, err)
	}
	i, err := w.Impact(ctx, ImpactInput{Symbol: "NewCard", Limit: 1})
	if err != nil || !i.Truncated || i.Total != 1 || i.Completeness.Status != LowerBound {
		t.Errorf("%+v %v", i, err)
	}
}

// TestConstructors: who makes an instance calls the constructor, also through a subclass that has none.
func TestConstructors(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `
-- m.py --
class Base:
    def __init__(self):
        pass

class Sub(Base):
    pass

class Own(Base):
    def __init__(self):
        super().__init__()

def make():
    return Sub()

def other():
    return Own()
`)
	got, c := w.callersOf(t, "Base.__init__")
	if d := cmp.Diff([]string{"Own.__init__ must", "make must"}, got); d != "" {
		t.Error(d)
	}
	if c.Status != Complete {
		t.Errorf("%+v", c)
	}
	if got, _ := w.callersOf(t, "Own.__init__"); !slices.Equal(got, []string{"other must"}) {
		t.Errorf("callers of Own.__init__ %q", got)
	}
}

func TestUnknownInputs(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	w := newWorld(t, shop)
	for name, c := range map[string]struct {
		ask  func() error
		kind problem.Kind
	}{
		"cycles of nothing": {func() error { _, err := w.Cycles(ctx, CyclesInput{Level: "atoms"}); return err }, problem.Usage},
		"path of no such kind": {func() error {
			_, err := w.Path(ctx, PathInput{From: "Card", To: "run", Kinds: []string{"likes"}})
			return err
		}, problem.Usage},
		"outline of no file": {func() error { _, err := w.Outline(ctx, OutlineInput{Path: "none.go"}); return err }, problem.NotFound},
		"map too small":      {func() error { _, err := w.RepoMap(ctx, RepoMapInput{Tokens: 3}); return err }, problem.Usage},
		"map of no focus":    {func() error { _, err := w.RepoMap(ctx, RepoMapInput{Focus: []string{"Nothing"}}); return err }, problem.NotFound},
		"callers of nothing": {func() error { _, err := w.Callers(ctx, CallersInput{}); return err }, problem.Usage},
	} {
		if err := c.ask(); problem.KindOf(err) != c.kind || len(problem.Fixes(err)) == 0 {
			t.Errorf("%s: %v (%s) with fixes %q, want %s", name, err, problem.KindOf(err), problem.Fixes(err), c.kind)
		}
	}
}

func TestRepoMapKeepsItsBudget(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	w := newWorld(t, shop+manyNames[strings.Index(manyNames, "-- a/a.go"):])
	last := 0
	for _, budget := range []int{50, 100, 200, 400, 5000} {
		m, err := w.RepoMap(ctx, RepoMapInput{Tokens: budget})
		if err != nil {
			t.Fatal(err)
		}
		if m.Tokens > budget || len(m.Text) > 4*budget || len(m.Files) < last {
			t.Errorf("budget %d: %d tokens, %d bytes, %d files after %d", budget, m.Tokens, len(m.Text), len(m.Files), last)
		}
		last = len(m.Files)
	}
	m, err := w.RepoMap(ctx, RepoMapInput{Tokens: 60, Focus: []string{"tools/one.py"}})
	if err != nil || len(m.Files) == 0 || m.Files[0].File != "tools/one.py" {
		t.Errorf("with a focus on tools/one.py: %+v %v", m, err)
	}
}
