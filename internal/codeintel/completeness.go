package codeintel

import (
	"context"
	"fmt"
	"strings"

	"manito/internal/code"
	"manito/internal/graph"
)

// Status says whether an answer is everything there is in the repository. Uses
// from outside of the repository are never meant.
type Status string

// The statuses.
const (
	Complete   Status = "complete"    // there is nothing else
	LowerBound Status = "lower_bound" // what is listed is there; there may be more
	Unknown    Status = "unknown"     // nothing can be said
)

// Completeness says whether an answer is everything there is, and if not, why.
type Completeness struct {
	Status  Status   `json:"status"`
	Reasons []Reason `json:"reasons"` // empty when complete
}

// Reason is one cause why an answer may not be everything.
type Reason struct {
	Code     string     `json:"code"`     // one of the words below
	Message  string     `json:"message"`  // a sentence for people
	Count    int        `json:"count"`    // how many places
	Examples []Location `json:"examples"` // at most maxExamples, in path order
}

// The codes of reasons.
const (
	reasonReceiver      = "unknown_receiver"   // a member of this name is used on something whose type is not known
	reasonPartial       = "partial_receiver"   // as above, where some of the types are known
	reasonAmbiguous     = "ambiguous"          // a use with several candidates, none preferred
	reasonImport        = "unresolved_import"  // a use that belongs to an import that could not be resolved
	reasonNoExport      = "no_export"          // a use of a name that the module does not visibly export
	reasonNoMember      = "missing_member"     // a member of this name on a type that does not visibly have it
	reasonExternal      = "external_value"     // a member of this name on something that external code handed over
	reasonComputed      = "computed_access"    // members chosen at run time
	reasonRunTimeCode   = "run_time_code"      // files that evaluate code or look names up at run time
	reasonPartlyRead    = "partly_read"        // files of which only a part was read
	reasonUnread        = "unread"             // files that could not be read
	reasonOtherLanguage = "other_language"     // files in a language that is not read and that mention the name
	reasonValue         = "taken_as_value"     // the function is taken as a value and may be called through it
	reasonDecorated     = "decorated"          // a decorator of the repository gets the function and may call it
	reasonStructural    = "structural_type"    // an interface with the same member may be satisfied without saying so
	reasonImplicit      = "called_by_language" // the language calls it without its name being written
	reasonDangling      = "dangling_edges"     // the snapshot has edges whose target is missing
	reasonReached       = "reached"            // something on the way may have more users
	reasonTruncated     = "truncated"          // the answer was cut at its limit
	reasonDepth         = "depth"              // the search was ended at its depth
	reasonLanguage      = "language"           // no extractor reads the language
)

const maxExamples = 5

// region is from where a symbol can be seen.
type region uint8

const (
	regionFile    region = iota // its own file
	regionPackage               // the files of its scope
	regionAll                   // every file of its language
)

// inquiry collects the reasons why uses of a subject may be missing.
type inquiry struct {
	x       *Index
	s       subject
	ask     question
	first   bool // stop at the first reason
	reasons []Reason
	at      map[string]int

	node   graph.Node
	def    graph.Def
	file   graph.FileNo
	name   string
	kind   code.Kind
	flags  code.DefFlags
	traits traits
	region region
	member bool
	// holders are the files that hold the symbol's module as a value or all of its
	// names, namers those that import the symbol by its name. They are filled when asked for.
	holders, namers map[graph.FileNo]bool
}

// completeness says whether the graph knows every use of a subject.
func (x *Index) completeness(ctx context.Context, s subject, ask question) (Completeness, error) {
	q := &inquiry{x: x, s: s, ask: ask, at: map[string]int{}}
	unsupported := false
	for _, n := range s.nodes {
		supported, err := q.node1(ctx, n)
		if err != nil {
			return Completeness{}, err
		}
		unsupported = unsupported || !supported
	}
	c := Completeness{Status: Complete, Reasons: q.reasons}
	if c.Reasons == nil {
		c.Reasons = []Reason{}
	}
	switch {
	case unsupported:
		c.Status = Unknown
	case len(q.reasons) > 0:
		c.Status = LowerBound
	}
	return c, nil
}

// firstReason is a quick look for any reason why uses of a node may be missing; nil when there is none.
func (x *Index) firstReason(ctx context.Context, n graph.Node, ask question) (*Reason, error) {
	q := &inquiry{x: x, s: subject{[]graph.Node{n}}, ask: ask, first: true, at: map[string]int{}}
	if _, err := q.node1(ctx, n); err != nil {
		return nil, err
	}
	if len(q.reasons) > 0 {
		return &q.reasons[0], nil
	}
	return nil, nil
}

