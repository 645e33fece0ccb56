package doctor

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"manito/internal/migrate"
	"manito/internal/problem"
)

// builtin are the checks of the family MIG that compare a schema with migrations that this
// program knows: Manito's own, and those of the job queue River.
func builtin() []Check {
	return []Check{
		own{Info{ID: "MIG-05", Title: "An applied migration is not the one that this program holds", Severity: High, Safety: Advice,
			Cause:  "the file was edited after it had been applied, or the ledger was",
			Breaks: "what the schema holds is no longer what the migrations say, and nobody can tell by how much",
			Advice: "manito db validate names the file and what to do; manito db drift shows the difference"},
			ownLedgerSQL + "\n-- each checksum must be the SHA-256 of the migration of that number in this program", edited},
		own{Info{ID: "MIG-06", Title: "The schema is at another version than this program needs", Severity: High, Safety: Advice,
			Cause:  "the program was updated and the database was not, or the other way round",
			Breaks: "the program refuses to work with the database, or does not find what it needs",
			Advice: "manito db up applies what is pending; a database that is newer wants the newer program"},
			ownLedgerSQL + "\n-- the versions must be those of the migrations in this program, without a gap", versionOff},
		own{Info{ID: "MIG-07", Title: "The schema is not what its migrations make", Severity: High, Safety: Advice,
			Cause:  "something was created, changed or dropped by hand",
			Breaks: "the next migration may stop half-way, and what is missing is not there for the program",
			Advice: "manito db drift prints the statements that undo it"},
			"-- compares tables, columns, constraints, indexes, functions, views, owners and grants with the catalogue that is built into this program: manito db drift", drifted},
		ledgers{Info{ID: "MIG-12", Title: "The tables of the job queue are older than its library", Severity: High, Safety: Advice,
			Cause:  "River was updated in the program, and its own migrations were not run",
			Breaks: "jobs are inserted or fetched by statements whose columns are not there",
			Advice: "river migrate-up --line main, or rivermigrate in the program's own migration"},
			"river_migration: its main line must be at version " + strconv.Itoa(riverNewest) + ", without a gap", queueBehind},
	}
}

// riverNewest is the newest migration of River's main line that is known: that of River 0.51.
const riverNewest = 8

// riverUsable is the version from which on a current library finds all columns that it names.
const riverUsable = 6

// queueBehind judges the ledger of River.
func queueBehind(ctx context.Context, s *session, l ledger) ([]Finding, error) {
	if l.name != "river_migration" {
		return nil, nil
	}
	where := ""
	if l.columns["line"] {
		where = " where line = 'main'"
	}
	var n, newest int64
	if err := s.tx.QueryRow(ctx, "select count(distinct version), coalesce(max(version), 0) from "+l.ident+where).Scan(&n, &newest); err != nil {
		return nil, err
	}
	f := Finding{Object: l.ident, Evidence: fmt.Sprintf("version %d of %d", newest, riverNewest), Severity: Medium}
	switch {
	case n < newest:
		f.Evidence += fmt.Sprintf(", and %d before it are not recorded", newest-n)
		f.Severity = High
	case newest < riverUsable:
		f.Severity = High
	case newest >= riverNewest:
		return nil, nil
	}
	return []Finding{f}, nil
}

// ownLedgerSQL reads the ledger of one schema of Manito's.
const ownLedgerSQL = `select version, name, encode(checksum, 'hex') as checksum, app_version from {schema}.migration order by version`

// recorded is a row of Manito's ledger.
type recorded struct {
	version                 int64
	name, checksum, program string
}

// eachLedger reads every ledger of Manito's and hands it over with the migrations of this program.
func (s *session) eachLedger(ctx context.Context, judge func(p place, rows []recorded, files []migrate.File) []Finding) (out result, err error) {
	all, err := s.places(ctx, []string{"migration"})
	if err != nil {
		return out, err
	}
	files, wrong, err := migrate.Parse(migrate.Files())
	if err != nil {
		return out, err
	}
	if len(wrong) > 0 {
		return out, problem.New(problem.Internal, "the migrations of this program cannot be read: %s", wrong[0].Message)
	}
	for _, p := range all {
		if why := p.blocked([]string{"migration"}); why != "" {
			out.skipped = append(out.skipped, Skipped{Object: "schema " + p.schema, Reason: why})
			continue
		}
		rows, err := s.rows(ctx, strings.ReplaceAll(ownLedgerSQL, "{schema}", p.schema))
		if err != nil {
			return out, err
		}
		var ledger []recorded
		for _, r := range rows {
			v, err := strconv.ParseInt(r["version"], 10, 64)
			if err != nil {
				return out, err
			}
			ledger = append(ledger, recorded{v, r["name"], r["checksum"], r["app_version"]})
		}
		out.findings = append(out.findings, judge(p, ledger, files)...)
	}
	return out, nil
}

