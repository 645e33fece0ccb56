package cli

import (
	"context"

	"github.com/spf13/cobra"

	"manito/internal/codeintel"
)

func (a *app) pathCommand() *cobra.Command {
	var o repoFlags
	var in codeintel.PathInput
	cmd := &cobra.Command{
		Use: "path FROM TO", Short: "Find the shortest way from one symbol to another", Long: "Path finds the shortest chain of uses from one symbol to another.\n\n" + naming,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			in.From, in.To = args[0], args[1]
			return answer(a, cmd.Context(), o, func(ctx context.Context, x *codeintel.Index) (*codeintel.Path, error) { return x.Path(ctx, in) }, showPath)
		},
	}
	o.register(cmd)
	cmd.Flags().StringSliceVar(&in.Kinds, "kind", nil, "edge kinds to follow, such as calls")
	return cmd
}

func showPath(p *printer, v *codeintel.Path) {
	switch {
	case !v.Found && v.Cut:
		p.line("%s", p.yellow("not known: the search was cut off"))
		return
	case !v.Found:
		p.line("there is no way from %s to %s", v.From.QualifiedName, v.To.QualifiedName)
		return
	}
	rows := [][]string{{v.From.QualifiedName, "", p.cyan(v.From.Location().String())}}
	for _, s := range v.Steps {
		rows = append(rows, []string{"  " + p.faint(s.Kind) + " " + s.To.QualifiedName, p.certainty(s.Certainty), p.cyan(s.At.String())})
	}
	p.table("", rows)
}
