package search

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"manito/internal/code"
	"manito/internal/graph"
	"manito/internal/problem"
	"manito/internal/query"
	"manito/internal/trigram"
)

// Request asks for places of a snapshot.
type Request struct {
	Text  string      // the query as it was written, for the places of mistakes
	Query query.Query // its tree
	// Repo says whether the snapshot's repository has a repo: value; nil says yes.
	Repo  func(query.Value) bool
	Limit int // results
	// Near are symbols or files; what is near them in the graph comes first.
	Near    []graph.Node
	Explain bool
	// Provider gives the vectors for search by meaning when they are those of a provider; nil
	// for the built-in model's. It is only asked when they are needed. An error of it, or of
	// the provider, fails ByMeaning; Ranked does without and says so.
	Provider func(ctx context.Context) (*Provider, error)
}

// Result is a place that was found.
type Result struct {
	Place
	Match Match // how its name fits; MatchNone when it was not found by its name
	Score float64
	Parts []Part // how Score came about; filled by Request.Explain
}

// Part is what one list or one signal gave to a score.
type Part struct {
	Name  string  // symbol, words, text, meaning; references, tests, generated, near
	Rank  int     // in the list, from 1; 0 for signals
	Raw   float64 // the list's own score; the signal's number
	Gives float64 // what is added, for lists; the factor, for signals
	Note  string  // for people
}

// Found is what a ranked search gives.
type Found struct {
	Results []Result
	Total   int      // how many different places the lists had; a lower bound of what fits
	Partial []string // why there may be more; empty when nothing was left out but by Limit
	Lists   []string // what was asked, with how: "words: BM25F over 1,234 chunks"
}

const (
	// listLength is how many of each list's best are fused.
	listLength = 200
	// fusion is the constant of reciprocal rank fusion (Cormack, Clarke, Büttcher, "Reciprocal
	// Rank Fusion outperforms Condorcet and individual Rank Learning Methods", SIGIR 2009).
	fusion = 60
)

// place names a result across lists.
type place struct {
	file graph.FileNo
	def  graph.Def
	line uint32 // of sections; 0 otherwise
}

func (p *Place) id() place {
	if p.Def != graph.None {
		return place{p.File, p.Def, 0}
	}
	return place{p.File, graph.None, p.Line}
}

// listed is one entry of a list.
type listed struct {
	at    Place
	match Match
	raw   float64
	note  string
}

// list is what one way of searching gave, the best first.
type list struct {
	name    string
	weight  float64
	entries []listed
	partial string
	how     string
	scored  bool // what an entry says follows from its score, not from its rank
}

// says is what entry i of a list says for its place, at most 1/(fusion+1): by its
// rank; or, where scores tell more than ranks, by where its score lies between the
// best and the one at which the list was cut off.
func (l *list) says(i int) float64 {
	if !l.scored {
		return 1 / float64(fusion+i+1)
	}
	best, least := l.entries[0].raw, 0.0
	if len(l.entries) == listLength {
		least = l.entries[len(l.entries)-1].raw
	}
	if best <= least {
		return 1 / float64(fusion+1)
	}
	return (l.entries[i].raw - least) / (best - least) / float64(fusion+1)
}

// Ranked searches by names, words, texts and meaning at once, fuses what they found by
// rank and score,
// and lets the graph have a word: what is used more, is no test and
// is near what the caller works on comes first. What the query's fields ask for and a
// minus excludes is a condition, whatever the rank.
func (x *Index) Ranked(ctx context.Context, r Request) (*Found, error) {
	p, keep, err := x.prepare(ctx, r)
	if err != nil {
		return nil, err
	}
	lists := make([]list, 4)
	group, inner := errgroup.WithContext(ctx)
	group.Go(func() (err error) { lists[0], err = x.symbolList(inner, p, keep); return err })
	group.Go(func() (err error) { lists[1], err = x.wordList(inner, p, keep, r.Explain); return err })
	group.Go(func() (err error) { lists[2], err = x.textList(inner, p, keep); return err })
	group.Go(func() (err error) { lists[3], err = x.meaningOrNot(inner, p, keep, r.Provider); return err })
	if err := group.Wait(); err != nil {
		return nil, err
	}
	if err := p.settle(ctx, lists); err != nil {
		return nil, err
	}
	return x.fuse(ctx, lists, r)
}

