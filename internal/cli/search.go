package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"manito/internal/codeintel"
	"manito/internal/postgres"
	"manito/internal/problem"
	"manito/internal/query"
)

type searchOptions struct {
	repoFlags
	in      codeintel.SearchInput
	mode    string
	history bool
	empty   bool
	forget  bool
}

func (a *app) searchCommand() *cobra.Command {
	var o searchOptions
	cmd := &cobra.Command{
		Use: "search QUERY", Short: "Find code by name, text, regex and meaning",
		Long: `Search finds symbols, sections of texts, and lines. Words side by side are looked for in every
way there is, and what several ways agree on comes first:

  parse config            the words, in names, documentation, code and by meaning
  "exit code"             exactly this text
  /func \w+Config\(/      a regex
  sym:ReadAll             a name; as it is, its beginning, its humps (RdAll), with typing errors
  lang:go kind:method     conditions: also file: repo: calls: imports:
  parse -test             without; and, or and brackets join

The ways can be had one at a time with --mode: text and regex give lines as they are found,
symbol looks at names, words at the words of names, documentation and bodies, semantic at meaning.
docs/search-syntax.md describes the language.

What is searched is kept in your database for as long as search.history_days says (0: not at all);
--history lists it, --zero-results what found nothing, --forget deletes it.

Exit status: 0 something was found; 2 the query cannot be understood; 4 nothing was found; 5 nothing
was found, but not everything could be looked at.`,
		Example: "  manito search retry backoff\n  manito search 'sym:NewReq lang:go'\n  manito search --mode regex 'func \\w+Config'\n  manito search --near Client.Do timeout",
		Args:    cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.history || o.empty || o.forget {
				return a.searchHistory(cmd.Context(), o)
			}
			o.in.Query = strings.Join(args, " ")
			o.in.Mode = codeintel.SearchMode(o.mode)
			return a.runSearch(cmd.Context(), o)
		},
	}
	o.register(cmd)
	f := cmd.Flags()
	f.StringVar(&o.mode, "mode", string(codeintel.SearchHybrid), "how to search: hybrid, text, regex, symbol, words or semantic")
	f.IntVarP(&o.in.Limit, "limit", "n", 20, "results, or lines, at most; -1 for all")
	f.BoolVar(&o.in.Explain, "explain", false, "show every part of each score")
	f.StringSliceVar(&o.in.Near, "near", nil, "symbols or files; what is near them in the graph comes first")
	f.IntVarP(&o.in.Context, "context", "C", 0, "lines of text around those that were found")
	f.DurationVar(&o.in.Time, "time", 0, "how long a search for texts may take (default 20s)")
	f.BoolVar(&o.history, "history", false, "list what was searched")
	f.BoolVar(&o.empty, "zero-results", false, "list the searches that found nothing")
	f.BoolVar(&o.forget, "forget", false, "delete what was searched")
	_ = cmd.RegisterFlagCompletionFunc("mode", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		var words []string
		for _, m := range codeintel.SearchModes() {
			words = append(words, string(m))
		}
		return words, cobra.ShellCompDirectiveNoFileComp
	}) // fails for a flag that does not exist only
	return cmd
}

