-- The read surface for SQL users. Views run with the owner's rights, so that a reader
-- needs none on the tables. Numbers are turned into the words of the command line.

-- +goose Up
create function kind_word(kind int4) returns text language sql immutable parallel safe
	return (array['unknown','file','package','namespace','class','struct','interface','trait','enum','enum_member',
		'type','function','method','constructor','getter','setter','field','property','variable','constant',
		'macro','type_parameter','parameter'])[kind + 1];
comment on function kind_word(int4) is 'The word for a symbol''s kind.';

create function edge_word(kind int4) returns text language sql immutable parallel safe
	return (array['calls','instantiates','reads','writes','uses_type','extends','implements','overrides','imports','decorates','exports'])[kind + 1];
comment on function edge_word(int4) is 'The word for an edge''s kind.';

create function certainty_word(certainty int4) returns text language sql immutable parallel safe
	return (array['must','likely','may'])[certainty + 1];
comment on function certainty_word(int4) is 'The word for an edge''s certainty.';

create function evidence_word(reason int4) returns text language sql immutable parallel safe
	return (array['scope','package','import','import','import','import','receiver','receiver','receiver','receiver','receiver','receiver',
		'receiver','receiver','receiver','methodset','methodset','scope','cha','cha','receiver','checker','scope'])[reason + 1];
comment on function evidence_word(int4) is 'The word for the evidence to which an edge''s reason belongs.';

create function reason_text(reason int4) returns text language sql immutable parallel safe
	return (array['bound in the same file','declared in the same package','named import','member of an imported module','through a re-export',
		'through a star import','receiver is this or self','receiver is super','receiver was constructed here','receiver''s declared type',
		'receiver is a field of known type','receiver is the result of a call of known type','receiver is an element of a container of known type',
		'member of a type named directly','member of an embedded or base type','the method set matches','the only implementation in the repository',
		'declared in the type''s heading','same name in a subtype','one of the receiver''s possible types',
		'receiver''s type comes from the call it is passed to','a type checker resolved it','member of an object literal'])[reason + 1];
comment on function reason_text(int4) is 'How an edge was established, in a few words.';

create function import_word(kind int4) returns text language sql immutable parallel safe
	return (array['module','named','star','side_effect','dynamic','reexport','type'])[kind + 1];
comment on function import_word(int4) is 'The word for an import''s kind.';

create function dependency_word(state int4) returns text language sql immutable parallel safe
	return (array['unresolved','resolved','external','standard'])[state + 1];
comment on function dependency_word(int4) is 'The word for what became of an import.';

create function severity_word(severity int4) returns text language sql immutable parallel safe
	return (array['error','warning','info','hint'])[severity];
comment on function severity_word(int4) is 'The word for a diagnostic''s severity.';

create function qualified_name(container text, name text) returns text language sql immutable parallel safe
	return case
		when container = '' then name
		when container !~ '[`+!\]]' and container !~ '\([gs]' then replace(replace(replace(container, '().', '.'), '#', '.'), '/', '.') || name
		else replace(regexp_replace(container, '(?:`((?:[^`]|``)+)`|([^`#/.!\]()+]+))(?:\((?:get|set)?(?:\+\d+)?\)\.|(?:\+\d+)?[#/.!\]])', '\1\2.', 'g'), '``', '`') || name
	end;
comment on function qualified_name(text, text) is 'A name with those of what it stands in, joined by dots.';

create function descriptor_name(name text) returns text language sql immutable parallel safe
	return case when name ~ '^[A-Za-z0-9_+$-]+$' then name else '`' || replace(name, '`', '``') || '`' end;
comment on function descriptor_name(text) is 'A name as it stands in a symbol.';