// ByName searches by names only.
func (x *Index) ByName(ctx context.Context, r Request) (*Found, error) {
	p, keep, err := x.prepare(ctx, r)
	if err != nil {
		return nil, err
	}
	l, err := x.symbolList(ctx, p, keep)
	if err != nil {
		return nil, err
	}
	lists := []list{l}
	if err := p.settle(ctx, lists); err != nil {
		return nil, err
	}
	return x.fuse(ctx, lists, r)
}

// ByWords searches by words only: BM25F over names, surroundings, documentation and bodies.
func (x *Index) ByWords(ctx context.Context, r Request) (*Found, error) {
	p, keep, err := x.prepare(ctx, r)
	if err != nil {
		return nil, err
	}
	l, err := x.wordList(ctx, p, keep, r.Explain)
	if err != nil {
		return nil, err
	}
	lists := []list{l}
	if err := p.settle(ctx, lists); err != nil {
		return nil, err
	}
	return x.fuse(ctx, lists, r)
}

// prepare compiles a query, and finds the files that its phrases, regexes and minuses need.
func (x *Index) prepare(ctx context.Context, r Request) (*plan, func(graph.FileNo, graph.Def) bool, error) {
	repo := r.Repo
	if repo == nil {
		repo = func(query.Value) bool { return true }
	}
	p, err := x.newPlan(r.Text, r.Query, repo)
	if err != nil {
		return nil, nil, err
	}
	p.texts = map[query.Text]map[graph.FileNo]bool{}
	var failed error
	query.Walk(r.Query.Root, func(n query.Q, not bool) {
		t, ok := n.(query.Text)
		if !ok || failed != nil || t.Form == query.Word && !not {
			return
		}
		m, err := p.textMatcher(t)
		if err != nil {
			failed = err
			return
		}
		limits := trigram.Limits{LinesPerFile: 1}
		if !not {
			limits.Files = commonText
		}
		set := map[graph.FileNo]bool{}
		var report trigram.Report
		report, failed = x.texts.Search(ctx, trigram.Has{Matcher: m}, limits, func(f trigram.File) bool {
			set[graph.FileNo(f.File)] = true
			return true
		})
		if report.Partial == trigram.Complete {
			p.texts[t] = set
			return
		}
		p.common = append(p.common, common{t, m}) // what is everywhere is asked of the few places that are found
	})
	return p, p.keeper(p.texts), failed
}

// commonText is how many files have a text that is not looked for everywhere.
const commonText = 200

// common is a text that many files have.
type common struct {
	text  query.Text
	match *trigram.Matcher
}

// settle takes from the lists what lacks a common text that the query asks for.
func (p *plan) settle(ctx context.Context, lists []list) error {
	if len(p.common) == 0 {
		return nil
	}
	found := map[graph.FileNo]bool{}
	for _, l := range lists {
		for _, e := range l.entries {
			found[e.at.File] = true
		}
	}
	for _, c := range p.common {
		set := map[graph.FileNo]bool{}
		_, err := p.x.texts.Search(ctx, trigram.And{trigram.Where(func(f uint32) bool { return found[graph.FileNo(f)] }), trigram.Has{Matcher: c.match}}, trigram.Limits{LinesPerFile: 1}, func(f trigram.File) bool {
			set[graph.FileNo(f.File)] = true
			return true
		})
		if err != nil {
			return err
		}
		p.texts[c.text] = set
	}
	keep := p.keeper(p.texts)
	for i := range lists {
		lists[i].entries = slices.DeleteFunc(lists[i].entries, func(e listed) bool { return !keep(e.at.File, e.at.Def) })
	}
	return nil
}

// fuse joins lists by reciprocal rank and applies what the graph knows.
func (x *Index) fuse(ctx context.Context, lists []list, r Request) (*Found, error) {
	out := &Found{}
	at := map[place]int{}
	for li := range lists {
		l := &lists[li]
		if l.how != "" {
			out.Lists = append(out.Lists, l.how)
		}
		if l.partial != "" {
			out.Partial = append(out.Partial, l.partial)
		}
		for rank, e := range l.entries {
			id := e.at.id()
			i, known := at[id]
			if !known {
				i = len(out.Results)
				at[id] = i
				out.Results = append(out.Results, Result{Place: e.at})
			}
			res := &out.Results[i]
			gives := l.weight * e.match.quality() * l.says(rank)
			res.Score += gives
			res.Match = max(res.Match, e.match)
			if r.Explain {
				res.Parts = append(res.Parts, Part{Name: l.name, Rank: rank + 1, Raw: e.raw, Gives: gives, Note: e.note})
			}
		}
	}
	near := x.around(r.Near)
	for i := range out.Results {
		if i%1024 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		x.signals(&out.Results[i], near, r.Explain)
	}
	slices.SortFunc(out.Results, func(a, b Result) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Def, b.Def))
	})
	out.Total = len(out.Results)
	if r.Limit > 0 && len(out.Results) > r.Limit {
		out.Results = out.Results[:r.Limit]
	}
	return out, nil
}

