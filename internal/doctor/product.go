package doctor

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"manito/internal/pack"
)

// products is what there is of the family DATA beyond DATA-01: whether the rows that Manito
// keeps agree with one another. They look only into schemas that hold Manito's own ledger.
func products() []Check {
	return []Check{
		product{Info{ID: "DATA-02", Title: "A file that is shown names something that is not stored", Severity: High, Safety: Advice,
			Cause:  "rows were deleted by hand, or a backup brought back only some of the tables",
			Breaks: "its text, definitions or relations are missing from every answer",
			Advice: "scan the repository again (manito scan): what is missing is read and stored anew"},
			[]string{"repo", "ref", "file", "blob", "fact", "edge_block", "node_block", "scope", "path"}, `
select format('ref %s of %s', rf.name, r.root) as object, concat_ws(', ', m.blob || ' contents', m.fact || ' facts', m.nodes || ' definitions', m.block || ' relations', m.scope || ' scopes', m.path || ' paths') || ' missing, of ' || m.n || ' files' || coalesce('; first: ' || m.first, '') as evidence
from (
  select f.repo_id, f.ref_id, count(*) as n, nullif(count(*) filter (where f.blob_id <> 0 and b.blob_id is null), 0) as blob, nullif(count(*) filter (where f.fact_id <> 0 and a.fact_id is null), 0) as fact,
    nullif(count(*) filter (where f.fact_id <> 0 and d.fact_id is null), 0) as nodes, nullif(count(*) filter (where f.block_id <> 0 and e.block_id is null), 0) as block,
    nullif(count(*) filter (where f.scope_id <> 0 and s.scope_id is null), 0) as scope, nullif(count(*) filter (where p.path_id is null), 0) as path,
    min(p.path) filter (where f.blob_id <> 0 and b.blob_id is null or f.fact_id <> 0 and (a.fact_id is null or d.fact_id is null) or f.block_id <> 0 and e.block_id is null or f.scope_id <> 0 and s.scope_id is null) as first
  from {schema}.file f left join {schema}.blob b on (b.repo_id, b.blob_id) = (f.repo_id, f.blob_id) left join {schema}.fact a on (a.repo_id, a.fact_id) = (f.repo_id, f.fact_id)
  left join {schema}.node_block d on (d.repo_id, d.fact_id) = (f.repo_id, f.fact_id) left join {schema}.edge_block e on (e.repo_id, e.block_id) = (f.repo_id, f.block_id)
  left join {schema}.scope s on (s.repo_id, s.scope_id) = (f.repo_id, f.scope_id) left join {schema}.path p on (p.repo_id, p.path_id) = (f.repo_id, f.path_id) group by 1, 2
) m join {schema}.repo r using (repo_id) join {schema}.ref rf using (repo_id, ref_id) where coalesce(m.blob, m.fact, m.nodes, m.block, m.scope, m.path) is not null order by 1`, nil},

		product{Info{ID: "DATA-03", Title: "A scan is recorded as running, and has given no sign of life", Severity: Medium, Safety: Safe,
			Cause:  "its process or its machine died, and no scan has begun since that would have set it aside",
			Breaks: "status says that work is under way; what depends on an idle repository waits",
			Advice: "manito scan sets it aside and does the work"},
			[]string{"repo", "scan"}, `
select format('scan %s of %s', s.scan_id, r.root) as object, format('phase %s on %s, process %s; last sign of life %s ago', s.phase, s.host, s.pid, date_trunc('second', clock_timestamp() - s.heartbeat)) as evidence,
  format('UPDATE {schema}.scan SET status = ''abandoned'', held = false, finished_at = now(), error = ''it gave no sign of life'' WHERE repo_id = %s AND scan_id = %s AND status = ''running'' AND heartbeat = %L', s.repo_id, s.scan_id, s.heartbeat) as fix,
  format('UPDATE {schema}.scan SET status = ''running'', held = %s, finished_at = NULL, error = NULL WHERE repo_id = %s AND scan_id = %s;', s.held::text, s.repo_id, s.scan_id) as undo, '{owner}' as role, 'ROW EXCLUSIVE' as lock,
  format('SELECT * FROM {schema}.scan WHERE repo_id = %s AND scan_id = %s AND status = ''running'';', s.repo_id, s.scan_id) as verify
from {schema}.scan s join {schema}.repo r using (repo_id) where s.status = 'running' and s.heartbeat < clock_timestamp() - @idle::interval order by 1`, nil},

		product{Info{ID: "DATA-04", Title: "A counter of ids is behind the ids in use", Severity: High, Safety: Safe,
			Cause:  "rows of one repository came in from elsewhere, or the row of the repository from an older backup",
			Breaks: "the next scan that stores something new stops with a duplicate key (23505)",
			Advice: "set the counter above the greatest id"},
			[]string{"repo", "blob", "fact", "path", "scope", "edge_block", "snapshot", "ref", "scan"}, `
select format('%s of %s', k.counter, r.root) as object, format('next is %s, %s is in use', k.next, k.most) as evidence,
  format('UPDATE {schema}.repo SET %I = greatest(%1$I, %s) WHERE repo_id = %s', k.counter, k.most + 1, r.repo_id) as fix, format('UPDATE {schema}.repo SET %I = %s WHERE repo_id = %s;', k.counter, k.next, r.repo_id) as undo, '{owner}' as role, 'ROW EXCLUSIVE' as lock,
  format('SELECT * FROM {schema}.repo WHERE repo_id = %s AND %I <= %s;', r.repo_id, k.counter, k.most) as verify
from {schema}.repo r, lateral (values
  ('next_blob', r.next_blob::int8, (select max(x.blob_id)::int8 from {schema}.blob x where x.repo_id = r.repo_id)), ('next_fact', r.next_fact, (select max(x.fact_id) from {schema}.fact x where x.repo_id = r.repo_id)),
  ('next_path', r.next_path, (select max(x.path_id) from {schema}.path x where x.repo_id = r.repo_id)), ('next_scope', r.next_scope, (select max(x.scope_id) from {schema}.scope x where x.repo_id = r.repo_id)),
  ('next_block', r.next_block, (select max(x.block_id) from {schema}.edge_block x where x.repo_id = r.repo_id)), ('next_snapshot', r.next_snapshot, (select max(x.snapshot_id) from {schema}.snapshot x where x.repo_id = r.repo_id)),
  ('next_ref', r.next_ref, (select max(x.ref_id) from {schema}.ref x where x.repo_id = r.repo_id)), ('next_scan', r.next_scan, (select max(x.scan_id) from {schema}.scan x where x.repo_id = r.repo_id)),
  ('next_fence', r.next_fence, (select max(x.fence) from {schema}.scan x where x.repo_id = r.repo_id))) k(counter, next, most) where k.most >= k.next order by 1`, nil},

		product{Info{ID: "DATA-05", Title: "A stored content is not what its hash says", Severity: Critical, Safety: Advice,
			Cause:  "the disk gave back other bytes than it was given, or the row was changed by hand",
			Breaks: "answers quote a text that was never in the repository, and every file with this content shares it",
			Advice: "look for more damage (pg_amcheck, the server's log), restore the table from a backup, or delete the row and scan again"},
			[]string{"repo", "blob"}, contentSQL, compareContents},

		product{Info{ID: "DATA-06", Title: "A snapshot names something that is not stored", Severity: High, Safety: Advice,
			Cause:  "rows were deleted by hand, or a backup brought back only some of the tables",
			Breaks: "the snapshot cannot be read or compared with; when a ref points to it, neither can the ref",
			Advice: "scan the repository again (manito scan), which makes a snapshot that is whole"},
			[]string{"repo", "ref", "snapshot", "blob", "fact", "edge_block"}, `
select format('snapshot %s of %s', k.snapshot_id, r.root) as object, concat_ws(', ', nullif(k.blobs, 0) || ' contents missing', nullif(k.facts, 0) || ' facts missing', nullif(k.blocks, 0) || ' relations missing', k.base) as evidence,
  case when exists (select from {schema}.ref f where (f.repo_id, f.snapshot_id) = (k.repo_id, k.snapshot_id)) then 'high' else 'medium' end as severity
from (
  select s.repo_id, s.snapshot_id, count(distinct u.blob) filter (where b.blob_id is null and u.blob > 0) as blobs, count(distinct u.fact) filter (where a.fact_id is null and u.fact > 0) as facts, count(distinct u.block) filter (where e.block_id is null and u.block > 0) as blocks,
    case when s.snapshot_id <> s.keyframe_id and not exists (select from {schema}.snapshot p where (p.repo_id, p.snapshot_id) = (s.repo_id, s.parent_id)) then 'the snapshot ' || s.parent_id || ' that it differs from is missing'
      when not exists (select from {schema}.snapshot p where (p.repo_id, p.snapshot_id) = (s.repo_id, s.keyframe_id)) then 'its keyframe ' || s.keyframe_id || ' is missing' end as base
  from {schema}.snapshot s left join lateral unnest(s.d_blob, s.d_fact, s.d_block) u(blob, fact, block) on u.blob <> -1
  left join {schema}.blob b on (b.repo_id, b.blob_id) = (s.repo_id, u.blob) left join {schema}.fact a on (a.repo_id, a.fact_id) = (s.repo_id, u.fact) left join {schema}.edge_block e on (e.repo_id, e.block_id) = (s.repo_id, u.block)
  group by s.repo_id, s.snapshot_id, s.keyframe_id, s.parent_id
) k join {schema}.repo r using (repo_id) where k.blobs + k.facts + k.blocks > 0 or k.base is not null order by 1`, nil},

		product{Info{ID: "DATA-07", Title: "Contents are kept that no snapshot needs", Severity: Low, Safety: Guarded,
			Cause:  "scans were broken off before they published, or snapshots were deleted",
			Breaks: "they take room; the next scan that meets the same content uses them again",
			Advice: "delete them when they weigh more than they are worth"},
			[]string{"repo", "snapshot", "blob", "fact", "edge_block", "node_block", "scan"}, orphanSQL, nil},

		product{Info{ID: "DATA-08", Title: "The views show another snapshot than the ref points to", Severity: Medium, Safety: Advice,
			Cause:  "a scan was broken off after it had published and before it had brought the views up to date",
			Breaks: "SQL answers for an older state than the command line does",
			Advice: "manito scan finishes the work"},
			[]string{"repo", "ref", "projection", "snapshot", "scan", "file"}, projectionSQL, nil},

		product{Info{ID: "DATA-09", Title: "A ref was never published", Severity: Low, Safety: Advice,
			Cause:  "its first scan failed, or was broken off",
			Breaks: "questions about it have no answer",
			Advice: "manito scan, or see why it failed: manito status"},
			[]string{"repo", "ref", "scan"}, `
select format('ref %s of %s', f.name, r.root) as object, 'no snapshot' || coalesce('; its last scan ended as ' || s.status || coalesce(': ' || s.error, ''), '') as evidence
from {schema}.ref f join {schema}.repo r using (repo_id) left join lateral (select x.status, x.error from {schema}.scan x where (x.repo_id, x.ref_id) = (f.repo_id, f.ref_id) order by x.scan_id desc limit 1) s on true
where f.snapshot_id is null and not exists (select from {schema}.scan x where x.repo_id = f.repo_id and x.held) order by 1`, nil},

		product{Info{ID: "DATA-10", Title: "A relation leads from or to something that does not exist", Severity: High, Safety: Advice,
			Cause:  "rows were deleted or changed by hand, or by a defect of the program",
			Breaks: "callers and impact are wrong, or name what is not there",
			Advice: "scan the repository again (manito scan); when it comes back, report it with the output of this check"},
			[]string{"repo", "ref", "file", "edge_block", "node_block", "symbol_block", "external", "path"}, edgesSQL, nil},
	}
}

