-- The laws of the store, as SQL: what the doctor and the tests ask.

-- +goose Up
create function symbol_places(project_id int4, ref_id int4)
	returns table (key int8, path_id int4, mention bool)
	language sql stable parallel safe security definer set search_path = {{schema}}, pg_temp rows 100000
begin atomic
	select sb.keys[place.before + 1], (place.sum + case when place.also > 0 then sb.paths[place.before + 1] else 0 end)::int4, place.also = 0
	from symbol_block sb
	cross join lateral (
		select part.v, part.before, part.also,
			sum(case when part.v > 0 then part.v::int8 when part.v = -32768 then 0 else -part.v::int8 * 32767 end) over (partition by part.before, part.also order by part.i) as sum
		from (
			select step.v, step.i, step.before, count(*) filter (where step.v = -32768) over (partition by step.before order by step.i) as also
			from (
				select u.v, u.i, count(*) filter (where u.v = 0) over (order by u.i) as before from unnest(sb.sources) with ordinality u(v, i)
			) step where step.v <> 0
		) part
	) place
	where sb.repo_id = $1 and sb.ref_id = $2 and place.v > 0
	union all
	select u.key, u.path, false from symbol_block sb cross join lateral unnest(sb.keys, sb.paths) u(key, path)
	where sb.repo_id = $1 and sb.ref_id = $2 and u.path <> 0;
end;
comment on function symbol_places(int4, int4) is 'The index from symbols to files, unpacked: the files that define a key, and those that mention it.';

create function breaches(project_id int4, ref_id int4)
	returns table (law text, path text, detail text)
	language sql stable parallel safe security definer set search_path = {{schema}}, pg_temp rows 10