// runSearch asks one repository. A positive repo: in the query chooses it, as --repo does.
func (a *app) runSearch(ctx context.Context, o searchOptions) error {
	if err := checkSearch(o); err != nil {
		return err
	}
	if o.repo == "" && o.mode != string(codeintel.SearchRegex) {
		o.repo = repoOf(o.in.Query)
	}
	return a.ask(ctx, o.repoFlags, func(ctx context.Context, s *session) error {
		o.in.Repository = []string{s.chosen.repo.Name, s.chosen.repo.Root}
		p := a.printer()
		stream := !a.json && (o.mode == string(codeintel.SearchText) || o.mode == string(codeintel.SearchRegex))
		shown := 0
		var failed error
		if stream {
			o.in.Each = func(r codeintel.SearchResult) bool {
				showSearchResult(p, &r, shown)
				shown++
				failed = p.flush()
				p.buf.Reset()
				return failed == nil
			}
		}
		begin := time.Now()
		v, err := s.index.Search(ctx, o.in)
		if err = errors.Join(err, failed); err != nil {
			return err
		}
		took := time.Since(begin)
		keep := time.Duration(s.cfg.Search.HistoryDays) * 24 * time.Hour
		if err := s.db.LogSearch(ctx, postgres.Search{Repo: s.chosen.repo.ID, Mode: o.mode, Query: o.in.Query, Results: v.Total, Took: took, Partial: len(v.Partial) > 0}, keep); err != nil {
			a.note("the search could not be recorded: %s", err)
		}
		if a.json {
			if err := a.document(v); err != nil {
				return err
			}
		} else {
			if !stream {
				for i := range v.Results {
					showSearchResult(p, &v.Results[i], i)
				}
			}
			showSearchEnd(p, v, o.in.Explain)
			if err := p.flush(); err != nil {
				return err
			}
		}
		switch {
		case v.Total > 0:
			return nil
		case len(v.Partial) > 0:
			return exit{problem.Incomplete.ExitCode()}
		}
		return exit{problem.NotFound.ExitCode()}
	})
}

// checkSearch refuses a query that cannot be read before a database is opened.
func checkSearch(o searchOptions) error {
	if !slices.Contains(codeintel.SearchModes(), o.in.Mode) {
		return problem.New(problem.Usage, "there is no way to search called %q", o.mode).Fix("--mode hybrid, text, regex, symbol, words or semantic")
	}
	if o.in.Mode == codeintel.SearchRegex && o.in.Query != "" {
		return nil
	}
	_, err := query.Parse(o.in.Query)
	return pointed(o.in.Query, err)
}

// pointed shows the place of a mistake in a query below the query.
func pointed(text string, err error) error {
	var at *query.At
	if err == nil || !errors.As(err, &at) || text == "" || len(text) > 200 || strings.ContainsAny(text, "\n\t") {
		return err
	}
	return fmt.Errorf("%w\n     %s\n     %s^", err, text, strings.Repeat(" ", at.Column))
}

// repoOf is the repository that a query names for all of its parts.
func repoOf(text string) string {
	q, err := query.Parse(text)
	if err != nil {
		return ""
	}
	parts, ok := q.Root.(query.And)
	if !ok {
		parts = query.And{q.Root}
	}
	for _, p := range parts {
		if is, ok := p.(query.Is); ok && is.Field == query.Repo && is.Form != query.Regexp {
			return is.Text
		}
	}
	return ""
}

// showSearchResult prints a result: the place, what it is, and its lines.
func showSearchResult(p *printer, r *codeintel.SearchResult, number int) {
	if r.Symbol == nil && r.Title == "" { // lines of a file
		for _, l := range r.Lines {
			sign := ":"
			if !l.Match {
				sign = "-"
			}
			p.line("%s%s%s", p.cyan(fmt.Sprintf("%s:%d", r.File, l.Line)), p.faint(sign), markLine(p, l))
		}
		if r.More {
			p.line("%s", p.faint(r.File+" has more"))
		}
		return
	}
	if number > 0 {
		p.line("")
	}
	what := p.bold(r.Title)
	kind := "section"
	if r.Symbol != nil {
		what, kind = p.bold(r.Symbol.QualifiedName), r.Symbol.Kind
	}
	p.line("%s  %s %s%s", p.cyan(fmt.Sprintf("%s:%d", r.File, r.Line)), p.faint(kind), what, p.faint(matchText(r.Match)))
	for _, l := range r.Lines {
		p.line("  %s  %s", p.faint(fmt.Sprintf("%5d", l.Line)), markLine(p, l))
	}
	for _, e := range r.Explain {
		sum := fmt.Sprintf("+%.5f", e.Gives)
		if e.Rank == 0 {
			sum = fmt.Sprintf("x%.3f", e.Gives)
		}
		rank := ""
		if e.Rank > 0 {
			rank = fmt.Sprintf("rank %d, ", e.Rank)
		}
		note := ""
		if e.Note != "" {
			note = " (" + e.Note + ")"
		}
		p.line("         %s", p.faint(fmt.Sprintf("%-10s %s  %sown score %.3f%s", e.Name, sum, rank, e.Raw, note)))
	}
	if len(r.Explain) > 0 {
		p.line("         %s", p.faint(fmt.Sprintf("%-10s =%.5f", "score", r.Score)))
	}
}