// signals multiplies a score by what the graph says.
func (x *Index) signals(r *Result, near map[graph.Node]int, explain bool) {
	factor := func(name string, raw, f float64, note string) {
		if f == 1 {
			return
		}
		r.Score *= f
		if explain {
			r.Parts = append(r.Parts, Part{Name: name, Raw: raw, Gives: f, Note: note})
		}
	}
	g := x.g
	d := r.Def
	if d == graph.None {
		d = g.FileDef(r.File)
	} else if refs := g.CountIn(g.Node(d), graph.AllKinds); refs > 0 {
		factor("references", float64(refs), 1+0.004*min(10, math.Log2(1+float64(refs))), "places that use it")
	}
	flags := g.DocFlags(r.File)
	if flags&code.DocTest != 0 || g.Flags(d)&code.DefTest != 0 {
		factor("test", 1, 0.95, "it stands in a test")
	}
	if flags&code.DocGenerated != 0 {
		factor("generated", 1, 0.95, "the file is generated")
	}
	if len(near) == 0 {
		return
	}
	distance, ok := near[g.Node(d)]
	if inFile, has := near[g.FileNode(r.File)]; has && (!ok || inFile+1 < distance) {
		distance, ok = inFile+1, true
	}
	if ok {
		factor("near", float64(distance), []float64{1.6, 1.45, 1.3, 1.15}[min(distance, 3)], "steps from --near")
	}
}

// maxAround bounds how many nodes count as near.
const maxAround = 20000

// around finds what is at most two steps away from nodes, over edges in both directions.
func (x *Index) around(seeds []graph.Node) map[graph.Node]int {
	g := x.g
	dist := map[graph.Node]int{}
	frontier := slices.Clone(seeds)
	for _, n := range seeds {
		dist[n] = 0
	}
	for step := 1; step <= 2; step++ {
		var next []graph.Node
		add := func(n graph.Node) {
			if _, seen := dist[n]; !seen && len(dist) < maxAround {
				dist[n] = step
				next = append(next, n)
			}
		}
		for _, n := range frontier {
			for d := g.FirstDef(n); d != graph.None; d = g.NextDef(d) {
				for l := range g.Out(d) {
					add(l.Target)
				}
				if p := g.Parent(d); p != graph.None {
					add(g.Node(p))
				}
			}
			for l := range g.In(n, graph.AllKinds) {
				add(g.Node(l.Source))
			}
		}
		frontier = next
	}
	for _, n := range seeds { // what is in the seed's file is near too
		if d := g.FirstDef(n); d != graph.None {
			if file := g.FileNode(g.FileOf(d)); dist[file] == 0 {
				if _, seen := dist[file]; !seen {
					dist[file] = 1
				}
			}
		}
	}
	return dist
}

// TextLimits bound a search for texts.
type TextLimits struct {
	Lines, LinesPerFile, Context int
	Time                         time.Duration
}

// Texts finds the lines that a query asks for, in the order of paths, each file as
// soon as it is found. report.Partial says why there may be more.
func (x *Index) Texts(ctx context.Context, r Request, limits TextLimits, yield func(trigram.File) bool) (trigram.Report, error) {
	repo := r.Repo
	if repo == nil {
		repo = func(query.Value) bool { return true }
	}
	p, err := x.newPlan(r.Text, r.Query, repo)
	if err != nil {
		return trigram.Report{}, err
	}
	texts := false
	query.Walk(r.Query.Root, func(n query.Q, not bool) {
		if _, ok := n.(query.Text); ok && !not {
			texts = true
		}
	})
	if !texts {
		return trigram.Report{}, problem.New(problem.Usage, "the query has no text to look for").Fix("add a word, a \"phrase\" or a /regex/, or search symbols: --mode symbol")
	}
	e, err := p.expr(r.Query.Root)
	if err != nil {
		return trigram.Report{}, err
	}
	return x.texts.Search(ctx, e, trigram.Limits{Lines: limits.Lines, LinesPerFile: limits.LinesPerFile, Context: limits.Context, Time: limits.Time}, yield)
}
