// Package scan is the pipeline of one scan: list the files, extract a Document
// from each, link them, write blobs, facts and edge blocks, publish the snapshot
// in one transaction, project the rows that SQL users see, and write the index
// file that queries map into memory and the files that searches look into.
//
// Until the publishing transaction commits, readers see the previous snapshot
// and nothing else; a scan that dies anywhere leaves only rows that the next
// scan finds again and uses.
//
// codeintel and cli may import it.
package scan

import (
	"context"
	"errors"
	"runtime"
	"time"

	"manito/internal/code"
	"manito/internal/lang"
	"manito/internal/link"
	"manito/internal/pack"
	"manito/internal/postgres"
	"manito/internal/problem"
	"manito/internal/source"
)

// Phase is a stretch of a scan. Its word is what status, progress and the scans view show.
type Phase string

// The phases, in order.
const (
	PhaseList    Phase = "list"
	PhaseExtract Phase = "extract"
	PhaseLink    Phase = "link"
	PhaseWrite   Phase = "write"
	PhasePublish Phase = "publish"
	PhaseProject Phase = "project"
	PhaseIndex   Phase = "index"
	PhaseSearch  Phase = "search"
)

// SearchWhen says when a scan makes what searches need.
type SearchWhen uint8

// When.
const (
	SearchAlways SearchWhen = iota
	SearchKept              // when an earlier scan or a search made it: then it is kept current
	SearchNever
)

// Progress says how far a phase is. Done and Total count files; both are 0 in phases that cannot be counted.
type Progress struct {
	Phase       Phase
	Done, Total int64
	Bytes       int64 // of source read so far
	Elapsed     time.Duration
}

// Scanner scans repositories into one database.
type Scanner struct {
	DB        *postgres.DB
	Languages []lang.Language
	// IndexDir is the folder of index files; "" writes none.
	IndexDir string
	// Workers is the number of files worked on at the same time; 0 means one per CPU.
	Workers int
	// Search says whether a scan makes what searches need; if not, the first search does.
	Search SearchWhen
	// NoVectors leaves out search by meaning.
	NoVectors bool
}

// Input says what to scan.
type Input struct {
	Tree *source.Tree
	Ref  string // "" means "head"
	Kind postgres.RefKind
	// Progress is called from one goroutine at a time, a few times a second at most; nil for none.
	Progress func(Progress)
}

// Report is the outcome of a scan.
type Report struct {
	Repo      postgres.Repo
	Ref       string
	Snapshot  int32
	Unchanged bool
	Digest    [32]byte
	Stats     Stats
	Index     string // path of the index file, "" when none was written
	// Searchable: what searches need was made or is kept current.
	Searchable bool
}

// Stats are the figures of a scan, stored with its snapshot.
type Stats struct {
	Schema      string             `json:"schema"`
	Files       int                `json:"files"`
	Bytes       int64              `json:"bytes"`
	Lines       int64              `json:"lines"`
	Extracted   int                `json:"extracted"` // files read by an extractor in this scan
	Reused      int                `json:"reused"`    // files whose facts were there already
	Definitions int                `json:"definitions"`
	Edges       int                `json:"edges"`
	Unresolved  int                `json:"unresolved"`
	Diagnostics int                `json:"diagnostics"`
	Languages   []LanguageStats    `json:"languages"`
	Seconds     map[string]float64 `json:"seconds"`     // wall clock, by phase
	CPUSeconds  map[string]float64 `json:"cpu_seconds"` // of this process (PostgreSQL's are its own), by phase
}

// LanguageStats are the figures of one source language.
type LanguageStats struct {
	Name  string `json:"name"`
	Files int    `json:"files"`
	Lines int64  `json:"lines"`
	Bytes int64  `json:"bytes"`
	Graph bool   `json:"graph"` // an extractor reads it
}

// run is one scan under way.
type run struct {
	s      *Scanner
	in     Input
	tree   *source.Tree
	lease  *postgres.Lease
	writer *postgres.Writer
	repo   postgres.Repo
	files  []fileState
	report Report
	clock  clock

	results   []*link.Result // by language; nil where it has no files
	externals []postgres.External
}

// fileState is what the scan knows of a file.
type fileState struct {
	hash   [32]byte // of the bytes as they are in the repository
	read   bool     // the content was read and is stored
	binary bool
	wasNew bool  // extracted in this scan
	lang   int16 // index into Scanner.Languages, -1 when no extractor reads it
	pos    int32 // index among its language's files
	lines  int32
	blob   int32
	fact   int32
	path   int32
	scope  int32
	block  int32
	nedges int
	nsites int
	doc    *code.Document
	diags  []code.Diagnostic // found while reading; the Document has its own
	packed pack.Block
	digest [32]byte
}

// Run scans. An interrupted or failed scan leaves the previous snapshot served.
func (s *Scanner) Run(ctx context.Context, in Input) (report *Report, err error) {
	if in.Ref == "" {
		in.Ref = "head"
	}
	if in.Kind == "" {
		in.Kind = postgres.RefFolder
	}
	r := &run{s: s, in: in, tree: in.Tree}
	r.clock.start(in.Progress)
	r.repo, err = s.DB.EnsureRepo(ctx, postgres.RepoInput{Root: in.Tree.Root, Name: in.Tree.Name, Remote: in.Tree.Remote})
	if err != nil {
		return nil, err
	}
	r.lease, err = s.DB.AcquireScan(ctx, postgres.ScanInput{Repo: r.repo.ID, Ref: in.Ref, Kind: in.Kind, Holder: postgres.ThisProcess()})
	if err != nil {
		return nil, err
	}
	defer func() {
		clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		switch {
		case err == nil:
		case ctx.Err() != nil:
			err = errors.Join(err, r.lease.Cancel(clean))
		default:
			err = errors.Join(err, r.lease.Fail(clean, err))
		}
		err = errors.Join(err, r.lease.Release(clean))
	}()
	err = r.phases(r.lease.Context())
	if err != nil {
		if cause := context.Cause(r.lease.Context()); cause != nil && ctx.Err() == nil {
			return nil, cause
		}
		if ctx.Err() != nil {
			return nil, problem.Wrap(ctx.Err(), problem.Interrupted, "the scan was stopped; the previous snapshot is still served")
		}
		return nil, err
	}
	r.report.Stats.Seconds, r.report.Stats.CPUSeconds = r.clock.stop()
	return &r.report, nil
}

func (r *run) phases(ctx context.Context) error {
	r.report.Repo, r.report.Ref = r.repo, r.in.Ref
	r.writer = r.lease.Writer()
	steps := []struct {
		phase Phase
		work  func(context.Context) error
	}{
		{PhaseExtract, r.extract},
		{PhaseLink, r.link},
		{PhaseWrite, r.write},
		{PhasePublish, r.publish},
		{PhaseProject, r.project},
		{PhaseIndex, r.index},
		{PhaseSearch, r.search},
	}
	for _, step := range steps {
		if err := ctx.Err(); err != nil {
			return err
		}
		r.clock.phase(step.phase)
		if err := r.lease.Phase(ctx, string(step.phase)); err != nil {
			return err
		}
		if err := step.work(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (s *Scanner) workers() int {
	if s.Workers > 0 {
		return s.Workers
	}
	return runtime.GOMAXPROCS(0)
}

// language is the index of the language that reads a source language, -1 when none does.
func (s *Scanner) language(source string) int16 {
	for i := range s.Languages {
		for _, name := range s.Languages[i].Sources {
			if name == source {
				return int16(i)
			}
		}
	}
	return -1
}
