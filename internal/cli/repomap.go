package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"manito/internal/codeintel"
)

func (a *app) mapCommand() *cobra.Command {
	var o repoFlags
	var in codeintel.RepoMapInput
	cmd := &cobra.Command{
		Use: "map", Short: "Show the most important definitions within a budget of tokens", Args: cobra.NoArgs,
		Long: "Map shows a repository's most used definitions, file by file, within a budget of tokens: what one should know first.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return answer(a, cmd.Context(), o, func(ctx context.Context, x *codeintel.Index) (*codeintel.RepoMap, error) { return x.RepoMap(ctx, in) },
				func(p *printer, v *codeintel.RepoMap) {
					p.line("%s", strings.TrimRight(v.Text, "\n"))
					if v.Omitted > 0 {
						p.line("%s", p.faint(plural(v.Omitted, "file")+" left out; raise --tokens for more"))
					}
				})
		},
	}
	o.register(cmd)
	cmd.Flags().IntVar(&in.Tokens, "tokens", 2000, "budget")
	cmd.Flags().StringVar(&in.Folder, "folder", "", "only files below this folder")
	cmd.Flags().BoolVar(&in.Tests, "tests", false, "tests too")
	cmd.Flags().StringSliceVar(&in.Focus, "focus", nil, "symbols or files near which the map is denser")
	return cmd
}
