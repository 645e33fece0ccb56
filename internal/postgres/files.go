package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"manito/internal/code"
	"manito/internal/problem"
)

// ProjectedFile is a file as the views show it.
type ProjectedFile struct {
	Entry
	Hash     [32]byte // zero when the content is not stored
	Lines    int32
	Language string
	Encoding string
	Size     int64
	Flags    FileFlags
}

// Files lists the files that the views show of a ref, by path. A ref whose
// projection is pending shows an older snapshot, see Ref.Pending.
func (db *DB) Files(ctx context.Context, repo, ref int32) (files []ProjectedFile, err error) {
	defer problem.Call(&err, "Files(%d, %d)", repo, ref)
	files, err = query(ctx, db, func(row pgx.CollectableRow) (f ProjectedFile, err error) {
		var hash []byte
		var flags int32
		err = row.Scan(&f.Path, &f.PathID, &f.BlobID, &f.FactID, &f.BlockID, &f.ScopeID, &f.Scope, &hash, &f.Lines, &f.Language, &f.Encoding, &f.Size, &flags)
		f.Flags = FileFlags(flags)
		copy(f.Hash[:], hash)
		return f, err
	}, `
		select p.path, f.path_id, f.blob_id, f.fact_id, f.block_id, f.scope_id, coalesce(s.scope, ''), b.hash, coalesce(b.lines, 0), f.language, f.encoding, f.size, f.flags
		from file f join path p using (repo_id, path_id)
		left join blob b on b.repo_id = f.repo_id and b.blob_id = f.blob_id
		left join scope s on s.repo_id = f.repo_id and s.scope_id = f.scope_id
		where f.repo_id = $1 and f.ref_id = $2 order by p.path`, repo, ref)
	return files, explain(ctx, err, "listing files")
}

// Externals lists the external packages of a ref by symbol.
func (db *DB) Externals(ctx context.Context, repo, ref int32) (list []External, err error) {
	defer problem.Call(&err, "Externals(%d, %d)", repo, ref)
	list, err = query(ctx, db, func(row pgx.CollectableRow) (x External, err error) {
		var key int64
		err = row.Scan(&key, &x.Symbol, &x.Manager, &x.Name, &x.Version, &x.Standard)
		x.Key = code.Key(key)
		return x, err
	}, `select key, symbol, manager, name, version, standard from external where repo_id = $1 and ref_id = $2 order by symbol collate "C"`, repo, ref)
	return list, explain(ctx, err, "listing external packages")
}

// Dependencies lists the imports of a file in the order in which they were given.
func (db *DB) Dependencies(ctx context.Context, repo, ref, path int32) (list []Dependency, err error) {
	defer problem.Call(&err, "Dependencies(%d, %d, %d)", repo, ref, path)
	err = db.eachRaw(ctx, func(v [][]byte) error {
		places, err := rawInt8s[int64](v[0], nil)
		if err != nil {
			return err
		}
		metas, err := rawInt4s(v[1], nil)
		if err != nil {
			return err
		}
		targets, err := rawInt4s(v[2], nil)
		if err != nil {
			return err
		}
		externals, err := rawInt8s[code.Key](v[3], nil)
		if err != nil {
			return err
		}
		n := len(places)
		specifiers, scopes, reasons := split(string(v[4]), n), split(string(v[5]), n), split(string(v[6]), n)
		if len(metas) != n || len(targets) != n || len(externals) != n || specifiers == nil || scopes == nil || reasons == nil {
			return errForm
		}
		for i := range places {
			m := metas[i]
			list = append(list, Dependency{Line: int32(places[i] >> 32), Column: int32(places[i]), Specifier: specifiers[i], Kind: code.ImportKind(m), TypeOnly: m&(1<<16) != 0,
				Optional: m&(1<<17) != 0, State: DependencyState(m >> 8 & 255), Target: targets[i], Scope: scopes[i], External: externals[i], Reason: reasons[i]})
		}
		return nil
	}, `select places, metas, targets, externals, specifiers, scopes, reasons from dependency where repo_id = $1 and ref_id = $2 and path_id = $3`, repo, ref, path)
	return list, explain(ctx, err, "listing imports")
}

// Diagnostics lists what readers of a file should know (path 0: of every file of the ref, by path id).
func (db *DB) Diagnostics(ctx context.Context, repo, ref, path int32) (list []FileDiagnostic, err error) {
	defer problem.Call(&err, "Diagnostics(%d, %d, %d)", repo, ref, path)
	list, err = query(ctx, db, func(row pgx.CollectableRow) (d FileDiagnostic, err error) {
		var severity int16
		err = row.Scan(&d.PathID, &severity, &d.Code, &d.Message, &d.Line, &d.Column)
		d.Severity = code.Severity(severity)
		return d, err
	}, `select path_id, severity, code, message, line, col from diagnostic where repo_id = $1 and ref_id = $2 and $3 in (0, path_id) order by path_id, ord`, repo, ref, path)
	return list, explain(ctx, err, "listing diagnostics")
}

// FileDiagnostic is a diagnostic with its file.
type FileDiagnostic struct {
	PathID int32
	Diagnostic
}
