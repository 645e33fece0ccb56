package codeintel

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"time"

	"manito/internal/graph"
	"manito/internal/problem"
	qlang "manito/internal/query"
	"manito/internal/search"
	"manito/internal/trigram"
)

// SearchMode says in which ways a search looks.
type SearchMode string

// The modes.
const (
	SearchHybrid   SearchMode = "hybrid"   // names, words, texts and meaning, fused
	SearchText     SearchMode = "text"     // lines, in the order of paths
	SearchRegex    SearchMode = "regex"    // the whole query is one regex; lines, in the order of paths
	SearchSymbol   SearchMode = "symbol"   // names
	SearchWords    SearchMode = "words"    // words of names, documentation and bodies
	SearchSemantic SearchMode = "semantic" // meaning
)

// SearchModes lists the modes, the default first.
func SearchModes() []SearchMode {
	return []SearchMode{SearchHybrid, SearchText, SearchRegex, SearchSymbol, SearchWords, SearchSemantic}
}

// SearchInput asks for places of the repository.
type SearchInput struct {
	Query      string
	Mode       SearchMode // "" means SearchHybrid
	Limit      int        // results, or lines of texts; 0 means 20, negative all
	Near       []string   // symbols or files, as other questions name them; what is near them comes first
	Explain    bool       // say how each score came about
	Context    int        // lines of text around those that were found
	Repository []string   // what repo: may call the repository: its name and its root
	Time       time.Duration
	// Each is told each result of the modes text and regex as soon as it is found; it
	// returns false to end the search. nil collects them.
	Each func(SearchResult) bool
}

// SearchAnswer lists what was found, the best first; lines in the order of paths.
type SearchAnswer struct {
	Schema      string         `json:"schema"` // manito/search/v1
	Query       string         `json:"query"`  // as it was read
	Mode        SearchMode     `json:"mode"`   // hybrid, text, regex, symbol, words or semantic
	Results     []SearchResult `json:"results"`
	Total       int            `json:"total"`                 // results, those beyond the limit too as far as they were looked at
	Partial     []string       `json:"partial,omitempty"`     // why there may be more; empty when this is everything
	Ways        []string       `json:"ways,omitempty"`        // what was asked, and how
	Suggestions []string       `json:"suggestions,omitempty"` // names like what was looked for, when nothing was found
}

// SearchResult is a place that was found.
type SearchResult struct {
	Location
	EndLine int          `json:"end_line,omitempty"` // last line of the symbol or section
	Symbol  *Symbol      `json:"symbol,omitempty"`   // what stands there, when it is a symbol
	Title   string       `json:"title,omitempty"`    // heading, when it is a section of a text
	Match   string       `json:"match,omitempty"`    // how the name fits: exact, prefix, humps, fuzzy ...
	Score   float64      `json:"score,omitempty"`
	Explain []SearchPart `json:"explain,omitempty"`
	Lines   []SearchLine `json:"lines"`          // with what was found in them
	More    bool         `json:"more,omitempty"` // the file has more lines that were found
}

// SearchPart is what one way of searching, or one signal of the graph, gave to a score.
type SearchPart struct {
	Name  string  `json:"name"`           // symbol, words, text, meaning; references, test, generated, near
	Rank  int     `json:"rank,omitempty"` // among what that way found, from 1
	Raw   float64 `json:"raw"`            // its own score, or the signal's number
	Gives float64 `json:"gives"`          // what was added; for a signal, what the sum was multiplied by
	Note  string  `json:"note,omitempty"`
}

// SearchLine is a line of a file, or the part of a long one around what was found.
type SearchLine struct {
	Line   int           `json:"line"` // from 1
	Text   string        `json:"text"`
	Match  bool          `json:"match,omitempty"` // something was found in it; else it is context
	Cut    bool          `json:"cut,omitempty"`   // the line is longer
	Ranges []SearchRange `json:"ranges,omitempty"`
}

// SearchRange is a stretch of a line's text, in bytes from 0; end is the first that does not belong to it.
type SearchRange struct {
	Start int `json:"start"`
	End   int `json:"end"`
}

// defaultSearchTime bounds a search for texts that no index narrows down.
const defaultSearchTime = 20 * time.Second

