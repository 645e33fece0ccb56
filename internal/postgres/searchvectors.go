package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"manito/internal/problem"
)

// Model is what turned chunks of a repository into vectors.
type Model struct {
	ID        int32
	Name      string
	Version   string
	Dimension int
	Digest    [32]byte // of what it was trained on; zero for a model that somebody else serves
	Vectors   int64    // stored; filled by readers
	CreatedAt time.Time
}

// EnsureModel records a model, with its bytes when it is kept here (nil for none),
// and returns it as it is stored. A model that is known is left as it is.
func (db *DB) EnsureModel(ctx context.Context, repo int32, m Model, bytes []byte) (stored Model, err error) {
	defer problem.Call(&err, "EnsureModel(%d, %q)", repo, m.Name)
	if err := checkText("name of the model", m.Name); err != nil {
		return stored, err
	}
	if err := checkText("version of the model", m.Version); err != nil {
		return stored, err
	}
	err = db.transact(ctx, db.pool, "recording the model", func(tx pgx.Tx) error {
		// The repository's row puts those in order who number models.
		if _, err := tx.Exec(ctx, `select from repo where repo_id = $1 for update`, repo); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `
			insert into embedding_model (repo_id, model_id, name, version, dimension, digest, bytes)
			select $1, coalesce((select max(model_id) from embedding_model where repo_id = $1), 0) + 1, $2, $3, $4, $5, $6
			on conflict on constraint embedding_model_identity do nothing`, repo, m.Name, m.Version, m.Dimension, m.Digest[:], bytes)
		return err
	})
	if err != nil {
		return stored, err
	}
	models, err := db.Models(ctx, repo)
	if err != nil {
		return stored, err
	}
	for _, s := range models {
		if s.Name == m.Name && s.Version == m.Version && s.Dimension == m.Dimension && s.Digest == m.Digest {
			return s, nil
		}
	}
	return stored, problem.New(problem.Conflict, "the model %s %s was deleted while it was being recorded", m.Name, m.Version).Fix("run it again")
}

// Models lists the models of a repository, the latest first.
func (db *DB) Models(ctx context.Context, repo int32) (models []Model, err error) {
	defer problem.Call(&err, "Models(%d)", repo)
	models, err = query(ctx, db, func(row pgx.CollectableRow) (m Model, err error) {
		var digest []byte
		if err = row.Scan(&m.ID, &m.Name, &m.Version, &m.Dimension, &digest, &m.CreatedAt, &m.Vectors); err == nil {
			m.Digest = [32]byte(digest)
		}
		return m, err
	}, `
		select m.model_id, m.name, m.version, m.dimension, m.digest, m.created_at,
			coalesce((select sum(length(b.hashes) / 32) from embedding_block b where b.repo_id = m.repo_id and b.model_id = m.model_id), 0)
		from embedding_model m where m.repo_id = $1 order by m.model_id desc`, repo)
	return models, explain(ctx, err, "listing models")
}

// ModelBytes reads a model that is kept; nil when it is not.
func (db *DB) ModelBytes(ctx context.Context, repo, model int32) (bytes []byte, err error) {
	defer problem.Call(&err, "ModelBytes(%d, %d)", repo, model)
	found, err := query(ctx, db, pgx.RowTo[[]byte], `select bytes from embedding_model where repo_id = $1 and model_id = $2`, repo, model)
	switch {
	case err != nil:
		return nil, explain(ctx, err, "reading the model")
	case len(found) == 0:
		return nil, problem.New(problem.NotFound, "the model %d is not stored (any more)", model)
	}
	return found[0], nil
}

// vectorBlock is how many vectors a row holds.
const vectorBlock = 512