// product is a check of what one schema of Manito's holds. Its SQL has {schema} and
// {owner}, and the columns of a query; then it may look on at the rows.
type product struct {
	info   Info
	tables []string // that it reads
	sql    string
	then   func(ctx context.Context, s *session, p place, rows []map[string]string) (result, error)
}

// place is a schema that holds Manito's ledger.
type place struct {
	schema string // quoted
	owner  string
	lacks  map[string]bool // tables that are not there, or may not be read
	absent map[string]bool // tables that are not there
}

// places finds the schemas of Manito by the comment on their ledger, and which tables may be read.
func (s *session) places(ctx context.Context, tables []string) ([]place, error) {
	rows, err := s.rows(ctx, `select quote_ident(p.nspname) as schema, p.owner,
		(select string_agg(t, ' ') from unnest(string_to_array('`+strings.Join(tables, ",")+`', ',')) t where not exists (select from pg_class c where c.relnamespace = p.oid and c.relname = t)) as absent,
		(select string_agg(c.relname, ' ') from pg_class c where c.relnamespace = p.oid and c.relname = any (string_to_array('`+strings.Join(tables, ",")+`', ',')) and not (has_schema_privilege(p.oid, 'USAGE') and has_table_privilege(c.oid, 'SELECT'))) as denied
		from product p order by 1`)
	if err != nil {
		return nil, err
	}
	var out []place
	for _, r := range rows {
		p := place{schema: r["schema"], owner: r["owner"], lacks: map[string]bool{}, absent: map[string]bool{}}
		for _, t := range strings.Fields(r["absent"]) {
			p.absent[t], p.lacks[t] = true, true
		}
		for _, t := range strings.Fields(r["denied"]) {
			p.lacks[t] = true
		}
		out = append(out, p)
	}
	return out, nil
}