create function symbol_text(scope text, local_file text, container text, name text, meta int8) returns text language sql immutable parallel safe
	return scope || case when meta & 512 <> 0 then descriptor_name(local_file) || '/' else '' end || container || descriptor_name(name)
		|| case
			when ((meta >> 32) & 255) between 11 and 15 then '(' || (array['','','','get','set'])[((meta >> 32) & 255) - 10]
				|| case when (meta >> 40) & 65535 > 0 then '+' || ((meta >> 40) & 65535) else '' end || ').'
			else case when (meta >> 40) & 65535 > 0 then '+' || ((meta >> 40) & 65535) else '' end
				|| case when ((meta >> 32) & 255) = 20 then '!' when ((meta >> 32) & 255) between 1 and 3 then '/'
					when ((meta >> 32) & 255) = 21 then ']' when ((meta >> 32) & 255) between 4 and 8 or ((meta >> 32) & 255) = 10 then '#' else '.' end
		end;
comment on function symbol_text(text, text, text, text, int8) is 'The symbol of a definition, from its scope, the base name of its file and the columns of node_block.';

create function base_name(path text) returns text language sql immutable parallel safe
	return substring(path from '[^/]*$');
comment on function base_name(text) is 'The part of a path after its last slash.';

create function edge_words(wide bool, e int8[])
	returns table (kind int4, certainty int4, reason int4, source int4, target int8, line int8, col int8)
	language sql immutable parallel safe rows 100
begin atomic
	select (w & 15)::int4, ((w >> 4) & 3)::int4, ((w >> 6) & 31)::int4, ((w >> 51) & 8191)::int4, (w >> 38) & 8191,
		(w >> 21) & 131071, (w >> 11) & 1023
	from unnest(case when wide then '{}' else e end) w
	union all
	select (w & 15)::int4, ((w >> 4) & 3)::int4, ((w >> 6) & 31)::int4, ((w >> 11) & 2097151)::int4, (w >> 32) & 4294967295,
		(p >> 32) & 4294967295, p & 4294967295
	from (select w, lead(w) over (order by i) as p, i from unnest(case when wide then e else '{}' end) with ordinality u(w, i)) pair
	where i % 2 = 1;
end;
comment on function edge_words(bool, int8[]) is 'The edges of a block: source is the ordinal of the definition, 0 the file; target counts from 0; lines and columns from 0.';

create view projects as
	select r.repo_id as id, r.name, r.root as path, r.remote, r.created_at,
		(select max(s.finished_at) from scan s where s.repo_id = r.repo_id and s.status = 'published') as last_scanned_at,
		coalesce((select s.status from scan s where s.repo_id = r.repo_id order by s.scan_id desc limit 1), 'pending') as scan_status
	from repo r;
comment on view projects is 'Repositories.';
comment on column projects.path is 'Folder, or URL it was cloned from.';
comment on column projects.scan_status is 'How the last scan stands: pending, running, published, failed, cancelled, abandoned.';

create view refs as
	select r.repo_id as project_id, r.name as repository, f.name, f.kind, f.snapshot_id, coalesce(p.snapshot_id, 0) as projected_snapshot_id,
		p.snapshot_id is not distinct from f.snapshot_id as ready, f.updated_at, p.updated_at as projected_at, encode(s.digest, 'hex') as digest, s.commit
	from ref f join repo r using (repo_id) left join projection p using (repo_id, ref_id)
	left join snapshot s on s.repo_id = f.repo_id and s.snapshot_id = f.snapshot_id;
comment on view refs is 'Branches, worktrees and overlays, with the snapshot each points to.';
comment on column refs.ready is 'Whether the other views show the published snapshot already.';

create view scans as
	select s.repo_id as project_id, r.name as repository, s.scan_id as id, f.name as ref, s.status, s.phase, s.host, s.pid, s.started_at, s.finished_at,
		s.heartbeat, s.snapshot_id, s.commit, s.stats, s.error
	from scan s join repo r using (repo_id) left join ref f on f.repo_id = s.repo_id and f.ref_id = s.ref_id;
comment on view scans is 'Runs over repositories, whatever became of them.';
comment on column scans.stats is 'Figures of the scan: files, symbols, edges, time by phase.';

