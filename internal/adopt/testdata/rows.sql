-- Rows as the predecessor wrote them, and rows as nobody should have.
set search_path = manito_dev;
insert into users (email, password_hash, name, created_at) values
	('ann@example.com', '$2b$12$abcdefghijklmnopqrstuv', 'Ann', '2025-08-01 09:00:00'), ('bob@example.com', null, null, null), (E'o''brien@example.com', '', E'Pat "O''Brien"\t', 'infinity');
insert into projects (id, user_id, name, path, description, created_at, last_scanned_at, scan_status) values
	(1, 1, 'shop', '/srv/shop', 'The shop', '2025-08-05 12:00:00', '2025-08-06 12:00:00', 'completed'),
	(2, 99, 'shop', '/srv/shop/', null, null, null, null),                              -- the same folder again, by a user that is gone
	(3, null, 'empty', '/srv/empty', '', '2025-08-07', null, 'pending'),                -- nothing in it
	(4, 2, 'legacy', 'legacy app', 'a relative path', '2025-08-08', null, 'failed'),
	(5, 2, E'O''Brien''s "app" \\ \x01', E'/srv/we''ird "quoted" \x01\x1f', repeat('long ', 10000), '2025-08-09', null, 'completed'),
	(6, 1, 'windows', 'C:\Users\ann\proj', null, '2025-08-10', null, 'completed'),
	(7, 1, '', '', 'neither name nor path', '2025-08-11', null, 'pending'),
	(8, 1, 'far', '/srv/' || repeat('deep/', 500), null, '2025-08-11', null, 'pending');
select setval('projects_id_seq', 8);
insert into scans (project_id, files_scanned, lines_of_code, conflicts_found, status, results, metadata, created_at, completed_at)
	select 1 + n % 6, n, n * 100, n % 3, case n % 4 when 0 then 'failed' else 'completed' end, jsonb_build_object('n', n, 'big', 12345678901234567890, 'f', 1.10, 'e', 1e-7, 'text', E'\t"' || n),
		case when n % 5 = 0 then null else '{"a": [1, {"b": null}]}'::jsonb end, '2025-08-05'::timestamp + n * interval '1 hour 1.5 seconds', null from generate_series(1, 30) n;
insert into scans (project_id, status, results) values (null, null, null), (1, 'pending', 'null'), (1, 'pending', '"text"'), (1, 'pending', '[]');

-- Project 1: forty files that call each other.
insert into files (project_id, file_path, content, lines, size, complexity, created_at)
	select 1, '/srv/shop/src/mod' || n || '.js', E'// module ' || n || E'\nimport { f' || n + 1 || E' } from ''./mod' || n + 1 || E'.js'';\n\nexport function f' || n || E'(a) {\n  return f' || n + 1 || E'(a) + ' || n || E';\n}\n\nclass C' || n || E' {\n}\n',
		9, 120, n % 7, '2025-08-06'::timestamp + n * interval '1 second' from generate_series(1, 40) n;
insert into graph_nodes (id, type, name, path, language, metadata, commit_hash, project_id, created_at)
	select md5('file' || n)::uuid, 'File', 'mod' || n || '.js', '/srv/shop/src/mod' || n || '.js', 'javascript', '{"symbolCounts": {"functions": 1}}'::jsonb, repeat('a', 40), 1, '2025-08-06'::timestamp from generate_series(1, 40) n
	union all select md5('fun' || n)::uuid, 'Function', 'f' || n, '/srv/shop/src/mod' || n || '.js', 'javascript',
		'{"signature": "(a)", "startPosition": {"row": 3, "column": 7}, "endPosition": {"row": 5, "column": 1}, "isAsync": false}'::jsonb, repeat('a', 40), 1, '2025-08-06'::timestamp from generate_series(1, 40) n
	union all select md5('class' || n)::uuid, 'Class', 'C' || n, '/srv/shop/src/mod' || n || '.js', 'javascript', '{"startPosition": {"row": 7, "column": 0}, "endPosition": {"row": 8, "column": 1}}'::jsonb, repeat('a', 40), 1, '2025-08-06'::timestamp from generate_series(1, 40) n;
insert into graph_edges (id, from_node_id, to_node_id, relationship, metadata, weight, confidence)
	select md5('call' || n)::uuid, md5('fun' || n)::uuid, md5('fun' || n + 1)::uuid, 'call', '{"line": 5, "column": 9, "context": "return"}'::jsonb, 1.0, 0.9 from generate_series(1, 39) n
	union all select md5('imp' || n)::uuid, md5('file' || n)::uuid, md5('file' || n + 1)::uuid, 'imports', '{}'::jsonb, 1, 1 from generate_series(1, 39) n
	union all select md5('def' || n)::uuid, md5('file' || n)::uuid, md5('fun' || n)::uuid, 'defines', '{}'::jsonb, 1, 1 from generate_series(1, 40) n;
