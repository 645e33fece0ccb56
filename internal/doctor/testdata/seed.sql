-- A database in the state that the audit of ManitoDebug describes: two owners, a failed row for an applied migration,
-- functions that fail when called, no extension, embeddings as text, integer and UUID keys.
drop extension if exists pg_trgm cascade;
create schema manito_dev authorization doctor_test_dev;
grant usage, create on schema manito_dev to doctor_test_clapp;
set role doctor_test_dev;
set search_path = manito_dev;
create table users (id serial primary key, email varchar(255) not null unique, password_hash varchar(255) not null, name varchar(255), created_at timestamp default now(), updated_at timestamp default now());
create table projects (id serial primary key, user_id int, name varchar(255) not null, path text not null, description text, created_at timestamp default now(), updated_at timestamp default now(), last_scanned_at timestamp, scan_status varchar(50) default 'pending');
create table scans (id serial primary key, project_id int references projects on delete cascade, files_scanned int, lines_of_code int, conflicts_found int, status varchar(50) default 'pending', results jsonb, metadata jsonb, created_at timestamp default now(), completed_at timestamp);
create table files (id serial primary key, project_id int references projects on delete cascade, file_path text not null, content text, lines int, size int, complexity int, created_at timestamp default now());
create table dependencies (id serial primary key, project_id int references projects on delete cascade, name varchar(255) not null, version varchar(100), type varchar(50), source text, created_at timestamp default now());
create table conflicts (id serial primary key, project_id int references projects on delete cascade, type varchar(100) not null, description text, severity varchar(20) default 'medium', file_path text, line_number int, created_at timestamp default now());
create table cache (cache_key varchar(255) primary key, cache_value jsonb not null, expires_at timestamp not null, created_at timestamp default now());
create table search_logs (id serial primary key, query text not null, user_id int references users on delete set null, entity_type varchar(50), result_count int, rank float, created_at timestamp default now());
create table websocket_connections (id serial primary key, client_id varchar(255) not null unique, user_id int references users, ip_address inet, user_agent text, connected_at timestamp default now(), disconnected_at timestamp, last_ping timestamp, subscriptions jsonb);
create table migrations (id varchar(255) primary key, description text, checksum varchar(64), applied_at timestamp default now(), duration_ms int, status varchar(20) default 'success', error_message text);
create index projects_name_fts on projects using gin (to_tsvector('english', name));
create index search_logs_user on search_logs (user_id);
create function calculate_text_similarity(a text, b text) returns float language plpgsql as $$ begin return similarity(a, b); end $$;
create function search_projects(term text, max_results int default 20) returns table (id int, user_id int, name text, rank float) language plpgsql as $$
begin
  return query select p.id, p.user_id, p.name, ts_rank(to_tsvector('english', p.name), plainto_tsquery('english', term)) from projects p where user_id is null or p.name ilike '%' || term || '%' limit max_results;
end $$;
create function global_search(term text, owner_id int default null, max_results int default 20) returns table (entity_type text, entity_id int, title text, rank float) language plpgsql as $$
begin
  return query
    select 'project'::text, p.id, p.name, ts_rank(to_tsvector('english', p.name), plainto_tsquery('english', term)) from projects p where p.name ilike '%;' || term || '%'
    union all
    select 'file', f.id, f.file_path::varchar(255), 0.5::real from files f where f.file_path ilike '%' || term || '%' -- a path; not a name
    limit max_results;
