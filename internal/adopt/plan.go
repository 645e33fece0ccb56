package adopt

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"manito/internal/code"
)

// plan is what the rows of the predecessor become.
type plan struct {
	projects []*project // by key, as its rows were ordered
	byID     map[string]*project
	nodes    map[string]*node
	rest     []leftover
	placed   map[string]int64 // rows that are in a graph, by table
}

// leftover is a row that is in no graph.
type leftover struct {
	table  string
	ord    int64
	reason string
}

// project is one project, which becomes a ref of a repository.
type project struct {
	id, name, root string // root is unique among repositories, not among projects
	place          string // its path as it was written
	ref            string
	files          map[string]*file
	commits        map[string]bool
}

// file is what the predecessor knew of one path.
type file struct {
	path     string
	row      int64 // ord of the row with its content; 0 when there is none
	content  int64 // bytes; -1 when it was not kept
	size     int64 // as a row says; 0 unknown
	lines    int
	language string

	nodes       []*node
	edges       []edge
	diagnostics []diagnostic
	imports     []dependency
}

// node is a node of the old graph: a definition, or a file as a whole.
type node struct {
	id         string
	ord        int64
	file       *file
	project    *project
	whole      bool // the file itself
	kind       code.Kind
	name       string
	start, end position
	same       *node // the node that stands for it, when two say the same

	def code.DefID // set when the Document is made
	key code.Key
}

// canonical is the node that stands for n.
func (n *node) canonical() *node {
	if n.same != nil {
		return n.same
	}
	return n
}

// edge is an edge or a reference that leaves a file.
type edge struct {
	table          string
	ord            int64
	source, target *node
	kind           code.EdgeKind
	at             position
}

type diagnostic struct {
	ord           int64
	severity      code.Severity
	code, message string
	at            position
}

// dependency is a package or module that a file imports.
type dependency struct {
	name, version string
	kind          code.ImportKind
}

// nodeRow is what a plan is made of in a row of graph_nodes; the two names of its kind and
// its path are those of installations without and with the renaming migration.
type nodeRow struct {
	Type       value `json:"type"`
	NodeType   value `json:"node_type"`
	Name       value `json:"name"`
	Path       value `json:"path"`
	FilePath   value `json:"file_path"`
	Language   value `json:"language"`
	Metadata   value `json:"metadata"`
	CommitHash value `json:"commit_hash"`
	ProjectID  value `json:"project_id"`
}

// leave keeps a row out of the graph.
func (p *plan) leave(table string, w row, format string, args ...any) {
	p.rest = append(p.rest, leftover{table, w.ord, fmt.Sprintf(format, args...)})
}