func (c product) Describe() Info { return c.info }
func (c product) Probe() string {
	return "-- in each schema with Manito's ledger:" + c.sql
}

func (c product) run(ctx context.Context, s *session) (out result, err error) {
	all, err := s.places(ctx, c.tables)
	if err != nil {
		return out, err
	}
	for _, p := range all {
		if why := p.blocked(c.tables); why != "" {
			out.skipped = append(out.skipped, Skipped{Object: "schema " + p.schema, Reason: why})
			continue
		}
		rows, err := s.rows(ctx, strings.NewReplacer("{schema}", p.schema, "{owner}", strings.ReplaceAll(p.owner, "'", "''")).Replace(c.sql))
		if err != nil {
			return out, err
		}
		got := collect(rows)
		if c.then != nil {
			if got, err = c.then(ctx, s, p, rows); err != nil {
				return out, err
			}
		}
		out.findings = append(out.findings, got.findings...)
		out.skipped = append(out.skipped, got.skipped...)
	}
	return out, nil
}

// blocked says why tables cannot be read; "" when they can.
func (p place) blocked(tables []string) string {
	var absent, denied []string
	for _, t := range tables {
		switch {
		case p.absent[t]:
			absent = append(absent, t)
		case p.lacks[t]:
			denied = append(denied, t)
		}
	}
	switch {
	case len(denied) > 0:
		return "missing right: SELECT on " + strings.Join(denied, ", ")
	case len(absent) > 0:
		return "there is no table " + strings.Join(absent, ", ") + ": the migrations are not all applied (MIG-06)"
	}
	return ""
}