func matchText(match string) string {
	if match == "" || match == "exact" {
		return ""
	}
	return "  " + match
}

// markLine paints what was found in a line, and takes what a terminal would obey out of it.
func markLine(p *printer, l codeintel.SearchLine) string {
	var b strings.Builder
	at := 0
	for _, r := range l.Ranges {
		if r.Start < at || r.End > len(l.Text) {
			continue
		}
		b.WriteString(plainText(l.Text[at:r.Start]))
		b.WriteString(p.paint("1;31", plainText(l.Text[r.Start:r.End])))
		at = r.End
	}
	b.WriteString(plainText(l.Text[at:]))
	if l.Cut {
		b.WriteString(p.faint(" …"))
	}
	return b.String()
}

// plainText replaces control characters, so that a file cannot speak to the terminal.
func plainText(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\t' && (r < ' ' || r >= 0x7f && r < 0xa0) {
			return '\uFFFD'
		}
		return r
	}, s)
}

// showSearchEnd says what is left to say.
func showSearchEnd(p *printer, v *codeintel.SearchAnswer, explain bool) {
	if v.Total == 0 {
		p.line("nothing was found")
		for _, s := range v.Suggestions {
			p.line("  did you mean %s?", p.bold(s))
		}
	}
	if more := v.Total - len(v.Results); len(v.Results) > 0 && more > 0 && len(v.Partial) == 0 {
		p.line("")
		p.line("%s", p.faint(thousands(int64(more))+" more; -n shows more, a field such as lang: or file: narrows down"))
	}
	for _, reason := range v.Partial {
		p.line("%s", p.yellow("not everything: "+reason))
	}
	if explain {
		for _, w := range v.Ways {
			p.line("%s", p.faint("asked "+w))
		}
	}
}

// searchEntry is a search that was made.
type searchEntry struct {
	Repository   string    `json:"repository"`
	At           time.Time `json:"at"`
	Mode         string    `json:"mode"`
	Query        string    `json:"query"`
	Results      int       `json:"results"`
	Milliseconds float64   `json:"milliseconds"`
	Partial      bool      `json:"partial,omitempty"`
	Times        int       `json:"times"`
}

// searchHistory lists or deletes what was searched, in one repository or in all.
func (a *app) searchHistory(ctx context.Context, o searchOptions) (err error) {
	cfg, err := a.load()
	if err != nil {
		return err
	}
	db, err := a.openDatabase(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	repo := int32(0)
	if o.repo != "" {
		c, err := choose(ctx, db, o.repoFlags)
		if err != nil {
			return err
		}
		repo = c.repo.ID
	}
	if o.forget {
		n, err := db.DeleteSearches(ctx, repo)
		if err == nil {
			a.note("%s deleted", plural(int(n), "search entry"))
		}
		return err
	}
	limit := o.in.Limit
	if limit < 0 {
		limit = 1 << 30
	}
	list, err := db.Searches(ctx, postgres.SearchesInput{Repo: repo, Empty: o.empty, Limit: limit})
	if err != nil {
		return err
	}
	out := make([]searchEntry, len(list))
	for i, s := range list {
		out[i] = searchEntry{s.Repository, s.At.UTC(), s.Mode, s.Query, s.Results, float64(s.Took.Microseconds()) / 1000, s.Partial, s.Times}
	}
	if a.json {
		return a.document(struct {
			Schema   string        `json:"schema"`
			Searches []searchEntry `json:"searches"`
		}{"manito/searches/v1", out})
	}
	p := a.printer()
	var rows [][]string
	for _, s := range out {
		count := plural(s.Results, "result")
		if o.empty {
			count = plural(s.Times, "time")
		}
		rows = append(rows, []string{s.At.Local().Format("2006-01-02 15:04"), s.Repository, s.Mode, count, p.bold(clip(plainText(s.Query), 80))})
	}
	p.table("", rows)
	if len(rows) == 0 {
		p.line("nothing is recorded")
	}
	return p.flush()
}
