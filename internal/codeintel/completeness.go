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

// question says which uses an answer is about.
type question uint8

const (
	askCalls question = iota // calls, instantiations, and reads of what is called by reading it
	askUses                  // every reference
)

// traits are what completeness needs to know of a language.
type traits struct {
	// moduleValues: a module can be held in a variable, so that a member of something unknown may be a function of a module.
	moduleValues bool
	// computedMembers: members can be chosen at run time by an expression.
	computedMembers bool
	// structural: a type may satisfy an interface without saying so and without the graph knowing.
	structural bool
	// reflectsExported: code that looks names up at run time finds exported members only.
	reflectsExported bool
	// implicit are members that the language or its library calls by itself.
	implicit func(name string) bool
	// hosts are endings of files in other languages that can hold or call code of this one.
	hosts []string
}

// traitsOf are the traits of a family. A family that is not listed is taken to be as dynamic as any.
func traitsOf(family string) traits {
	switch family {
	case "go":
		return traits{reflectsExported: true, implicit: func(string) bool { return false }, hosts: []string{".s", ".tmpl", ".gotmpl", ".gohtml", ".html"}}
	case "typescript":
		return traits{moduleValues: true, computedMembers: true, structural: true, implicit: implicitScript, hosts: []string{".vue", ".svelte", ".astro", ".mdx", ".html", ".htm"}}
	case "python":
		return traits{moduleValues: true, computedMembers: true, implicit: implicitPython, hosts: []string{".ipynb", ".pyx", ".pxd", ".html", ".htm", ".j2", ".jinja", ".jinja2", ".djhtml"}}
	}
	return traits{moduleValues: true, computedMembers: true, structural: true, implicit: func(string) bool { return false }}
}

func implicitScript(name string) bool {
	switch name {
	case "toString", "valueOf", "toJSON", "then", "[Symbol.iterator]", "[Symbol.asyncIterator]", "[Symbol.toPrimitive]", "[Symbol.dispose]", "[Symbol.hasInstance]":
		return true
	}
	return false
}

// implicitPython: double-underscored members are called by syntax, except those that follow from making an instance.
func implicitPython(name string) bool {
	return len(name) > 4 && strings.HasPrefix(name, "__") && strings.HasSuffix(name, "__") && name != "__init__" && name != "__new__"
}

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
		q.reasons = append(q.reasons, Reason{Code: code, Message: fmt.Sprintf(message, args...)})
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

// values: a function or class that is taken as a value may be called through it.
func (q *inquiry) values(context.Context) error {
	g := q.x.g
	if q.ask != askCalls || !callable(q.kind, q.flags) && !q.kind.IsType() || readIsCall(q.kind, q.flags) {
		return nil
	}
	for l := range g.In(q.node, readKinds) {
		if l.Flags&graph.LinkExported != 0 {
			continue
		}
		if !q.add(reasonValue, q.x.at(l.Source, l.Line, l.Column), "%s is taken as a value and may be called through it", q.name) {
			return nil
		}
	}
	if q.flags&code.DefDecorated == 0 {
		return nil
	}
	for d := q.def; d != graph.None; d = g.NextDef(d) {
		for l := range g.Out(d) {
			if l.Kind == code.EdgeDecorates && g.Class(l.Target) == graph.ClassSymbol {
				q.add(reasonDecorated, q.x.at(d, l.Line, l.Column), "a decorator of the repository gets %s and may call it", q.name)
			}
		}
	}
	return nil
}

func callable(k code.Kind, f code.DefFlags) bool { return k.Callable() && f&code.DefProperty == 0 }

// readIsCall says whether reading the symbol runs it.
func readIsCall(k code.Kind, f code.DefFlags) bool {
	return k == code.KindGetter || k == code.KindSetter || f&code.DefProperty != 0
}

func (q *inquiry) implicit(context.Context) error {
	if q.ask == askCalls && q.member && q.traits.implicit(q.name) {
		def := q.x.g.Definition(q.def)
		q.add(reasonImplicit, q.x.at(q.def, def.NameLine, def.NameColumn), "the language calls %s without its name being written", q.name)
	}
	return nil
}

// sites looks at the unresolved uses of the symbol's name.
func (q *inquiry) sites(context.Context) error {
	g := q.x.g
	for _, name := range q.names() {
		files := cursor{g: g}
		for s := range g.Sites(name) {
			f := files.of(s.Source)
			if !q.roleCounts(s.Role) || !q.sees(f) {
				continue
			}
			reason, message := q.siteReason(s)
			if reason == "" {
				continue
			}
			if !q.add(reason, q.x.at(s.Source, s.Line, s.Column), message, name) {
				return nil
			}
		}
	}
	return nil
}

