package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"manito/internal/codeintel"
)

func (a *app) calleesCommand() *cobra.Command {
	var o repoFlags
	var limit int
	cmd := &cobra.Command{
		Use: "callees NAME", Short: "List what a function calls", Long: "Callees lists what a function calls: in the repository, outside of it, and the calls that could not be resolved.\n\n" + naming,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return answer(a, cmd.Context(), o, func(ctx context.Context, x *codeintel.Index) (*codeintel.Callees, error) {
				return x.Callees(ctx, codeintel.CalleesInput{Symbol: args[0], Limit: limit})
			}, showCallees)
		},
	}
	o.register(cmd)
	cmd.Flags().IntVar(&limit, "limit", 0, "list at most this many (default 100); -1 for all")
	return cmd
}

func showCallees(p *printer, v *codeintel.Callees) {
	p.heading(v.Symbol)
	p.line("%s in the repository", plural(v.Total, "callee"))
	p.line("")
	var rows [][]string
	for _, c := range v.Callees {
		rows = append(rows, callRow(p, c.Symbol, c.Certainty, c.Calls))
	}
	p.table("", rows)
	if v.Total > len(v.Callees) {
		p.line("%s", p.faint(fmt.Sprintf("and %s more (--limit -1)", thousands(int64(v.Total-len(v.Callees))))))
	}
	if len(v.External) > 0 {
		p.line("")
		p.line("%s outside of the repository", plural(len(v.External), "call"))
		rows = nil
		for _, e := range v.External {
			rows = append(rows, []string{p.cyan(e.Location.String()), e.Name, p.faint(e.Package)})
		}
		p.table("  ", rows)
	}
	if len(v.Unresolved) > 0 {
		p.line("")
		p.line("%s that could not be resolved", plural(len(v.Unresolved), "call"))
		rows = nil
		for _, u := range v.Unresolved {
			name := u.Name
			if name == "" {
				name = "(computed)"
			}
			rows = append(rows, []string{p.cyan(u.Location.String()), name, p.faint(u.Reason)})
		}
		p.table("  ", rows)
	}
	p.line("")
	p.completeness(v.Completeness)
}