create view snapshots as
	select s.repo_id as project_id, r.name as repository, s.snapshot_id as id, s.parent_id, s.commit, encode(s.digest, 'hex') as digest, s.scanned_at, s.stats
	from snapshot s join repo r using (repo_id);
comment on view snapshots is 'What was published, and when.';

create view files as
	select f.repo_id as project_id, r.name as repository, rf.name as ref, p.path, f.language, f.size, coalesce(b.lines, 0) as lines,
		encode(b.hash, 'hex') as sha256, f.encoding, a.dialect, a.extractor, s.scope, p.key,
		f.flags & 1 <> 0 as outline, f.flags & 2 <> 0 as broken, f.flags & 4 <> 0 as test, f.flags & 8 <> 0 as generated,
		f.flags & 65536 <> 0 as vendored, f.flags & 131072 <> 0 as "binary", f.flags & 262144 <> 0 as unread, f.flags & 524288 <> 0 as manifest
	from file f join repo r using (repo_id) join ref rf using (repo_id, ref_id) join path p using (repo_id, path_id)
	left join blob b on b.repo_id = f.repo_id and b.blob_id = f.blob_id
	left join fact a on a.repo_id = f.repo_id and a.fact_id = f.fact_id
	left join scope s on s.repo_id = f.repo_id and s.scope_id = f.scope_id;
comment on view files is 'Files of each ref.';
comment on column files.size is 'Bytes in the repository.';
comment on column files.sha256 is 'Of the bytes; null when the content is not stored.';
comment on column files.scope is 'First part of the symbols of its top-level definitions; null without facts.';
comment on column files.key is 'The key of the file as an end of edges.';
comment on column files.outline is 'Only definitions were taken: too large or minified.';
comment on column files.broken is 'The parser reported errors; see diagnostics.';
comment on column files.unread is 'The content is not stored: no permission, too large.';

create view graph_nodes as
	select f.repo_id as project_id, r.name as repository, rf.name as ref, p.path,
		(case when n.meta & 512 <> 0 then f.local_key else s.key end) # n.dkey as key,
		kind_word(((n.meta >> 32) & 255)::int4) as kind, n.name, qualified_name(n.container, n.name) as qualified_name,
		symbol_text(s.scope, base_name(p.path), n.container, n.name, n.meta) as symbol,
		(n.span & 16777215)::int4 + 1 as line, ((n.span & 16777215) + ((n.span >> 40) & 16777215))::int4 + 1 as end_line,
		((n.span & 16777215) + ((n.span >> 24) & 65535))::int4 + 1 as name_line, (n.extra & 4294967295)::int8 + 1 as name_column,
		((n.extra >> 32) & 65535)::int4 as cyclomatic, ((n.extra >> 48) & 65535)::int4 as cognitive,
		n.meta & 1 <> 0 as exported, n.meta & 8 <> 0 as static, n.meta & 16 <> 0 as abstract, n.meta & 128 <> 0 as test, n.meta & 256 <> 0 as deprecated,
		f.language, (n.meta & 4294967295) as flags, n.ord::int4 as ord
	from file f join repo r using (repo_id) join ref rf using (repo_id, ref_id) join path p using (repo_id, path_id)
	join scope s using (repo_id, scope_id)
	join node_block b on b.repo_id = f.repo_id and b.fact_id = f.fact_id
	cross join lateral (select u.dkey, u.span, u.meta, u.extra, coalesce(u.container, '') as container, u.name, u.ord
		from unnest(b.dkeys, b.spans, b.metas, b.extras, string_to_array(b.containers, U&'\001F'), string_to_array(b.names, U&'\001F'))
			with ordinality u(dkey, span, meta, extra, container, name, ord)) n
	-- The types of the branches are the same, so that what is not asked for is not computed.
	union all
	select f.repo_id, r.name, rf.name, p.path, p.key, 'file'::text, base_name(p.path), p.path, 'file ' || p.path, 1, greatest(b.lines, 1), 1, 1::int8, 0, 0,
		true, false, false, f.flags & 4 <> 0, false, f.language, 0::int8, 0
	from file f join repo r using (repo_id) join ref rf using (repo_id, ref_id) join path p using (repo_id, path_id)
	left join blob b on b.repo_id = f.repo_id and b.blob_id = f.blob_id
	union all
	select x.repo_id, r.name, rf.name, null::text, x.key, 'package'::text, x.name, x.name, x.symbol, null::int4, null::int4, null::int4, null::int8, null::int4, null::int4,
		true, false, false, false, false, null::text, 0::int8, 0
	from external x join repo r using (repo_id) join ref rf using (repo_id, ref_id);
