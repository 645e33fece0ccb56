package migrate

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"manito/internal/problem"
)

// Step is one file as it would run.
type Step struct {
	Version     int64      `json:"version"`
	Name        string     `json:"name"`
	Direction   string     `json:"direction"` // up or down
	Transaction bool       `json:"transaction"`
	DataLoss    bool       `json:"data_loss"` // it drops a table, a column, a type or a schema, or truncates
	Statements  []StepLine `json:"statements"`
}

// StepLine is one statement, with its placeholders expanded.
type StepLine struct {
	Line int    `json:"line"`
	SQL  string `json:"sql"`
}

// PlanReport is what Up would do. Its JSON has "schema": "manito/db-plan/v1".
type PlanReport struct {
	Schema string `json:"schema"`
	Where
	From  int64  `json:"from"`
	To    int64  `json:"to"`
	Steps []Step `json:"steps"`
}

// Plan lists what Up would run, without running it.
func (m *Migrator) Plan(ctx context.Context) (rep *PlanReport, err error) {
	defer problem.Call(&err, "migrate plan")
	rep = &PlanReport{Schema: "manito/db-plan/v1", Steps: []Step{}}
	if err := m.runnable(); err != nil {
		return rep, err
	}
	err = m.read(ctx, func(s site, conn *pgx.Conn) error {
		rep.Where = s.where()
		if err := s.readable(); err != nil {
			return err
		}
		if err := s.asOwner(ctx, conn); err != nil {
			return err
		}
		applied, err := s.readLedger(ctx, conn)
		if err != nil {
			return err
		}
		if err := invalid(compare(m.files, applied)); err != nil {
			return err
		}
		rep.From = newest(applied)
		rep.To = rep.From
		if todo := pending(m.files, applied); len(todo) > 0 {
			rep.Steps = s.steps(todo, "up")
			rep.To = todo[len(todo)-1].Version
		}
		return nil
	})
	return rep, err
}

// readable is the error that keeps the ledger from being asked for; nil also when there
// is nothing yet.
func (s *site) readable() error {
	if !s.hasLedger && s.count > 0 {
		return &StateError{State: StateForeign, err: s.foreign()}
	}
	return nil
}

// steps expands files for a report.
func (s *site) steps(files []File, direction string) []Step {
	out := make([]Step, 0, len(files))
	for _, f := range files {
		part := f.Up
		if direction == "down" {
			part = f.Down
		}
		step := Step{Version: f.Version, Name: f.Name, Direction: direction, Transaction: f.Transaction, Statements: []StepLine{}}
		for _, st := range part {
			step.Statements = append(step.Statements, StepLine{Line: st.Line, SQL: s.expand(st.SQL)})
			step.DataLoss = step.DataLoss || losesData(st.SQL)
		}
		out = append(out, step)
	}
	return out
}

// losesData says whether a statement removes rows by its nature.
func losesData(sql string) bool {
	w := words(sql, 0)
	if len(w) < 2 {
		return false
	}
	switch w[0] {
	case "TRUNCATE", "DELETE":
		return true
	case "DROP":
		return slices.Contains([]string{"TABLE", "SCHEMA", "TYPE", "DOMAIN", "EXTENSION", "OWNED", "MATERIALIZED"}, w[1])
	case "ALTER":
		for i := 2; i+1 < len(w); i++ {
			if w[i] == "DROP" && !slices.Contains([]string{"CONSTRAINT", "DEFAULT", "NOT", "IDENTITY", "EXPRESSION"}, w[i+1]) {
				return true
			}
		}
	}
	return false
}
