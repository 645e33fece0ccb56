package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"manito/internal/codeintel"
)

func (a *app) impactCommand() *cobra.Command {
	var o repoFlags
	var in codeintel.ImpactInput
	cmd := &cobra.Command{
		Use: "impact NAME", Short: "Show what a change to a symbol can reach", Long: "Impact walks from a symbol to everything that depends on it, step by step, and names the tests among it.\n\n" + naming,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			in.Symbol = args[0]
			return answer(a, cmd.Context(), o, func(ctx context.Context, x *codeintel.Index) (*codeintel.Impact, error) { return x.Impact(ctx, in) }, showImpact)
		},
	}
	o.register(cmd)
	cmd.Flags().IntVar(&in.Depth, "depth", 5, "how many steps to go; -1 for no bound")
	cmd.Flags().IntVar(&in.List, "list", 0, "describe this many symbols, the nearest first (default 200); -1 for all")
	cmd.Flags().IntVar(&in.Limit, "limit", 0, "stop after this many symbols (default 5000); -1 for no bound")
	return cmd
}

const impactFiles = 25 // listed for people; --json has all

func showImpact(p *printer, v *codeintel.Impact) {
	p.heading(v.Symbol)
	var steps []string
	for i, n := range v.ByDepth {
		steps = append(steps, fmt.Sprintf("%s at %d", thousands(int64(n)), i+1))
	}
	p.line("%s reached in %s  %s", plural(v.Total, "symbol"), plural(len(v.Files), "file"), p.faint(strings.Join(steps, ", ")))
	p.line("")
	var rows [][]string
	for i, f := range v.Files {
		if i == impactFiles {
			break
		}
		var names []string
		for _, s := range f.Symbols[:min(3, len(f.Symbols))] {
			names = append(names, s.Symbol.Name)
		}
		more := ""
		switch rest := f.Count - len(names); {
		case rest > 0 && len(names) > 0:
			more = fmt.Sprintf(" and %d more", rest)
		case rest > 0: // beyond those that are described
			more = plural(rest, "symbol")
		}
		rows = append(rows, []string{p.faint(fmt.Sprint(f.Nearest)), p.cyan(f.File), strings.Join(names, ", ") + p.faint(more)})
	}
	p.table("", rows)
	if len(v.Files) > impactFiles {
		p.line("%s", p.faint(fmt.Sprintf("and %s more files (--json lists all)", thousands(int64(len(v.Files)-impactFiles)))))
	}
	if len(v.Tests) > 0 {
		p.line("")
		var names []string
		for _, t := range v.Tests[:min(8, len(v.Tests))] {
			names = append(names, t.Name)
		}
		p.line("%s: %s", plural(v.TestCount, "test"), strings.Join(names, ", "))
	}
	if v.Truncated {
		p.line("%s", p.yellow("cut off at the limit: there is more"))
	} else if v.Deeper {
		p.line("%s", p.faint("more lies deeper (--depth -1)"))
	}
	p.line("")
	p.completeness(v.Completeness)
}
