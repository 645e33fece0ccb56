package pack

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"manito/internal/code"
)

// randomDocument makes a Document that keeps its laws.
func randomDocument(t *rapid.T) *code.Document {
	size := rapid.IntRange(0, 4000).Draw(t, "size")
	text := bytes.Repeat([]byte{'x'}, size)
	for range rapid.IntRange(0, 20).Draw(t, "lines") {
		if size > 0 {
			text[rapid.IntRange(0, size-1).Draw(t, "newline")] = '\n'
		}
	}
	var b code.Builder
	doc := b.Begin("go", rapid.SampledFrom([]string{"go", "ts", ""}).Draw(t, "dialect"), text)
	doc.Flags = code.DocFlags(rapid.Uint16().Draw(t, "flags"))
	doc.Constraint = rapid.StringN(0, 8, 20).Draw(t, "constraint")
	name := func() code.NameID {
		return b.Name(rapid.StringMatching(`[a-z]{1,3}`).Draw(t, "name"))
	}
	offset := func(low, high uint32) uint32 { return rapid.Uint32Range(low, high).Draw(t, "offset") }
	n := rapid.IntRange(0, 12).Draw(t, "defs")
	var last uint32
	for i := range n {
		start := offset(last, uint32(size))
		last = start
		d := code.Def{Name: name(), Kind: code.Kind(rapid.IntRange(1, 18).Draw(t, "kind")), Flags: code.DefFlags(rapid.Uint32().Draw(t, "defflags")), Parent: code.NoDef, Start: start, End: offset(start, uint32(size)), NameStart: offset(0, uint32(size)),
			Cyclomatic: rapid.Uint16().Draw(t, "cyclomatic"), Cognitive: 3}
		if rapid.Bool().Draw(t, "doc") {
			d.DocStart = offset(0, uint32(size))
			d.DocEnd = offset(d.DocStart, uint32(size))
			if d.DocEnd == d.DocStart {
				d.DocStart, d.DocEnd = 0, 0
			}
		}
		if rapid.Bool().Draw(t, "body") && d.End > d.Start {
			d.BodyStart = offset(max(1, d.Start), d.End)
		}
		if i > 0 && rapid.Bool().Draw(t, "child") {
			p := code.DefID(rapid.IntRange(0, i-1).Draw(t, "parent"))
			if doc.Defs[p].End >= d.End {
				d.Parent = p
			}
		}
		if d.Parent == code.NoDef && rapid.Bool().Draw(t, "owned") {
			d.Owner = name()
		}
		b.AddDef(d)
	}
	for range rapid.IntRange(0, 5).Draw(t, "locals") {
		b.AddLocal(code.Local{Name: name(), Kind: code.KindVariable, Scope: code.DefID(rapid.IntRange(-1, n-1).Draw(t, "scope")), Start: offset(0, uint32(size)), Type: b.Expr(code.OpName, int32(name()), 0)})
	}
	for range rapid.IntRange(0, 5).Draw(t, "imports") {
		start := offset(0, uint32(size))
		b.AddImport(code.Import{Kind: code.ImportKind(rapid.IntRange(0, 6).Draw(t, "importkind")), TypeOnly: rapid.Bool().Draw(t, "typeonly"), Optional: rapid.Bool().Draw(t, "optional"), Relative: rapid.Uint8().Draw(t, "relative"),
			Specifier: name(), Name: name(), Local: name(), Scope: code.NoDef, Start: start, End: offset(start, uint32(size)), NameStart: offset(0, uint32(size))})
	}
	for range rapid.IntRange(0, 30).Draw(t, "uses") {
		var x code.ExprID
		switch rapid.IntRange(0, 4).Draw(t, "op") {
		case 0:
			x = b.Expr(code.OpName, int32(name()), 0)
		case 1:
			x = b.Member(b.Expr(code.OpName, int32(name()), 0), name())
		case 2:
			if n > 0 {
				x = b.Expr(code.OpDef, int32(rapid.IntRange(0, n-1).Draw(t, "def")), 0)
			}
		case 3:
			if len(doc.Imports) > 0 {
				x = b.Expr(code.OpImport, 0, 0)
			}
		}
		u := code.Use{Name: name(), Scope: code.DefID(rapid.IntRange(-1, n-1).Draw(t, "usescope")), Expr: x, Role: code.Role(rapid.IntRange(0, 9).Draw(t, "role"))}
		if length := uint32(len(doc.Names[u.Name])); length <= uint32(size) {
			u.Start = offset(0, uint32(size)-length)
			b.AddUse(u)
		}
	}
	if rapid.Bool().Draw(t, "export") {
		b.AddExport(code.Export{Name: name(), Expr: b.Expr(code.OpName, int32(name()), 0), Import: -1})
	}
	if rapid.Bool().Draw(t, "diagnostic") {
		b.Diagnose(code.Diagnostic{Severity: code.SeverityWarning, Code: "syntax", Message: rapid.String().Draw(t, "message")})
	}
	return b.Finish()
}

