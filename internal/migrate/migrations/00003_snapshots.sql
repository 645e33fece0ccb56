-- Snapshots, the refs that point to them, and the scans that made them. A ref is the
-- only thing a reader follows; moving it is what publishes a scan.

-- +goose Up
create table snapshot (
	repo_id     int4 not null references repo,
	snapshot_id int4 not null,
	parent_id   int4,
	keyframe_id int4 not null,
	commit      text not null,
	digest      bytea not null check (length(digest) = 32),
	scanned_at  timestamptz not null,
	stats       jsonb not null,
	d_path      int4[] not null,
	d_blob      int4[] not null,
	d_fact      int4[] not null,
	d_block     int4[] not null,
	d_scope     int4[] not null,
	primary key (repo_id, snapshot_id),
	check (cardinality(d_path) = cardinality(d_blob) and cardinality(d_path) = cardinality(d_fact)
		and cardinality(d_path) = cardinality(d_block) and cardinality(d_path) = cardinality(d_scope))
);
alter table snapshot alter d_path set statistics 0, alter d_blob set statistics 0, alter d_fact set statistics 0,
	alter d_block set statistics 0, alter d_scope set statistics 0, alter stats set statistics 0;
create index snapshot_keyframe on snapshot (repo_id, keyframe_id);
comment on table snapshot is 'The files of a repository at one moment; immutable.';
comment on column snapshot.parent_id is 'The snapshot it differs from; null for the first.';
comment on column snapshot.keyframe_id is 'The nearest ancestor (or itself) that lists every file instead of differences.';
comment on column snapshot.commit is 'The commit that was scanned; empty outside of git.';
comment on column snapshot.digest is 'Canonical digest over all files, symbols and edges; equal trees give equal digests.';
comment on column snapshot.d_path is 'Files that were added or changed, and those removed (d_blob is then -1), by path_id.';
comment on column snapshot.d_blob is 'Their contents; 0 when a file is listed but its content is not stored.';
comment on column snapshot.d_fact is 'Their facts; 0 for none.';
comment on column snapshot.d_block is 'Their edges; 0 for none.';
comment on column snapshot.d_scope is 'Their scopes; 0 for none.';

create table ref (
	repo_id     int4 not null references repo,
	ref_id      int4 not null,
	name        text not null,
	kind        text not null check (kind in ('folder', 'branch', 'tag', 'worktree', 'overlay')),
	snapshot_id int4,
	fence       int8 not null default 0,
	updated_at  timestamptz not null default now(),
	primary key (repo_id, ref_id),
	constraint ref_name unique (repo_id, name),
	constraint ref_snapshot foreign key (repo_id, snapshot_id) references snapshot
);
create index ref_snapshot on ref (repo_id, snapshot_id);
comment on table ref is 'A name that points to a snapshot: the only row that a scan changes in place.';
comment on column ref.snapshot_id is 'Null before the first publication.';
comment on column ref.fence is 'Fencing token of the scan that published last; an older one may not publish.';

create table scan (
	repo_id     int4 not null references repo,
	scan_id     int4 not null,
	ref_id      int4 not null,
	status      text not null check (status in ('running', 'published', 'failed', 'cancelled', 'abandoned')),
	phase       text not null,
	held        bool not null,
	host        text not null,
	pid         int4 not null,
	space       text not null,
	pid_start   int8 not null,
	fence       int8 not null,
	heartbeat   timestamptz not null,
	started_at  timestamptz not null,
	finished_at timestamptz,
	snapshot_id int4,
	commit      text not null default '',
	stats       jsonb,
	error       text,
	primary key (repo_id, scan_id)
) with (fillfactor = 70); -- heartbeats are HOT updates
create unique index scan_held on scan (repo_id) where held;
comment on table scan is 'One run over one repository. The row with held is the lease: one scan at a time.';
comment on column scan.space is 'Boot and process namespace in which pid means something.';
comment on column scan.pid_start is 'When the process began, so that a pid that is used again is not mistaken for it.';
comment on column scan.heartbeat is 'The last sign of life of a scan that is held.';
comment on column scan.snapshot_id is 'What it published, or found unchanged.';

grant select, insert, update, delete on snapshot, ref, scan to {{app}};

-- +goose Down
drop table scan;
drop table ref;
drop table snapshot;