// How many contents are compared with their hashes, and how large one may be: a doctor
// does not read the whole database.
const (
	comparedContents = 200
	comparedSize     = 256 << 10
)

// contentSQL takes contents at equal steps over the ids of each repository, so that the
// same database gives the same answer.
var contentSQL = fmt.Sprintf(`
select r.root, b.blob_id as id, b.size, encode(b.hash, 'hex') as hash, encode(b.z, 'hex') as z, n.n
from {schema}.repo r cross join lateral (select count(*) as n, sum(count(*)) over () as everything from {schema}.blob x where x.repo_id = r.repo_id) n
cross join lateral (select x.* from {schema}.blob x where x.repo_id = r.repo_id and x.size <= %d
	and not (length(x.z) = 0 and x.lines = 0 and x.size > 0) -- of what is no text the hash is kept, not the bytes
	and not exists (select from {schema}.file f where f.repo_id = x.repo_id and f.blob_id = x.blob_id and f.encoding like 'utf-16%%') -- kept as UTF-8
	and x.blob_id %% greatest(n.n / %[2]d, 1) = 0 order by x.blob_id limit %[2]d) b order by 1, 2`, comparedSize, comparedContents)

// compareContents unpacks contents and hashes them.
func compareContents(_ context.Context, _ *session, p place, rows []map[string]string) (out result, err error) {
	u := pack.NewUnpacker()
	looked, stored := map[string]int64{}, map[string]int64{}
	for _, r := range rows {
		z, err := hex.DecodeString(r["z"])
		if err != nil {
			return out, err
		}
		looked[r["root"]]++
		if stored[r["root"]], err = strconv.ParseInt(r["n"], 10, 64); err != nil {
			return out, err
		}
		said := ""
		text := []byte{}
		if len(z) > 0 {
			if text, err = u.Text(z); err != nil {
				said = "it cannot be unpacked: " + err.Error()
			}
		}
		if sum := sha256.Sum256(text); said == "" && hex.EncodeToString(sum[:]) != r["hash"] {
			said = fmt.Sprintf("its bytes have the hash %.12x…, the row says %.12s…", sum, r["hash"])
		} else if said == "" && strconv.Itoa(len(text)) != r["size"] {
			said = fmt.Sprintf("it has %d bytes, the row says %s", len(text), r["size"])
		}
		if said != "" {
			out.findings = append(out.findings, Finding{Object: fmt.Sprintf("content %s of %s", r["id"], r["root"]), Evidence: said})
		}
	}
	for root, n := range looked {
		if n < stored[root] {
			for i, f := range out.findings {
				if strings.HasSuffix(f.Object, " of "+root) {
					out.findings[i].Evidence += fmt.Sprintf(" (a sample of %d of %d contents)", n, stored[root])
				}
			}
			out.skipped = append(out.skipped, Skipped{Object: root, ByDesign: true, Reason: fmt.Sprintf("a sample of %d of %d contents was compared with their hashes", n, stored[root])})
		}
	}
	slices.SortFunc(out.skipped, func(a, b Skipped) int { return strings.Compare(a.Object, b.Object) })
	return out, nil
}

