-- What SQL users ask by symbol or name, and what the application may have done by the
-- owner. These run with the owner's rights behind a pinned search path, so that a reader
-- needs none on the tables.

-- +goose Up
-- plpgsql keeps the plans of its statements for the session; planning these costs more than running them.
create function symbol_keys(symbol text)
	returns table (project_id int4, ref_id int4, key int8)
	language plpgsql stable parallel safe security definer set search_path = {{schema}}, pg_temp rows 4
as $$
#variable_conflict use_column
declare
	owner record;
begin
	for owner in select s.repo_id, s.scope_id, s.key, s.scope from scope s where starts_with($1, s.scope) loop
		if owner.scope = $1 then
			return query select distinct f.repo_id, f.ref_id, owner.key from file f where f.repo_id = owner.repo_id and f.scope_id = owner.scope_id;
		end if;
		return query
			select distinct f.repo_id, f.ref_id, (case when n.meta & 512 <> 0 then f.local_key else owner.key end) # n.dkey
			from file f
			join path p on p.repo_id = f.repo_id and p.path_id = f.path_id
			join node_block b on b.repo_id = f.repo_id and b.fact_id = f.fact_id
			cross join lateral unnest(b.dkeys, b.metas, string_to_array(b.containers, U&'\001F'), string_to_array(b.names, U&'\001F')) n(dkey, meta, container, name)
			where f.repo_id = owner.repo_id and f.scope_id = owner.scope_id
				and strpos($1, coalesce(n.container, '')) > 0 and strpos($1, replace(n.name, '`', '``')) > 0 -- cheap, and leaves few for what is not
				and symbol_text(owner.scope, base_name(p.path), coalesce(n.container, ''), n.name, n.meta) = $1;
	end loop;
	if starts_with($1, 'file ') then
		return query select f.repo_id, f.ref_id, p.key from path p join file f on f.repo_id = p.repo_id and f.path_id = p.path_id where p.path = substr($1, 6);
	end if;
	return query select x.repo_id, x.ref_id, x.key from external x where x.symbol = $1;
end;
$$;
comment on function symbol_keys(text) is 'The keys of a symbol in each ref that has it.';

create function symbols_named(name text)
	returns table (project_id int4, repository text, ref text, path text, key int8, kind text, qualified_name text, symbol text, line int4)
	language plpgsql stable parallel safe security definer set search_path = {{schema}}, pg_temp rows 10
as $$
#variable_conflict use_column
declare
	simple text := (regexp_match($1, '[^.]*$'))[1];
	found record;
	files int4[];
begin
	for found in select d.repo_id, d.paths, r.name as repository from repo r join name d on d.repo_id = r.repo_id where d.name = simple loop
		files := array (select get_byte(found.paths, i) << 24 | get_byte(found.paths, i + 1) << 16 | get_byte(found.paths, i + 2) << 8 | get_byte(found.paths, i + 3)
			from generate_series(0, length(found.paths) - 4, 4) i);
		return query
			select f.repo_id, found.repository, rf.name, p.path, (case when n.meta & 512 <> 0 then f.local_key else s.key end) # n.dkey,
				kind_word(((n.meta >> 32) & 255)::int4), qualified_name(coalesce(n.container, ''), n.name),
				symbol_text(s.scope, base_name(p.path), coalesce(n.container, ''), n.name, n.meta), (n.span & 16777215)::int4 + 1
			from ref rf
			join file f on f.repo_id = rf.repo_id and f.ref_id = rf.ref_id
			join path p on p.repo_id = f.repo_id and p.path_id = f.path_id
			join scope s on s.repo_id = f.repo_id and s.scope_id = f.scope_id
			join node_block b on b.repo_id = f.repo_id and b.fact_id = f.fact_id
			cross join lateral unnest(b.dkeys, b.spans, b.metas, string_to_array(b.containers, U&'\001F'), string_to_array(b.names, U&'\001F')) n(dkey, span, meta, container, name)
			where rf.repo_id = found.repo_id and f.path_id = any (files) and n.name = simple
				and ($1 = simple or $1 = qualified_name(coalesce(n.container, ''), n.name));
	end loop;
end;
$$;
comment on function symbols_named(text) is 'Definitions by name (Do) or qualified name (Client.Do), in every ref.';

create function key_references(project_id int4, ref_id int4, key int8)
	returns table (path text, line int8, "column" int8, kind text, source int8, source_name text, certainty text, evidence text, reason text)
	language plpgsql stable parallel safe security definer set search_path = {{schema}}, pg_temp rows 20
