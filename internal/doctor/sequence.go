package doctor

import (
	"context"
	"fmt"
	"strings"
)

// sequences is the family SEQ: where the next key comes from.
func sequences() []Check {
	return []Check{
		behind{},
		query{Info{ID: "SEQ-02", Title: "A sequence is nearly used up", Severity: High, Safety: Guarded,
			Cause:  "the key column or its sequence is too narrow for the number of rows, failed inserts included",
			Breaks: "on the day it is used up every INSERT fails (2200H or 22003)",
			Advice: "make the column bigint before that: on a big table with a second column and a swap, since the change rewrites the table"}, `
select ` + sequenceColumn + ` as object, format('%s of %s used (%s %%), column %s, sequence %s', u.used, u.most, round(100.0 * u.used / u.most, 1), format_type(a.atttypid, a.atttypmod), q.seqtypid::regtype) as evidence,
  case when 100.0 * u.used / u.most > 90 then 'critical' when 100.0 * u.used / u.most > 80 then 'high' else 'medium' end as severity,
  case when a.atttypid in ('int2'::regtype, 'int4'::regtype) then format(E'ALTER TABLE %s ALTER COLUMN %I TYPE bigint;\nALTER SEQUENCE %s AS bigint', r.ident, a.attname, q.seqrelid::regclass) else format('ALTER SEQUENCE %s AS bigint', q.seqrelid::regclass) end as fix,
  format('ALTER TABLE %s ALTER COLUMN %I TYPE %s;', r.ident, a.attname, format_type(a.atttypid, a.atttypmod)) as undo, pg_get_userbyid(r.relowner)::text as role, 'ACCESS EXCLUSIVE, rewrites the table' as lock
from ` + sequenceJoin + `, lateral (select coalesce(pg_sequence_last_value(q.seqrelid), 0) as used, least(q.seqmax, case a.atttypid when 'int2'::regtype then 32767 when 'int4'::regtype then 2147483647 else q.seqmax end) as most) u
where not q.seqcycle and q.seqincrement > 0 and 100.0 * u.used / u.most > 70 order by 1`},

		query{Info{ID: "SEQ-03", Title: "A sequence and its column have different types", Severity: High, Safety: Guarded,
			Cause:  "one of the two was widened, the other forgotten",
			Breaks: "the narrower of the two ends first: inserts fail although the wider one has room",
			Advice: "give both the type bigint"}, `
select ` + sequenceColumn + ` as object, format('column %s, sequence %s', format_type(a.atttypid, a.atttypmod), q.seqtypid::regtype) as evidence,
  case when a.atttypid = 'int8'::regtype then format('ALTER SEQUENCE %s AS bigint', q.seqrelid::regclass) end as fix,
  format('ALTER SEQUENCE %s AS %s;', q.seqrelid::regclass, q.seqtypid::regtype) as undo, pg_get_userbyid(r.relowner)::text as role, 'SHARE ROW EXCLUSIVE' as lock,
  case when a.atttypid = 'int8'::regtype then 'safe' else 'advice' end as safety, case when a.atttypid = 'int8'::regtype and q.seqmax < 9223372036854775807 then 'high' else 'medium' end as severity
from ` + sequenceJoin + `
where a.atttypid in ('int2'::regtype, 'int4'::regtype, 'int8'::regtype) and a.atttypid <> q.seqtypid and (a.atttypid = 'int8'::regtype or q.seqmax > case a.atttypid when 'int2'::regtype then 32767 else 2147483647 end) order by 1`},

		query{Info{ID: "SEQ-04", Title: "A column's default takes numbers from a sequence that it does not own", Severity: Medium, Safety: Safe,
			Cause:  "the sequence and the default were created by hand",
			Breaks: "dropping the table leaves the sequence, a change of owner misses it, and TRUNCATE … RESTART IDENTITY does not restart it",
			Advice: "ALTER SEQUENCE … OWNED BY"}, `
select format('%s.%I', r.ident, a.attname) as object, pg_get_expr(d.adbin, d.adrelid) as evidence, format('ALTER SEQUENCE %s OWNED BY %s.%I', q.oid::regclass, r.ident, a.attname) as fix,
  format('ALTER SEQUENCE %s OWNED BY NONE;', q.oid::regclass) as undo, pg_get_userbyid(q.relowner)::text as role, 'SHARE ROW EXCLUSIVE' as lock,
  case when q.relowner <> r.relowner or q.relnamespace <> r.relnamespace then 'advice' else 'safe' end as safety
from pg_attrdef d join rel r on r.oid = d.adrelid join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
join pg_depend p on p.classid = 'pg_attrdef'::regclass and p.objid = d.oid and p.refclassid = 'pg_class'::regclass join pg_class q on q.oid = p.refobjid and q.relkind = 'S'
where not exists (select from pg_depend o where o.classid = 'pg_class'::regclass and o.objid = q.oid and o.refclassid = 'pg_class'::regclass and o.deptype in ('a', 'i')) order by 1`},

		query{Info{ID: "SEQ-05", Title: "A key is narrower than bigint", Severity: Low, Safety: Advice,
			Cause:  "serial makes an integer",
			Breaks: "after 2,147,483,647 inserts, failed ones included, there is no next key, and widening it then rewrites the table",
			Advice: "use bigint GENERATED ALWAYS AS IDENTITY for new tables"}, `
select ` + sequenceColumn + ` as object, format_type(a.atttypid, a.atttypmod) || ' primary key from a sequence' as evidence
from ` + sequenceJoin + ` join pg_constraint k on k.conrelid = r.oid and k.contype = 'p' and k.conkey = array[a.attnum]
where a.atttypid in ('int2'::regtype, 'int4'::regtype) order by 1`},
	}
}

