package migrate

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"manito/internal/problem"
)

// ValidateReport lists what is wrong. Its JSON has "schema": "manito/db-validate/v1".
type ValidateReport struct {
	Schema string `json:"schema"`
	Where
	Files    int       `json:"files"` // how many migrations were read
	Database bool      `json:"database_checked"`
	Findings []Finding `json:"findings"`
}

// Validate checks the files by themselves (they parse, the sum holds, no number occurs
// twice or is left out, each has a way down or a reason why not) and, when a DSN is
// configured, the ledger against them and the rights of the roles. It changes nothing.
// Findings are no error; an error means that something could not be looked at.
func (m *Migrator) Validate(ctx context.Context) (rep *ValidateReport, err error) {
	defer problem.Call(&err, "migrate validate")
	rep = &ValidateReport{Schema: "manito/db-validate/v1", Files: len(m.files), Findings: []Finding{}}
	if m.err != nil {
		return rep, m.err
	}
	sum, err := checkSum(m.cfg.Files, m.files)
	if err != nil {
		return rep, problem.Wrap(err, problem.Internal, "reading the sum")
	}
	rep.Findings = append(rep.Findings, slices.Concat(m.findings, sum)...)
	if m.cfg.DSN == "" {
		return rep, nil
	}
	err = m.read(ctx, func(s site, conn *pgx.Conn) error {
		rep.Where, rep.Database = s.where(), true
		found, err := m.validateSite(ctx, &s, conn)
		rep.Findings = append(rep.Findings, found...)
		return err
	})
	return rep, err
}

// validateSite checks one database.
func (m *Migrator) validateSite(ctx context.Context, s *site, conn *pgx.Conn) ([]Finding, error) {
	l := stepList{site: *s, conn: conn, extensions: m.cfg.ExtensionSchema}
	var out []Finding
	if err := l.gather(ctx, m.cfg.RolePrefix != ""); problem.KindOf(err) == problem.Conflict {
		f := Finding{Code: "role", Severity: High, Message: err.Error()}
		if fixes := problem.Fixes(err); len(fixes) > 0 {
			f.Fix = fixes[0]
		}
		out = append(out, f)
	} else if err != nil {
		return nil, err
	}
	for _, st := range l.steps {
		if st.member != "" && st.member != s.roles.Migrator {
			continue // who installs is nobody's business once it is installed
		}
		out = append(out, Finding{Code: "privilege", Severity: High, Message: "missing: " + st.what, Fix: "manito db init, or: " + st.shown() + ";"})
	}
	if e := m.judge(s, nil, nil); e != nil && (e.State == StateForeign || e.State == StateUninitialised) {
		f := Finding{Code: string(e.State), Severity: High, Message: e.Error()}
		if fixes := problem.Fixes(e); len(fixes) > 0 {
			f.Fix = fixes[0]
		}
		return append([]Finding{f}, out...), nil
	}
	if !s.member {
		out = append(out, Finding{Code: "privilege", Severity: High, Message: fmt.Sprintf("%q may not become %q and so cannot migrate", s.User, s.roles.Owner),
			Fix: fmt.Sprintf("connect as %q", s.roles.Migrator)})
	}
	if err := s.asOwner(ctx, conn); err != nil {
		return out, err
	}
	applied, err := s.readLedger(ctx, conn)
	if err != nil {
		return out, err
	}
	out = append(out, compare(m.files, applied)...)
	strangers, err := s.strangers(ctx, conn)
	return append(out, strangers...), err
}

// strangers finds objects that the owner does not own, which a later migration could not
// change, and rights that the app must not have.
func (s *site) strangers(ctx context.Context, conn *pgx.Conn) ([]Finding, error) {
	rows, err := conn.Query(ctx, `
		select 'owner', format('%s %I belongs to %I', case c.relkind when 'v' then 'view' when 'm' then 'materialized view' when 'S' then 'sequence' else 'table' end, c.relname, pg_get_userbyid(c.relowner)),
		       format('ALTER %s %I.%I OWNER TO %I;', case c.relkind when 'v' then 'VIEW' when 'm' then 'MATERIALIZED VIEW' when 'S' then 'SEQUENCE' else 'TABLE' end, $1::text, c.relname, $2::text)
		from pg_class c where c.relnamespace = (select oid from pg_namespace where nspname = $1::text) and c.relkind in ('r', 'p', 'v', 'm', 'S', 'f')
		  and pg_get_userbyid(c.relowner) <> $2::text
		union all
		select 'owner', format('function %s belongs to %I', p.proname, pg_get_userbyid(p.proowner)),
		       format('ALTER ROUTINE %I.%I(%s) OWNER TO %I;', $1::text, p.proname, pg_get_function_identity_arguments(p.oid), $2::text)
		from pg_proc p where p.pronamespace = (select oid from pg_namespace where nspname = $1::text) and pg_get_userbyid(p.proowner) <> $2::text
		  and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
		union all
		select 'create', format('%I may create objects in the schema', r), format('REVOKE CREATE ON SCHEMA %I FROM %I;', $1::text, r)
		from unnest(array[$3::text, $4::text]) r where has_schema_privilege(r, (select oid from pg_namespace where nspname = $1::text), 'CREATE')
		union all
		select 'ledger', format('%I cannot read the ledger, so its start-up check fails', $3::text), format('GRANT SELECT ON %I.migration, %I.migration_attempt TO %I;', $1::text, $1::text, $3::text)
		from pg_class c where c.relnamespace = (select oid from pg_namespace where nspname = $1::text) and c.relname = 'migration' and not has_table_privilege($3::text, c.oid, 'SELECT')
		union all
		select 'ledger', format('%I can change the ledger', $3::text), format('REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON %I.%I FROM %I;', $1::text, c.relname, $3::text)
		from pg_class c where c.relnamespace = (select oid from pg_namespace where nspname = $1::text) and c.relname in ('migration', 'migration_attempt', 'migration_repair')
		  and has_table_privilege($3::text, c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
		order by 1, 2`, s.schema, s.roles.Owner, s.roles.App, s.roles.Reader)
	if err != nil {
		return nil, explain(ctx, err, "looking at owners and rights")
	}
	out, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Finding, error) {
		f := Finding{Severity: High}
		return f, row.Scan(&f.Code, &f.Message, &f.Fix)
	})
	return out, explain(ctx, err, "looking at owners and rights")
}