as $$
#variable_conflict use_column
declare
	steps int2[];
	place int4;
	step int4;
	nth int4 := 1;
	file int4 := 0;
	files int4[] := '{}';
begin
	select sb.sources, array_position(sb.keys, $3) into steps, place from symbol_block sb
		where sb.repo_id = $1 and sb.ref_id = $2 and sb.lo <= $3 order by sb.lo desc limit 1;
	if place is null then
		return;
	end if;
	foreach step in array steps loop
		if step = 0 then
			exit when nth = place;
			nth := nth + 1;
		elsif nth = place then
			exit when step = -32768; -- files that define it follow
			if step < 0 then
				file := file - step * 32767;
			else
				file := file + step;
				files := files || file;
			end if;
		end if;
	end loop;
	return query
		select p.path, w.line + 1, w.col + 1, edge_word(w.kind),
			case when w.source = 0 then p.key else (case when n.metas[w.source] & 512 <> 0 then f.local_key else sc.key end) # n.dkeys[w.source] end,
			case when w.source = 0 then p.path else qualified_name(coalesce(n.containers[w.source], ''), n.names[w.source]) end,
			certainty_word(w.certainty), evidence_word(w.reason), reason_text(w.reason)
		from file f
		join path p on p.repo_id = $1 and p.path_id = f.path_id
		join edge_block b on b.repo_id = $1 and b.block_id = f.block_id
		left join scope sc on sc.repo_id = $1 and sc.scope_id = f.scope_id
		cross join lateral (select array_position(b.targets, $3) - 1 as target offset 0) t
		left join lateral (select nb.dkeys || '{}'::int8[] as dkeys, nb.metas || '{}'::int8[] as metas,
				string_to_array(nb.containers, U&'\001F') as containers, string_to_array(nb.names, U&'\001F') as names
			from node_block nb where nb.repo_id = $1 and nb.fact_id = f.fact_id offset 0) n on true
		cross join lateral edge_words(b.wide, b.e) w
		where f.repo_id = $1 and f.ref_id = $2 and f.path_id = any (files) and w.target = t.target;
end;
$$;
comment on function key_references(int4, int4, int8) is 'The edges that lead to a key in a ref, by the index from symbols to files.';

create function references_to(symbol text)
	returns table (project_id int4, repository text, ref text, path text, line int8, "column" int8, kind text, target int8, source int8, source_name text, certainty text, evidence text, reason text)
	language plpgsql stable parallel safe security definer set search_path = {{schema}}, pg_temp rows 20
as $$
#variable_conflict use_column
declare
	found record;
begin
	for found in
		select t.project_id, t.ref_id, t.key, r.name as repository, rf.name as ref
		from (select k.project_id, k.ref_id, k.key from symbol_keys($1) k
			union
			select n.project_id, rf.ref_id, n.key from symbols_named($1) n join ref rf on rf.repo_id = n.project_id and rf.name = n.ref where strpos($1, ' ') = 0) t
		join repo r on r.repo_id = t.project_id join ref rf on rf.repo_id = t.project_id and rf.ref_id = t.ref_id
		order by t.project_id, t.ref_id, t.key
	loop
		return query
			select found.project_id, found.repository, found.ref, e.path, e.line, e."column", e.kind, found.key, e.source, e.source_name, e.certainty, e.evidence, e.reason
			from key_references(found.project_id, found.ref_id, found.key) e;
	end loop;
end;
$$;
comment on function references_to(text) is 'The places that refer to a symbol, given as a symbol, a name (Do) or a qualified name (Client.Do); "file " and a path for a file.';

create function refresh_statistics() returns void
	language plpgsql volatile security definer set search_path = {{schema}}, pg_temp
as $$
begin
	analyze repo, blob, fact, path, scope, edge_block, snapshot, ref, scan, node_block, projection, file, symbol_block, name, external, dependency, diagnostic;
end;
$$;
comment on function refresh_statistics() is 'Renews the planner''s statistics; the application calls it after a large projection.';

revoke execute on function symbol_keys(text), symbols_named(text), key_references(int4, int4, int8), references_to(text), refresh_statistics() from public;
grant execute on function symbol_keys(text), symbols_named(text), key_references(int4, int4, int8), references_to(text) to {{app}}, {{reader}};
grant execute on function refresh_statistics() to {{app}};

-- +goose Down
drop function refresh_statistics();
drop function references_to(text);
drop function key_references(int4, int4, int8);
drop function symbols_named(text);
drop function symbol_keys(text);
