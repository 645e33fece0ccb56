package adopt

import (
	"cmp"
	"fmt"
	"strings"
	"unicode"
)

// ends are the nodes of an edge; nil with the reason when one is missing.
func (p *plan) ends(from, to value) (source, target *node, why reason) {
	for _, end := range []struct {
		word string
		id   value
		into **node
	}{{"source", from, &source}, {"target", to, &target}} {
		if end.id.missing() {
			return nil, nil, reason{text: "it has no " + end.word}
		}
		n := p.nodes[end.id.text]
		if n == nil {
			return nil, nil, reason{"its " + end.word + " is missing or in no graph itself", end.id.text}
		}
		*end.into = n.canonical()
	}
	if source.project != target.project {
		return nil, nil, reason{text: "it leads to another project"}
	}
	return source, target, reason{}
}

func (p *plan) addEdge(w row) error {
	var v struct {
		FromNodeID   value `json:"from_node_id"`
		ToNodeID     value `json:"to_node_id"`
		Relationship value `json:"relationship"`
		Metadata     value `json:"metadata"`
	}
	if err := decode("graph_edges", w, &v); err != nil {
		return err
	}
	var m struct {
		Line   value `json:"line"`
		Column value `json:"column"`
	}
	v.Metadata.object(&m)
	p.connect("graph_edges", w, v.FromNodeID, v.ToNodeID, v.Relationship.text, at(m.Line, m.Column))
	return nil
}

func (p *plan) addReference(w row) error {
	var v struct {
		SymbolNodeID    value `json:"symbol_node_id"`
		ReferenceNodeID value `json:"reference_node_id"`
		ReferenceType   value `json:"reference_type"`
		LineNumber      value `json:"line_number"`
		ColumnNumber    value `json:"column_number"`
	}
	if err := decode("symbol_references", w, &v); err != nil {
		return err
	}
	p.connect("symbol_references", w, v.ReferenceNodeID, v.SymbolNodeID, v.ReferenceType.text, at(v.LineNumber, v.ColumnNumber))
	return nil
}

func (p *plan) connect(table string, w row, from, to value, word string, where position) {
	source, target, why := p.ends(from, to)
	if source == nil {
		p.leave(table, w.ord, why)
		return
	}
	kind, ok := edgeOf(word)
	switch {
	case holds(word) && source.file == target.file:
		p.placed[table]++ // the place of the definition says it
		return
	case !ok:
		p.leave(table, w.ord, reason{text: fmt.Sprintf("a relation %q is no edge", word)})
		return
	}
	if !where.known {
		where = source.start
	}
	source.file.edges = append(source.file.edges, edge{table, w.ord, source, target, kind, where})
	p.placed[table]++
}

func (p *plan) addDiagnostic(w row) error {
	var v struct {
		NodeID       value `json:"node_id"`
		Severity     value `json:"severity"`
		Message      value `json:"message"`
		LineNumber   value `json:"line_number"`
		Line         value `json:"line"`
		ColumnNumber value `json:"column_number"`
		Column       value `json:"column"`
		Source       value `json:"source"`
		Rule         value `json:"rule"`
	}
	if err := decode("diagnostics", w, &v); err != nil {
		return err
	}
	n := p.nodes[v.NodeID.text]
	if v.NodeID.missing() || n == nil {
		p.leave("diagnostics", w.ord, reason{"its node is missing or in no graph itself", v.NodeID.text})
		return nil
	}
	d := diagnostic{ord: w.ord, severity: severityOf(v.Severity.text), code: cmp.Or(v.Rule.text, v.Source.text, "adopted"), message: v.Message.text,
		at: at(v.LineNumber.or(v.Line), v.ColumnNumber.or(v.Column))}
	if !d.at.known {
		d.at = n.start
	}
	n.file.diagnostics = append(n.file.diagnostics, d)
	p.placed["diagnostics"]++
	return nil
}

func (p *plan) addDependency(w row) error {
	var v struct {
		ProjectID value `json:"project_id"`
		Name      value `json:"name"`
		Version   value `json:"version"`
		Type      value `json:"type"`
		Source    value `json:"source"`
	}
	if err := decode("dependencies", w, &v); err != nil {
		return err
	}
	x, why := p.project(v.ProjectID)
	if x == nil {
		p.leave("dependencies", w.ord, why)
		return nil
	}
	name, _ := relative(x.place, v.Source.text)
	f := x.files[name]
	switch {
	case f == nil:
		p.leave("dependencies", w.ord, reason{text: "its source is no file of the project"})
	case v.Name.text == "":
		p.leave("dependencies", w.ord, reason{text: "it has no name"})
	default:
		f.imports = append(f.imports, dependency{v.Name.text, v.Version.text, importOf(v.Type.text)})
		p.placed["dependencies"]++
	}
	return nil
}

// printable is a name without what would move the cursor of a terminal.
func printable(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return unicode.ReplacementChar
		}
		return r
	}, name)
}