// cursor finds the files of definitions that come mostly in order.
type cursor struct {
	g          *graph.Graph
	f          graph.FileNo
	first, end graph.Def
}

func (c *cursor) of(d graph.Def) graph.FileNo {
	if d < c.first || d >= c.end {
		c.f = c.g.FileOf(d)
		c.first = c.g.FileDef(c.f)
		_, c.end = c.g.FileDefs(c.f)
	}
	return c.f
}

// names are the names under which the symbol is written where it is used: for a constructor that of its class.
func (q *inquiry) names() []string {
	if !constructor(q.kind, q.name) {
		return []string{q.name}
	}
	out := []string{q.x.g.OwnerName(q.def)}
	if q.kind != code.KindConstructor && q.name != "constructor" {
		out = append(out, q.name) // Base.__init__(self)
	}
	return out
}

// constructor says whether a method runs when an instance is made.
func constructor(k code.Kind, name string) bool {
	return k == code.KindConstructor || k == code.KindMethod && (name == "__init__" || name == "__new__" || name == "constructor")
}

// roleCounts says whether a use in a role is one that the question is about. A
// read may hand the function on, so that it counts for calls too.
func (q *inquiry) roleCounts(r code.Role) bool {
	if q.ask == askUses {
		return true
	}
	switch r {
	case code.RoleCall, code.RoleNew, code.RoleDecorate, code.RoleRead, code.RoleReadWrite:
		return true
	case code.RoleWrite:
		return readIsCall(q.kind, q.flags)
	}
	return false
}

// siteReason says by which reason an unresolved use of the name may be one of the symbol; "" when it cannot.
func (q *inquiry) siteReason(s graph.Site) (reason, message string) {
	asMember := q.member && !constructor(q.kind, q.name)
	// A member's name written alone denotes something else.
	throughModule := q.traits.moduleValues && q.region == regionAll && !asMember
	switch s.Reason {
	case code.SiteUnknownReceiver:
		if asMember || throughModule {
			return reasonReceiver, "%s is used on something whose type is not known"
		}
	case code.SiteAmbiguous:
		if s.Through == graph.ThroughPartial {
			if asMember && !q.isOwn(s) {
				return reasonPartial, "%s is used on something that may also be of a type that is not known"
			}
			return "", ""
		}
		return reasonAmbiguous, "a use of %s has several candidates"
	case code.SiteNoMember:
		// Code that compiles gets the member from somewhere: an anonymous interface, a mapped type, a subtype.
		if asMember {
			return reasonNoMember, "%s is used on a type that does not visibly have it"
		}
	case code.SiteExternal, code.SiteBuiltin:
		if asMember && (s.Through == graph.ThroughValue || s.Through == graph.ThroughType && (q.x.g.Packaged(q.file) || q.openOwner())) {
			return reasonExternal, "%s is used on something that comes from outside of the repository"
		}
	case code.SiteUnresolvedModule:
		if q.region != regionFile {
			return reasonImport, "%s is used through an import that could not be resolved"
		}
	case code.SiteNoExport:
		if !asMember && q.region != regionFile {
			return reasonNoExport, "%s is asked of a module that does not visibly export it"
		}
	}
	return "", ""
}

// isOwn says whether an edge to the subject stands at a site.
func (q *inquiry) isOwn(s graph.Site) bool {
	for l := range q.x.g.Out(s.Source) {
		if l.Line == s.Line && l.Column == s.Column {
			for _, n := range q.s.nodes {
				if l.Target == n {
					return true
				}
			}
		}
	}
	return false
}

// owner is the type that the symbol is a member of, or None.
func (q *inquiry) owner() graph.Def {
	p := q.x.g.Parent(q.def)
	if p != graph.None && q.x.g.Kind(p).IsType() {
		return p
	}
	return graph.None
}

// openOwner says whether the member's type has a base that is not known.
func (q *inquiry) openOwner() bool {
	p := q.owner()
	return p != graph.None && q.x.g.OpenBase(p)
}