// heavy is from which weight on what nobody needs is worth a finding of low severity
// rather than a note.
const heavy = 100 << 20

// orphanSQL finds rows that no snapshot names. A scan that is under way stores rows before
// it publishes them, so that repositories with one are left out; the fix takes the table
// of scans, so that none can begin.
var orphanSQL = fmt.Sprintf(`
select r.root as object, concat_ws(', ', nullif(k.blobs, 0) || ' contents', nullif(k.facts, 0) || ' facts', nullif(k.blocks, 0) || ' blocks of relations') || ', ' || pg_size_pretty(k.weight) as evidence, case when k.weight >= %d then 'low' else 'info' end as severity,
  'LOCK TABLE {schema}.scan IN SHARE ROW EXCLUSIVE MODE' || (select string_agg(format(E';\nDELETE FROM {schema}.%%s t WHERE t.repo_id = %%s AND NOT EXISTS (SELECT FROM {schema}.scan WHERE repo_id = %%2$s AND held) AND t.%%s NOT IN (SELECT unnest(%%s) FROM {schema}.snapshot WHERE repo_id = %%2$s)', t.name, r.repo_id, t.id, t.list), '' order by t.n)
    from (values (1, 'edge_block', 'block_id', 'd_block'), (2, 'node_block', 'fact_id', 'd_fact'), (3, 'fact', 'fact_id', 'd_fact'), (4, 'blob', 'blob_id', 'd_blob')) t(n, name, id, list)) as fix,
  'none needed: nothing refers to them' as undo, '{owner}' as role, 'SHARE ROW EXCLUSIVE on scan' as lock,
  format('SELECT blob_id FROM {schema}.blob WHERE repo_id = %%s AND blob_id NOT IN (SELECT unnest(d_blob) FROM {schema}.snapshot WHERE repo_id = %%1$s);', r.repo_id) as verify
from {schema}.repo r cross join lateral (
  select sum((t.kind = 1)::int4) as blobs, sum((t.kind = 2)::int4) as facts, sum((t.kind = 3)::int4) as blocks, sum(t.weight)::int8 as weight from (
    select 1 as kind, pg_column_size(b.z) as weight from {schema}.blob b left join (select distinct unnest(s.d_blob) as id from {schema}.snapshot s where s.repo_id = r.repo_id) u on u.id = b.blob_id where b.repo_id = r.repo_id and u.id is null
    union all
    select 2, pg_column_size(a.z) from {schema}.fact a left join (select distinct unnest(s.d_fact) as id from {schema}.snapshot s where s.repo_id = r.repo_id) u on u.id = a.fact_id where a.repo_id = r.repo_id and u.id is null
    union all
    select 3, pg_column_size(e.e) + pg_column_size(e.targets) from {schema}.edge_block e left join (select distinct unnest(s.d_block) as id from {schema}.snapshot s where s.repo_id = r.repo_id) u on u.id = e.block_id where e.repo_id = r.repo_id and u.id is null) t) k
where k.blobs + k.facts + k.blocks > 0 and not exists (select from {schema}.scan x where x.repo_id = r.repo_id and x.held) order by 1`, heavy)

