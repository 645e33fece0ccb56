package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"manito/internal/codeintel"
)

func (a *app) outlineCommand() *cobra.Command {
	var o repoFlags
	cmd := &cobra.Command{
		Use: "outline PATH", Short: "Show the definitions of a file", Args: cobra.ExactArgs(1),
		Long: "Outline shows what a file defines, nested as it is written. The path may be its end when only one file has that.",
		RunE: func(cmd *cobra.Command, args []string) error {
			return answer(a, cmd.Context(), o, func(ctx context.Context, x *codeintel.Index) (*codeintel.Outline, error) {
				return x.Outline(ctx, codeintel.OutlineInput{Path: args[0]})
			}, showOutline)
		},
	}
	o.register(cmd)
	return cmd
}

func showOutline(p *printer, v *codeintel.Outline) {
	p.line("%s  %s", p.bold(v.File), p.faint(fmt.Sprintf("%s, %s", v.Language, plural(v.Lines, "line"))))
	if v.Note != "" {
		p.line("%s", p.yellow(v.Note))
	}
	var rows [][]string
	var walk func(items []codeintel.OutlineItem, depth int)
	walk = func(items []codeintel.OutlineItem, depth int) {
		for _, it := range items {
			name := it.Name
			if it.Owner != "" {
				name = it.Owner + "." + name
			}
			text := it.Signature
			if text == "" {
				text = name
			}
			rows = append(rows, []string{p.faint(fmt.Sprintf("%d-%d", it.Line, it.EndLine)), p.faint(it.Kind), strings.Repeat("  ", depth) + clip(text, 100)})
			walk(it.Children, depth+1)
		}
	}
	walk(v.Symbols, 0)
	p.table("", rows)
}
