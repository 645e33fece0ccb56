package cli

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"manito/internal/codeintel"
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
	search   bool
	noSearch bool
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
	f.BoolVar(&o.search, "search", false, "make what searches need now, not at the first search (search.on_scan)")
	f.BoolVar(&o.noSearch, "no-search", false, "do not keep current what searches need (search.on_scan)")
	cmd.MarkFlagsMutuallyExclusive("search", "no-search")
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
	s.NoVectors = cfg.Search.Embeddings != "builtin"
	switch {
	case o.noSearch || !o.search && cfg.Search.OnScan == "false":
		s.Search = scan.SearchNever
	case !o.search && cfg.Search.OnScan == "auto":
		s.Search = scan.SearchKept
	}
	report, err := s.Run(ctx, scan.Input{Tree: tree, Ref: o.ref, Kind: refKind(tree, o), Progress: bar.show})
	bar.clear()
	if err != nil {
		return err
	}
	if a.json {
		return a.document(scanDocument{Schema: "manito/scan/v1", Repository: report.Repo.Name, Root: report.Repo.Root, Ref: report.Ref, Commit: tree.Commit,
			Snapshot: report.Snapshot, Unchanged: report.Unchanged, Digest: hex.EncodeToString(report.Digest[:]), Stats: report.Stats})
	}
	return a.scanSummary(ctx, cfg, db, report)
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

// scanSummary prints what was found, and how to go on.
func (a *app) scanSummary(ctx context.Context, cfg *config.Config, db *database, r *scan.Report) error {
	s := &session{cfg: cfg, db: db, chosen: chosen{repo: r.Repo, ref: postgres.RefStatus{Repo: r.Repo,
		Ref: postgres.Ref{Repo: r.Repo.ID, Name: r.Ref, Snapshot: r.Snapshot}, Manifest: postgres.Manifest{Snapshot: r.Snapshot, Digest: r.Digest}}}}
	return a.withIndex(ctx, s, func(ctx context.Context, s *session) error {
		v, err := s.index.Overview(ctx)
		if err != nil {
			return err
		}
		p := a.printer()
		showScan(p, r, v)
		return p.flush()
	})
}

const summaryLanguages = 6

func showScan(p *printer, r *scan.Report, v *codeintel.Overview) {
	st := &r.Stats
	total := 0.0
	for _, s := range st.Seconds {
		total += s
	}
	p.line("%s  %s, %s lines, %s in %.1f s", p.bold(r.Repo.Name), plural(st.Files, "file"), thousands(st.Lines), bytesText(st.Bytes), total)
	p.line("")
	rows := [][]string{}
	rest, restFiles := 0, 0
	for _, l := range v.Languages {
		if len(rows) == summaryLanguages || !l.Read && len(rows) >= 4 {
			rest++
			restFiles += l.Files
			continue
		}
		note := thousands(int64(l.Definitions)) + " definitions"
		if !l.Read {
			note = p.faint("listed only")
		}
		rows = append(rows, []string{l.Name, plural(l.Files, "file"), thousands(l.Lines) + " lines", note})
	}
	if rest > 0 {
		rows = append(rows, []string{p.faint(fmt.Sprintf("%d more", rest)), p.faint(plural(restFiles, "file")), "", ""})
	}
	p.table("  ", rows)
	p.line("")
	kinds := map[string]int{}
	for _, e := range v.EdgeKinds {
		kinds[e.Kind] += e.Count
	}
	p.line("graph     %s, %s: %s calls, %s reads and writes, %s uses of types, %s imports", plural(v.Symbols, "symbol"), plural(v.Edges, "edge"),
		thousands(int64(kinds["calls"]+kinds["instantiates"])), thousands(int64(kinds["reads"]+kinds["writes"])), thousands(int64(kinds["uses_type"])), thousands(int64(kinds["imports"])))
	open, foreign := 0, 0
	for _, u := range v.Unresolved {
		if u.Foreign {
			foreign += u.Count
		} else {
			open += u.Count
		}
	}
	p.line("no edge   %s could not be resolved, %s lead out of the repository", plural(open, "use"), thousands(int64(foreign)))
	if st.Diagnostics > 0 {
		p.line("          %s  %s", plural(st.Diagnostics, "diagnostic"), p.faint("select * from diagnostics"))
	}
	for i, h := range v.Hubs[:min(3, len(v.Hubs))] {
		word := "hubs"
		if i > 0 {
			word = ""
		}
		p.line("%-8s  %s  %s %s", word, h.Symbol.QualifiedName, p.faint(fmt.Sprintf("used by %s", thousands(int64(h.Users)))), p.cyan(h.Symbol.Location().String()))
	}
	switch {
	case v.FileCycles.Cycles == 0 && v.FolderLoops.Cycles == 0:
		p.line("cycles    none between files or folders")
	default:
		p.line("cycles    %d between files, %d between folders, the largest of %d", v.FileCycles.Cycles, v.FolderLoops.Cycles, max(v.FileCycles.Largest, v.FolderLoops.Largest))
	}
	what := fmt.Sprintf("%d, digest %s", r.Snapshot, hex.EncodeToString(r.Digest[:8]))
	switch {
	case r.Unchanged:
		what += ", nothing had changed"
	case st.Reused > 0:
		what += fmt.Sprintf(", %s read anew, %s known", thousands(int64(st.Extracted)), thousands(int64(st.Reused)))
	}
	p.line("snapshot  %s", what)
	if len(v.Hubs) > 0 {
		p.line("")
		p.line("go on:    manito symbol %s · manito impact %s · manito search 'some words' · manito map", v.Hubs[0].Symbol.QualifiedName, v.Hubs[0].Symbol.QualifiedName)
	}
}