end $$;
reset role;
set role doctor_test_clapp;
set search_path = manito_dev;
create table graph_nodes (id uuid primary key default gen_random_uuid(), type varchar(50) not null, name varchar(255) not null, path text, language varchar(50), metadata jsonb default '{}', commit_hash varchar(40), project_id int, created_at timestamptz default now(), updated_at timestamptz default now());
create table graph_edges (id uuid primary key default gen_random_uuid(), from_node_id uuid not null references graph_nodes on delete cascade, to_node_id uuid not null references graph_nodes on delete cascade, relationship varchar(50) not null, metadata jsonb default '{}', weight float default 1, confidence float default 1, created_at timestamptz default now());
create table code_chunks (id uuid primary key default gen_random_uuid(), node_id uuid references graph_nodes on delete cascade, content text not null, chunk_type varchar(50) not null, language varchar(50), ts_vector tsvector generated always as (to_tsvector('english', content)) stored, created_at timestamptz default now());
create table embeddings (id uuid primary key default gen_random_uuid(), chunk_id uuid references code_chunks on delete cascade, embedding text, model varchar(100) default 'text-embedding-ada-002', created_at timestamptz default now());
create table diagnostics (id uuid primary key default gen_random_uuid(), node_id uuid references graph_nodes on delete cascade, severity varchar(20) not null, message text not null, line_number int, column_number int, source varchar(100), rule varchar(100), fix_suggestion text, created_at timestamptz default now());
create table symbol_references (id uuid primary key default gen_random_uuid(), symbol_node_id uuid references graph_nodes on delete cascade, reference_node_id uuid references graph_nodes on delete cascade, reference_type varchar(50) not null, line_number int, column_number int, context text, created_at timestamptz default now());
create index graph_nodes_type on graph_nodes (type);
create index graph_nodes_type_project on graph_nodes (type, project_id);
create index graph_edges_from on graph_edges (from_node_id);
create index graph_edges_to on graph_edges (to_node_id);
create index graph_edges_from_relationship on graph_edges (from_node_id, relationship);
create index code_chunks_node on code_chunks (node_id);
create function search_code_chunks(term text, project_id int default null, kind text default null, lang text default null, max_results int default 20) returns table (chunk_id uuid, content text, rank real) language plpgsql as $$
begin
  return query select c.id, c.content, ts_rank(c.ts_vector, plainto_tsquery('english', term)) from code_chunks c join graph_nodes n on n.id = c.node_id where (project_id is null or n.project_id = project_id) limit max_results;
end $$;
create function find_symbol_definitions(symbol text, project_id int default null, lang text default null) returns table (node_id uuid, name varchar(255), language varchar(50), line text) language plpgsql as $$
begin
  return query select n.id, n.name, n.language, n.metadata->>'position'->>'line' from graph_nodes n where n.name = symbol and (project_id is null or n.project_id = project_id) and (lang is null or language = lang);
end $$;
create function find_symbol_references(symbol text, project_id int default null, max_results int default 50) returns table (reference_id uuid, line_number int) language plpgsql as $$
begin
  return query select r.id, line_number from symbol_references r join graph_nodes n on n.id = r.symbol_node_id where n.name = symbol and (project_id is null or n.project_id = project_id) limit max_results;
end $$;
create function get_dependency_graph(project_id int, max_depth int default 3) returns table (from_node uuid, to_node uuid, depth int) language plpgsql as $$
begin
  return query with recursive walk as (
    select e.from_node_id, e.to_node_id, 1 as step from graph_edges e join graph_nodes n on n.id = e.from_node_id where n.project_id = project_id
    union all select e.from_node_id, e.to_node_id, w.step + 1 from graph_edges e join walk w on w.to_node_id = e.from_node_id where w.step < max_depth)
  select w.from_node_id, w.to_node_id, w.step from walk w;
end $$;
reset role;
set search_path = manito_dev;
insert into projects (name, path) select 'project ' || n, '/src/' || n from generate_series(1, 5) n;
insert into files (project_id, file_path) select 1 + n % 5, 'file' || n || '.js' from generate_series(1, 50) n;
insert into graph_nodes (type, name, path, project_id) select 'Function', 'f' || n, 'file.js', 1 from generate_series(1, 20) n;
insert into graph_edges (from_node_id, to_node_id, relationship) select a.id, b.id, 'call' from graph_nodes a join graph_nodes b on b.name = 'f1' where a.name <> 'f1';
insert into migrations (id, description, checksum, status, error_message) values
  ('001_initial_schema', 'Initial schema', 'a1b2c3d4e5f6', 'failed', 'duplicate key value violates unique constraint "migrations_pkey"'),
  ('002_semantic_search', 'Semantic search', 'b2c3d4e5f6a1', 'success', null), ('003_websocket_enhancements', 'WebSocket', 'c3d4e5f6a1b2', 'success', null),
  ('004_fix_global_search', 'Fix', 'd4', 'success', null), ('005_fix_ambiguous_columns', 'Fix', null, 'success', null), ('006_user_id_ambiguity', 'Fix', null, 'success', null);
do $$ begin execute format('alter role doctor_test_dev in database %I set search_path = public', current_database()); end $$;
reset search_path;