func TestDocumentRoundTrip(t *testing.T) {
	t.Parallel()
	p, u := NewPacker(), NewUnpacker()
	rapid.Check(t, func(t *rapid.T) {
		doc := randomDocument(t)
		if err := doc.Check(); err != nil {
			t.Skip(err) // equal descriptors that number() could not tell apart by kind; not what is tested here
		}
		z := p.Document(doc)
		back, err := u.Document(z)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(doc, back, cmpopts.EquateEmpty(), cmpopts.IgnoreUnexported(code.Document{})); diff != "" {
			t.Fatalf("read back (-want +got):\n%s", diff)
		}
		if !bytes.Equal(z, NewPacker().Document(back)) {
			t.Fatal("the same Document packs to other bytes")
		}
	})
}

func FuzzDocument(f *testing.F) {
	var b code.Builder
	b.Begin("go", "go", []byte("package p\nfunc f() {}\n"))
	b.AddDef(code.Def{Name: b.Name("f"), Kind: code.KindFunction, Parent: code.NoDef, Start: 10, End: 21, NameStart: 15})
	f.Add(NewPacker().Document(b.Finish()))
	f.Add([]byte{})
	u := NewUnpacker()
	f.Fuzz(func(t *testing.T, z []byte) {
		doc, err := u.Document(z)
		if err == nil && doc.Check() != nil {
			t.Fatal("unpacked a Document that breaks its laws")
		}
		if _, err := u.Sites(z); err != nil {
			return
		}
	})
}

// TestDamagedDocument proves that a flipped byte is noticed: zstd's checksum or the laws catch it.
func TestDamagedDocument(t *testing.T) {
	t.Parallel()
	var b code.Builder
	b.Begin("go", "go", []byte("package p\nfunc f() {}\n"))
	b.AddDef(code.Def{Name: b.Name("f"), Kind: code.KindFunction, Parent: code.NoDef, Start: 10, End: 21, NameStart: 15})
	z := NewPacker().Document(b.Finish())
	u := NewUnpacker()
	for i := range z {
		bad := slices.Clone(z)
		bad[i] ^= 0x55
		if doc, err := u.Document(bad); err == nil && doc.Names[doc.Defs[0].Name] != "f" {
			t.Fatalf("byte %d flipped went unnoticed", i)
		}
	}
	for n := range z {
		if _, err := u.Document(z[:n]); err == nil {
			t.Fatalf("cut to %d bytes went unnoticed", n)
		}
	}
}