begin atomic
	with live as (
		select f.*, p.path, p.key as file_key, s.key as scope_key, n.fact_id is not null as has_nodes, b.block_id is not null as has_block,
			b.wide, b.e, b.targets, coalesce(cardinality(n.dkeys), 0) as definitions, n.dkeys, n.metas, n.names
		from file f
		left join path p on p.repo_id = f.repo_id and p.path_id = f.path_id
		left join scope s on s.repo_id = f.repo_id and s.scope_id = f.scope_id
		left join node_block n on n.repo_id = f.repo_id and n.fact_id = f.fact_id
		left join edge_block b on b.repo_id = f.repo_id and b.block_id = f.block_id
		where f.repo_id = $1 and f.ref_id = $2
	), defined as (
		select case when n.meta & 512 <> 0 then l.local_key else l.scope_key end # n.dkey as key, l.path_id from live l cross join lateral unnest(l.dkeys, l.metas) n(dkey, meta)
		union select l.file_key, l.path_id from live l
		union select l.scope_key, l.path_id from live l where l.scope_key is not null
	), mentioned as (
		select t.key, l.path_id from live l cross join lateral unnest(l.targets) t(key)
	), indexed as (
		select i.key, i.path_id, i.mention from symbol_places($1, $2) i
	), dictionary as materialized (
		select d.name, get_byte(d.paths, i) << 24 | get_byte(d.paths, i + 1) << 16 | get_byte(d.paths, i + 2) << 8 | get_byte(d.paths, i + 3) as path_id
		from name d cross join lateral generate_series(0, length(d.paths) - 4, 4) i where d.repo_id = $1
	), block as (
		select l.path, l.definitions, l.targets, l.wide, l.e, w.source, w.target, w.n, u.n as different
		from live l
		cross join lateral (select max(w.source) as source, max(w.target) as target, count(*) as n from edge_words(l.wide, l.e) w) w
		cross join lateral (
			-- certainty and reason do not tell edges apart
			select count(distinct u.w & ~2032::int8) as n from unnest(case when l.wide then '{}' else l.e end) u(w) where not l.wide
			union all
			select count(distinct (w.source, w.line, w.col, w.kind, w.target)) from edge_words(l.wide, l.e) w where l.wide
		) u
		where l.has_block
	)
	select 'manifest', l.path, 'content ' || l.blob_id || ' is missing' from live l
		where l.blob_id <> 0 and not exists (select from blob b where b.repo_id = $1 and b.blob_id = l.blob_id)
	union all select 'manifest', l.path, 'fact ' || l.fact_id || ' is missing' from live l
		where l.fact_id <> 0 and not exists (select from fact a where a.repo_id = $1 and a.fact_id = l.fact_id)
	union all select 'manifest', l.path, 'edge block ' || l.block_id || ' is missing' from live l where l.block_id <> 0 and not l.has_block
	union all select 'manifest', l.path, 'scope ' || l.scope_id || ' is missing' from live l where l.scope_id <> 0 and l.scope_key is null
	union all select 'manifest', null, 'path ' || l.path_id || ' is missing' from live l where l.path is null
	union all select 'definitions', l.path, 'the definitions of fact ' || l.fact_id || ' are missing' from live l where l.fact_id <> 0 and not l.has_nodes
	union all select 'edge-source', b.path, 'an edge leaves definition ' || b.source || ' of ' || b.definitions from block b where b.source > b.definitions
	union all select 'edge-index', b.path, 'an edge leads to entry ' || b.target + 1 || ' of ' || cardinality(b.targets) from block b where b.target >= cardinality(b.targets)
	union all select 'edge-duplicate', b.path, 'the edge in line ' || w.line + 1 || ', column ' || w.col + 1 || ' stands ' || w.n || ' times'
		from block b cross join lateral (select u.line, u.col, count(*) as n from edge_words(b.wide, b.e) u group by u.source, u.line, u.col, u.kind, u.target having count(*) > 1) w
		where b.n <> b.different and b.n > 0 and b.different > 0
	union all select 'edge-dictionary', l.path, 'the target ' || t.key || ' stands ' || t.n || ' times'
		from live l cross join lateral (select u.key, count(*) as n from unnest(l.targets) u(key) group by u.key having count(*) > 1) t
	union all select 'edge-target', min(p.path), 'the target ' || m.key || ' is neither in the repository nor an external package'
		from mentioned m join path p on p.repo_id = $1 and p.path_id = m.path_id
		where not exists (select from defined d where d.key = m.key) and not exists (select from external x where x.repo_id = $1 and x.ref_id = $2 and x.key = m.key)
		group by m.key
	union all select 'symbol-index', p.path, d.what || ' ' || d.key from (
			select 'the index lacks the definition of' as what, a.* from (select d.key, d.path_id from defined d except select i.key, i.path_id from indexed i where not i.mention) a
			union all select 'the index has a wrong definition of', a.* from (select i.key, i.path_id from indexed i where not i.mention except select d.key, d.path_id from defined d) a
			union all select 'the index lacks the mention of', a.* from (select m.key, m.path_id from mentioned m except select i.key, i.path_id from indexed i where i.mention) a
			union all select 'the index has a wrong mention of', a.* from (select i.key, i.path_id from indexed i where i.mention except select m.key, m.path_id from mentioned m) a
		) d left join path p on p.repo_id = $1 and p.path_id = d.path_id
	union all select 'name', l.path, 'the dictionary does not lead from ' || quote_literal(n.name) || ' to the file'
		from live l cross join lateral unnest(string_to_array(l.names, U&'\001F')) n(name)
		where octet_length(n.name) <= 2000 and not exists (select from dictionary d where d.name = n.name and d.path_id = l.path_id)
	union all select 'orphan', p.path, 'rows of ' || o.what || ' belong to a file that the ref does not have'
		from (select 'dependency' as what, d.path_id from dependency d where d.repo_id = $1 and d.ref_id = $2
			union select 'diagnostic', d.path_id from diagnostic d where d.repo_id = $1 and d.ref_id = $2) o
		left join path p on p.repo_id = $1 and p.path_id = o.path_id
		where not exists (select from file f where f.repo_id = $1 and f.ref_id = $2 and f.path_id = o.path_id);
end;
comment on function breaches(int4, int4) is 'What breaks a law of the store in what the views show of a ref; no rows when all is well.';

revoke execute on function symbol_places(int4, int4), breaches(int4, int4) from public;
grant execute on function symbol_places(int4, int4), breaches(int4, int4) to {{app}};

-- +goose Down
drop function breaches(int4, int4);
drop function symbol_places(int4, int4);
