package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"manito/internal/codeintel"
)

func (a *app) cyclesCommand() *cobra.Command {
	var o repoFlags
	var in codeintel.CyclesInput
	cmd := &cobra.Command{
		Use: "cycles", Short: "List circular dependencies", Args: cobra.NoArgs,
		Long: "Cycles lists groups of files, folders or symbols that depend on each other in a circle, with a way round.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return answer(a, cmd.Context(), o, func(ctx context.Context, x *codeintel.Index) (*codeintel.Cycles, error) { return x.Cycles(ctx, in) }, showCycles)
		},
	}
	o.register(cmd)
	cmd.Flags().StringVar(&in.Level, "level", "files", "files, folders or symbols")
	cmd.Flags().BoolVar(&in.All, "all", false, "count type-only imports and imports inside of functions too")
	cmd.Flags().IntVar(&in.Limit, "limit", 0, "list at most this many (default 100); -1 for all")
	return cmd
}

func showCycles(p *printer, v *codeintel.Cycles) {
	if v.Total == 0 {
		p.line("%s", p.green("no cycles between "+v.Level))
		return
	}
	p.line("%s between %s, %d of them across folders", plural(v.Total, "cycle"), v.Level, v.Across)
	for _, c := range v.Cycles {
		p.line("")
		p.line("%s of %s", p.bold(fmt.Sprintf("cycle of %d", c.Size)), v.Level)
		for _, s := range c.Example {
			p.line("  %s %s %s  %s", s.From, p.faint(s.Kind), s.To, p.cyan(s.At.String()))
		}
	}
	if v.Total > len(v.Cycles) {
		p.line("%s", p.faint(fmt.Sprintf("and %d more (--limit -1)", v.Total-len(v.Cycles))))
	}
}
