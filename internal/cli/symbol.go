package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"manito/internal/codeintel"
)

// naming is the paragraph of help that says how symbols are named.
const naming = `A symbol is named the way people do: Client.Do, http.Client, net/http.Client.Do,
(*Client).Do, path/file.ts:fn, file.go:120 or file.go:120:5, or by its whole
symbol string. When several fit, they are listed.`

func (a *app) symbolCommand() *cobra.Command {
	var o repoFlags
	var limit int
	var find bool
	cmd := &cobra.Command{
		Use: "symbol NAME", Short: "Show what is known of a symbol", Long: "Symbol shows a symbol's definition, members, bases and how it is used.\n\n" + naming,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if find {
				return answer(a, cmd.Context(), o, func(ctx context.Context, x *codeintel.Index) (*codeintel.Found, error) {
					return x.Find(ctx, codeintel.FindInput{Name: args[0], Limit: limit})
				}, showFound)
			}
			return answer(a, cmd.Context(), o, func(ctx context.Context, x *codeintel.Index) (*codeintel.SymbolAnswer, error) {
				return x.Symbol(ctx, codeintel.SymbolInput{Symbol: args[0], Limit: limit})
			}, showSymbol)
		},
	}
	o.register(cmd)
	cmd.Flags().IntVar(&limit, "limit", 0, "list at most this many; -1 for all")
	cmd.Flags().BoolVar(&find, "find", false, "list every symbol with this name, or with a name that begins or looks like it")
	return cmd
}

func showFound(p *printer, v *codeintel.Found) {
	var rows [][]string
	for _, s := range v.Symbols {
		rows = append(rows, []string{p.faint(s.Kind), p.bold(s.QualifiedName), p.cyan(s.Location().String())})
	}
	p.table("", rows)
	if v.Total > len(v.Symbols) {
		p.line("%s", p.faint(fmt.Sprintf("and %s more (--limit -1)", thousands(int64(v.Total-len(v.Symbols))))))
	}
}

func showSymbol(p *printer, v *codeintel.SymbolAnswer) {
	p.heading(v.Symbol)
	for i, d := range v.Definitions {
		if i > 0 {
			p.line("also at %s", p.cyan(d.Location().String()))
		}
		if d.Signature != "" && i == 0 {
			p.line("  %s", d.Signature)
		}
		if d.Documentation != "" && i == 0 {
			p.line("")
			for l := range strings.Lines(firstParagraph(d.Documentation)) {
				p.line("  %s", strings.TrimRight(l, "\n"))
			}
		}
	}
	p.line("")
	var rows [][]string
	if v.Parent != nil {
		rows = append(rows, []string{"in", v.Parent.Kind + " " + v.Parent.QualifiedName})
	}
	for _, r := range v.Bases {
		rows = append(rows, []string{r.Kind, r.Symbol.QualifiedName + "  " + p.cyan(r.Symbol.Location().String()) + " " + p.certainty(r.Certainty)})
	}
	for _, r := range v.Derived {
		rows = append(rows, []string{passive(r.Kind), r.Symbol.QualifiedName + "  " + p.cyan(r.Symbol.Location().String()) + " " + p.certainty(r.Certainty)})
	}
	if len(v.UsedBy) > 0 {
		var uses []string
		for _, k := range slices.Sorted(maps.Keys(v.UsedBy)) {
			uses = append(uses, fmt.Sprintf("%s %s", k, thousands(int64(v.UsedBy[k]))))
		}
		rows = append(rows, []string{"used", strings.Join(uses, ", ")})
	}
	rows = append(rows, []string{"callers", thousands(int64(v.Callers))})
	p.table("", rows)
	if len(v.Members) > 0 {
		p.line("")
		p.line("%s", plural(v.MemberCount, "member"))
		rows = nil
		for _, m := range v.Members {
			rows = append(rows, []string{p.faint(m.Kind), m.Name, p.cyan(m.Location().String())})
		}
		p.table("  ", rows)
		if v.MemberCount > len(v.Members) {
			p.line("  %s", p.faint(fmt.Sprintf("and %d more (--limit -1)", v.MemberCount-len(v.Members))))
		}
	}
	p.line("")
	p.completeness(v.Completeness)
}

func passive(kind string) string {
	switch kind {
	case "extends":
		return "extended by"
	case "implements":
		return "implemented by"
	case "overrides":
		return "overridden by"
	}
	return kind + " by"
}

func firstParagraph(s string) string {
	if i := strings.Index(s, "\n\n"); i >= 0 {
		return s[:i]
	}
	return s
}
