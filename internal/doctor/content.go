package doctor

import (
	"context"
	"fmt"
	"strings"
)

// contents are the families CACHE, DATA, NOTIF and VLT: what the rows and the counters say.
func contents() []Check {
	return []Check{
		query{Info{ID: "CACHE-01", Title: "Tables are read from disk more often than from memory", Severity: Low, Safety: Advice,
			Cause:  "shared_buffers is small for what is in use, or queries read whole tables",
			Breaks: "every such read waits for the disk or the operating system",
			Advice: "raise shared_buffers to a quarter of the memory, and look at IDX-03; below ten million reads the ratio says nothing and is not judged"}, `
select 'database ' || quote_ident(current_database()) as object, format('%s %% of %s block reads were hits', round(100.0 * blks_hit / (blks_hit + blks_read), 1), blks_hit + blks_read) as evidence
from pg_stat_database where datname = current_database() and blks_hit + blks_read > @reads::int8 and blks_hit < 9 * blks_read`},

		query{Info{ID: "NOTIF-01", Title: "The queue of notifications is filling up", Severity: Medium, Safety: Advice,
			Cause:  "a session listens and never ends its transaction",
			Breaks: "when it is full, every transaction that notifies fails at its COMMIT",
			Advice: "end the session that is in a transaction for long (CONN-03)"}, `
select 'server' as object, round(100 * u::numeric, 1) || ' % used' as evidence from pg_notification_queue_usage() u where u > @queue::float8`},

		objects{},

		query{Info{ID: "VLT-02", Title: "A column seems to hold secrets in the clear", Severity: Medium, Safety: Advice,
			Cause:  "the secret was stored where it is used",
			Breaks: "every reader of the table, of a backup and of a log has it",
			Advice: "store a hash where it is only compared; else encrypt it with a key that is not in the database"}, `
select format('%s.%I', r.ident, a.attname) as object, format_type(a.atttypid, a.atttypmod) || ', judged by its name' as evidence
from rel r join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
where r.relkind in ('r', 'p') and a.atttypid in ('text'::regtype, 'varchar'::regtype) and a.attname ~* ` + secretName + ` and a.attname !~* ` + secretHash + ` order by 1`},
	}
}

// objects looks for texts that a JavaScript program made of an object by mistake.
type objects struct{}

func (objects) Describe() Info {
	return Info{ID: "DATA-01", Title: "A text column holds \"[object Object]\"", Severity: High, Safety: Advice,
		Cause:  "a program bound an object where a text was meant, without serialising it",
		Breaks: "what the object held is lost; the next read fails or shows nonsense",
		Advice: "mend the program, and take the values from where they came"}
}

// sampled is how many rows of a table are read at most; reading all of a big one is not a doctor's business.
const sampled = 10000

const textsSQL = `select r.oid::int8 as oid, r.ident, has_table_privilege(r.oid, 'SELECT') and has_schema_privilege(r.relnamespace, 'USAGE') and not r.relrowsecurity as readable, string_agg(quote_ident(a.attname), ' ' order by a.attnum) as columns
from rel r join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
where r.relkind = 'r' and pg_relation_size(r.oid) > 0 and a.atttypid in ('text'::regtype, 'varchar'::regtype) and a.attname !~ '[[:space:]"]' group by r.oid, r.ident, r.relnamespace, r.relrowsecurity order by 2`

func (objects) Probe() string {
	return textsSQL + fmt.Sprintf("\n-- then, for each: select column from (select column from table limit %d) where column like '%%[object Object]%%'", sampled)
}

func (objects) run(ctx context.Context, s *session) (out result, err error) {
	all, err := s.rows(ctx, textsSQL)
	if err != nil {
		return out, err
	}
	for len(all) > 0 {
		some := all[:min(batch, len(all))]
		all = all[len(some):]
		var parts []string
		for _, r := range some {
			if r["readable"] != "t" {
				out.skipped = append(out.skipped, Skipped{Object: r["ident"], Reason: "missing right: SELECT, or row security hides rows"})
				continue
			}
			columns := strings.Join(strings.Fields(r["columns"]), ", ")
			parts = append(parts, "(select v.object, v.n from (select "+columns+" from "+r["ident"]+fmt.Sprintf(" limit %d) k, lateral (values ", sampled)+valuesOf(r)+") v(object, n) where v.n > 0)")
		}
		if len(parts) == 0 {
			continue
		}
		rows, err := s.rows(ctx, "select t.object, format('%s rows of the first "+fmt.Sprint(sampled)+"', sum(t.n)) as evidence from ("+strings.Join(parts, " union all ")+") t(object, n) group by t.object order by 1")
		if err != nil {
			return out, err
		}
		out.findings = append(out.findings, collect(rows).findings...)
	}
	return out, nil
}

// valuesOf is, for each column of a row, its name and whether it holds the text.
func valuesOf(r map[string]string) string {
	var out []string
	for _, c := range strings.Fields(r["columns"]) {
		out = append(out, "("+literal(r["ident"]+"."+c)+", (k."+c+" like '%[object Object]%')::int4)")
	}
	return strings.Join(out, ", ")
}
