-- The database of the predecessor as its audit found it: 16 tables of two owners, 7
-- functions that fail when they are called, 57 indexes, an applied migration that is
-- recorded as failed, integer and UUID keys beside each other.
create schema manito_dev authorization adopt_test_dev;
grant usage, create on schema manito_dev to adopt_test_clapp;
set role adopt_test_dev;
set search_path = manito_dev;
create table projects (id serial primary key, user_id integer, name varchar(255) not null, path text not null, description text,
	created_at timestamp default current_timestamp, updated_at timestamp default current_timestamp, last_scanned_at timestamp, scan_status varchar(50) default 'pending');
create table scans (id serial primary key, project_id integer references projects on delete cascade, files_scanned integer default 0, lines_of_code integer default 0,
	conflicts_found integer default 0, status varchar(50) default 'pending', results jsonb, metadata jsonb, created_at timestamp default current_timestamp, completed_at timestamp);
create table files (id serial primary key, project_id integer references projects on delete cascade, file_path text not null, content text,
	lines integer default 0, size integer default 0, complexity integer default 0, created_at timestamp default current_timestamp);
create table dependencies (id serial primary key, project_id integer references projects on delete cascade, name varchar(255) not null, version varchar(100),
	type varchar(50), source varchar(255), created_at timestamp default current_timestamp);
create table conflicts (id serial primary key, project_id integer references projects on delete cascade, type varchar(100) not null, description text,
	severity varchar(20) default 'medium', file_path text, line_number integer, created_at timestamp default current_timestamp);
create table users (id serial primary key, email varchar(255) unique not null, password_hash varchar(255), name varchar(255),
	created_at timestamp default current_timestamp, updated_at timestamp default current_timestamp);
create table cache (cache_key varchar(255) primary key, cache_value text not null, expires_at timestamp, created_at timestamp default current_timestamp);
create table search_logs (id serial primary key, query text not null, user_id integer references users on delete set null, entity_type varchar(50),
	result_count integer default 0, rank float, created_at timestamp default current_timestamp);
create table websocket_connections (id serial primary key, client_id varchar(255) unique not null, user_id integer references users on delete set null, ip_address inet,
	user_agent text, connected_at timestamp default current_timestamp, disconnected_at timestamp, last_ping timestamp, subscriptions jsonb);
create table migrations (id varchar(255) primary key, description text, checksum varchar(64), applied_at timestamp default current_timestamp,
	duration_ms integer, status varchar(20) default 'success', error_message text);
create index idx_search_logs_query on search_logs using gin (to_tsvector('english', query));
create index idx_search_logs_user_id on search_logs (user_id);
create index idx_search_logs_created_at on search_logs (created_at);
create index idx_projects_name_fts on projects using gin (to_tsvector('english', name));
create index idx_projects_description_fts on projects using gin (to_tsvector('english', coalesce(description, '')));
create index idx_projects_path_fts on projects using gin (to_tsvector('english', path));
create index idx_projects_search_composite on projects using gin (to_tsvector('english', name || ' ' || coalesce(description, '') || ' ' || path));
create index idx_scans_results_fts on scans using gin (to_tsvector('english', results::text));
create index idx_scans_metadata_fts on scans using gin (to_tsvector('english', metadata::text));
create index idx_files_content_fts on files using gin (to_tsvector('english', content));
create index idx_files_path_fts on files using gin (to_tsvector('english', file_path));
create index idx_dependencies_name_fts on dependencies using gin (to_tsvector('english', name));
create index idx_dependencies_type_fts on dependencies using gin (to_tsvector('english', type));
create index idx_conflicts_description_fts on conflicts using gin (to_tsvector('english', description));
create index idx_conflicts_type_fts on conflicts using gin (to_tsvector('english', type));
create index idx_websocket_connections_user_id on websocket_connections (user_id);
create index idx_websocket_connections_connected_at on websocket_connections (connected_at);
create function calculate_text_similarity(text1 text, text2 text) returns float language plpgsql as $$ begin return similarity(text1, text2); end $$;
create function search_projects(search_query text, user_id integer default null) returns table (id integer, name text) language plpgsql as $$
begin return query select p.id, p.name::text from manito_dev.projects p where user_id is null or p.user_id = user_id; end $$;
create function global_search(search_query text, user_id integer default null, limit_count integer default 50) returns table (entity_type text, entity_id integer, title text) language plpgsql as $$
begin return query select 'project'::text, p.id, p.name from manito_dev.projects p limit limit_count; end $$;
reset role;
set role adopt_test_clapp;
set search_path = manito_dev;
-- The second owner may not refer to the tables of the first: the superuser that it was did.
reset role;
grant references on projects to adopt_test_clapp;
set role adopt_test_clapp;
create table graph_nodes (id uuid primary key default gen_random_uuid(), type varchar(50) not null, name varchar(255) not null, path text, language varchar(50),
	metadata jsonb default '{}', commit_hash varchar(40), project_id integer references projects on delete cascade,
	created_at timestamp default current_timestamp, updated_at timestamp default current_timestamp);
