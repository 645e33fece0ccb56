-- Edges are stored per source file in one bit-packed array with a dictionary of
-- targets: about a tenth of what a row per edge takes. The view graph_edges unpacks them.

-- +goose Up
create table edge_block (
	repo_id  int4 not null,
	block_id int4 not null,
	layer    int2 not null,
	wide     bool not null,
	digest   bytea not null check (length(digest) = 16),
	targets  int8[] not null,
	e        int8[] not null,
	sites    bytea,
	primary key (repo_id, block_id),
	constraint edge_block_digest unique (repo_id, digest)
);
alter table edge_block alter targets set statistics 0, alter e set statistics 0,
	alter sites set storage external, alter sites set statistics 0;
comment on table edge_block is 'The edges that leave one file, as one layer of analysis sees them; immutable. Sources are definitions of the fact that a snapshot names beside it.';
comment on column edge_block.layer is 'Which analysis made it: 0 the language-neutral linker; others replace it where they exist.';
comment on column edge_block.wide is 'Two words an edge instead of one: the file has many lines, definitions or targets.';
comment on column edge_block.digest is 'Over the fact and the contents, so that equal edges are stored once.';
comment on column edge_block.targets is 'Keys of the symbols that edges lead to, ascending, each once.';
comment on column edge_block.e is 'Narrow, from bit 0: kind 4, certainty 2, reason 5, column 10, line 17, index in targets 13, source + 1 13 (0 is the file). '
	'Wide: kind 4, certainty 2, reason 5, source + 1 21, index in targets 32; then column 32, line 32. Lines and columns count from 0.';
comment on column edge_block.sites is 'Packed places that are no edges, with the reason why.';

grant select, insert, update, delete on edge_block to {{app}};

-- +goose Down
drop table edge_block;