insert into symbol_references (id, symbol_node_id, reference_node_id, reference_type, line_number, column_number, context)
	select md5('ref' || n)::uuid, md5('fun' || n + 1)::uuid, md5('file' || n)::uuid, 'usage', 2, 9, 'import' from generate_series(1, 39) n;
insert into code_chunks (id, node_id, content, chunk_type, language) select md5('chunk' || n)::uuid, md5('fun' || n)::uuid, 'function f' || n || '(a) returns f' || n + 1, 'signature', 'javascript' from generate_series(1, 40) n;
insert into embeddings (id, chunk_id, embedding) select md5('emb' || n)::uuid, md5('chunk' || n)::uuid, '[' || (select string_agg((sin(n * d) / 3)::text, ',') from generate_series(1, 384) d) || ']' from generate_series(1, 40) n;
insert into diagnostics (id, node_id, severity, message, line_number, column_number, source, rule)
	select md5('diag' || n)::uuid, md5('fun' || n)::uuid, case n % 4 when 0 then 'error' when 1 then 'warning' when 2 then 'info' else 'odd' end, 'message ' || n, 4, 10, 'eslint', 'no-unused' from generate_series(1, 20) n;
insert into dependencies (project_id, name, version, type, source) select 1, './mod' || n + 1 || '.js', null, 'import', '/srv/shop/src/mod' || n || '.js' from generate_series(1, 39) n;
insert into dependencies (project_id, name, version, type, source) values (1, 'react', '18.2.0', 'dependency', 'package.json'), (1, 'left pad', null, 'import', 'src/mod1.js'), (3, 'x', '', null, null), (null, 'nobody', null, null, null), (1, '', null, null, 'src/mod2.js');
insert into conflicts (project_id, type, description, severity, file_path, line_number) values (1, 'circular', 'a -> b -> a', 'high', 'src/mod1.js', 3), (1, 'isolated', null, null, null, null), (null, 'orphan', 'of no project', 'low', null, null), (3, E'o''dd', E'\x01"', 'medium', 'gone.js', -1);
insert into search_logs (query, user_id, entity_type, result_count, rank) values ('f1', 1, 'file', 3, 0.30000000000000004), (E'''; drop table users; --', null, null, null, 'NaN'), (repeat('q', 5000), 2, 'project', 0, 'Infinity'), ('tiny', 1, null, 0, 5e-324);
insert into cache (cache_key, cache_value, expires_at) values ('a', '{"x": 1', null), (repeat('k', 255), repeat('v', 100000), '-infinity');
insert into websocket_connections (client_id, user_id, ip_address, subscriptions) values ('c1', 1, '10.0.0.1/8', '["scan"]'), ('c2', null, '::1', null);

-- Duplicates: a file scanned twice, nodes and edges written twice, a second file node.
insert into files (project_id, file_path, content, lines, size) values (1, '/srv/shop/src/mod1.js', null, 0, 0), (1, 'src/mod2.js', E'// newer\n\n\nexport function f2(a) {\n}\n', 5, 40), (1, './src//mod3.js', null, null, null);
insert into graph_nodes (id, type, name, path, language, metadata, project_id) values
	(md5('dup-f1')::uuid, 'Function', 'f1', 'src/mod1.js', 'javascript', '{"startPosition": {"row": 3, "column": 7}, "endPosition": {"row": 5, "column": 1}}', 1),
	(md5('dup-file1')::uuid, 'File', 'mod1.js', 'src/mod1.js', 'unknown', null, 1),
	(md5('over-f1')::uuid, 'function', 'f1', 'src/mod1.js', null, '{"startPosition": {"row": 7, "column": 2}}', 1);
insert into graph_edges (id, from_node_id, to_node_id, relationship, metadata) values (md5('dup-call')::uuid, md5('dup-f1')::uuid, md5('fun2')::uuid, 'calls', '{"line": 5, "column": 9}');

-- Odd nodes: no path, no project, no name, no position, absurd positions, metadata that is no object, unknown types, absolute paths elsewhere, a path of 3,000 bytes.
insert into graph_nodes (id, type, name, path, language, metadata, commit_hash, project_id) values
	(md5('odd1')::uuid, 'Function', 'nowhere', null, null, null, null, 1), (md5('odd2')::uuid, 'Function', 'homeless', 'a.js', null, '{}', null, null), (md5('odd3')::uuid, 'Function', '', 'a.js', null, '{}', null, 4),
	(md5('odd4')::uuid, 'Type', 'placeless', 'a.ts', 'typescript', '{}', null, 4), (md5('odd5')::uuid, 'Variable', 'far', 'a.ts', null, '{"startPosition": {"row": 2147483647, "column": -4}, "endPosition": {"row": 1.5}}', null, 4),
	(md5('odd6')::uuid, 'Interface', 'deep', 'a.ts', null, '{"startPosition": {"row": 100000, "column": 200000}}', null, 4), (md5('odd7')::uuid, 'Endpoint', 'GET /x', 'b.py', 'python', '[1, 2]', null, 4), (md5('odd8')::uuid, 'Module', 'm', '/opt/else/where.go', 'go', '"startPosition"', null, 4),
	(md5('odd9')::uuid, 'Class', E'quo''te "and" `tick` \x1f \x02 ü 中', E'd''ir/"f" \x1f.ts', 'typescript', '{"startPosition": "x"}', null, 5), (md5('odd10')::uuid, 'Function', 'long', repeat('p/', 1500) || 'x.js', null, '{}', null, 4),
	(md5('odd11')::uuid, 'Function', 'win', 'C:\Users\ann\proj\src\app.ts', 'typescript', '{"startPosition": {"row": 0, "column": 0}}', 'b', 6), (md5('odd12')::uuid, 'File', 'app.ts', 'src\app.ts', 'typescript', '{}', 'c', 6),
	(md5('odd13')::uuid, 'Function', 'caller', 'a.ts', null, '{"startPosition": {"row": 2, "column": 4}, "endPosition": {"row": 1, "column": 0}}', null, 4);
insert into files (project_id, file_path, content, lines, size) values (null, 'homeless.js', 'x', 1, 1), (4, '', 'no path', 1, 7), (4, 'empty.js', '', 0, 0), (4, repeat('p/', 1500) || 'x.js', 'long', 1, 4), (4, 'huge.txt', repeat('0123456789abcdef', 300000), 1, 4800000), (5, E'd''ir/"f" \x1f.ts', E'class\r\n\tx\x01 ü 中\n\n', -5, -1);
insert into graph_edges (id, from_node_id, to_node_id, relationship, metadata) values
	(md5('e1')::uuid, null, md5('fun1')::uuid, 'call', '{}'), (md5('e2')::uuid, md5('fun1')::uuid, null, 'call', null), (md5('e3')::uuid, md5('odd1')::uuid, md5('fun1')::uuid, 'call', '{}'), (md5('e4')::uuid, md5('odd4')::uuid, md5('fun1')::uuid, 'call', '{}'),
	(md5('e5')::uuid, md5('odd4')::uuid, md5('odd5')::uuid, 'smells like', '{}'), (md5('e6')::uuid, md5('odd13')::uuid, md5('odd4')::uuid, 'reference', '"{\"line\": 12}"'), (md5('e7')::uuid, md5('odd13')::uuid, md5('odd13')::uuid, 'CALLS', '{"line": "3", "column": "1"}'), (md5('e8')::uuid, md5('odd4')::uuid, md5('odd5')::uuid, 'defines', '{}');
insert into symbol_references (id, symbol_node_id, reference_node_id, reference_type, line_number) values (md5('r1')::uuid, null, null, 'usage', null), (md5('r2')::uuid, md5('odd4')::uuid, md5('odd13')::uuid, 'instantiation', 0), (md5('r3')::uuid, md5('odd4')::uuid, md5('odd13')::uuid, 'definition', 1), (md5('r4')::uuid, md5('fun1')::uuid, md5('fun2')::uuid, 'usage', -7);
insert into diagnostics (id, node_id, severity, message) values (md5('d1')::uuid, null, 'error', 'of nothing'), (md5('d2')::uuid, md5('odd1')::uuid, 'hint', 'of a node without a file'), (md5('d3')::uuid, md5('odd4')::uuid, '', '');
insert into code_chunks (id, node_id, content, chunk_type) values (md5('c1')::uuid, null, '', 'usage'), (md5('c2')::uuid, md5('odd1')::uuid, repeat('chunk ', 1000), 'documentation');

-- Orphans: what foreign keys forbid and a restore without them leaves.
set session_replication_role = replica;
insert into scans (project_id, status) values (1000, 'completed');
insert into files (project_id, file_path, content) values (1000, 'orphan.js', 'x');
insert into dependencies (project_id, name) values (1000, 'orphan');
insert into conflicts (project_id, type) values (1000, 'orphan');
insert into graph_nodes (id, type, name, path, project_id) values (md5('o1')::uuid, 'Function', 'orphan', 'orphan.js', 1000);
insert into graph_edges (id, from_node_id, to_node_id, relationship) values (md5('o2')::uuid, md5('fun1')::uuid, md5('gone')::uuid, 'call'), (md5('o3')::uuid, md5('gone')::uuid, md5('fun1')::uuid, 'call');
insert into symbol_references (id, symbol_node_id, reference_node_id, reference_type) values (md5('o4')::uuid, md5('gone')::uuid, md5('fun1')::uuid, 'usage');
insert into diagnostics (id, node_id, severity, message) values (md5('o5')::uuid, md5('gone')::uuid, 'error', 'orphan');
insert into code_chunks (id, node_id, content, chunk_type) values (md5('o6')::uuid, md5('gone')::uuid, 'orphan', 'usage');
insert into embeddings (id, chunk_id, embedding) values (md5('o7')::uuid, md5('gone')::uuid, null), (md5('o8')::uuid, null, 'not json');
reset session_replication_role;
reset search_path;