// PutVectors stores vectors under a model: those of hashes one after the other, in
// signed bytes. It is one durable transaction; a vector of another length than the
// model's is refused.
func (db *DB) PutVectors(ctx context.Context, repo int32, m Model, hashes [][32]byte, vectors []int8) (err error) {
	defer problem.Call(&err, "PutVectors(%d, %d, %d vectors)", repo, m.ID, len(hashes))
	if len(vectors) != len(hashes)*m.Dimension {
		return problem.New(problem.Invalid, "%d vectors of the model %s take %d numbers, not %d: its dimension is %d", len(hashes), m.Name, len(hashes)*m.Dimension, len(vectors), m.Dimension)
	}
	if len(hashes) == 0 {
		return nil
	}
	return db.transact(ctx, db.ingest, "storing vectors", func(tx pgx.Tx) error {
		var dimension int
		err := tx.QueryRow(ctx, `select dimension from embedding_model where repo_id = $1 and model_id = $2 for update`, repo, m.ID).Scan(&dimension)
		if err != nil {
			return notFound(err, "the model %s is not stored (any more)", m.Name)
		}
		var next int32
		if err := tx.QueryRow(ctx, `select coalesce(max(block_id), 0) + 1 from embedding_block where repo_id = $1 and model_id = $2`, repo, m.ID).Scan(&next); err != nil {
			return err
		}
		var r rows
		hashes, vectors := hashes, vectors
		for len(hashes) > 0 {
			n := min(len(hashes), vectorBlock)
			keys, bytes := make([]byte, 0, 32*n), make([]byte, n*m.Dimension)
			for _, h := range hashes[:n] {
				keys = append(keys, h[:]...)
			}
			for i, x := range vectors[:n*m.Dimension] {
				bytes[i] = byte(x)
			}
			r.row(6)
			r.int4(repo)
			r.int4(m.ID)
			r.int4(next)
			r.int4(int32(m.Dimension))
			r.bytes(keys)
			r.bytes(bytes)
			next++
			hashes, vectors = hashes[n:], vectors[n*m.Dimension:]
		}
		return r.copyTo(ctx, tx.Conn(), `copy embedding_block (repo_id, model_id, block_id, dimension, hashes, vectors) from stdin (format binary)`)
	})
}

// Vectors hands over the stored vectors of a model in the order in which they were
// stored: the hash of the chunk and as many signed bytes as the model has
// dimensions, valid during the call only.
func (db *DB) Vectors(ctx context.Context, repo, model int32, yield func(hash [32]byte, vector []int8) error) (err error) {
	defer problem.Call(&err, "Vectors(%d, %d)", repo, model)
	var vector []int8
	err = db.eachRaw(ctx, func(v [][]byte) error {
		dimension := int(rawInt4(v[0]))
		hashes, bytes := v[1], v[2]
		if dimension == 0 || len(bytes) != len(hashes)/32*dimension {
			return errForm
		}
		for len(hashes) > 0 {
			vector = vector[:0]
			for _, b := range bytes[:dimension] {
				vector = append(vector, int8(b))
			}
			if err := yield([32]byte(hashes), vector); err != nil {
				return err
			}
			hashes, bytes = hashes[32:], bytes[dimension:]
		}
		return nil
	}, `select dimension, hashes, vectors from embedding_block where repo_id = $1 and model_id = $2 order by block_id`, repo, model)
	return explain(ctx, err, "reading vectors")
}

// Embedded tells which chunks have a vector of a model, by their hashes.
func (db *DB) Embedded(ctx context.Context, repo, model int32) (hashes map[[32]byte]bool, err error) {
	defer problem.Call(&err, "Embedded(%d, %d)", repo, model)
	hashes = map[[32]byte]bool{}
	err = db.eachRaw(ctx, func(v [][]byte) error {
		for list := v[0]; len(list) > 0; list = list[32:] {
			if len(list) < 32 {
				return errForm
			}
			hashes[[32]byte(list)] = true
		}
		return nil
	}, `select hashes from embedding_block where repo_id = $1 and model_id = $2`, repo, model)
	return hashes, explain(ctx, err, "looking for vectors")
}

// DeleteModel deletes a model with its vectors.
func (db *DB) DeleteModel(ctx context.Context, repo, model int32) (err error) {
	defer problem.Call(&err, "DeleteModel(%d, %d)", repo, model)
	return db.transact(ctx, db.pool, "deleting the model", func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `delete from embedding_model where repo_id = $1 and model_id = $2`, repo, model)
		return err
	})
}
