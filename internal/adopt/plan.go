package adopt

import (
	"cmp"
	"context"
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

// leftover is a row that is in no graph. The key, if any, is what the reason is about.
type leftover struct {
	table       string
	ord         int64
	reason, key string
}

// text is the reason with its key.
func (l *leftover) text() string {
	if l.key == "" {
		return l.reason
	}
	return l.reason + ": " + l.key
}

// reason is why a row is in no graph; the zero value is none.
type reason struct{ text, key string }

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
func (p *plan) leave(table string, ord int64, why reason) {
	p.rest = append(p.rest, leftover{table, ord, why.text, why.key})
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
		p.leave("projects", w.ord, reason{"its key stands twice or is empty", w.id})
		return nil
	}
	x := &project{id: w.id, name: printable(v.Name.text), place: v.Path.text, files: map[string]*file{}, commits: map[string]bool{}}
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
func (p *plan) project(id value) (*project, reason) {
	if id.missing() {
		return nil, reason{text: "it belongs to no project"}
	}
	if x := p.byID[id.text]; x != nil {
		return x, reason{}
	}
	return nil, reason{"its project is missing", id.text}
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
	x, why := p.project(v.ProjectID)
	if x == nil {
		p.leave("files", w.ord, why)
		return nil
	}
	name, said := relative(x.place, v.FilePath.text)
	if name == "" {
		p.leave("files", w.ord, reason{text: said})
		return nil
	}
	f := x.file(name)
	if f.row != 0 && (f.content >= 0 && w.content < 0) {
		p.leave("files", w.ord, reason{text: "another row of its path has the content"})
		return nil
	}
	if f.row != 0 {
		p.leave("files", f.row, reason{text: "a later row of its path stands for it"})
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
	x, why := p.project(v.ProjectID)
	if x == nil {
		p.leave("graph_nodes", w.ord, why)
		return nil
	}
	name, said := relative(x.place, v.Path.or(v.FilePath).text)
	if name == "" {
		p.leave("graph_nodes", w.ord, reason{text: said})
		return nil
	}
	kind := kindOf(v.Type.or(v.NodeType).text)
	switch {
	case w.id == "" || p.nodes[w.id] != nil:
		p.leave("graph_nodes", w.ord, reason{"its key stands twice or is empty", w.id})
		return nil
	case v.Name.text == "" && kind != code.KindFile:
		p.leave("graph_nodes", w.ord, reason{text: "it has no name"})
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
					p.leave("graph_nodes", n.ord, reason{"another node says the same", first.id})
					p.placed["graph_nodes"]--
					continue
				}
				seen[k] = n
			}
		}
	}
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
		if x, why := p.project(v.ProjectID); x == nil {
			p.leave(table, w.ord, why)
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
		p.leave("code_chunks", w.ord, reason{"its node is missing or in no graph itself", v.NodeID.text})
	}
	return nil
}