// edited finds rows whose checksum is not that of the file of the same number.
func edited(ctx context.Context, s *session) (result, error) {
	return s.eachLedger(ctx, func(p place, rows []recorded, files []migrate.File) (out []Finding) {
		for _, r := range rows {
			i := slices.IndexFunc(files, func(f migrate.File) bool { return f.Version == r.version })
			if i >= 0 && files[i].Checksum.String() != r.checksum {
				out = append(out, Finding{Object: fmt.Sprintf("%s.migration %d", p.schema, r.version),
					Evidence: fmt.Sprintf("%s was applied with checksum %.12s, this program holds %.12s", r.name, r.checksum, files[i].Checksum)})
			}
		}
		return out
	})
}

// versionOff finds migrations that only the ledger or only the program has.
func versionOff(ctx context.Context, s *session) (result, error) {
	return s.eachLedger(ctx, func(p place, rows []recorded, files []migrate.File) (out []Finding) {
		newest := int64(0)
		for _, r := range rows {
			newest = max(newest, r.version)
			if !slices.ContainsFunc(files, func(f migrate.File) bool { return f.Version == r.version }) {
				out = append(out, Finding{Object: fmt.Sprintf("%s.migration %d", p.schema, r.version), Cause: "a newer program has migrated the database",
					Evidence: fmt.Sprintf("%s was applied by version %s and is not known to this program", r.name, r.program), Fix: Fix{Advice: "use the program that applied it, or a newer one"}})
			}
		}
		for _, f := range files {
			if slices.ContainsFunc(rows, func(r recorded) bool { return r.version == f.Version }) {
				continue
			}
			said := fmt.Sprintf("%s is pending: the schema is at version %d", f.Name, newest)
			advice := ""
			if f.Version < newest {
				said = fmt.Sprintf("%s is not recorded, and version %d is", f.Name, newest)
				advice = "when it was applied and its row is lost: manito db repair --mark-applied " + strconv.FormatInt(f.Version, 10)
			}
			out = append(out, Finding{Object: fmt.Sprintf("%s.migration %d", p.schema, f.Version), Evidence: said, Fix: Fix{Advice: advice}})
		}
		return out
	})
}

// drifted compares the catalogue with the one that is built in, on a connection of its own.
func drifted(ctx context.Context, s *session) (out result, err error) {
	all, err := s.places(ctx, []string{"migration"})
	if err != nil {
		return out, err
	}
	for _, p := range all {
		name := "schema " + p.schema
		if why := p.blocked([]string{"migration"}); why != "" {
			out.skipped = append(out.skipped, Skipped{Object: name, Reason: why})
			continue
		}
		plain := p.schema
		if strings.HasPrefix(plain, `"`) {
			plain = strings.ReplaceAll(plain[1:len(plain)-1], `""`, `"`)
		}
		rep, err := migrate.New(migrate.Config{DSN: s.opt.DSN, Schema: plain}).Drift(ctx, migrate.DriftOptions{Snapshot: true})
		if err != nil {
			if kind := problem.KindOf(err); kind == problem.Unavailable || kind == problem.Interrupted || kind == problem.Internal {
				return out, err
			}
			// Pending or edited migrations are MIG-05 and MIG-06; there is nothing to compare with then.
			out.skipped = append(out.skipped, Skipped{Object: name, ByDesign: problem.KindOf(err) != problem.Denied, Reason: err.Error()})
			continue
		}
		for _, c := range rep.Changes {
			f := Finding{Object: fmt.Sprintf("%s %s in %s", c.Kind, c.Name, p.schema)}
			switch c.Op {
			case "ADD":
				f.Evidence = "it is missing"
			case "DROP":
				f.Evidence, f.Severity = "no migration made it", Medium
			default:
				f.Evidence = fmt.Sprintf("it is %s, and should be %s", c.Found, c.Expected)
			}
			f.Fix.Advice = strings.Join(append(slices.Clone(rep.Before), c.SQL), " ")
			out.findings = append(out.findings, f)
		}
	}
	return out, nil
}
