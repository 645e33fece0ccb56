package codeintel

import (
	"context"
	"encoding/csv"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"

	"manito/internal/code"
	"manito/internal/graph"
	"manito/internal/problem"
)

func (e *exporter) csv(ctx context.Context, table string) error {
	w := csv.NewWriter(e.out.w)
	var err error
	switch table {
	case "", "edges":
		err = e.csvEdges(ctx, w)
	case "symbols":
		err = e.csvSymbols(ctx, w)
	case "files":
		err = e.csvFiles(w)
	default:
		return problem.New(problem.Usage, "csv has no table %q", table).Fix("ask for edges, symbols or files")
	}
	if err != nil {
		return err
	}
	w.Flush()
	return w.Error()
}

func (e *exporter) csvEdges(ctx context.Context, w *csv.Writer) error {
	if err := w.Write([]string{"kind", "from", "to", "file", "line", "column", "certainty", "evidence", "reason", "via"}); err != nil {
		return err
	}
	return e.edges(ctx, func(_ graph.Def, _ graph.Node, x exportedEdge) error {
		return w.Write([]string{x.Kind, x.From, x.To, x.File, strconv.Itoa(x.Line), strconv.Itoa(x.Column), x.Certainty, x.Evidence, x.Reason, x.Via})
	})
}

func (e *exporter) csvSymbols(ctx context.Context, w *csv.Writer) error {
	if err := w.Write([]string{"id", "key", "name", "qualified_name", "kind", "file", "line", "end_line", "visibility", "parent", "cyclomatic", "cognitive"}); err != nil {
		return err
	}
	return e.symbols(ctx, func(v any) error {
		s := v.(exportedSymbol)
		return w.Write([]string{s.ID, s.Key, s.Name, s.QualifiedName, s.Kind, s.File, strconv.Itoa(s.Line), strconv.Itoa(s.EndLine), s.Visibility, s.Parent, strconv.Itoa(s.Cyclomatic), strconv.Itoa(s.Cognitive)})
	})
}

func (e *exporter) csvFiles(w *csv.Writer) error {
	if err := w.Write([]string{"path", "language", "family", "lines", "bytes", "state", "flags", "diagnostics", "sha256"}); err != nil {
		return err
	}
	return e.files(func(v any) error {
		f := v.(exportedFile)
		return w.Write([]string{f.Path, f.Language, f.Family, strconv.Itoa(f.Lines), strconv.Itoa(f.Bytes), f.State, strings.Join(f.Flags, " "), strconv.Itoa(f.Diagnostics), f.SHA256})
	})
}

// dot writes the language of Graphviz.
func (e *exporter) dot(ctx context.Context) error {
	names, arrows, err := e.coarse(ctx, "files")
	if err != nil {
		return err
	}
	e.out.put("digraph manito {\n\trankdir=LR;\n\tnode [shape=box, fontname=\"sans-serif\"];\n")
	for i, n := range names {
		e.out.put(fmt.Sprintf("\tn%d [label=%s];\n", i, dotQuote(n)))
	}
	for _, a := range arrows {
		e.out.put(fmt.Sprintf("\tn%d -> n%d [weight=%d];\n", a[0], a[1], a[2]))
	}
	e.out.put("}\n")
	return nil
}