// add counts one place for a reason; false when nothing more needs to be found.
func (q *inquiry) add(code string, at Location, message string, args ...any) bool {
	i, ok := q.at[code]
	if !ok {
		i = len(q.reasons)
		q.at[code] = i
		q.reasons = append(q.reasons, Reason{Code: code, Message: fmt.Sprintf(message, args...), Examples: []Location{}})
	}
	r := &q.reasons[i]
	r.Count++
	if len(r.Examples) < maxExamples && at.File != "" {
		r.Examples = append(r.Examples, at)
	}
	return !q.first
}

// done says whether a first reason is enough and there.
func (q *inquiry) done() bool { return q.first && len(q.reasons) > 0 }

// node1 looks at one node; supported is false when no extractor reads its language.
func (q *inquiry) node1(ctx context.Context, n graph.Node) (supported bool, err error) {
	g := q.x.g
	q.node, q.holders, q.namers = n, nil, nil
	if g.Stats().Dangling > 0 {
		q.add(reasonDangling, Location{}, "the snapshot has %d edges whose target is missing; scan again", g.Stats().Dangling)
	}
	switch g.Class(n) {
	case graph.ClassExternal:
		q.external()
		return true, nil
	case graph.ClassPackage:
		q.file = g.PackageFiles(n)[0]
		q.def, q.kind, q.flags, q.name = g.FileDef(q.file), code.KindPackage, 0, g.Name(n)
	default:
		q.def = g.FirstDef(n)
		q.file, q.kind, q.flags, q.name = g.FileOf(q.def), g.Kind(q.def), g.Flags(q.def), g.Name(n)
	}
	family := g.Family(q.file)
	if family == "" || g.State(q.file) != graph.StateRead {
		q.add(reasonLanguage, Location{File: g.Path(q.file)}, "%s is not read, so that nothing is known of who uses it", g.Path(q.file))
		return false, nil
	}
	q.traits = traitsOf(family)
	q.member = q.isMember()
	q.region = q.seenFrom()
	steps := []func(context.Context) error{q.values, q.implicit, q.sites, q.computed, q.structural, q.files}
	if q.kind == code.KindFile || q.kind == code.KindPackage {
		steps = []func(context.Context) error{q.moduleSites, q.files}
	}
	for _, step := range steps {
		if q.done() {
			break
		}
		if err := step(ctx); err != nil {
			return true, err
		}
	}
	return true, nil
}

// isMember says whether the symbol is reached through an instance or type.
func (q *inquiry) isMember() bool {
	g := q.x.g
	if g.HasOwner(q.def) {
		return true
	}
	p := g.Parent(q.def)
	return p != graph.None && g.Kind(p).IsType()
}

// seenFrom finds from where the symbol can be seen.
func (q *inquiry) seenFrom() region {
	g := q.x.g
	switch {
	case q.kind == code.KindFile || q.kind == code.KindPackage:
		return regionAll
	case strings.HasPrefix(q.name, "#"), q.flags&code.DefFileLocal != 0:
		return regionFile
	case q.member:
		if g.Packaged(q.file) && q.flags&code.DefExported == 0 {
			return regionPackage
		}
		return regionAll
	}
	if p := g.Parent(q.def); p != graph.None {
		for ; p != graph.None; p = g.Parent(p) {
			if g.Kind(p).Callable() {
				return regionFile // local to a function
			}
		}
	}
	switch {
	case q.flags&code.DefExported != 0:
		return regionAll
	case g.Packaged(q.file):
		return regionPackage
	case g.DocFlags(q.file)&code.DocModule != 0 && g.CountIn(q.node, linkKinds) == 0:
		return regionFile // the file is a module that does not export it
	}
	return regionAll
}

var (
	linkKinds = graph.KindsOf(code.EdgeImports, code.EdgeExports)
	readKinds = graph.KindsOf(code.EdgeReads)
)

// sees says whether code in a file could name the symbol.
func (q *inquiry) sees(f graph.FileNo) bool {
	g := q.x.g
	switch q.region {
	case regionFile:
		return f == q.file
	case regionPackage:
		return g.SameScope(f, q.file)
	}
	return g.SameFamily(f, q.file)
}

// external looks at imports that could not be resolved and may mean the package.
func (q *inquiry) external() {
	g := q.x.g
	name := g.External(q.node).Name
	for _, s := range g.UnresolvedImports() {
		if s.Name == name || strings.HasPrefix(s.Name, name+"/") || strings.HasPrefix(s.Name, name+".") {
			if !q.add(reasonImport, q.x.at(s.Source, s.Line, s.Column), "an import that could not be resolved may mean %s", name) {
				return
			}
		}
	}
}
