-- What SQL users see is projected from published snapshots. node_block belongs to
-- facts and is shared by all refs; the other tables hold the live state of each ref
-- that is projected and are switched in one transaction.

-- +goose Up
create table node_block (
	repo_id    int4 not null,
	fact_id    int4 not null,
	dkeys      int8[] not null,
	spans      int8[] not null,
	metas      int8[] not null,
	extras     int8[] not null,
	containers text not null,
	names      text not null,
	primary key (repo_id, fact_id)
) with (toast_tuple_target = 128); -- compress short rows too
alter table node_block alter dkeys set statistics 0, alter spans set statistics 0, alter metas set statistics 0, alter extras set statistics 0,
	alter containers set statistics 0, alter names set statistics 0,
	alter dkeys set storage main, alter spans set storage main, alter metas set storage main, alter extras set storage main,
	alter containers set storage main, alter names set storage main;
comment on table node_block is 'The definitions of one fact, in the order of the file; the view graph_nodes unpacks them. Immutable.';
comment on column node_block.dkeys is 'Keys of their descriptors.';
comment on column node_block.spans is 'From bit 0: line 24, lines down to the name 16, lines down to the end 24; from 0.';
comment on column node_block.metas is 'From bit 0: flags 32, kind 8, disambiguator 16.';
comment on column node_block.extras is 'From bit 0: column of the name in bytes 32, cyclomatic complexity 16, cognitive complexity 16.';
comment on column node_block.containers is 'Descriptors of what each stands in, with the unit separator (31) between them; empty at the top.';
comment on column node_block.names is 'Their names, with the unit separator between them.';

create table projection (
	repo_id     int4 not null,
	ref_id      int4 not null,
	snapshot_id int4 not null,
	updated_at  timestamptz not null,
	took        interval not null,
	primary key (repo_id, ref_id),
	constraint projection_ref foreign key (repo_id, ref_id) references ref on delete cascade
);
comment on table projection is 'The snapshot that the views show of a ref.';

create table file (
	repo_id     int4 not null,
	ref_id      int4 not null,
	path_id     int4 not null,
	blob_id     int4 not null,
	fact_id     int4 not null,
	block_id    int4 not null,
	scope_id    int4 not null,
	flags       int4 not null,
	size        int8 not null,
	local_key   int8 not null,
	rows_digest int8 not null,
	language    text not null,
	encoding    text not null,
	primary key (repo_id, ref_id, path_id)
);
comment on table file is 'The files that the views show of a ref; 0 stands for none in blob_id, fact_id, block_id and scope_id.';
comment on column file.local_key is 'Key of the scope of definitions that cannot be seen outside of the file.';
comment on column file.rows_digest is 'Over its rows in dependency and diagnostic, so that unchanged ones are left alone.';

create table symbol_block (
	repo_id int4 not null,
	ref_id  int4 not null,
	lo      int8 not null,
	keys    int8[] not null,
	paths   int4[] not null,
	sources int2[] not null,
	primary key (repo_id, ref_id, lo)
);
alter table symbol_block alter keys set statistics 0, alter paths set statistics 0, alter sources set statistics 0;
comment on table symbol_block is 'The index from symbols to files: a range of keys, where each is defined and which files mention it.';
comment on column symbol_block.lo is 'The range begins here and ends before the next row.';
comment on column symbol_block.keys is 'Keys, ascending, each once.';
comment on column symbol_block.paths is 'path_id of the first file that defines it; 0 for a key that is only mentioned.';
comment on column symbol_block.sources is 'For each key the path_ids of the files that mention it, as steps from the one before: '
	'a positive number is a step, a negative one adds -32767 times itself to the next step, 0 ends the key. '
	'After -32768 come the other files that define it, as steps from the first.';

create table name (
	repo_id int4 not null,
	name    text collate "C" not null,
	paths   bytea not null,
	primary key (repo_id, name)
);
alter table name alter paths set statistics 0;
create index name_trigram on name using gin (name gin_trgm_ops) with (fastupdate = on);
comment on table name is 'Distinct names of symbols, for exact, prefix and fuzzy search.';
comment on column name.paths is 'path_ids of the files that define it in some ref, four bytes each, ascending; may list too many, never too few.';

create table external (
	repo_id  int4 not null,
	ref_id   int4 not null,
	key      int8 not null,
	symbol   text not null,
	manager  text not null,
	name     text not null,
	version  text not null,
	standard bool not null,
	primary key (repo_id, ref_id, key)
);
comment on table external is 'A package outside of the repository that something in the ref uses.';

create table dependency (
	repo_id    int4 not null,
	ref_id     int4 not null,
	path_id    int4 not null,
	places     int8[] not null,
	metas      int4[] not null,
	targets    int4[] not null,
	externals  int8[] not null,
	specifiers text not null,
	scopes     text not null,
	reasons    text not null,
	primary key (repo_id, ref_id, path_id)
) with (toast_tuple_target = 128); -- compress short rows too
alter table dependency alter places set statistics 0, alter metas set statistics 0, alter targets set statistics 0, alter externals set statistics 0,
	alter specifiers set statistics 0, alter scopes set statistics 0, alter reasons set statistics 0,
	alter places set storage main, alter metas set storage main, alter targets set storage main, alter externals set storage main,
	alter specifiers set storage main, alter scopes set storage main, alter reasons set storage main;
comment on table dependency is 'The imports of a file and where they lead; the view dependencies unpacks them.';
comment on column dependency.places is 'From bit 0: column 32, line 32; from 0.';
comment on column dependency.metas is 'From bit 0: kind 8, state 8, type only 1, optional 1.';
comment on column dependency.targets is 'path_ids of the files they lead to; 0 for none.';
comment on column dependency.externals is 'Keys of the external packages they lead to; 0 for none.';
comment on column dependency.specifiers is 'As they are written, with the unit separator (31) between them; so are scopes and reasons.';

create table diagnostic (
	repo_id  int4 not null,
	ref_id   int4 not null,
	path_id  int4 not null,
	ord      int4 not null,
	line     int4 not null,
	col      int4 not null,
	severity int2 not null,
	code     text not null,
	message  text not null,
	primary key (repo_id, ref_id, path_id, ord)
);
comment on table diagnostic is 'What a reader of a file should know: it could not be parsed here, its encoding is odd.';

grant select, insert, update, delete on node_block, projection, file, symbol_block, name, external, dependency, diagnostic to {{app}};

-- +goose Down
drop table diagnostic;
drop table dependency;
drop table external;
drop table name;
drop table symbol_block;
drop table file;
drop table projection;
drop table node_block;