// projectionSQL compares what a ref points to with what the views show, and the files
// there with those of the snapshot: its keyframe and the differences since.
const projectionSQL = `
select * from (with recursive chain as (
  select p.repo_id, p.ref_id, s.snapshot_id, s.parent_id, s.keyframe_id, s.d_path, s.d_blob, s.d_fact, s.d_block, s.d_scope, 1 as age
  from {schema}.projection p join {schema}.ref f using (repo_id, ref_id) join {schema}.snapshot s on (s.repo_id, s.snapshot_id) = (p.repo_id, p.snapshot_id) where f.snapshot_id = p.snapshot_id
  union all
  select c.repo_id, c.ref_id, s.snapshot_id, s.parent_id, s.keyframe_id, s.d_path, s.d_blob, s.d_fact, s.d_block, s.d_scope, c.age + 1
  from chain c join {schema}.snapshot s on (s.repo_id, s.snapshot_id) = (c.repo_id, c.parent_id) where c.snapshot_id <> c.keyframe_id
), listed as (
  select distinct on (c.repo_id, c.ref_id, u.path) c.repo_id, c.ref_id, u.path, u.blob, u.fact, u.block, u.scope from chain c cross join lateral unnest(c.d_path, c.d_blob, c.d_fact, c.d_block, c.d_scope) u(path, blob, fact, block, scope) order by c.repo_id, c.ref_id, u.path, c.age
), differ as (
  select coalesce(l.repo_id, f.repo_id) as repo_id, coalesce(l.ref_id, f.ref_id) as ref_id, count(*) as n
  from (select * from listed where blob <> -1) l full join (select f.* from {schema}.file f where exists (select from chain c where (c.repo_id, c.ref_id) = (f.repo_id, f.ref_id))) f on (f.repo_id, f.ref_id, f.path_id) = (l.repo_id, l.ref_id, l.path)
  where (l.blob, l.fact, l.block, l.scope) is distinct from (f.blob_id, f.fact_id, f.block_id, f.scope_id) group by 1, 2
)
select format('ref %s of %s', f.name, r.root) as object, format('it points to snapshot %s, %s', f.snapshot_id, coalesce('the views show ' || p.snapshot_id, 'the views show nothing')) as evidence
from {schema}.ref f join {schema}.repo r using (repo_id) left join {schema}.projection p using (repo_id, ref_id)
where f.snapshot_id is distinct from p.snapshot_id and f.snapshot_id is not null and not exists (select from {schema}.scan x where x.repo_id = f.repo_id and x.held)
union all
select format('ref %s of %s', f.name, r.root), format('%s of the files that the views show are not those of snapshot %s', d.n, f.snapshot_id)
from differ d join {schema}.ref f using (repo_id, ref_id) join {schema}.repo r using (repo_id) where not exists (select from {schema}.scan x where x.repo_id = f.repo_id and x.held) ) k order by 1`

