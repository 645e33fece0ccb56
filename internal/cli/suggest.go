package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"manito/internal/codeintel"
)

func (a *app) suggestCommand() *cobra.Command {
	var o repoFlags
	var limit int
	cmd := &cobra.Command{
		Use: "suggest TEXT", Short: "Complete a search that is being typed", Args: cobra.MinimumNArgs(1),
		Long:    "Suggest completes the last word of a query: fields and their values, names of symbols, paths of files. Shells and editors use it.",
		Example: "  manito suggest NewReq\n  manito suggest 'lang:go kind:'",
		RunE: func(cmd *cobra.Command, args []string) error {
			return answer(a, cmd.Context(), o, func(ctx context.Context, x *codeintel.Index) (*codeintel.Suggestions, error) {
				return x.Suggest(ctx, codeintel.SuggestInput{Text: strings.Join(args, " "), Limit: limit})
			}, func(p *printer, v *codeintel.Suggestions) {
				var rows [][]string
				for _, s := range v.List {
					where := ""
					if s.At != nil && s.Kind != "file" {
						where = s.At.String()
					}
					rows = append(rows, []string{p.bold(s.Text), p.faint(s.Kind), p.cyan(where)})
				}
				p.table("", rows)
			})
		},
	}
	o.register(cmd)
	cmd.Flags().IntVarP(&limit, "limit", "n", 10, "suggestions at most")
	return cmd
}