// computed looks at members and callees that are chosen at run time, and at files that evaluate code.
func (q *inquiry) computed(context.Context) error {
	g := q.x.g
	if strings.HasPrefix(q.name, "#") || !callable(q.kind, q.flags) && !q.member && !q.kind.IsType() {
		return nil
	}
	_, taken := q.at[reasonValue]
	member := q.member && !constructor(q.kind, q.name)
	files := cursor{g: g}
	for s := range g.Sites("") {
		f := files.of(s.Source)
		if s.Reason != code.SiteDynamic || !g.SameFamily(f, q.file) || q.region == regionPackage && !g.SameScope(f, q.file) {
			continue
		}
		if !(member && q.traits.computedMembers || taken || !member && q.region == regionAll && q.traits.moduleValues && q.holds(f)) {
			continue
		}
		if !q.add(reasonComputed, q.x.at(s.Source, s.Line, s.Column), "what is called is chosen at run time and may be %s", q.name) {
			return nil
		}
	}
	for _, f := range g.FlaggedFiles(code.DocDynamic) {
		if !g.SameFamily(f, q.file) || q.region == regionPackage && !g.SameScope(f, q.file) {
			continue
		}
		switch {
		case q.traits.reflectsExported:
			if !member || q.flags&code.DefExported == 0 {
				continue
			}
		case !member && !taken && !q.holds(f) && !(g.EvaluatesScope(f) && (f == q.file || q.namesIt(f))):
			continue
		}
		if !q.add(reasonRunTimeCode, Location{File: g.Path(f)}, "a file evaluates code or looks names up at run time and may use %s", q.name) {
			return nil
		}
	}
	return nil
}

// holds says whether a file has the symbol's module as a value or all of its names.
func (q *inquiry) holds(f graph.FileNo) bool {
	q.findImporters()
	return q.holders[f]
}

// namesIt says whether a file imports the symbol by its name.
func (q *inquiry) namesIt(f graph.FileNo) bool {
	q.findImporters()
	return q.namers[f]
}

func (q *inquiry) findImporters() {
	if q.holders != nil {
		return
	}
	g := q.x.g
	q.holders, q.namers = map[graph.FileNo]bool{}, map[graph.FileNo]bool{}
	for l := range g.In(g.FileNode(q.file), linkKinds) {
		if l.Flags&graph.LinkModule != 0 || l.Reason == code.ReasonImportName { // from package import module
			q.holders[g.FileOf(l.Source)] = true
		}
	}
	for l := range g.In(q.node, linkKinds) {
		q.namers[g.FileOf(l.Source)] = true
	}
}

// structural looks for interfaces with a member of the same name that the
// symbol's type may satisfy without the graph knowing.
func (q *inquiry) structural(context.Context) error {
	g := q.x.g
	p := q.owner()
	if p == graph.None || g.Kind(p) == code.KindInterface || constructor(q.kind, q.name) || q.flags&code.DefStatic != 0 {
		return nil
	}
	if !q.traits.structural && !g.OpenBase(p) || strings.HasPrefix(q.name, "#") {
		return nil
	}
	related := map[graph.Node]bool{}
	for _, t := range g.Bases(q.node) {
		related[t.Node] = true
	}
	kinds := callKinds(q.kind, q.flags)
	if q.ask == askUses {
		kinds = useKinds
	}
	for _, n := range g.Named(q.name) {
		d := g.FirstDef(n)
		if n == q.node || related[n] || !g.SameFamily(g.FileOf(d), q.file) {
			continue
		}
		if op := g.Parent(d); op == graph.None || g.Kind(op) != code.KindInterface && g.Kind(op) != code.KindType {
			continue
		}
		for l := range g.In(n, kinds) {
			if !q.add(reasonStructural, q.x.at(l.Source, l.Line, l.Column), "%s of an interface is used, and the type may satisfy it without saying so", q.name) {
				return nil
			}
		}
	}
	return nil
}

// moduleSites looks at imports that could not be resolved and may mean a file or package.
func (q *inquiry) moduleSites(context.Context) error {
	g := q.x.g
	for _, s := range g.UnresolvedImports() {
		f := g.FileOf(s.Source)
		if !g.SameFamily(f, q.file) || !endsIn(s.Name, q.moduleNames()) {
			continue
		}
		if !q.add(reasonImport, q.x.at(s.Source, s.Line, s.Column), "an import that could not be resolved may mean %s", q.name) {
			return nil
		}
	}
	return nil
}

// moduleNames are the words by which an import may end that means the file or package.
func (q *inquiry) moduleNames() []string {
	p := q.x.g.Path(q.file)
	if q.kind == code.KindPackage {
		return []string{q.name}
	}
	parts := strings.Split(p, "/")
	base := parts[len(parts)-1]
	stem, _, _ := strings.Cut(base, ".")
	out := []string{base, stem}
	if len(parts) > 1 && (stem == "index" || stem == "__init__") {
		out = append(out, parts[len(parts)-2])
	}
	return out
}

// endsIn says whether the last part of a specifier is one of the words.
func endsIn(specifier string, words []string) bool {
	last := specifier[strings.LastIndexAny(specifier, "/.")+1:]
	base := specifier[strings.LastIndexByte(specifier, '/')+1:]
	for _, w := range words {
		if w != "" && (last == w || base == w || strings.TrimSuffix(base, ".js") == w) {
			return true
		}
	}
	return false
}