// sampledFiles is how many files of a ref have their relations followed.
const sampledFiles = 100

// edgesSQL follows the relations of some files of each ref: their sources must be
// definitions of the file, their targets in the index from symbols to files or external.
var edgesSQL = fmt.Sprintf(`
select * from (with live as (
  select f.repo_id, f.ref_id, f.path_id, f.fact_id, f.block_id, n.n from (select x.repo_id, x.ref_id, count(*) as n from {schema}.file x where x.block_id <> 0 group by 1, 2) n
  cross join lateral (select x.* from {schema}.file x where (x.repo_id, x.ref_id) = (n.repo_id, n.ref_id) and x.block_id <> 0 and x.path_id %% greatest(n.n / %[1]d, 1) = 0 order by x.path_id limit %[1]d) f
), edge as (
  select l.repo_id, l.ref_id, l.path_id, l.n, b.targets, coalesce(cardinality(d.dkeys), 0) as definitions, w.source, w.target
  from live l join {schema}.edge_block b using (repo_id, block_id) left join {schema}.node_block d using (repo_id, fact_id)
  cross join lateral (select max(case when b.wide then (x.w >> 11) & 2097151 else (x.w >> 51) & 8191 end) as source, max(case when b.wide then (x.w >> 32) & 4294967295 else (x.w >> 38) & 8191 end) as target
    from unnest(b.e) with ordinality x(w, i) where not b.wide or x.i %% 2 = 1) w
), bad as (
  select e.repo_id, e.ref_id, e.path_id, e.n, 'a relation leaves definition ' || e.source || ' of ' || e.definitions as said from edge e where e.source > e.definitions
  union all
  select e.repo_id, e.ref_id, e.path_id, e.n, 'a relation leads to entry ' || e.target + 1 || ' of ' || cardinality(e.targets) from edge e where e.target >= cardinality(e.targets)
  union all
  select e.repo_id, e.ref_id, e.path_id, e.n, 'the target ' || t.key || ' is neither defined nor an external package' from edge e cross join lateral unnest(e.targets) t(key)
  where not exists (select from (select sb.paths[array_position(sb.keys, t.key)] as path from {schema}.symbol_block sb where sb.repo_id = e.repo_id and sb.ref_id = e.ref_id and sb.lo <= t.key order by sb.lo desc limit 1) k where k.path <> 0)
    and not exists (select from {schema}.external x where x.repo_id = e.repo_id and x.ref_id = e.ref_id and x.key = t.key)
)
select format('ref %%s of %%s', f.name, r.root) as object, format('%%s in %%s files, such as %%s: %%s', count(*), count(distinct b.path_id), coalesce(min(p.path), 'one without a path'), min(b.said)) || case when min(b.n) > %[1]d then format(' (a sample of %[1]d of %%s files)', min(b.n)) else '' end as evidence, null as skip
from bad b join {schema}.ref f using (repo_id, ref_id) join {schema}.repo r using (repo_id) left join {schema}.path p using (repo_id, path_id) group by f.name, r.root
union all
select format('ref %%s of %%s', f.name, r.root), null, format('a sample of %[1]d of %%s files had their relations followed', l.n) from (select distinct repo_id, ref_id, n from live where n > %[1]d) l join {schema}.ref f using (repo_id, ref_id) join {schema}.repo r using (repo_id) ) k order by 1`, sampledFiles)
