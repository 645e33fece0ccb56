package doctor

import "time"

// broken is what a check must find: the SQL that breaks the shop, the object that is
// then named, a word of the evidence, and the SQL that mends it where the doctor leaves
// that to people.
type broken struct {
	id, name string
	sql      string
	sqlAfter string // a second step of the break
	object   string
	evidence string
	clean    string // by hand; "" when Apply must clear it
	undo     bool   // running the fix's undo brings the finding back
	stored   bool   // it is about Manito's own schema, called MANITO, which then holds a scanned repository
	since    int    // first major version that has what it takes; 0 for 12
	options  func(*Options)
}

// THIS_DATABASE stands for the name of the test's database; a line "--" parts statements that may not share a transaction.
var cases = []broken{
	{id: "OWN-01", name: "table", sql: "alter table shop.orders owner to doctor_test_other", object: "table shop.orders", evidence: "owned by doctor_test_other", undo: true},
	{id: "OWN-01", name: "function", sql: "alter function shop.total owner to doctor_test_other", object: "function shop.total(n bigint)", evidence: "doctor_test_other", undo: true},
	{id: "OWN-01", name: "view", sql: "alter view shop.recent owner to doctor_test_other", object: "view shop.recent", evidence: "doctor_test_other", undo: true},
	{id: "OWN-01", name: "type", sql: "create type shop.colour as enum ('red'); alter type shop.colour owner to doctor_test_other", object: "type shop.colour", evidence: "doctor_test_other", undo: true},
	{id: "OWN-01", name: "sequence", sql: "create sequence shop.loose", object: "sequence shop.loose", evidence: "expected doctor_test_owner", undo: true},
	{id: "OWN-02", sql: "alter schema shop owner to doctor_test_other", object: "schema shop", evidence: "2 of 2 tables", undo: true},
	{id: "OWN-03", sql: "alter table shop.orders owner to doctor_test_other", object: "objects of doctor_test_other", evidence: "not a member of doctor_test_other", clean: "alter table shop.orders owner to doctor_test_owner",
		options: func(o *Options) { o.DSN += " user=doctor_test_app password=manito-test" }},
	{id: "OWN-04", sql: "alter table shop.orders owner to current_user", object: "schema shop", evidence: "superuser with LOGIN", clean: "alter table shop.orders owner to doctor_test_owner"},
	{id: "OWN-05", sql: "set role doctor_test_owner; create table shop.schema_migrations (version bigint primary key, dirty boolean); reset role", object: "shop.schema_migrations by doctor_test_app", evidence: "DELETE, INSERT, UPDATE", undo: true},
	{id: "PRIV-01", name: "table", sql: "revoke insert on shop.orders from doctor_test_app", object: "shop.orders for doctor_test_app", evidence: "lacks INSERT", undo: true},
	{id: "PRIV-01", name: "sequence", sql: "create sequence shop.plain; alter sequence shop.plain owner to doctor_test_owner; revoke all on shop.plain from doctor_test_app", object: "shop.plain for doctor_test_app", evidence: "USAGE", undo: true},
	{id: "PRIV-01", name: "schema", sql: "revoke usage on schema shop from doctor_test_app", object: "schema shop for doctor_test_app", evidence: "USAGE", undo: true},
	{id: "PRIV-02", sql: "alter default privileges for role doctor_test_owner in schema shop revoke all on tables from doctor_test_app", object: "next table of doctor_test_owner in shop for doctor_test_app", evidence: "INSERT", undo: true},
	{id: "PRIV-04", name: "table", sql: "grant select on shop.orders to public", object: "shop.orders", evidence: "SELECT", undo: true},
	{id: "PRIV-04", name: "schema", sql: "grant create on schema shop to public", object: "schema shop", evidence: "CREATE", undo: true},
	{id: "PRIV-05", sql: "grant create on schema shop to doctor_test_app", object: "schema shop for doctor_test_app", evidence: "CREATE", undo: true},
	{id: "PRIV-06", sql: "create function shop.secret() returns int language sql security definer set search_path = pg_catalog as 'select 1'", object: "shop.secret()", evidence: "SECURITY DEFINER", undo: true},
	{id: "PRIV-07", name: "off", sql: "create policy p on shop.orders using (true)", object: "shop.orders", evidence: "row security is off", undo: true},
	{id: "PRIV-07", name: "without policy", sql: "alter table shop.orders enable row level security", object: "shop.orders", evidence: "no policy", clean: "alter table shop.orders disable row level security"},
	{id: "PRIV-08", name: "column", sql: "alter table shop.customer add api_key text; grant select on shop.customer to public", object: "shop.customer.api_key for PUBLIC", evidence: "secret", clean: "revoke select on shop.customer from public"},
	{id: "PRIV-08", name: "materialised", sql: "create materialized view shop.sums as select count(*) from shop.orders; grant select on shop.sums to public", object: "shop.sums for PUBLIC", evidence: "row security never filters", clean: "revoke select on shop.sums from public"},
	{id: "PRIV-09", sql: "grant select on shop.orders to doctor_test_other with grant option", object: "shop.orders for doctor_test_other", evidence: "SELECT, granted by doctor_test_owner", undo: true},
	{id: "PRIV-11", sql: "create policy everybody on shop.orders using (true); alter table shop.orders enable row level security", object: "shop.orders.everybody", evidence: "FOR ALL USING (true)", clean: "drop policy everybody on shop.orders"},
	{id: "PRIV-12", since: 15, sql: "create policy mine on shop.orders using (note = current_user); alter table shop.orders enable row level security", object: "shop.recent", evidence: "reads shop.orders with the rights of doctor_test_owner", undo: true},

	{id: "MIG-01", sql: "create table shop.goose_db_version (id int primary key, version_id bigint, is_applied boolean); create table shop.schema_migrations (version bigint primary key)", object: "schema shop", evidence: "shop.goose_db_version, shop.schema_migrations", clean: "drop table shop.goose_db_version"},
	{id: "MIG-02", sql: "create table shop.schema_migrations (version bigint)", object: "shop.schema_migrations", evidence: "version", undo: true},
	{id: "MIG-03", sql: "create table shop.migrations (id text, status text); insert into shop.migrations values ('001', 'failed'), ('001', 'success'), ('002', 'success')", object: "shop.migrations 001", evidence: "2 rows", undo: true},
	{id: "MIG-04", name: "applied", sql: "create table shop.migrations (id text primary key, status text, error_message text); create table shop.websocket_connections (id int primary key); insert into shop.migrations values ('003_websocket_enhancements', 'failed', 'duplicate key')", object: "shop.migrations 003_websocket_enhancements", evidence: "it was applied", undo: true},
	{id: "MIG-04", name: "not applied", sql: "create table shop.migrations (id text primary key, status text, error_message text); insert into shop.migrations values ('003_websocket_enhancements', 'failed', 'boom')", object: "shop.migrations 003_websocket_enhancements", evidence: "it was not applied", undo: true},
	{id: "MIG-04", name: "unknown and dirty", sql: "create table shop.schema_migrations (version bigint primary key, dirty boolean); insert into shop.schema_migrations values (7, true)", object: "shop.schema_migrations 7", evidence: "failed", clean: "update shop.schema_migrations set dirty = false"},
	{id: "MIG-08", sql: "create index orders_note on shop.orders (note); update pg_index set indisvalid = false where indexrelid = 'shop.orders_note'::regclass", object: "shop.orders_note", evidence: "not valid"},
	{id: "MIG-09", sql: "alter table shop.orders add constraint short check (length(note) < 10) not valid", object: "shop.orders.short", evidence: "NOT VALID"},
	{id: "MIG-11", sql: "create table shop.migrations (id varchar(255) primary key, status text)", object: "shop.migrations", evidence: "character varying", clean: "drop table shop.migrations"},

	{id: "MIG-05", stored: true, sql: "create table public.kept as select * from MANITO.migration; update MANITO.migration set checksum = sha256('edited') where version = 3", object: "MANITO.migration 3", evidence: "was applied with checksum", clean: "update MANITO.migration m set checksum = k.checksum from public.kept k where k.version = m.version"},
	{id: "MIG-06", name: "pending", stored: true, sql: "create table public.kept as select * from MANITO.migration; delete from MANITO.migration where version > 6", object: "MANITO.migration 7", evidence: "is pending: the schema is at version 6", clean: "insert into MANITO.migration select * from public.kept where version > 6"},
	{id: "MIG-06", name: "lost", stored: true, sql: "create table public.kept as select * from MANITO.migration; delete from MANITO.migration where version = 2", object: "MANITO.migration 2", evidence: "is not recorded", clean: "insert into MANITO.migration select * from public.kept where version = 2"},
	{id: "MIG-06", name: "newer", stored: true, sql: "insert into MANITO.migration (version, name, checksum, in_transaction, duration_ms, app_version) values (99999, '99999_future.sql', sha256('x'), true, 1, '9.9')", object: "MANITO.migration 99999", evidence: "by version 9.9", clean: "delete from MANITO.migration where version = 99999"},
	{id: "MIG-07", name: "missing", stored: true, sql: "drop index MANITO.snapshot_keyframe", object: "index snapshot_keyframe*", evidence: "missing", clean: "set role MANITO_OWNER; create index snapshot_keyframe on MANITO.snapshot (repo_id, keyframe_id); reset role"},
	{id: "MIG-07", name: "strange", stored: true, sql: "set role MANITO_OWNER; create index by_hand on MANITO.path (path); reset role", object: "index by_hand*", evidence: "no migration made it", clean: "drop index MANITO.by_hand"},
	{id: "MIG-12", sql: "create table shop.river_migration (line text not null, version bigint not null, created_at timestamptz not null default now(), primary key (line, version)); insert into shop.river_migration select 'main', generate_series(1, 5)", object: "shop.river_migration", evidence: "version 5 of 8", clean: "insert into shop.river_migration select 'main', generate_series(6, 8)"},
	{id: "MIG-12", name: "gap", sql: "create table shop.river_migration (id bigserial primary key, version bigint not null, created_at timestamptz not null default now()); insert into shop.river_migration (version) select unnest(array[1, 2, 4, 5, 6, 7, 8])", object: "shop.river_migration", evidence: "1 before it are not recorded", clean: "insert into shop.river_migration (version) values (3)"},

	{id: "FUN-01", sql: "create function shop.f(n int) returns table(id bigint, note text) language plpgsql as $$ begin return query select id, note from shop.orders limit n; end $$", object: "shop.f(integer)", evidence: "ambiguous", undo: true},
	{id: "FUN-02", sql: "create table shop.wide (id bigint primary key, v varchar(255), r real); create function shop.f(n int) returns table(kind text, score float8) language plpgsql as $$ begin return query select w.v, w.r from shop.wide w where w.v <> 'a;b' limit n; end $$", object: "shop.f(integer)", evidence: "does not match", undo: true},
	{id: "FUN-02", name: "after ambiguous", sql: "create table shop.wide (id bigint primary key, v varchar(255)); create function shop.f(n int) returns table(v text) language plpgsql as $$ begin return query select v from shop.wide limit n; return query select w.v from shop.wide w; end $$", object: "shop.f(integer)", evidence: "does not match", undo: true,
		sqlAfter: "create or replace function shop.f(n int) returns table(v text) language plpgsql as $$\n#variable_conflict use_column\nbegin return query select v from shop.wide limit n; end $$"},
	{id: "FUN-03", name: "extension", sql: "drop extension if exists pg_trgm cascade", object: "shop.alike(text,text)", evidence: "similarity",
		sqlAfter: "create function shop.alike(a text, b text) returns real language plpgsql as $$ begin return similarity(a, b); end $$"},
	{id: "FUN-03", name: "operator", sql: "create function shop.deep(j jsonb) returns text language plpgsql as $$ begin return j ->> 'a' ->> 'b'; end $$", object: "shop.deep(jsonb)", evidence: "operator does not exist", undo: true},
	{id: "FUN-03", name: "column", sql: "create function shop.gone() returns bigint language plpgsql as $$ begin return (select sum(price) from shop.orders); end $$", object: "shop.gone()", evidence: "price", clean: "drop function shop.gone()"},
	{id: "FUN-01", name: "branch not taken", sql: "create function shop.f(n int) returns table(id bigint, note text) language plpgsql as $$ begin if n > 1000 then return query select id, note from shop.orders limit n; end if; end $$", object: "shop.f(integer)", evidence: "ambiguous", undo: true},
	{id: "FUN-02", name: "branch not taken", sql: "create table shop.wide (id bigint primary key, v varchar(255)); create function shop.f(n int) returns table(v text) language plpgsql as $$ begin if n > 1000 then return query select w.v from shop.wide w; end if; end $$", object: "shop.f(integer)", evidence: "Returned type character varying does not match expected type text in column 1.", undo: true},
	{id: "FUN-03", name: "trigger", sql: "create function shop.touch() returns trigger language plpgsql as $$ begin new.changed := now(); return new; end $$; create trigger touch before update on shop.orders for each row execute function shop.touch()", object: "shop.touch()", evidence: "has no field", clean: "alter table shop.orders add changed timestamptz"},

	{id: "PATH-01", sql: "alter role doctor_test_app in database THIS_DATABASE set search_path = nowhere", object: "role doctor_test_app in database THIS_DATABASE", evidence: "nowhere", undo: true},
	{id: "PATH-02", sql: "create table public.orders (id int primary key)", object: "shop.orders", evidence: "public.orders", clean: "drop table public.orders"},
	{id: "PATH-03", sql: "create function shop.secret() returns int language sql security definer as 'select 1'", object: "shop.secret()", evidence: "no search_path", undo: true},
	{id: "PATH-04", sql: "create extension hstore schema shop", object: "extension hstore", evidence: "shop", clean: "drop extension hstore"},
	{id: "PATH-05", sql: `create table shop."Odd Name" (id int primary key)`, object: `shop."Odd Name"`, evidence: "quotes", clean: `drop table shop."Odd Name"`},

	{id: "SEQ-01", sql: "insert into shop.orders (id, customer_id) values (5000, 1)", object: "shop.orders.id", evidence: "5000"},
	{id: "SEQ-02", sql: "create table shop.small (id smallint generated always as identity primary key); alter table shop.small owner to doctor_test_owner; select setval('shop.small_id_seq', 32000)", object: "shop.small.id", evidence: "32000 of 32767"},
	{id: "SEQ-03", sql: "alter sequence shop.orders_id_seq as integer", object: "shop.orders.id", evidence: "integer", undo: true},
	{id: "SEQ-04", sql: "create sequence shop.loose; create table shop.t (id bigint primary key default nextval('shop.loose'))", object: "shop.t.id", evidence: "nextval", undo: true},
	{id: "SEQ-05", sql: "create table shop.t (id serial primary key)", object: "shop.t.id", evidence: "integer", clean: "drop table shop.t"},

	{id: "KEY-01", sql: "create table shop.t (id bigint)", object: "shop.t", evidence: "neither", clean: "alter table shop.t add primary key (id)"},
	{id: "KEY-02", sql: "drop index shop.orders_customer", object: "shop.orders.orders_customer_id_fkey", evidence: "FOREIGN KEY"},
	{id: "KEY-03", name: "double", sql: "alter table shop.orders add constraint twice foreign key (customer_id) references shop.customer", object: "shop.orders.twice", evidence: "orders_customer_id_fkey", undo: true},
	{id: "KEY-03", name: "types", sql: "create table shop.t (id bigint primary key, customer_id int references shop.customer)", object: "shop.t.t_customer_id_fkey", evidence: "integer", clean: "drop table shop.t"},
	{id: "KEY-02", name: "index that does not name the row", sql: "create table shop.part (a bigint, b bigint, c bigint, primary key (a, b), unique (a, b, c)); create table shop.piece (a bigint, b bigint, c bigint, n bigint, primary key (a, n), constraint piece_part foreign key (a, b, c) references shop.part (a, b, c)); alter table shop.piece owner to doctor_test_owner", object: "shop.piece.piece_part", evidence: "FOREIGN KEY (a, b, c)", clean: "create index on shop.piece (b, a, n)"},
	{id: "KEY-04", sql: "create table shop.note (id bigint primary key, customer_id bigint)", object: "shop.customer", evidence: "shop.note.customer_id", clean: "alter table shop.note add foreign key (customer_id) references shop.customer"},
	{id: "SCL-01", sql: "create table shop.t1 (tenant_id int, id bigint, primary key (tenant_id, id)); create table shop.t2 (tenant_id int, id bigint, primary key (tenant_id, id)); create table shop.t3 (tenant_id int, id bigint, primary key (tenant_id, id))", object: "shop.customer", evidence: "tenant_id is not in it; the keys of 3 tables", clean: "drop table shop.t3"},
	{id: "SCL-01", name: "reference", sql: "create table shop.t1 (tenant_id int, id bigint unique, primary key (tenant_id, id)); create table shop.t2 (tenant_id int, id bigint references shop.t1 (id), primary key (tenant_id, id)); create table shop.t3 (tenant_id int, id bigint, primary key (tenant_id, id))", object: "shop.t2.t2_id_fkey", evidence: "may refer to one of another", clean: "alter table shop.t2 drop constraint t2_id_fkey, add foreign key (tenant_id, id) references shop.t1"},
	{id: "KEY-05", sql: "create table shop.node (id uuid primary key)", object: "id in schema shop", evidence: "uuid", clean: "drop table shop.node"},
	{id: "TYPE-01", sql: "create table shop.t (id bigint primary key, j json, at timestamp, c char(3), v varchar(20))", object: "shop.t", evidence: "j json, at timestamp without time zone", clean: "drop table shop.t"},
	{id: "TYPE-02", sql: "create table shop.t (id bigint, v text)", object: "shop.t", evidence: "2 columns", clean: "drop table shop.t"},
	{id: "TYPE-03", sql: "create table shop.t (id bigint primary key, embedding text)", object: "shop.t.embedding", evidence: "text", clean: "drop table shop.t"},

	{id: "IDX-02", name: "same", sql: "create index orders_customer_again on shop.orders (customer_id)", object: "shop.orders_customer_again", evidence: "the same columns"},
	{id: "IDX-02", name: "prefix", sql: "create index orders_both on shop.orders (customer_id, note)", object: "shop.orders_customer", evidence: "orders_both"},

	{id: "IDX-01", sql: "insert into shop.orders (customer_id, note) select 1, md5(g::text) from generate_series(1, 40000) g; create index orders_note on shop.orders (note); select pg_stat_reset()", object: "shop.orders_note", evidence: "0 scans", clean: "drop index shop.orders_note",
		options: func(o *Options) { o.Unused = time.Millisecond }},
	{id: "IDX-03", sql: "do $$ begin for i in 1..150 loop perform count(*) from shop.customer; end loop; end $$\n--\nFLUSH\n--\nselect 1\n--\nupdate pg_class set relpages = 20000 where oid = 'shop.customer'::regclass", object: "shop.customer", evidence: "sequential scans", clean: "analyze shop.customer"},
	{id: "IDX-04", sql: "create table shop.sparse (id bigint generated always as identity primary key, v int); insert into shop.sparse (v) select null from generate_series(1, 150000); create index sparse_v on shop.sparse (v); analyze shop.sparse", object: "shop.sparse_v", evidence: "100.0 %", clean: "drop index shop.sparse_v"},
	{id: "IDX-05", sql: "create table shop.big (id bigint primary key); alter table shop.big owner to doctor_test_owner; insert into shop.big select generate_series(1, 200000)\n--\nanalyze shop.big\n--\ndelete from shop.big where id % 50 <> 0\n--\nvacuum analyze shop.big", object: "shop.big_pkey", evidence: "are needed for 4000 entries"},
	{id: "IDX-06", sql: "create table shop.busy (id bigint primary key, v int); create index busy_v on shop.busy (v); insert into shop.busy select g, 0 from generate_series(1, 300) g; do $$ begin for i in 1..50 loop update shop.busy set v = i; end loop; end $$\n--\nFLUSH\n--\nselect 1", object: "shop.busy", evidence: "of 15000 updates stayed", clean: "drop table shop.busy"},
	{id: "IDX-07", since: 15, sql: `create collation shop.german (provider = icu, locale = 'de'); create table shop.word (id bigint generated always as identity primary key, w text collate shop.german); create index word_w on shop.word (w); update pg_collation set collversion = '1' where collname = 'german'`, object: "collation german", evidence: "built with version 1", clean: "alter collation shop.german refresh version"},

	{id: "TAB-01", name: "dead rows", sql: "alter table shop.orders disable trigger user; insert into shop.orders (customer_id) select 1 from generate_series(1, 30000); delete from shop.orders where id > 10\n--\nFLUSH\n--\nselect 1", object: "shop.orders", evidence: "dead rows"},
	{id: "TAB-01", sql: "alter table shop.orders set (autovacuum_enabled = off)", object: "shop.orders", evidence: "off", undo: true},
	{id: "TAB-03", sql: "create table shop.t (id bigint primary key) with (autovacuum_enabled = off); insert into shop.t select generate_series(1, 5000)", object: "shop.t", evidence: "never analysed"},
	{id: "TAB-04", sql: "create table shop.event (at timestamptz not null) partition by range (at); create table shop.event_2001 partition of shop.event for values from ('2001-01-01') to ('2001-02-01'); create table shop.event_2001b partition of shop.event for values from ('2001-02-01') to ('2001-03-01')", object: "shop.event", evidence: "ends at 2001-03-01", clean: "create table shop.event_rest partition of shop.event default"},
	{id: "TAB-06", name: "circle", sql: "create table shop.egg (id bigint primary key, hen_id bigint not null); create table shop.hen (id bigint primary key, egg_id bigint not null references shop.egg); alter table shop.egg add constraint egg_hen foreign key (hen_id) references shop.hen", object: "shop.egg", evidence: "a circle of shop.egg, shop.hen", clean: "alter table shop.egg alter hen_id drop not null"},
	{id: "TAB-06", name: "views", sql: "create view shop.v1 as select * from shop.recent; create view shop.v2 as select * from shop.v1; create view shop.v3 as select * from shop.v2; create view shop.v4 as select * from shop.v3", object: "shop.v4", evidence: "4 views below it", clean: "drop view shop.v4"},
	{id: "TAB-05", sql: "alter table shop.orders disable trigger all", object: triggerOf, evidence: "disabled"},
	{id: "DUR-01", sql: "alter database THIS_DATABASE set synchronous_commit = off", object: "synchronous_commit of database THIS_DATABASE", evidence: "off", undo: true},
	{id: "DUR-02", sql: "alter table shop.orders set unlogged", object: "shop.orders", evidence: "UNLOGGED", undo: true},
	{id: "CONN-04", sql: "alter role doctor_test_app in database THIS_DATABASE reset statement_timeout", object: "role doctor_test_app: statement_timeout", evidence: "neither", undo: true},
	{id: "CONN-07", sql: "alter role doctor_test_app in database THIS_DATABASE set default_transaction_read_only = on", object: "role doctor_test_app in database THIS_DATABASE", evidence: "read_only", clean: "alter role doctor_test_app in database THIS_DATABASE reset default_transaction_read_only"},
	{id: "SET-01", sql: "alter database THIS_DATABASE set enable_seqscan = off", object: "enable_seqscan of database THIS_DATABASE", evidence: "enable_seqscan=off", undo: true},
	{id: "VER-01", name: "extension", sql: "create extension hstore schema public version '1.4'", object: "extension hstore", evidence: "1.4"},
	{id: "DATA-01", sql: "update shop.orders set note = '[object Object]' where id = 3", object: "shop.orders.note", evidence: "1 rows", clean: "update shop.orders set note = ''"},
	{id: "DATA-02", stored: true, sql: "create table public.kept as select * from MANITO.blob order by blob_id limit 1; delete from MANITO.blob where blob_id in (select blob_id from public.kept)", object: "ref head of *", evidence: "1 contents missing, of 8 files; first: ", clean: "insert into MANITO.blob select * from public.kept"},
	{id: "DATA-02", name: "relations", stored: true, sql: "create table public.kept as select * from MANITO.edge_block order by block_id limit 1; delete from MANITO.edge_block where block_id in (select block_id from public.kept)", object: "ref head of *", evidence: "1 relations missing", clean: "insert into MANITO.edge_block select * from public.kept"},
	{id: "DATA-03", stored: true, sql: "insert into MANITO.scan (repo_id, scan_id, ref_id, status, phase, held, host, pid, space, pid_start, fence, heartbeat, started_at) select repo_id, 900, 1, 'running', 'extract', true, 'nowhere', 7, 'x', 1, 900, now() - interval '1 hour', now() - interval '1 hour' from MANITO.repo", object: "scan 900 of *", evidence: "phase extract on nowhere", undo: true},
	{id: "DATA-04", stored: true, sql: "update MANITO.repo set next_blob = 1", object: "next_blob of *", evidence: "next is 1", undo: true},
	{id: "DATA-05", name: "hash", stored: true, sql: "create table public.kept as select * from MANITO.blob; update MANITO.blob set hash = sha256('other') where blob_id = (select min(blob_id) from MANITO.blob)", object: "content *", evidence: "its bytes have the hash", clean: "update MANITO.blob b set hash = k.hash from public.kept k where k.blob_id = b.blob_id"},
	{id: "DATA-05", name: "bytes", stored: true, sql: "create table public.kept as select * from MANITO.blob; update MANITO.blob set z = '\\x00' where blob_id = (select min(blob_id) from MANITO.blob)", object: "content *", evidence: "cannot be unpacked", clean: "update MANITO.blob b set z = k.z from public.kept k where k.blob_id = b.blob_id"},
	{id: "DATA-06", name: "facts", stored: true, sql: "create table public.kept as select * from MANITO.fact order by fact_id limit 1; delete from MANITO.fact where fact_id in (select fact_id from public.kept)", object: "snapshot 1 of *", evidence: "1 facts missing", clean: "insert into MANITO.fact select * from public.kept"},
	{id: "DATA-06", name: "keyframe", stored: true, sql: "update MANITO.snapshot set keyframe_id = 77, parent_id = 76", object: "snapshot 1 of *", evidence: "the snapshot 76 that it differs from is missing", clean: "update MANITO.snapshot set keyframe_id = 1, parent_id = null"},
	{id: "DATA-07", stored: true, sql: "insert into MANITO.blob select repo_id, 9000, size, lines, sha256('nobody'), z from MANITO.blob limit 1; insert into MANITO.fact select repo_id, 9000, 9000, extractor, language, dialect, z from MANITO.fact limit 1", object: "/*", evidence: "1 contents, 1 facts"},
	{id: "DATA-08", name: "behind", stored: true, sql: "update MANITO.projection set snapshot_id = 40", object: "ref head of *", evidence: "it points to snapshot 1, the views show 40", clean: "update MANITO.projection set snapshot_id = 1"},
	{id: "DATA-08", name: "files", stored: true, sql: "create table public.kept as select * from MANITO.file; update MANITO.file set fact_id = 0 where path_id = (select min(path_id) from MANITO.file where fact_id <> 0)", object: "ref head of *", evidence: "1 of the files", clean: "update MANITO.file f set fact_id = k.fact_id from public.kept k where k.path_id = f.path_id"},
	{id: "DATA-09", stored: true, sql: "insert into MANITO.ref (repo_id, ref_id, name, kind) select repo_id, 900, 'topic', 'branch' from MANITO.repo", object: "ref topic of *", evidence: "no snapshot", clean: "delete from MANITO.ref where name = 'topic'"},
	{id: "DATA-10", name: "target", stored: true, sql: "create table public.kept as select * from MANITO.edge_block; update MANITO.edge_block set targets[1] = 12345 where block_id = (select min(block_id) from MANITO.edge_block)", object: "ref head of *", evidence: "the target 12345 is neither defined", clean: "update MANITO.edge_block b set targets = k.targets from public.kept k where k.block_id = b.block_id"},
	{id: "DATA-10", name: "source", stored: true, sql: "create table public.kept as select * from MANITO.node_block; update MANITO.node_block set dkeys = '{}'", object: "ref head of *", evidence: "a relation leaves definition", clean: "update MANITO.node_block b set dkeys = k.dkeys from public.kept k where k.fact_id = b.fact_id"},
	{id: "VLT-02", sql: "alter table shop.customer add api_key text", object: "shop.customer.api_key", evidence: "text", clean: "alter table shop.customer drop api_key"},
}

// triggerOf stands for a trigger whose name PostgreSQL chose.
const triggerOf = "shop.orders.*"
