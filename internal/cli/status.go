package cli

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"manito/internal/postgres"
	"manito/internal/scan"
)

// statusDocument is the JSON of status.
type statusDocument struct {
	Schema       string             `json:"schema"`
	Repositories []repositoryStatus `json:"repositories"`
}

type repositoryStatus struct {
	Name       string      `json:"name"`
	Root       string      `json:"root"`
	Ref        string      `json:"ref"`
	Kind       string      `json:"kind"`
	Snapshot   int32       `json:"snapshot"`
	Commit     string      `json:"commit,omitempty"`
	Digest     string      `json:"digest"`
	ScannedAt  *time.Time  `json:"scanned_at,omitempty"`
	Projection string      `json:"projection"` // ready or pending
	LastScan   *lastScan   `json:"last_scan,omitempty"`
	Stats      *scan.Stats `json:"stats,omitempty"`
}

type lastScan struct {
	ID        int32     `json:"id"`
	Status    string    `json:"status"`
	Phase     string    `json:"phase,omitempty"`
	StartedAt time.Time `json:"started_at"`
	Error     string    `json:"error,omitempty"`
	Host      string    `json:"host,omitempty"`
	PID       int       `json:"pid,omitempty"`
}

func (a *app) statusCommand() *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Show what has been scanned and how it stands", Args: cobra.NoArgs,
		Long: "Status lists the repositories with their snapshots, canonical digests, last scans and projections.",
		RunE: func(cmd *cobra.Command, _ []string) error { return a.runStatus(cmd.Context()) },
	}
}

func (a *app) runStatus(ctx context.Context) (err error) {
	cfg, err := a.load()
	if err != nil {
		return err
	}
	db, err := a.openDatabase(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	list, err := db.Status(ctx, 0)
	if err != nil {
		return err
	}
	doc := statusDocument{Schema: "manito/status/v1", Repositories: []repositoryStatus{}}
	for _, st := range list {
		r, err := repositoryState(st)
		if err != nil {
			return err
		}
		doc.Repositories = append(doc.Repositories, r)
	}
	if a.json {
		return a.document(doc)
	}
	p := a.printer()
	showStatus(p, doc)
	return p.flush()
}

func repositoryState(st postgres.RefStatus) (repositoryStatus, error) {
	r := repositoryStatus{Name: st.Repo.Name, Root: st.Repo.Root, Ref: st.Ref.Name, Kind: string(st.Ref.Kind), Snapshot: st.Ref.Snapshot, Projection: "ready"}
	if st.Ref.Pending() {
		r.Projection = "pending"
	}
	if st.Ref.Snapshot != 0 {
		m := st.Manifest
		r.Commit, r.Digest, r.ScannedAt = m.Commit, hex.EncodeToString(m.Digest[:]), &m.ScannedAt
		if len(m.Stats) > 0 {
			r.Stats = &scan.Stats{}
			if err := json.Unmarshal(m.Stats, r.Stats); err != nil {
				return r, fmt.Errorf("stored figures of %s: %w", st.Repo.Name, err)
			}
		}
	}
	if s := st.LastScan; s.ID != 0 {
		r.LastScan = &lastScan{ID: s.ID, Status: string(s.Status), Phase: s.Phase, StartedAt: s.StartedAt, Error: s.Error, Host: s.Holder.Host, PID: s.Holder.PID}
	}
	return r, nil
}

func showStatus(p *printer, doc statusDocument) {
	if len(doc.Repositories) == 0 {
		p.line("nothing has been scanned yet: manito scan .")
		return
	}
	for i, r := range doc.Repositories {
		if i > 0 {
			p.line("")
		}
		p.line("%s  %s", p.bold(r.Name), p.cyan(r.Root))
		rows := [][]string{}
		if r.Snapshot != 0 {
			rows = append(rows, []string{"  snapshot", fmt.Sprintf("%d of %s, %s", r.Snapshot, r.Ref, r.ScannedAt.Local().Format(time.DateTime))})
			if r.Commit != "" {
				rows = append(rows, []string{"  commit", r.Commit})
			}
			rows = append(rows, []string{"  digest", r.Digest}, []string{"  projection", r.Projection})
		}
		if r.Stats != nil {
			rows = append(rows, []string{"  size", fmt.Sprintf("%s, %s lines, %s definitions, %s edges", plural(r.Stats.Files, "file"), thousands(r.Stats.Lines), thousands(int64(r.Stats.Definitions)), thousands(int64(r.Stats.Edges)))})
		}
		if s := r.LastScan; s != nil && s.Status != string(postgres.ScanPublished) {
			text := s.Status
			if s.Error != "" {
				text += ": " + s.Error
			}
			rows = append(rows, []string{"  last scan", p.yellow(text)})
		}
		p.table("", rows)
	}
}
