-- References to symbols that are used all over a repository: only the edges that lead
-- to them are unpacked. And names with a package before them, as people write them.

-- +goose Up
create function package_word(scope text) returns text
	language sql immutable strict parallel safe
	return (regexp_match(scope, '([^ /`]+)`?/?$'))[1];
comment on function package_word(text) is 'The last part of a scope: what code writes before the names of a package (http of net/http).';

create or replace function symbols_named(name text)
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
				and ($1 = simple or $1 = qualified_name(coalesce(n.container, ''), n.name)
					or $1 = package_word(s.scope) || '.' || qualified_name(coalesce(n.container, ''), n.name));
	end loop;
end;
$$;
comment on function symbols_named(text) is 'Definitions by name (Do), qualified name (Client.Do) or with the package (http.Client.Do), in every ref.';

create or replace function key_references(project_id int4, ref_id int4, key int8)
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
		cross join lateral (select array_position(b.targets, $3)::int8 - 1 as target offset 0) t
		left join lateral (select nb.dkeys || '{}'::int8[] as dkeys, nb.metas || '{}'::int8[] as metas,
				string_to_array(nb.containers, U&'\001F') as containers, string_to_array(nb.names, U&'\001F') as names
			from node_block nb where nb.repo_id = $1 and nb.fact_id = f.fact_id offset 0) n on true
		-- What edge_words says, but only of the words that lead to the target: unpacking all of them is what takes the time.
		cross join lateral (
			select (u.w & 15)::int4 as kind, ((u.w >> 4) & 3)::int4 as certainty, ((u.w >> 6) & 31)::int4 as reason, ((u.w >> 51) & 8191)::int4 as source,
				(u.w >> 21) & 131071 as line, (u.w >> 11) & 1023 as col
			from (select unnest(b.e) as w, t.target << 38 as place where not b.wide) u where u.w & (8191::int8 << 38) = u.place
			union all
			select u.kind, u.certainty, u.reason, u.source, u.line, u.col from edge_words(true, b.e) u where b.wide and u.target = t.target
		) w
		where f.repo_id = $1 and f.ref_id = $2 and f.path_id = any (files);
end;
$$;

revoke execute on function package_word(text) from public;
grant execute on function package_word(text) to {{app}}, {{reader}};

-- +goose Down
create or replace function key_references(project_id int4, ref_id int4, key int8)
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

create or replace function symbols_named(name text)
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

drop function package_word(text);
