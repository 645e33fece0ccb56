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

func (a *app) referencesCommand() *cobra.Command {
	var o repoFlags
	var limit int
	var direct bool
	cmd := &cobra.Command{
		Use: "refs NAME", Short: "List every place that uses a symbol", Long: "Refs lists the places where a symbol is used, by file, and says whether the list is complete.\n\n" + naming,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return answer(a, cmd.Context(), o, func(ctx context.Context, x *codeintel.Index) (*codeintel.References, error) {
				return x.References(ctx, codeintel.ReferencesInput{Symbol: args[0], Limit: limit, Direct: direct})
			}, showReferences)
		},
	}
	o.register(cmd)
	cmd.Flags().IntVar(&limit, "limit", 0, "list at most this many places (default 100); -1 for all")
	cmd.Flags().BoolVar(&direct, "direct", false, "leave out uses of the interface or base methods that it stands in for")
	return cmd
}

func showReferences(p *printer, v *codeintel.References) {
	p.heading(v.Symbol)
	var kinds []string
	for _, k := range slices.Sorted(maps.Keys(v.ByKind)) {
		kinds = append(kinds, fmt.Sprintf("%s %s", k, thousands(int64(v.ByKind[k]))))
	}
	p.line("%s  %s", plural(v.Total, "reference"), p.faint(strings.Join(kinds, ", ")))
	listed := 0
	for _, f := range v.Files {
		p.line("")
		var rows [][]string
		for _, r := range f.References {
			in := r.In
			if r.Through != nil {
				in += p.faint(" through " + r.Through.QualifiedName)
			}
			rows = append(rows, []string{p.cyan(codeintel.Location{File: f.File, Line: r.Line, Column: r.Column}.String()), p.faint(r.Kind), in, p.certainty(r.Certainty)})
			listed++
		}
		p.table("", rows)
	}
	if listed < v.Total {
		p.line("%s", p.faint(fmt.Sprintf("and %s more (--limit -1)", thousands(int64(v.Total-listed)))))
	}
	p.line("")
	p.completeness(v.Completeness)
}
