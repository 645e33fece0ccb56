package cli

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"manito/internal/config"
	"manito/internal/lang/all"
	"manito/internal/postgres"
	"manito/internal/scan"
	"manito/internal/source"
)

type scanOptions struct {
	location string
	name     string
	revision string
	ref      string
	history  bool
	workers  int
}

func (a *app) scanCommand() *cobra.Command {
	o := scanOptions{}
	cmd := &cobra.Command{
		Use:   "scan PATH|GIT-URL|ARCHIVE",
		Short: "Read a repository into the graph",
		Long: `Scan reads a folder, a git repository (URL, bare repository, any revision) or an
archive (zip, tar, tar.gz, tar.zst), and stores its graph. The previous graph is
served until the new one is complete; an interrupted scan changes nothing.

Exit status: 0 the snapshot was published (files with diagnostics are listed, not
failed); 2 usage; 3 failure; 130 interrupted.`,
		Example: "  manito scan .\n  manito scan https://github.com/spf13/cobra --rev v1.9.1\n  manito scan source.tar.gz --name release",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.location = "."
			if len(args) > 0 {
				o.location = args[0]
			}
			return a.runScan(cmd.Context(), o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.name, "name", "", "name of the repository (default: that of its folder)")
	f.StringVar(&o.revision, "rev", "", "commit, branch or tag to read instead of the files on disk")
	f.StringVar(&o.ref, "ref", "", "name under which the snapshot is kept (default: head)")
	f.BoolVar(&o.history, "history", false, "fetch the whole history of a git URL")
	f.IntVar(&o.workers, "workers", 0, "files worked on at the same time (default: one per CPU)")
	return cmd
}

// scanDocument is the JSON of a scan.
type scanDocument struct {
	Schema     string     `json:"schema"`
	Repository string     `json:"repository"`
	Root       string     `json:"root"`
	Ref        string     `json:"ref"`
	Commit     string     `json:"commit,omitempty"`
	Snapshot   int32      `json:"snapshot"`
	Unchanged  bool       `json:"unchanged"`
	Digest     string     `json:"digest"`
	Stats      scan.Stats `json:"stats"`
}

func (a *app) runScan(ctx context.Context, o scanOptions) (err error) {
	cfg, err := a.load()
	if err != nil {
		return err
	}
	tree, err := source.Open(ctx, source.Input{Location: o.location, Revision: o.revision, History: o.history, Dir: filepath.Join(cfg.Home, "clones")})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tree.Close()) }()
	if o.name != "" {
		tree.Name = o.name
	}
	db, err := a.openDatabase(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	bar := a.progress()
	s := a.scanner(cfg, db, o.workers)
	report, err := s.Run(ctx, scan.Input{Tree: tree, Ref: o.ref, Kind: refKind(tree, o), Progress: bar.show})
	bar.clear()
	if err != nil {
		return err
	}
	if a.json {
		return a.document(scanDocument{Schema: "manito/scan/v1", Repository: report.Repo.Name, Root: report.Repo.Root, Ref: report.Ref, Commit: tree.Commit,
			Snapshot: report.Snapshot, Unchanged: report.Unchanged, Digest: hex.EncodeToString(report.Digest[:]), Stats: report.Stats})
	}
	return a.scanSummary(report, tree)
}

func (a *app) scanner(cfg *config.Config, db *database, workers int) *scan.Scanner {
	if workers == 0 {
		workers = cfg.Workers
	}
	return &scan.Scanner{DB: db.DB, Languages: all.Languages(), IndexDir: indexDir(cfg), Workers: workers}
}

func refKind(t *source.Tree, o scanOptions) postgres.RefKind {
	if t.Kind == source.Git {
		return postgres.RefBranch
	}
	return postgres.RefFolder
}

// scanSummary prints what was found.
func (a *app) scanSummary(r *scan.Report, t *source.Tree) error {
	st := &r.Stats
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s files, %s lines, %s\n", r.Repo.Name, thousands(int64(st.Files)), thousands(st.Lines), bytesText(st.Bytes))
	for i, l := range st.Languages {
		if i == 8 {
			fmt.Fprintf(&b, "  and %d more\n", len(st.Languages)-i)
			break
		}
		note := ""
		if !l.Graph {
			note = "  (listed only)"
		}
		fmt.Fprintf(&b, "  %-14s %9s files %12s lines%s\n", l.Name, thousands(int64(l.Files)), thousands(l.Lines), note)
	}
	fmt.Fprintf(&b, "%s definitions, %s edges, %s sites that are no edge, %s diagnostics\n", thousands(int64(st.Definitions)), thousands(int64(st.Edges)), thousands(int64(st.Unresolved)), thousands(int64(st.Diagnostics)))
	what := fmt.Sprintf("snapshot %d", r.Snapshot)
	if r.Unchanged {
		what += ", nothing had changed"
	}
	fmt.Fprintf(&b, "%s, digest %s\n", what, hex.EncodeToString(r.Digest[:8]))
	_, err := fmt.Fprint(a.stdout, b.String())
	return err
}