// Search answers where something is.
func (x *Index) Search(ctx context.Context, in SearchInput) (out *SearchAnswer, err error) {
	defer x.g.Guard(&err)()
	if in.Mode == "" {
		in.Mode = SearchHybrid
	}
	if !slices.Contains(SearchModes(), in.Mode) {
		return nil, problem.New(problem.Usage, "there is no way to search called %q", in.Mode).Fix("ways are %s", strings.Join(modeWords(), ", "))
	}
	q, err := parseSearch(in)
	if err != nil {
		return nil, err
	}
	out = &SearchAnswer{Schema: "manito/search/v1", Query: in.Query, Mode: in.Mode, Results: []SearchResult{}}
	if in.Mode != SearchRegex {
		out.Query = q.String()
	}
	near, err := x.nearNodes(in.Near)
	if err != nil {
		return nil, err
	}
	limit := in.Limit
	switch {
	case limit == 0:
		limit = 20
	case limit < 0:
		limit = 0
	}
	r := search.Request{Text: in.Query, Query: q, Limit: limit, Near: near, Explain: in.Explain, Repo: repoMatcher(in.Repository, q), Provider: x.opts.Search.Provider}
	err = x.searchWith(ctx, func(s *search.Index) error {
		switch in.Mode {
		case SearchText, SearchRegex:
			return x.searchTexts(ctx, s, in, r, out)
		default:
			return x.searchRanked(ctx, s, in, r, out)
		}
	})
	if err != nil {
		return nil, err
	}
	if out.Total == 0 {
		return out, x.searchWith(ctx, func(s *search.Index) error { return suggestNames(ctx, s, x.g, q, out) })
	}
	return out, nil
}

func modeWords() (words []string) {
	for _, m := range SearchModes() {
		words = append(words, string(m))
	}
	return words
}

// parseSearch reads the query; that of SearchRegex is one regex.
func parseSearch(in SearchInput) (qlang.Query, error) {
	if in.Mode != SearchRegex {
		return qlang.Parse(in.Query)
	}
	switch {
	case in.Query == "":
		return qlang.Query{}, problem.New(problem.Usage, "the query is empty").Fix("say what to look for: manito search --mode regex 'func \\w+Config'")
	case len(in.Query) > qlang.MaxBytes:
		return qlang.Query{}, problem.New(problem.Usage, "the regex has %d bytes, more than %d", len(in.Query), qlang.MaxBytes).Fix("search for less at a time")
	case strings.ToValidUTF8(in.Query, "") != in.Query:
		return qlang.Query{}, problem.New(problem.Usage, "the regex is not UTF-8").Fix("send it as UTF-8")
	}
	return qlang.Query{Root: qlang.Text{Value: qlang.Value{Text: in.Query, Form: qlang.Regexp}}}, nil
}

// nearNodes finds the nodes of symbols and files.
func (x *Index) nearNodes(names []string) (nodes []graph.Node, err error) {
	for _, n := range names {
		s, err := x.resolve(n)
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, s.nodes...)
	}
	return nodes, nil
}

// repoMatcher says whether one of the repository's names has a repo: value.
func repoMatcher(names []string, q qlang.Query) func(qlang.Value) bool {
	return func(v qlang.Value) bool {
		for _, n := range names {
			switch v.Form {
			case qlang.Regexp:
				if re, err := regexp.Compile(v.Text); err == nil && re.MatchString(n) {
					return true
				}
			default:
				if q.Case.Sensitive(v) && strings.Contains(n, v.Text) || !q.Case.Sensitive(v) && strings.Contains(graph.Fold(n), graph.Fold(v.Text)) {
					return true
				}
			}
		}
		return false
	}
}

// searchTexts finds lines.
func (x *Index) searchTexts(ctx context.Context, s *search.Index, in SearchInput, r search.Request, out *SearchAnswer) error {
	limits := search.TextLimits{Lines: r.Limit, Context: in.Context, Time: in.Time}
	if limits.Time == 0 {
		limits.Time = defaultSearchTime
	}
	out.Results, out.Total = []SearchResult{}, 0
	report, err := s.Texts(ctx, r, limits, func(f trigram.File) bool {
		res := x.textResult(f, r.Limit, out.Total)
		out.Total += countMatches(res.Lines)
		if in.Each != nil {
			return in.Each(res)
		}
		out.Results = append(out.Results, res)
		return true
	})
	if err != nil {
		return err
	}
	switch report.Partial {
	case trigram.LimitTime:
		out.Partial = append(out.Partial, "the time was up after "+limits.Time.String()+": a regex without three letters in a row has to look at everything")
	case trigram.LimitLines, trigram.LimitFiles:
		out.Partial = append(out.Partial, "there is more: the limit was reached")
	}
	return nil
}

