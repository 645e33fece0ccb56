package doctor

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// scopeSQL names what every probe starts from: the schemas under examination with
// the role that should own them, the roles that programs run as, the relations without what
// extensions brought along, and those of the schemas that hold Manito's own ledger.
const scopeSQL = `with scope as (
  select n.oid, n.nspname, n.nspowner, s.owner, (select r.oid from pg_roles r where r.rolname = s.owner) as ownerid
  from unnest(@schemas::text[], @owners::text[]) s(name, owner) join pg_namespace n on n.nspname = s.name
), runtime as (
  select n.oid as nspoid, n.nspname, r.rolname, r.oid from unnest(@appschemas::text[], @apps::text[]) a(schema, role)
  join pg_namespace n on n.nspname = a.schema join pg_roles r on r.rolname = a.role
), member as (
  select classid, objid from pg_depend where deptype = 'e'
), rel as (
  select c.*, c.oid::regclass::text as ident, s.nspname, s.owner, s.ownerid
  from scope s join pg_class c on c.relnamespace = s.oid
  where c.oid not in (select objid from member where classid = 'pg_class'::regclass)
), product as (
  select s.* from scope s join pg_class c on c.relnamespace = s.oid and c.relname = 'migration'
  join pg_description d on d.classoid = 'pg_class'::regclass and d.objoid = c.oid and d.objsubid = 0 and d.description like 'Manito''s migration ledger%'
)
`

// query is a check that is one SELECT. Its columns have fixed names: object and
// evidence always; severity, cause, advice, fix (statements that end with ";" and a
// new line, without the last), undo, role, lock, safety, verify, and concurrent (true when
// the fix cannot run in a transaction) where a row has more to say than its check; and
// skip, which makes the row something that could not be looked at.
type query struct {
	info Info
	sql  string
}

func (q query) Describe() Info { return q.info }
func (q query) Probe() string  { return strings.TrimSpace(q.sql) }

func (q query) run(ctx context.Context, s *session) (result, error) {
	sql := q.sql
	if s.about != "" { // a fix is being judged: the server can leave out the other objects early
		sql = "select * from (" + strings.TrimSpace(sql) + "\n) about where object = @about or object is null or object = ''"
	}
	rows, err := s.rows(ctx, sql)
	if err != nil {
		return result{}, err
	}
	return collect(rows), nil
}

// collect turns rows with the columns of a query into findings.
func collect(rows []map[string]string) (out result) {
	for _, r := range rows {
		if r["skip"] != "" {
			out.skipped = append(out.skipped, Skipped{Object: r["object"], Reason: r["skip"], ByDesign: !strings.HasPrefix(r["skip"], "missing right")})
			continue
		}
		f := Finding{Object: r["object"], Evidence: r["evidence"], Severity: Severity(r["severity"]), Cause: r["cause"]}
		f.Fix.Advice, f.Fix.Safety = r["advice"], Safety(r["safety"])
		if r["fix"] != "" {
			f.Fix.SQL = strings.Split(r["fix"], ";\n")
			f.Fix.Undo, f.Fix.Role, f.Fix.Lock = r["undo"], r["role"], r["lock"]
			f.Fix.Verify, f.Fix.Transaction = r["verify"], r["concurrent"] != "t"
		}
		out.findings = append(out.findings, f)
	}
	return out
}

// rows runs a statement below the scope and returns its rows as text by column; NULL is "".
func (s *session) rows(ctx context.Context, sql string) ([]map[string]string, error) {
	args := pgx.NamedArgs{}
	for name, values := range s.arguments() {
		args[name] = values
	}
	for name, value := range s.limits() {
		args[name] = value
	}
	args["about"] = s.about
	rows, err := s.tx.Query(ctx, scopeSQL+sql, pgx.QueryResultFormats{pgx.TextFormatCode}, args)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(r pgx.CollectableRow) (map[string]string, error) {
		m := map[string]string{}
		for i, value := range r.RawValues() {
			m[r.FieldDescriptions()[i].Name] = string(value)
		}
		return m, nil
	})
}

// arguments are the values of the names in scopeSQL.
func (s *session) arguments() map[string][]string {
	a := map[string][]string{"schemas": {}, "owners": {}, "appschemas": {}, "apps": {}}
	for _, c := range s.scopes {
		a["schemas"] = append(a["schemas"], c.Name)
		a["owners"] = append(a["owners"], c.Owner)
		for _, app := range c.App {
			a["appschemas"] = append(a["appschemas"], c.Name)
			a["apps"] = append(a["apps"], app)
		}
	}
	return a
}

// Limits are figures that depend on the installation; the zero value is right for most.
type Limits struct {
	Pool  int           // how many connections the programs may open together; 0 when it is not known
	Reads int64         // how many blocks must have been read before the hit ratio is judged; 0 for ten million
	Spill int64         // how many bytes a day queries may write to temporary files; 0 for a gigabyte
	Queue float64       // which part of the queue of notifications may be full; 0 for a quarter
	Free  float64       // which part of the disk must be free; 0 for a tenth
	Lag   time.Duration // how far a standby may be behind; 0 for five minutes
}

// limits are what probes compare with.
func (s *session) limits() map[string]string {
	return map[string]string{
		"lag":    fmt.Sprintf("%d ms", cmp.Or(s.opt.Limits.Lag, 5*time.Minute).Milliseconds()),
		"pool":   strconv.Itoa(s.opt.Limits.Pool),
		"reads":  strconv.FormatInt(cmp.Or(s.opt.Limits.Reads, 10_000_000), 10),
		"spill":  strconv.FormatInt(cmp.Or(s.opt.Limits.Spill, 1<<30), 10),
		"queue":  strconv.FormatFloat(cmp.Or(s.opt.Limits.Queue, 0.25), 'f', -1, 64),
		"idle":   fmt.Sprintf("%d ms", cmp.Or(s.opt.Idle, time.Minute).Milliseconds()),
		"unused": fmt.Sprintf("%d ms", cmp.Or(s.opt.Unused, 14*24*time.Hour).Milliseconds()),
	}
}

// render writes a probe out with its values, narrowed to one object, so that it can be pasted into psql.
func (s *session) render(sql, object string) string {
	text := scopeSQL
	for name, values := range s.arguments() {
		quoted := make([]string, len(values))
		for i, v := range values {
			quoted[i] = literal(v)
		}
		text = strings.ReplaceAll(text, "@"+name+"::text[]", "array["+strings.Join(quoted, ", ")+"]::text[]")
	}
	for name, value := range s.limits() {
		sql = strings.ReplaceAll(sql, "@"+name+"::", literal(value)+"::")
	}
	return "set search_path = pg_catalog;\n" + text + "select * from (" + strings.TrimSpace(sql) + ") f where object = " + literal(object) + ";"
}
