package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"manito/internal/codeintel"
)

func (a *app) definitionCommand() *cobra.Command {
	var o repoFlags
	var source bool
	cmd := &cobra.Command{
		Use: "def NAME", Short: "Show where a symbol is defined", Long: "Def lists every definition of a symbol, with signature and documentation.\n\n" + naming,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return answer(a, cmd.Context(), o, func(ctx context.Context, x *codeintel.Index) (*codeintel.DefinitionAnswer, error) {
				return x.Definition(ctx, codeintel.DefinitionInput{Symbol: args[0], Source: source})
			}, showDefinition)
		},
	}
	o.register(cmd)
	cmd.Flags().BoolVar(&source, "source", false, "print the source text too")
	return cmd
}

func showDefinition(p *printer, v *codeintel.DefinitionAnswer) {
	for i, d := range v.Definitions {
		if i > 0 {
			p.line("")
		}
		p.heading(d.Symbol)
		if d.Deprecated {
			p.line("%s", p.yellow("deprecated"))
		}
		if d.Signature != "" {
			p.line("  %s", d.Signature)
		}
		for l := range strings.Lines(d.Documentation) {
			p.line("  %s", p.faint(strings.TrimRight(l, "\n")))
		}
		if d.Source != "" {
			p.line("")
			p.line("%s", strings.TrimRight(d.Source, "\n"))
		}
	}
}
