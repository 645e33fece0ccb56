package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"manito/internal/codeintel"
	"manito/internal/lang/all"
)

// extractorsDocument is the JSON of `languages --supported`.
type extractorsDocument struct {
	Schema    string           `json:"schema"`
	Languages []extractorEntry `json:"languages"`
}

type extractorEntry struct {
	Name    string   `json:"name"`
	Sources []string `json:"sources"`
	Version int      `json:"version"`
}

func (a *app) languagesCommand() *cobra.Command {
	var o repoFlags
	var supported bool
	cmd := &cobra.Command{
		Use: "languages", Short: "List the languages of a repository, or those that Manito reads", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if supported {
				return a.supported()
			}
			return answer(a, cmd.Context(), o, func(ctx context.Context, x *codeintel.Index) (*codeintel.Languages, error) { return x.Languages(ctx) }, showLanguages)
		},
	}
	o.register(cmd)
	cmd.Flags().BoolVar(&supported, "supported", false, "list the languages that this program reads into the graph")
	return cmd
}

func (a *app) supported() error {
	doc := extractorsDocument{Schema: "manito/extractors/v1"}
	p := a.printer()
	for _, l := range all.Languages() {
		doc.Languages = append(doc.Languages, extractorEntry{l.Name, l.Sources, l.Version})
		p.line("%-12s %v", l.Name, l.Sources)
	}
	if a.json {
		return a.document(doc)
	}
	return p.flush()
}

func showLanguages(p *printer, v *codeintel.Languages) {
	rows := [][]string{{p.faint("language"), p.faint("files"), p.faint("lines"), p.faint("definitions"), p.faint("note")}}
	for _, l := range v.Languages {
		note := ""
		switch {
		case !l.Read:
			note = "listed only"
		case l.Unread > 0:
			note = fmt.Sprintf("%d unread", l.Unread)
		}
		rows = append(rows, []string{l.Name, thousands(int64(l.Files)), thousands(l.Lines), thousands(int64(l.Definitions)), p.faint(note)})
	}
	p.table("", rows)
}