// sequenceJoin are the columns that own a sequence, or are identities.
const sequenceJoin = `rel r join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
join pg_depend dep on dep.refclassid = 'pg_class'::regclass and dep.refobjid = r.oid and dep.refobjsubid = a.attnum and dep.classid = 'pg_class'::regclass and dep.deptype in ('a', 'i')
join pg_sequence q on q.seqrelid = dep.objid`

const sequenceColumn = `format('%s.%I', r.ident, a.attname)`

// behind compares each sequence with the greatest key that is in use.
type behind struct{}

func (behind) Describe() Info {
	return Info{ID: "SEQ-01", Title: "A sequence is behind the keys in use", Severity: Critical, Safety: Safe,
		Cause:  "rows came in with their keys, by COPY, a restore or an INSERT that names the id, and the sequence was not told",
		Breaks: "inserts fail with a duplicate key (23505) until the sequence has caught up, one failure per row",
		Advice: "setval the sequence to the greatest key"}
}

// behindSQL lists the columns; a key without an index is not read, since that would read the whole table.
const behindSQL = `select ` + sequenceColumn + ` as object, r.ident, quote_ident(a.attname) as col, q.seqrelid::regclass as seq, pg_get_userbyid(r.relowner) as owner, pg_sequence_last_value(q.seqrelid) as last, q.seqstart as start,
  has_table_privilege(r.oid, 'SELECT') and has_schema_privilege(r.relnamespace, 'USAGE') and has_sequence_privilege(q.seqrelid, 'SELECT,USAGE') as readable,
  exists (select from pg_index i where i.indrelid = r.oid and i.indkey[0] = a.attnum and i.indisvalid and i.indpred is null) as indexed
from ` + sequenceJoin + ` where q.seqincrement > 0 and r.relkind in ('r', 'p') and a.atttypid in ('int2'::regtype, 'int4'::regtype, 'int8'::regtype) order by 1`

func (behind) Probe() string {
	return behindSQL + "\n-- then, for each: select max(key) from its table, which must not be above the sequence's last value"
}

// batch is how many tables one statement asks.
const batch = 100

func (behind) run(ctx context.Context, s *session) (out result, err error) {
	all, err := s.rows(ctx, behindSQL)
	if err != nil {
		return out, err
	}
	var ask []map[string]string
	for _, r := range all {
		switch {
		case r["readable"] != "t":
			out.skipped = append(out.skipped, Skipped{Object: r["object"], Reason: "missing right: SELECT on the table and its sequence"})
		case r["indexed"] != "t":
			out.skipped = append(out.skipped, Skipped{Object: r["object"], ByDesign: true, Reason: "no index begins with it: finding its greatest value would read the whole table"})
		default:
			ask = append(ask, r)
		}
	}
	for len(ask) > 0 {
		some := ask[:min(batch, len(ask))]
		ask = ask[len(some):]
		var parts []string
		for i, r := range some {
			parts = append(parts, fmt.Sprintf("(select %d as i, max(%s) as most from %s)", i, r["col"], r["ident"]))
		}
		rows, err := s.rows(ctx, "select t.i, t.most from ("+strings.Join(parts, " union all ")+") t where t.most is not null order by 1")
		if err != nil {
			return out, err
		}
		for _, row := range rows {
			var i int
			var most, last int64
			if _, err := fmt.Sscan(row["i"]+" "+row["most"], &i, &most); err != nil {
				return out, err
			}
			r := some[i]
			if text := r["last"]; text != "" {
				if _, err := fmt.Sscan(text, &last); err != nil {
					return out, err
				}
			} else if _, err := fmt.Sscan(r["start"], &last); err != nil {
				return out, err
			} else {
				last-- // it has not been asked yet
			}
			if most <= last {
				continue
			}
			f := Finding{Object: r["object"], Evidence: fmt.Sprintf("greatest key %d, sequence %s at %d", most, r["seq"], last)}
			f.Fix = Fix{Safety: Safe, Role: r["owner"], Lock: "none", Transaction: true, Undo: fmt.Sprintf("SELECT setval(%s, %d, true);", literal(r["seq"]), max(last, 1)),
				SQL:    []string{fmt.Sprintf("SELECT setval(%s, greatest((SELECT max(%s) FROM %s), (SELECT last_value FROM %s)), true)", literal(r["seq"]), r["col"], r["ident"], r["seq"])},
				Verify: fmt.Sprintf("SELECT max(%s) FROM %s HAVING max(%s) > (SELECT last_value FROM %s);", r["col"], r["ident"], r["col"], r["seq"])}
			out.findings = append(out.findings, f)
		}
	}
	return out, nil
}