func TestBlockRoundTrip(t *testing.T) {
	t.Parallel()
	p, u := NewPacker(), NewUnpacker()
	rapid.Check(t, func(t *rapid.T) {
		big := rapid.Bool().Draw(t, "big")
		limit := func(narrow, wide uint32) uint32 {
			if big {
				return rapid.Uint32Range(0, wide).Draw(t, "field")
			}
			return rapid.Uint32Range(0, narrow).Draw(t, "field")
		}
		edges := make([]EdgeAt, rapid.IntRange(0, 40).Draw(t, "edges"))
		for i := range edges {
			edges[i] = EdgeAt{Source: code.DefID(limit(8190, 1<<21-2)) - code.DefID(rapid.IntRange(0, 1).Draw(t, "file")), Target: code.Key(rapid.Uint64().Draw(t, "target")), Line: limit(1<<17-1, 1<<31), Column: limit(1023, 1<<31),
				Kind: code.EdgeKind(rapid.IntRange(0, code.NumEdgeKinds-1).Draw(t, "kind")), Certainty: code.Certainty(rapid.IntRange(0, 2).Draw(t, "certainty")), Reason: code.Reason(rapid.IntRange(0, 22).Draw(t, "reason"))}
			if edges[i].Source < code.NoDef {
				edges[i].Source = code.NoDef
			}
		}
		sites := make([]SiteAt, rapid.IntRange(0, 20).Draw(t, "sites"))
		for i := range sites {
			sites[i] = SiteAt{Source: code.DefID(rapid.IntRange(-1, 50).Draw(t, "source")), Name: code.NameID(rapid.IntRange(0, 300).Draw(t, "sitename")), Line: limit(5000, 1<<30), Column: limit(1000, 1<<30),
				Role: code.Role(rapid.IntRange(0, 9).Draw(t, "siterole")), Reason: code.SiteUnknownReceiver + code.Reason(rapid.IntRange(0, 9).Draw(t, "sitereason"))}
			if sites[i].Reason == code.SiteExternal {
				sites[i].Package = code.Key(rapid.Uint64Range(1, 3).Draw(t, "package"))
			}
		}
		wantEdges, wantSites := slices.Clone(edges), slices.Clone(sites)
		b := p.NewBlock(edges, sites)
		got := make([]EdgeAt, b.Len())
		for i := range got {
			e, err := b.Edge(i)
			if err != nil {
				t.Fatal(err)
			}
			got[i] = e
		}
		slices.SortFunc(wantEdges, compareEdges)
		wantEdges = slices.CompactFunc(wantEdges, func(a, b EdgeAt) bool {
			return a.Source == b.Source && a.Line == b.Line && a.Column == b.Column && a.Kind == b.Kind && a.Target == b.Target
		})
		if diff := cmp.Diff(wantEdges, got, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("edges (-want +got):\n%s", diff)
		}
		back, err := u.Sites(b.Sites)
		if err != nil {
			t.Fatal(err)
		}
		key := func(s SiteAt) string { return fmt.Sprint(s) }
		a, c := []string{}, []string{}
		for i := range wantSites {
			a, c = append(a, key(wantSites[i])), append(c, key(back[i]))
		}
		slices.Sort(a)
		slices.Sort(c)
		if diff := cmp.Diff(a, c); diff != "" {
			t.Fatalf("sites (-want +got):\n%s", diff)
		}
	})
}

// TestBlockOrder proves that the order in which edges arrive does not matter.
func TestBlockOrder(t *testing.T) {
	t.Parallel()
	p := NewPacker()
	edges := []EdgeAt{{Source: 1, Target: 9, Line: 3, Kind: code.EdgeCalls}, {Source: 0, Target: 7, Line: 1}, {Source: 1, Target: 8, Line: 3, Column: 4, Kind: code.EdgeReads}, {Source: 1, Target: 9, Line: 3, Kind: code.EdgeCalls}}
	a := p.NewBlock(slices.Clone(edges), nil)
	slices.Reverse(edges)
	b := p.NewBlock(edges, nil)
	if a.Digest(nil) != b.Digest(nil) || a.Len() != 3 {
		t.Fatalf("%d and %d edges, digests %x and %x", a.Len(), b.Len(), a.Digest(nil), b.Digest(nil))
	}
}
