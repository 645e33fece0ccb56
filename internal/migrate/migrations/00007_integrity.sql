-- The laws of the store, as SQL: what the doctor and the tests ask.

-- +goose Up
create function symbol_places(project_id int4, ref_id int4)
	returns table (key int8, path_id int4, mention bool)
	language sql stable parallel safe security definer set search_path = {{schema}}, pg_temp rows 100000
begin atomic
	with step as (
		select sb.lo, sb.keys, sb.paths, u.v, u.i, count(*) filter (where u.v = 0) over (partition by sb.lo order by u.i) as before
		from symbol_block sb cross join lateral unnest(sb.sources) with ordinality u(v, i) where sb.repo_id = $1 and sb.ref_id = $2
	), part as (
		select s.lo, s.keys[s.before + 1] as key, s.paths[s.before + 1] as first, s.v, s.i, s.before,
			count(*) filter (where s.v = -32768) over (partition by s.lo, s.before order by s.i) as also
		from step s where s.v <> 0
	), place as (
		select p.key, p.v, p.also > 0 as defined, (sum(case when p.v > 0 then p.v::int8 when p.v = -32768 then p.first else -p.v::int8 * 32767 end)
			over (partition by p.lo, p.before, p.also order by p.i))::int4 as path_id
		from part p
	)
	select p.key, p.path_id, not p.defined from place p where p.v > 0
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
			b.wide, b.e, b.targets, cardinality(n.dkeys) as definitions, n.dkeys, n.metas, n.names
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
	)
	select 'manifest', l.path, 'content ' || l.blob_id || ' is missing' from live l
		where l.blob_id <> 0 and not exists (select from blob b where b.repo_id = $1 and b.blob_id = l.blob_id)
	union all select 'manifest', l.path, 'fact ' || l.fact_id || ' is missing' from live l
		where l.fact_id <> 0 and not exists (select from fact a where a.repo_id = $1 and a.fact_id = l.fact_id)
	union all select 'manifest', l.path, 'edge block ' || l.block_id || ' is missing' from live l where l.block_id <> 0 and not l.has_block
	union all select 'manifest', l.path, 'scope ' || l.scope_id || ' is missing' from live l where l.scope_id <> 0 and l.scope_key is null
	union all select 'manifest', null, 'path ' || l.path_id || ' is missing' from live l where l.path is null
	union all select 'definitions', l.path, 'the definitions of fact ' || l.fact_id || ' are missing' from live l where l.fact_id <> 0 and not l.has_nodes
	union all select 'edge-source', l.path, 'an edge in line ' || w.line + 1 || ' leaves definition ' || w.source || ' of ' || coalesce(l.definitions, 0)
		from live l cross join lateral edge_words(l.wide, l.e) w where w.source > coalesce(l.definitions, 0)
	union all select 'edge-index', l.path, 'an edge in line ' || w.line + 1 || ' leads to entry ' || w.target + 1 || ' of ' || cardinality(l.targets)
		from live l cross join lateral edge_words(l.wide, l.e) w where w.target >= cardinality(l.targets)
	union all select 'edge-duplicate', l.path, 'the edge in line ' || w.line + 1 || ', column ' || w.col + 1 || ' stands ' || w.n || ' times'
		from live l cross join lateral (select u.line, u.col, count(*) as n from edge_words(l.wide, l.e) u group by u.source, u.line, u.col, u.kind, u.target having count(*) > 1) w
	union all select 'edge-dictionary', l.path, 'the target ' || t.key || ' stands ' || t.n || ' times'
		from live l cross join lateral (select u.key, count(*) as n from unnest(l.targets) u(key) group by u.key having count(*) > 1) t
	union all select 'edge-target', min(p.path), 'the target ' || m.key || ' is neither in the repository nor an external package'
		from mentioned m join path p on p.repo_id = $1 and p.path_id = m.path_id
		where not exists (select from defined d where d.key = m.key) and not exists (select from external x where x.repo_id = $1 and x.ref_id = $2 and x.key = m.key)
		group by m.key
	union all select 'symbol-index', p.path, d.what || ' ' || d.key from (
			(select 'the index lacks the definition of' as what, d.key, d.path_id from defined d except select 'the index lacks the definition of', i.key, i.path_id from indexed i where not i.mention)
			union all (select 'the index has a wrong definition of', i.key, i.path_id from indexed i where not i.mention except select 'the index has a wrong definition of', d.key, d.path_id from defined d)
			union all (select 'the index lacks the mention of', m.key, m.path_id from mentioned m except select 'the index lacks the mention of', i.key, i.path_id from indexed i where i.mention)
			union all (select 'the index has a wrong mention of', i.key, i.path_id from indexed i where i.mention except select 'the index has a wrong mention of', m.key, m.path_id from mentioned m)
		) d left join path p on p.repo_id = $1 and p.path_id = d.path_id
	union all select 'name', l.path, 'the dictionary does not lead from ' || quote_literal(n.name) || ' to the file'
		from live l cross join lateral (select distinct u.name from unnest(string_to_array(l.names, U&'\001F')) u(name)) n
		where length(n.name) < 500 and not exists (select from name d where d.repo_id = $1 and d.name = n.name
			and exists (select from generate_series(0, length(d.paths) - 4, 4) i where get_byte(d.paths, i) << 24 | get_byte(d.paths, i + 1) << 16 | get_byte(d.paths, i + 2) << 8 | get_byte(d.paths, i + 3) = l.path_id))
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