// dotQuote makes a quoted string of Graphviz: only the quote, the backslash and the line end are special.
func dotQuote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", "").Replace(strings.ToValidUTF8(s, "\uFFFD")) + `"`
}

// mermaid writes a Mermaid flowchart.
func (e *exporter) mermaid(ctx context.Context) error {
	names, arrows, err := e.coarse(ctx, "files")
	if err != nil {
		return err
	}
	e.out.put("flowchart LR\n")
	for i, n := range names {
		e.out.put(fmt.Sprintf("  n%d[\"%s\"]\n", i, mermaidText(n)))
	}
	for _, a := range arrows {
		e.out.put(fmt.Sprintf("  n%d --> n%d\n", a[0], a[1]))
	}
	return nil
}

// mermaidText writes what has a meaning to Mermaid as character references.
func mermaidText(s string) string {
	var b strings.Builder
	for _, r := range strings.ToValidUTF8(s, "\uFFFD") {
		if strings.ContainsRune("\"#;<>&`\n\r\\{}[]|", r) {
			fmt.Fprintf(&b, "#%d;", r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// graphml writes GraphML; a vertex's id is made of its key, which outlives the snapshot.
func (e *exporter) graphml(ctx context.Context) error {
	if e.level != "" && e.level != "symbols" {
		return e.graphmlCoarse(ctx)
	}
	g := e.x.g
	e.graphmlHead("name", "qualified_name", "kind", "file", "line", "id")
	for n := range graph.Node(g.NumNodes()) {
		if err := ctx.Err(); err != nil {
			return err
		}
		s := e.x.symbol(n)
		e.out.put(fmt.Sprintf("<node id=\"k%s\">", hexKey(uint64(g.Key(n)))))
		e.data("name", s.Name)
		e.data("qualified_name", s.QualifiedName)
		e.data("kind", s.Kind)
		e.data("file", s.File)
		if s.Kind != code.KindFile.String() && s.Line > 0 {
			e.data("line", strconv.Itoa(s.Line))
		}
		e.data("id", e.x.id(n))
		e.out.put("</node>\n")
	}
	err := e.edges(ctx, func(source graph.Def, target graph.Node, x exportedEdge) error {
		e.out.put(fmt.Sprintf("<edge source=\"k%s\" target=\"k%s\">", hexKey(uint64(g.Key(g.Node(source)))), hexKey(uint64(g.Key(target)))))
		e.data("edge", x.Kind)
		e.data("tier", x.Tier)
		e.data("place", fmt.Sprintf("%s:%d:%d", x.File, x.Line, x.Column))
		e.out.put("</edge>\n")
		return e.out.err
	})
	if err != nil {
		return err
	}
	e.out.put("</graph>\n</graphml>\n")
	return nil
}

func (e *exporter) graphmlCoarse(ctx context.Context) error {
	names, arrows, err := e.coarse(ctx, e.level)
	if err != nil {
		return err
	}
	id := func(i int) string { return hex.EncodeToString([]byte(names[i])) }
	e.graphmlHead("name")
	for i, n := range names {
		e.out.put(fmt.Sprintf("<node id=\"p%s\">", id(i)))
		e.data("name", n)
		e.out.put("</node>\n")
	}
	for _, a := range arrows {
		e.out.put(fmt.Sprintf("<edge source=\"p%s\" target=\"p%s\">", id(a[0]), id(a[1])))
		e.data("weight", strconv.Itoa(a[2]))
		e.out.put("</edge>\n")
	}
	e.out.put("</graph>\n</graphml>\n")
	return nil
}

func (e *exporter) graphmlHead(nodeKeys ...string) {
	e.out.put(xml.Header)
	e.out.put("<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">\n")
	for _, k := range nodeKeys {
		e.out.put(fmt.Sprintf("<key id=\"%s\" for=\"node\" attr.name=\"%s\" attr.type=\"string\"/>\n", k, k))
	}
	for _, k := range []string{"edge", "tier", "place"} {
		e.out.put(fmt.Sprintf("<key id=\"%s\" for=\"edge\" attr.name=\"%s\" attr.type=\"string\"/>\n", k, k))
	}
	e.out.put("<key id=\"weight\" for=\"edge\" attr.name=\"weight\" attr.type=\"int\"/>\n")
	e.out.put("<graph id=\"manito\" edgedefault=\"directed\">\n")
}

func (e *exporter) data(key, value string) {
	if value == "" {
		return
	}
	e.out.put("<data key=\"", key, "\">")
	if e.out.err == nil {
		e.out.err = xml.EscapeText(e.out.w, []byte(value))
	}
	e.out.put("</data>")
}
