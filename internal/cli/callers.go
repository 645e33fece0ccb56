package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"manito/internal/codeintel"
)

func (a *app) callersCommand() *cobra.Command {
	var o repoFlags
	var limit int
	cmd := &cobra.Command{
		Use: "callers NAME", Short: "List what calls a function", Long: "Callers lists the functions that call a symbol, also through interfaces and base classes, and says whether the list is complete.\n\n" + naming,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return answer(a, cmd.Context(), o, func(ctx context.Context, x *codeintel.Index) (*codeintel.Callers, error) {
				return x.Callers(ctx, codeintel.CallersInput{Symbol: args[0], Limit: limit})
			}, showCallers)
		},
	}
	o.register(cmd)
	cmd.Flags().IntVar(&limit, "limit", 0, "list at most this many callers (default 100); -1 for all")
	return cmd
}

func showCallers(p *printer, v *codeintel.Callers) {
	p.heading(v.Symbol)
	p.line("%s", plural(v.Total, "caller"))
	p.line("")
	var rows [][]string
	for _, c := range v.Callers {
		rows = append(rows, callRow(p, c.Symbol, c.Certainty, c.Calls))
	}
	p.table("", rows)
	if v.Total > len(v.Callers) {
		p.line("%s", p.faint(fmt.Sprintf("and %s more (--limit -1)", thousands(int64(v.Total-len(v.Callers))))))
	}
	p.line("")
	p.completeness(v.Completeness)
}

// callRow is a caller or callee with its first call.
func callRow(p *printer, s codeintel.Symbol, certainty string, calls []codeintel.Call) []string {
	at, note := "", ""
	if len(calls) > 0 {
		at = calls[0].Location.String()
		if calls[0].Through != nil {
			note = "through " + calls[0].Through.QualifiedName
		}
		if len(calls) > 1 {
			note += fmt.Sprintf(" and %d more calls", len(calls)-1)
		}
	}
	return []string{p.cyan(at), s.QualifiedName, p.certainty(certainty), p.faint(note)}
}
