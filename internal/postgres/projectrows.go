package postgres

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/zeebo/xxh3"

	"manito/internal/code"
)

// digestRows is over all that dependency and diagnostic say of a file; 0 when it has no rows there.
func digestRows(f *File) int64 {
	if len(f.Dependencies) == 0 && len(f.Diagnostics) == 0 {
		return 0
	}
	var b []byte
	text := func(s string) { b = append(binary.AppendUvarint(b, uint64(len(s))), s...) }
	for _, d := range f.Dependencies {
		for _, v := range []int32{d.Line, d.Column, int32(d.Kind), flag(d.TypeOnly), flag(d.Optional), int32(d.State), d.Target} {
			b = binary.AppendVarint(b, int64(v))
		}
		b = binary.LittleEndian.AppendUint64(b, uint64(d.External))
		text(d.Specifier)
		text(d.Scope)
		text(d.Reason)
	}
	b = append(b, 0xff)
	for _, d := range f.Diagnostics {
		for _, v := range []int32{int32(d.Severity), d.Line, d.Column} {
			b = binary.AppendVarint(b, int64(v))
		}
		text(d.Code)
		text(d.Message)
	}
	return int64(xxh3.Hash(b))
}

func flag(v bool) int32 {
	if v {
		return 1
	}
	return 0
}

// encodeRows appends a file's rows of dependency and diagnostic.
func (j *projector) encodeRows(f *File) {
	if n := len(f.Dependencies); n > 0 {
		places, externals := make([]int64, n), make([]code.Key, n)
		metas, targets := make([]int32, n), make([]int32, n)
		specifiers, scopes, reasons := make([]string, n), make([]string, n), make([]string, n)
		for i, d := range f.Dependencies {
			places[i] = int64(uint32(d.Column)) | int64(d.Line)<<32
			metas[i] = int32(d.Kind) | int32(d.State)<<8 | flag(d.TypeOnly)<<16 | flag(d.Optional)<<17
			targets[i], externals[i] = d.Target, d.External
			specifiers[i], scopes[i], reasons[i] = cleanPart(d.Specifier), cleanPart(d.Scope), cleanPart(d.Reason)
		}
		r := &j.dependencies
		r.row(10)
		r.int4(j.l.repo)
		r.int4(j.l.ref)
		r.int4(f.PathID)
		int8s(r, places)
		r.int4s(metas)
		r.int4s(targets)
		int8s(r, externals)
		r.joined(specifiers)
		r.joined(scopes)
		r.joined(reasons)
	}
	for i, d := range f.Diagnostics {
		r := &j.diagnostics
		r.row(9)
		for _, v := range []int32{j.l.repo, j.l.ref, f.PathID, int32(i), d.Line, d.Column} {
			r.int4(v)
		}
		r.int2(int16(d.Severity))
		r.text(clean(d.Code))
		r.text(clean(d.Message))
	}
}

// applyFiles replaces the rows of files, imports and diagnostics that differ.
func (j *projector) applyFiles(ctx context.Context, tx pgx.Tx) error {
	l := j.l
	var r rows
	var replaced []int32
	for _, to := range j.pairs() {
		if to.path == 0 {
			continue
		}
		if _, ok := j.old[to.path]; ok {
			replaced = append(replaced, to.path)
		}
		r.row(13)
		for _, v := range []int32{l.repo, l.ref, to.path, to.blob, to.fact, to.block, to.scope, to.flags} {
			r.int4(v)
		}
		r.int8(to.size)
		r.int8(int64(to.local))
		r.int8(to.digest)
		r.text(clean(to.language))
		r.text(clean(to.encoding))
	}
	for _, step := range []struct {
		statement string
		paths     []int32
	}{
		{`delete from file where repo_id = $1 and ref_id = $2 and path_id = any ($3)`, slices.Concat(replaced, j.gone)},
		{`delete from dependency where repo_id = $1 and ref_id = $2 and path_id = any ($3)`, slices.Concat(j.redo, j.gone)},
		{`delete from diagnostic where repo_id = $1 and ref_id = $2 and path_id = any ($3)`, slices.Concat(j.redo, j.gone)},
	} {
		if len(step.paths) == 0 {
			continue
		}
		if _, err := tx.Exec(ctx, step.statement, l.repo, l.ref, step.paths); err != nil {
			return err
		}
	}
	return errors.Join(
		r.copyTo(ctx, tx.Conn(), `copy file (repo_id, ref_id, path_id, blob_id, fact_id, block_id, scope_id, flags, size, local_key, rows_digest, language, encoding) from stdin (format binary)`),
		j.dependencies.copyTo(ctx, tx.Conn(), `copy dependency (repo_id, ref_id, path_id, places, metas, targets, externals, specifiers, scopes, reasons) from stdin (format binary)`),
		j.diagnostics.copyTo(ctx, tx.Conn(), `copy diagnostic (repo_id, ref_id, path_id, ord, line, col, severity, code, message) from stdin (format binary)`),
	)
}

// applyExternals makes the ref's external packages those that were given.
func (j *projector) applyExternals(ctx context.Context, tx pgx.Tx) error {
	n := len(j.p.Externals)
	keys, standard := make([]int64, n), make([]bool, n)
	symbols, managers, names, versions := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	for i, x := range j.p.Externals {
		keys[i], standard[i] = int64(x.Key), x.Standard
		symbols[i], managers[i], names[i], versions[i] = clean(x.Symbol), clean(x.Manager), clean(x.Name), clean(x.Version)
	}
	_, err := tx.Exec(ctx, `delete from external where repo_id = $1 and ref_id = $2 and key <> all ($3::int8[])`, j.l.repo, j.l.ref, keys)
	if err != nil || n == 0 {
		return err
	}
	_, err = tx.Exec(ctx, `
		insert into external as x (repo_id, ref_id, key, symbol, manager, name, version, standard)
		select $1, $2, u.* from unnest($3::int8[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bool[]) u
		on conflict (repo_id, ref_id, key) do update set symbol = excluded.symbol, manager = excluded.manager, name = excluded.name, version = excluded.version, standard = excluded.standard
		where (x.symbol, x.manager, x.name, x.version, x.standard) is distinct from (excluded.symbol, excluded.manager, excluded.name, excluded.version, excluded.standard)`,
		j.l.repo, j.l.ref, keys, symbols, managers, names, versions, standard)
	return err
}