comment on view graph_nodes is 'Definitions, files and external packages. It scans the whole ref unless path is given; by name, symbols_named() is fast.';
comment on column graph_nodes.key is 'The key of the symbol; definitions of one symbol under several build constraints share it.';
comment on column graph_nodes.symbol is 'The symbol: what the definition is called everywhere.';
comment on column graph_nodes.line is 'First line of the declaration, without its comment, from 1.';
comment on column graph_nodes.name_column is 'Where the name begins on name_line, in bytes from 1.';
comment on column graph_nodes.ord is 'Position among the definitions of the file, from 1; 0 for files and packages.';

create view graph_edges as
	select f.repo_id as project_id, r.name as repository, rf.name as ref, p.path,
		case when w.source = 0 then p.key else (case when n.metas[w.source] & 512 <> 0 then f.local_key else s.key end) # n.dkeys[w.source] end as source,
		case when w.source = 0 then p.path else qualified_name(coalesce(n.containers[w.source], ''), n.names[w.source]) end as source_name,
		edge_word(w.kind) as kind, t.targets[w.target::int4 + 1] as target, tn.names[w.target::int4 + 1] as target_name,
		w.line + 1 as line, w.col + 1 as "column",
		certainty_word(w.certainty) as certainty, evidence_word(w.reason) as evidence, reason_text(w.reason) as reason
	from file f join repo r using (repo_id) join ref rf using (repo_id, ref_id) join path p using (repo_id, path_id)
	join edge_block b on b.repo_id = f.repo_id and b.block_id = f.block_id
	left join scope s on s.repo_id = f.repo_id and s.scope_id = f.scope_id
	-- offset 0 keeps each of these a step of its own, so that an array is decompressed once a file and not once an edge.
	left join lateral (select nb.dkeys || '{}'::int8[] as dkeys, nb.metas || '{}'::int8[] as metas,
			string_to_array(nb.containers, U&'\001F') as containers, string_to_array(nb.names, U&'\001F') as names
		from node_block nb where nb.repo_id = f.repo_id and nb.fact_id = f.fact_id offset 0) n on true
	cross join lateral (select b.targets || '{}'::int8[] as targets offset 0) t
	left join lateral (select array_agg((
			select coalesce(
				(select case when u.key = p2.key then p2.path when u.key = s2.key then s2.scope
					else (select qualified_name(coalesce((string_to_array(n2.containers, U&'\001F'))[i], ''), (string_to_array(n2.names, U&'\001F'))[i])
						from coalesce(array_position(n2.dkeys, u.key # s2.key), array_position(n2.dkeys, u.key # f2.local_key)) i) end
				from (select sb.paths[array_position(sb.keys, u.key)] as path_id from symbol_block sb
					where sb.repo_id = f.repo_id and sb.ref_id = f.ref_id and sb.lo <= u.key order by sb.lo desc limit 1) at
				join file f2 on f2.repo_id = f.repo_id and f2.ref_id = f.ref_id and f2.path_id = at.path_id
				join path p2 on p2.repo_id = f.repo_id and p2.path_id = at.path_id
				left join scope s2 on s2.repo_id = f.repo_id and s2.scope_id = f2.scope_id
				left join node_block n2 on n2.repo_id = f.repo_id and n2.fact_id = f2.fact_id),
				(select x.name from external x where x.repo_id = f.repo_id and x.ref_id = f.ref_id and x.key = u.key))) order by u.i) as names
		from unnest(b.targets) with ordinality u(key, i)) tn on true
	cross join lateral edge_words(b.wide, b.e) w;
comment on view graph_edges is 'Relations between symbols, one row for each place where one is written. Give path where you can; for those that lead to a symbol, references_to() is fast.';
comment on column graph_edges.source is 'Key of the symbol (or file) in which it is written; see graph_nodes.key.';
comment on column graph_edges.target is 'Key of the symbol, file or external package to which it leads.';
comment on column graph_edges.line is 'Where it is written, from 1.';
comment on column graph_edges."column" is 'In bytes, from 1.';
comment on column graph_edges.certainty is 'must: statically determined. likely: a dispatch target that analysis supports. may: one that the hierarchy allows.';
comment on column graph_edges.evidence is 'By what it was established.';

create view symbol_references as
	select e.project_id, e.repository, e.ref, e.path, e.line, e."column", e.kind, e.target as key, e.target_name as name,
		e.source as in_key, e.source_name as in_name, e.certainty, e.evidence, e.reason
	from graph_edges e
	where e.kind <> 'overrides' and e.evidence <> 'methodset';
comment on view symbol_references is 'Places where a symbol is written other than its definition.';
comment on column symbol_references.key is 'Key of the symbol; see graph_nodes.key.';
comment on column symbol_references.in_key is 'Key of the symbol (or file) whose code it stands in.';

create view dependencies as
	select d.repo_id as project_id, r.name as repository, rf.name as ref, p.path, ((u.place >> 32) & 4294967295)::int4 + 1 as line, (u.place & 4294967295) + 1 as "column",
		coalesce(u.specifier, '') as specifier, import_word(u.meta & 255) as kind, u.meta & 65536 <> 0 as type_only, u.meta & 131072 <> 0 as optional,
		dependency_word((u.meta >> 8) & 255) as state, t.path as target_path, nullif(u.scope, '') as target_scope,
		x.manager, x.name as package, x.version, coalesce(u.reason, '') as reason
	from dependency d join repo r using (repo_id) join ref rf using (repo_id, ref_id) join path p using (repo_id, path_id)
	cross join lateral unnest(d.places, d.metas, d.targets, d.externals, string_to_array(d.specifiers, U&'\001F'), string_to_array(d.scopes, U&'\001F'),
		string_to_array(d.reasons, U&'\001F')) u(place, meta, target, external, specifier, scope, reason)
	left join path t on t.repo_id = d.repo_id and t.path_id = u.target
	left join external x on x.repo_id = d.repo_id and x.ref_id = d.ref_id and x.key = u.external;
comment on view dependencies is 'Imports of files: resolved, unresolved and external.';
comment on column dependencies.state is 'resolved, unresolved, external, or standard for the language''s own library.';
comment on column dependencies.reason is 'How it was resolved, or why it was not.';

create view diagnostics as
	select d.repo_id as project_id, r.name as repository, rf.name as ref, p.path, d.line + 1 as line, d.col + 1 as "column",
		severity_word(d.severity) as severity, d.code, d.message
	from diagnostic d join repo r using (repo_id) join ref rf using (repo_id, ref_id) join path p using (repo_id, path_id);
comment on view diagnostics is 'What a reader of a file should know.';

grant select on projects, refs, scans, snapshots, files, graph_nodes, graph_edges, symbol_references, dependencies, diagnostics to {{app}}, {{reader}};

-- +goose Down
drop view diagnostics;
drop view dependencies;
drop view symbol_references;
drop view graph_edges;
drop view graph_nodes;
drop view files;
drop view snapshots;
drop view scans;
drop view refs;
drop view projects;
drop function edge_words(bool, int8[]);
drop function base_name(text);
drop function symbol_text(text, text, text, text, int8);
drop function descriptor_name(text);
drop function qualified_name(text, text);
drop function severity_word(int4);
drop function dependency_word(int4);
drop function import_word(int4);
drop function reason_text(int4);
drop function evidence_word(int4);
drop function certainty_word(int4);
drop function edge_word(int4);
drop function kind_word(int4);
