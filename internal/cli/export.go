package cli

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"manito/internal/codeintel"
	"manito/internal/problem"
)

func (a *app) exportCommand() *cobra.Command {
	var o repoFlags
	var in codeintel.ExportInput
	var out string
	cmd := &cobra.Command{
		Use: "export", Short: "Write the graph for other programs", Args: cobra.NoArgs,
		Long: "Export writes the graph as json (everything), dot, mermaid, graphml or csv, to standard output or a file.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.ask(cmd.Context(), o, func(ctx context.Context, s *session) error {
				if out == "" || out == "-" {
					return exportTo(ctx, s.index, in, a.stdout)
				}
				return exportFile(ctx, s.index, in, out)
			})
		},
	}
	o.register(cmd)
	f := cmd.Flags()
	f.StringVar(&in.Format, "format", "json", strings.Join(codeintel.ExportFormats(), ", "))
	f.StringVar(&in.Level, "level", "", "what the vertices are: symbols, files or folders (default by format)")
	f.StringVar(&in.Table, "table", "", "what csv lists: edges, symbols or files")
	f.StringSliceVar(&in.Kinds, "kind", nil, "edge kinds to write, such as calls,imports (default all)")
	f.StringVarP(&out, "output", "o", "", "file to write")
	return cmd
}

func exportTo(ctx context.Context, x *codeintel.Index, in codeintel.ExportInput, w io.Writer) error {
	b := bufio.NewWriterSize(w, 1<<16)
	if err := x.Export(ctx, b, in); err != nil {
		return err
	}
	return b.Flush()
}

// exportFile writes beside the file and renames, so that a failed export leaves what was there.
func exportFile(ctx context.Context, x *codeintel.Index, in codeintel.ExportInput, name string) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return problem.Wrap(err, problem.Usage, "cannot write %s", name)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	if err := exportTo(ctx, x, in, f); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := f.Chmod(0o644); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := f.Close(); err != nil {
		return problem.Wrap(err, problem.Exhausted, "cannot write %s", name)
	}
	return os.Rename(f.Name(), name)
}
