package migrate

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"manito/internal/problem"
)

// StatusReport is everything that is known about a database's migrations. Its JSON has
// "schema": "manito/db-status/v1".
type StatusReport struct {
	Schema string `json:"schema"`
	Where
	State      State           `json:"state"`
	Message    string          `json:"message,omitempty"` // why, unless the state is current
	Fixes      []string        `json:"fixes,omitempty"`
	Roles      Roles           `json:"roles"`
	Version    int64           `json:"version"` // the newest that is applied; 0 is the empty schema
	Latest     int64           `json:"latest"`  // the newest that there is a file for
	Migrations []MigrationLine `json:"migrations"`
	Attempts   []Attempt       `json:"attempts"` // the latest 20, newest first
	Running    *Holder         `json:"running,omitempty"`
	Invalid    []InvalidIndex  `json:"invalid_indexes"`
	Findings   []Finding       `json:"findings"` // where files and ledger contradict each other
}

// MigrationLine is one migration, from the files or only from the ledger.
type MigrationLine struct {
	Version     int64      `json:"version"`
	Name        string     `json:"name"`
	State       string     `json:"state"` // applied, pending, failed, abandoned, running or missing
	Transaction bool       `json:"transaction"`
	Reversible  bool       `json:"reversible"`
	AppliedAt   *time.Time `json:"applied_at,omitempty"`
	AppliedBy   string     `json:"applied_by,omitempty"`
	DurationMS  int64      `json:"duration_ms,omitempty"`
	AppVersion  string     `json:"app_version,omitempty"`
	Tries       int        `json:"tries"` // how often it was begun, in either direction
}

// Status reads the state, as any role that may read the ledger. It changes nothing.
func (m *Migrator) Status(ctx context.Context) (rep *StatusReport, err error) {
	defer problem.Call(&err, "migrate status")
	rep = &StatusReport{Schema: "manito/db-status/v1", Latest: m.latest(), Migrations: []MigrationLine{}, Attempts: []Attempt{},
		Invalid: []InvalidIndex{}, Findings: []Finding{}}
	err = m.read(ctx, func(s site, conn *pgx.Conn) error {
		rep.Where, rep.Roles = s.where(), s.roles
		if err := s.asOwner(ctx, conn); err != nil {
			return err
		}
		applied, err := s.readLedger(ctx, conn)
		if err != nil {
			return err
		}
		attempts, err := s.readAttempts(ctx, conn, 1000)
		if err != nil {
			return err
		}
		if rep.Running, err = lockHolder(ctx, conn, s.schema); err != nil {
			return err
		}
		invalid, err := s.invalidIndexes(ctx, conn)
		if err != nil {
			return err
		}
		last := lastTries(attempts)
		rep.State = StateCurrent
		if e := m.judge(&s, applied, last); e != nil {
			rep.State, rep.Message, rep.Fixes = e.State, e.Error(), problem.Fixes(e)
		}
		rep.Version = newest(applied)
		rep.Migrations = m.lines(applied, attempts, last, rep.Running)
		rep.Attempts = append(rep.Attempts, attempts[:min(len(attempts), 20)]...)
		rep.Invalid = append(rep.Invalid, invalid...)
		rep.Findings = append(rep.Findings, slices.Concat(m.findings, compare(m.files, applied))...)
		return nil
	})
	return rep, err
}

// lines merges files and ledger, by version.
func (m *Migrator) lines(applied []Applied, attempts []Attempt, last map[int64]Attempt, running *Holder) []MigrationLine {
	tries := map[int64]int{}
	for _, a := range attempts {
		tries[a.Version]++
	}
	rows := map[int64]Applied{}
	for _, a := range applied {
		rows[a.Version] = a
	}
	out := []MigrationLine{}
	for _, f := range m.files {
		line := MigrationLine{Version: f.Version, Name: f.Name, State: "pending", Transaction: f.Transaction, Reversible: f.Irreversible == "", Tries: tries[f.Version]}
		if a, ok := rows[f.Version]; ok {
			line.apply(a, "applied")
			delete(rows, f.Version)
		} else if a, ok := last[f.Version]; ok && a.Direction == "up" {
			switch {
			case a.Outcome == "failed", a.Outcome == "abandoned":
				line.State = a.Outcome
			case a.Outcome == "running" && running != nil && running.BackendPID == a.BackendPID:
				line.State = "running"
			case a.Outcome == "running":
				line.State = "abandoned" // nobody holds the lock that it ran under
			}
		}
		out = append(out, line)
	}
	for _, a := range rows {
		line := MigrationLine{Version: a.Version, Name: a.Name, Transaction: a.Transaction, Tries: tries[a.Version]}
		line.apply(a, "missing")
		out = append(out, line)
	}
	slices.SortFunc(out, func(a, b MigrationLine) int { return int(a.Version - b.Version) })
	return out
}

func (l *MigrationLine) apply(a Applied, state string) {
	l.State, l.AppliedAt, l.AppliedBy, l.DurationMS, l.AppVersion = state, &a.AppliedAt, a.AppliedBy, a.DurationMS, a.AppVersion
}