// newPlan reads every table.
func newPlan(ctx context.Context, r *reader) (*plan, error) {
	p := &plan{byID: map[string]*project{}, nodes: map[string]*node{}, placed: map[string]int64{}}
	for _, step := range []struct {
		table string
		read  func(row) error
	}{
		{"projects", p.addProject},
		{"files", p.addFile},
		{"graph_nodes", p.addNode},
		{"graph_edges", p.addEdge},
		{"symbol_references", p.addReference},
		{"diagnostics", p.addDiagnostic},
		{"dependencies", p.addDependency},
		{"scans", p.owned("scans")},
		{"conflicts", p.owned("conflicts")},
		{"code_chunks", p.addChunk},
	} {
		if step.table == "graph_nodes" {
			p.settleProjects()
		}
		if step.table == "graph_edges" {
			p.mergeNodes()
		}
		if err := r.each(ctx, step.table, step.read); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(p.rest, func(a, b leftover) int { return cmp.Or(cmp.Compare(a.table, b.table), cmp.Compare(a.ord, b.ord)) })
	return p, nil
}

func (p *plan) addProject(w row) error {
	var v struct {
		Name value `json:"name"`
		Path value `json:"path"`
	}
	if err := decode("projects", w, &v); err != nil {
		return err
	}
	if w.id == "" || p.byID[w.id] != nil {
		p.leave("projects", w, "its key %q stands twice or is empty", w.id)
		return nil
	}
	x := &project{id: w.id, name: v.Name.text, place: v.Path.text, files: map[string]*file{}, commits: map[string]bool{}}
	p.projects, p.byID[w.id] = append(p.projects, x), x
	p.placed["projects"]++
	return nil
}

// settleProjects gives projects their roots and refs. Projects of one path are one
// repository; the first has the ref "adopted", the others have their keys in it.
func (p *plan) settleProjects() {
	taken := map[string]bool{}
	for _, x := range p.projects {
		x.root = strings.TrimSpace(x.place)
		if path.IsAbs(x.root) {
			x.root = path.Clean(x.root)
		}
		if x.root == "" || len(x.root) > maxPath {
			x.root = "adopted:project/" + x.id
		}
		if len(x.name) > maxPath || strings.TrimSpace(x.name) == "" {
			x.name = "project " + x.id
		}
		x.ref = "adopted"
		if taken[x.root] {
			x.ref += "-" + x.id
		}
		taken[x.root] = true
	}
}

// project is the project of a row; nil with the reason when it has none.
func (p *plan) project(id value) (*project, string) {
	if id.missing() {
		return nil, "it belongs to no project"
	}
	if x := p.byID[id.text]; x != nil {
		return x, ""
	}
	return nil, fmt.Sprintf("its project %s is missing", id.text)
}

// file is the file of a path in a project.
func (x *project) file(name string) *file {
	f := x.files[name]
	if f == nil {
		f = &file{path: name, content: -1}
		x.files[name] = f
	}
	return f
}

// addFile takes a row of a file. Each scan of the predecessor wrote its files anew: of
// several rows of a path the last that has a content is the file.
func (p *plan) addFile(w row) error {
	var v struct {
		ProjectID value `json:"project_id"`
		FilePath  value `json:"file_path"`
		Lines     value `json:"lines"`
		Size      value `json:"size"`
	}
	if err := decode("files", w, &v); err != nil {
		return err
	}
	x, reason := p.project(v.ProjectID)
	if x == nil {
		p.leave("files", w, "%s", reason)
		return nil
	}
	name, reason := relative(x.place, v.FilePath.text)
	if name == "" {
		p.leave("files", w, "%s", reason)
		return nil
	}
	f := x.file(name)
	if f.row != 0 && (f.content >= 0 && w.content < 0) {
		p.leave("files", w, "another row of its path has the content")
		return nil
	}
	if f.row != 0 {
		p.leave("files", row{ord: f.row}, "a later row of its path stands for it")
		p.placed["files"]--
	}
	f.row, f.content = w.ord, w.content
	f.lines, _ = v.Lines.number()
	size, _ := v.Size.number()
	f.size = int64(size)
	p.placed["files"]++
	return nil
}

func (p *plan) addNode(w row) error {
	var v nodeRow
	if err := decode("graph_nodes", w, &v); err != nil {
		return err
	}
	x, reason := p.project(v.ProjectID)
	if x == nil {
		p.leave("graph_nodes", w, "%s", reason)
		return nil
	}
	name, reason := relative(x.place, v.Path.or(v.FilePath).text)
	if name == "" {
		p.leave("graph_nodes", w, "%s", reason)
		return nil
	}
	kind := kindOf(v.Type.or(v.NodeType).text)
	switch {
	case w.id == "" || p.nodes[w.id] != nil:
		p.leave("graph_nodes", w, "its key %q stands twice or is empty", w.id)
		return nil
	case v.Name.text == "" && kind != code.KindFile:
		p.leave("graph_nodes", w, "it has no name")
		return nil
	}
	var m struct {
		Start point `json:"startPosition"`
		End   point `json:"endPosition"`
	}
	v.Metadata.object(&m)
	n := &node{id: w.id, ord: w.ord, project: x, file: x.file(name), whole: kind == code.KindFile, kind: kind, name: v.Name.text,
		start: m.Start.position(), end: m.End.position(), def: code.NoDef}
	if n.file.language == "" {
		n.file.language = v.Language.text
	}
	if h := v.CommitHash.text; h != "" {
		x.commits[h] = true
	}
	n.file.nodes = append(n.file.nodes, n)
	p.nodes[w.id] = n
	p.placed["graph_nodes"]++
	return nil
}

// mergeNodes lets one node stand for those that say the same: each run of the
// predecessor wrote its nodes anew.
func (p *plan) mergeNodes() {
	type identity struct {
		kind       code.Kind
		name       string
		start, end position
	}
	for _, x := range p.projects {
		for _, name := range slices.Sorted(maps.Keys(x.files)) {
			f := x.files[name]
			seen := map[identity]*node{}
			slices.SortFunc(f.nodes, func(a, b *node) int { return cmp.Compare(a.ord, b.ord) })
			for _, n := range f.nodes {
				k := identity{n.kind, n.name, n.start, n.end}
				if n.whole {
					k = identity{kind: code.KindFile}
				}
				if first := seen[k]; first != nil {
					n.same = first
					p.leave("graph_nodes", row{ord: n.ord}, "node %s says the same", first.id)
					p.placed["graph_nodes"]--
					continue
				}
				seen[k] = n
			}
		}
	}
}

// ends are the nodes of an edge; nil with the reason when one is missing.
func (p *plan) ends(from, to value) (source, target *node, reason string) {
	for _, end := range []struct {
		word string
		id   value
		into **node
	}{{"source", from, &source}, {"target", to, &target}} {
		if end.id.missing() {
			return nil, nil, "it has no " + end.word
		}
		n := p.nodes[end.id.text]
		if n == nil {
			return nil, nil, fmt.Sprintf("its %s %s is missing or is in no graph itself", end.word, end.id.text)
		}
		*end.into = n.canonical()
	}
	if source.project != target.project {
		return nil, nil, "it leads to another project"
	}
	return source, target, ""
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
	source, target, reason := p.ends(from, to)
	if source == nil {
		p.leave(table, w, "%s", reason)
		return
	}
	kind, ok := edgeOf(word)
	switch {
	case holds(word) && source.file == target.file:
		p.placed[table]++ // the place of the definition says it
		return
	case !ok:
		p.leave(table, w, "a relation %q is no edge", word)
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
		p.leave("diagnostics", w, "its node is missing or is in no graph itself")
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
	x, reason := p.project(v.ProjectID)
	if x == nil {
		p.leave("dependencies", w, "%s", reason)
		return nil
	}
	name, _ := relative(x.place, v.Source.text)
	f := x.files[name]
	switch {
	case f == nil:
		p.leave("dependencies", w, "its source is no file of the project")
	case v.Name.text == "":
		p.leave("dependencies", w, "it has no name")
	default:
		f.imports = append(f.imports, dependency{v.Name.text, v.Version.text, importOf(v.Type.text)})
		p.placed["dependencies"]++
	}
	return nil
}

// owned looks whether the project of a row is there: the row itself is no part of a graph.
func (p *plan) owned(table string) func(row) error {
	return func(w row) error {
		var v struct {
			ProjectID value `json:"project_id"`
		}
		if err := decode(table, w, &v); err != nil {
			return err
		}
		if x, reason := p.project(v.ProjectID); x == nil {
			p.leave(table, w, "%s", reason)
		}
		return nil
	}
}

func (p *plan) addChunk(w row) error {
	var v struct {
		NodeID value `json:"node_id"`
	}
	if err := decode("code_chunks", w, &v); err != nil {
		return err
	}
	if v.NodeID.missing() || p.nodes[v.NodeID.text] == nil {
		p.leave("code_chunks", w, "its node is missing or is in no graph itself")
	}
	return nil
}