create table graph_edges (id uuid primary key default gen_random_uuid(), from_node_id uuid references graph_nodes on delete cascade, to_node_id uuid references graph_nodes on delete cascade,
	relationship varchar(50) not null, metadata jsonb default '{}', weight float default 1.0, confidence float default 1.0, created_at timestamp default current_timestamp);
create table code_chunks (id uuid primary key default gen_random_uuid(), node_id uuid references graph_nodes on delete cascade, content text not null, chunk_type varchar(50) not null,
	language varchar(50), ts_vector tsvector generated always as (to_tsvector('english', content)) stored, created_at timestamp default current_timestamp);
create table embeddings (id uuid primary key default gen_random_uuid(), chunk_id uuid references code_chunks on delete cascade, embedding text,
	model varchar(100) default 'text-embedding-ada-002', created_at timestamp default current_timestamp);
create table diagnostics (id uuid primary key default gen_random_uuid(), node_id uuid references graph_nodes on delete cascade, severity varchar(20) not null, message text not null,
	line_number integer, column_number integer, source varchar(100), rule varchar(100), fix_suggestion text, created_at timestamp default current_timestamp);
create table symbol_references (id uuid primary key default gen_random_uuid(), symbol_node_id uuid references graph_nodes on delete cascade,
	reference_node_id uuid references graph_nodes on delete cascade, reference_type varchar(50) not null, line_number integer, column_number integer, context text,
	created_at timestamp default current_timestamp);
create index idx_graph_nodes_type on graph_nodes (type);
create index idx_graph_nodes_path on graph_nodes (path);
create index idx_graph_nodes_language on graph_nodes (language);
create index idx_graph_nodes_project on graph_nodes (project_id);
create index idx_graph_nodes_name on graph_nodes (name);
create index idx_graph_nodes_type_project on graph_nodes (type, project_id);
create index idx_graph_edges_from on graph_edges (from_node_id);
create index idx_graph_edges_to on graph_edges (to_node_id);
create index idx_graph_edges_relationship on graph_edges (relationship);
create index idx_graph_edges_relationship_from on graph_edges (relationship, from_node_id);
create index idx_code_chunks_node on code_chunks (node_id);
create index idx_code_chunks_type on code_chunks (chunk_type);
create index idx_code_chunks_fts on code_chunks using gin (ts_vector);
create index idx_code_chunks_type_language on code_chunks (chunk_type, language);
create index idx_embeddings_chunk on embeddings (chunk_id);
create index idx_embeddings_model on embeddings (model);
create index idx_diagnostics_node on diagnostics (node_id);
create index idx_diagnostics_severity on diagnostics (severity);
create index idx_diagnostics_source on diagnostics (source);
create index idx_symbol_refs_symbol on symbol_references (symbol_node_id);
create index idx_symbol_refs_reference on symbol_references (reference_node_id);
create index idx_symbol_refs_type on symbol_references (reference_type);
create function search_code_chunks(search_query text, project_id integer default null, limit_count integer default 50) returns table (chunk_id uuid, content text) language plpgsql as $$
begin return query select c.id, c.content from manito_dev.code_chunks c join manito_dev.graph_nodes n on n.id = c.node_id where project_id is null or n.project_id = project_id limit limit_count; end $$;
create function find_symbol_definitions(symbol_name text, project_id integer default null) returns table (node_id uuid, line integer) language plpgsql as $$
begin return query select n.id, (n.metadata ->> 'startPosition' ->> 'row')::integer from manito_dev.graph_nodes n where n.name = symbol_name; end $$;
create function find_symbol_references(symbol_name text, project_id integer default null) returns table (reference_id uuid, symbol_node_id uuid) language plpgsql as $$
begin return query select r.id, r.symbol_node_id from manito_dev.symbol_references r where project_id is null or symbol_node_id is not null; end $$;
create function get_dependency_graph(project_id integer, max_depth integer default 3) returns table (from_node_id uuid, to_node_id uuid) language plpgsql as $$
begin return query select e.from_node_id, e.to_node_id from manito_dev.graph_edges e join manito_dev.graph_nodes n on n.id = from_node_id where n.project_id = project_id; end $$;
reset role;
set search_path = manito_dev;
insert into migrations (id, description, checksum, applied_at, duration_ms, status, error_message) values
	('001_initial_schema', 'Create initial database schema', 'a1b2c3d4e5f6', '2025-08-01 10:00:00.123456', 812, 'failed', 'duplicate key value violates unique constraint "migrations_pkey"'),
	('002_semantic_search', 'Add semantic search capabilities', 'b2c3d4e5f6g7', '2025-08-01 10:00:01', 311, 'success', null),
	('003_websocket_enhancements', 'Add WebSocket support', 'c3d4e5f6g7h8', '2025-08-01 10:00:02', 40, 'success', null),
	('004_fix_global_search', 'Fix global search', 'd4e5f6g7h8i9', '2025-08-02 08:00:00', 12, 'success', null),
	('005_fix_ambiguous_columns', 'Fix ambiguous columns', null, '2025-08-03 08:00:00', 9, 'success', null),
	('006_fix_user_id_ambiguity', 'Fix user_id', null, '2025-08-04 08:00:00', null, 'success', null);