func countMatches(lines []SearchLine) (n int) {
	for _, l := range lines {
		if l.Match {
			n++
		}
	}
	return n
}

// textResult is a file with its lines, as many as the limit leaves.
func (x *Index) textResult(f trigram.File, limit, before int) SearchResult {
	res := SearchResult{Location: Location{File: x.g.Path(graph.FileNo(f.File))}, Lines: []SearchLine{}, More: f.More}
	for _, l := range f.Lines {
		if l.Match && limit > 0 && before+countMatches(res.Lines) == limit {
			res.More = true
			break
		}
		line := SearchLine{Line: int(l.Number) + 1, Text: strings.ToValidUTF8(l.Text, "\uFFFD"), Match: l.Match, Cut: l.Cut}
		if line.Text == l.Text {
			for _, r := range l.Ranges {
				line.Ranges = append(line.Ranges, SearchRange{r.Start, r.End})
			}
		}
		if l.Match && res.Line == 0 {
			res.Line, res.Column = line.Line, int(l.Column)+1
		}
		res.Lines = append(res.Lines, line)
	}
	return res
}

// searchRanked finds symbols and sections.
func (x *Index) searchRanked(ctx context.Context, s *search.Index, in SearchInput, r search.Request, out *SearchAnswer) error {
	ask := s.Ranked
	switch in.Mode {
	case SearchSymbol:
		ask = s.ByName
	case SearchWords:
		ask = s.ByWords
	case SearchSemantic:
		ask = s.ByMeaning
	}
	found, err := ask(ctx, r)
	if err != nil {
		return err
	}
	out.Total, out.Partial, out.Ways = found.Total, found.Partial, found.Lists
	var defs []graph.Def
	for _, f := range found.Results {
		if f.Def != graph.None {
			defs = append(defs, f.Def)
		}
	}
	symbols := x.defineAll(defs)
	words := highlightWords(r.Query)
	out.Results = make([]SearchResult, 0, len(found.Results))
	next := 0
	for _, f := range found.Results {
		res := SearchResult{Location: Location{File: x.g.Path(f.File), Line: int(f.Line) + 1}, EndLine: int(f.EndLine) + 1, Title: f.Title, Score: f.Score}
		if f.Match != search.MatchNone {
			res.Match = f.Match.String()
		}
		if f.Def != graph.None {
			res.Symbol = &symbols[next]
			next++
			if res.Symbol.Line > 0 {
				res.Line, res.Column = res.Symbol.Line, res.Symbol.Column
			}
		}
		for _, p := range f.Parts {
			res.Explain = append(res.Explain, SearchPart{Name: p.Name, Rank: p.Rank, Raw: p.Raw, Gives: p.Gives, Note: p.Note})
		}
		text, ok, err := s.Text().Text(uint32(f.File))
		if err != nil {
			return err
		}
		res.Lines = []SearchLine{}
		if ok {
			res.Lines = snippet(text, res.Line, int(f.Line)+1, res.EndLine, words, in.Context)
		}
		out.Results = append(out.Results, res)
	}
	return nil
}

// suggestNames offers names like what was looked for.
func suggestNames(ctx context.Context, s *search.Index, g *graph.Graph, q qlang.Query, out *SearchAnswer) error {
	var words []string
	qlang.Walk(q.Root, func(n qlang.Q, not bool) {
		switch n := n.(type) {
		case qlang.Text:
			if !not && n.Form != qlang.Regexp {
				words = append(words, n.Text)
			}
		case qlang.Is:
			if !not && n.Field == qlang.Symbol && n.Form != qlang.Regexp {
				words = append(words, n.Text)
			}
		}
	})
	for _, w := range words[:min(len(words), 3)] {
		hits, _, err := s.Symbols().Find(ctx, search.SymbolQuery{Name: w[:min(len(w), 200)], Limit: 3})
		if err != nil {
			return err
		}
		for _, h := range hits {
			if name := g.QualifiedName(h.Def); !slices.Contains(out.Suggestions, name) {
				out.Suggestions = append(out.Suggestions, name)
			}
		}
	}
	return nil
}
