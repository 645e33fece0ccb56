package migrate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"manito/internal/problem"
)

// DriftOptions say what the database is compared with.
type DriftOptions struct {
	// Snapshot compares with the snapshot that is built into the program. Without it the
	// applied files are run in a scratch schema, which is rolled back; the snapshot then
	// serves only where no scratch schema may be made.
	Snapshot bool
}

// DriftReport says how a database differs from what its migrations made. Its JSON has
// "schema": "manito/db-drift/v1".
type DriftReport struct {
	Schema string `json:"schema"`
	Where
	Version  int64    `json:"version"`  // of the ledger
	Against  string   `json:"against"`  // scratch or snapshot
	Expected string   `json:"expected"` // hash of the catalogue as it should be
	Found    string   `json:"found"`    // hash of the catalogue as it is
	Before   []string `json:"before"`   // what to run before any of the statements
	Changes  []Change `json:"changes"`  // in the order in which they can be run; empty: no drift
}

// Change is one difference, and the statement that removes it.
type Change struct {
	Op       string `json:"op"` // ADD, CHANGE or DROP
	Kind     string `json:"kind"`
	Name     string `json:"name"`
	Expected string `json:"expected,omitempty"` // definition; of functions a hash
	Found    string `json:"found,omitempty"`
	SQL      string `json:"sql"`
	Safe     bool   `json:"safe"` // it only adds; nothing that is there is changed or lost
}

// Drift compares the live catalogue with the one that the applied migrations make:
// tables, columns, types, defaults, constraints, indexes, functions, triggers, views,
// sequences, grants and owners. It changes nothing and runs no statement of its report.
func (m *Migrator) Drift(ctx context.Context, o DriftOptions) (rep *DriftReport, err error) {
	defer problem.Call(&err, "migrate drift")
	rep = &DriftReport{Schema: "manito/db-drift/v1", Changes: []Change{}}
	if err := m.runnable(); err != nil {
		return rep, err
	}
	err = m.visit(ctx, func(s site, conn *pgx.Conn, _ *pgx.ConnConfig) error {
		rep.Where = s.where()
		applied, err := s.readLedger(ctx, conn)
		if err != nil {
			return err
		}
		if err := invalid(compare(m.files, applied)); err != nil {
			return err
		}
		rep.Version = newest(applied)
		live, err := s.liveCatalog(ctx, conn)
		if err != nil {
			return err
		}
		want, err := m.expected(ctx, conn, s, rep, o)
		if err != nil {
			return err
		}
		rep.Expected, rep.Found = want.Hash(), live.Hash()
		rep.Before = []string{fmt.Sprintf("SET ROLE %s;", quote(s.roles.Owner)), fmt.Sprintf("SET search_path TO %s;", s.searchPath())}
		rep.Changes = append(rep.Changes, s.changes(want, live)...)
		return nil
	})
	return rep, err
}

// liveCatalog reads the schema as it is, at one moment.
func (s *site) liveCatalog(ctx context.Context, conn *pgx.Conn) (Catalog, error) {
	var c Catalog
	err := pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) (err error) {
		c, err = s.readCatalog(ctx, tx)
		return err
	})
	return c, explain(ctx, err, "reading the catalogue")
}

// expected is the catalogue that the applied migrations make.
func (m *Migrator) expected(ctx context.Context, conn *pgx.Conn, s site, rep *DriftReport, o DriftOptions) (Catalog, error) {
	if !o.Snapshot {
		c, err := m.scratchCatalog(ctx, conn, s, rep.Version)
		if err == nil || problem.KindOf(err) != problem.Denied {
			rep.Against = "scratch"
			return c, err
		}
		c, second := m.snapshotCatalog(&s, rep.Version)
		rep.Against = "snapshot"
		return c, errors.Join(second, onlyIf(second != nil, err))
	}
	rep.Against = "snapshot"
	return m.snapshotCatalog(&s, rep.Version)
}

func onlyIf(condition bool, err error) error {
	if condition {
		return err
	}
	return nil
}

// scratchCatalog runs the files up to a version in a scratch schema and reads it.
func (m *Migrator) scratchCatalog(ctx context.Context, conn *pgx.Conn, live site, version int64) (c Catalog, err error) {
	err = m.scratch(ctx, conn, live, func(s site, tx pgx.Tx) error {
		for _, f := range m.files {
			if f.Version <= version {
				if err := s.replay(ctx, tx, f, "up"); err != nil {
					return err
				}
			}
		}
		c, err = s.readCatalog(ctx, tx)
		return err
	})
	return c, err
}

// SnapshotName is the file beside the migrations that holds the catalogue which they make.
const SnapshotName = "catalog.json"

// Snapshot is a catalogue kept in a file. Its JSON has "schema": "manito/catalog/v1".
type Snapshot struct {
	Schema  string           `json:"schema"`
	Version int64            `json:"version"` // of the newest migration in it
	Servers []int            `json:"servers"` // the major versions of PostgreSQL that it was taken on
	Objects []SnapshotObject `json:"objects"`
}

// SnapshotObject is an object as some of the servers describe it.
type SnapshotObject struct {
	Object
	Servers []int `json:"servers,omitempty"` // all of the snapshot's when empty
}

// merge makes one snapshot of the catalogues of several servers.
func merge(version int64, catalogs map[int]Catalog) Snapshot {
	snap := Snapshot{Schema: "manito/catalog/v1", Version: version, Servers: slices.Sorted(maps.Keys(catalogs))}
	at := map[Object]int{}
	for _, major := range snap.Servers {
		for _, o := range catalogs[major] {
			i, ok := at[o]
			if !ok {
				i = len(snap.Objects)
				at[o] = i
				snap.Objects = append(snap.Objects, SnapshotObject{Object: o})
			}
			snap.Objects[i].Servers = append(snap.Objects[i].Servers, major)
		}
	}
	for i := range snap.Objects {
		if len(snap.Objects[i].Servers) == len(snap.Servers) {
			snap.Objects[i].Servers = nil
		}
	}
	slices.SortStableFunc(snap.Objects, func(a, b SnapshotObject) int { return order(a.Object, b.Object) })
	return snap
}

// on is the catalogue for one major version; false when the snapshot has none.
func (snap *Snapshot) on(major int) (Catalog, bool) {
	if !slices.Contains(snap.Servers, major) {
		return nil, false
	}
	var c Catalog
	for _, o := range snap.Objects {
		if len(o.Servers) == 0 || slices.Contains(o.Servers, major) {
			c = append(c, o.Object)
		}
	}
	return c, true
}

// snapshotCatalog reads the snapshot for the server's major version.
func (m *Migrator) snapshotCatalog(s *site, version int64) (Catalog, error) {
	grant := fmt.Sprintf("let the owner make a scratch schema: GRANT CREATE ON DATABASE %s TO %s;", quote(s.Database), quote(s.roles.Owner))
	text, err := fs.ReadFile(m.cfg.Files, SnapshotName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, problem.New(problem.Unsupported, "there is no catalogue snapshot beside the migrations").Fix("%s", grant)
	}
	if err != nil {
		return nil, problem.Wrap(err, problem.Internal, "reading %s", SnapshotName)
	}
	var snap Snapshot
	if err := json.Unmarshal(text, &snap); err != nil {
		return nil, problem.New(problem.Invalid, "%s cannot be read", SnapshotName).Because(err).
			Fix("write it anew: go test ./internal/migrate -run Snapshot -update")
	}
	c, ok := snap.on(s.number / 10000)
	switch {
	case !ok:
		return nil, problem.New(problem.Unsupported, "the catalogue snapshot was not taken on PostgreSQL %d", s.number/10000).Fix("%s", grant)
	case snap.Version != version:
		return nil, problem.New(problem.Conflict, "the catalogue snapshot is of version %d, the database is at %d", snap.Version, version).
			Fix("apply the pending migrations first: manito db up").Fix("%s", grant)
	}
	return c, nil
}

// changes lists what makes live equal to want: removals last first, then the rest in
// the order of creation. A thing that comes or goes with its parent is not listed.
func (s *site) changes(want, live Catalog) []Change {
	have := index(live)
	expected := index(want)
	var drops, rest []Change
	for i := len(live) - 1; i >= 0; i-- {
		o := live[i]
		if _, ok := expected[o.key()]; ok || gone(have, expected, o) {
			continue
		}
		drops = append(drops, s.change("DROP", o, "", o.Definition, o.Drop))
	}
	for _, o := range want {
		l, ok := have[o.key()]
		switch {
		case !ok && o.Included && missing(have, o.Parent):
		case !ok:
			c := s.change("ADD", o, o.Definition, "", o.Create)
			c.Safe = true
			rest = append(rest, c)
		case l.Definition != o.Definition:
			sql := l.Drop + "; " + o.Create
			if o.Replace {
				sql = o.Create
			} else if o.Alter != "" {
				sql = o.Alter
			}
			rest = append(rest, s.change("CHANGE", o, o.Definition, l.Definition, sql))
		}
	}
	return append(drops, rest...)
}

func (s *site) change(op string, o Object, expected, found, sql string) Change {
	return Change{Op: op, Kind: o.Kind, Name: s.expand(o.Name), Expected: s.expand(expected), Found: s.expand(found), SQL: s.expand(sql) + ";"}
}

func index(c Catalog) map[string]Object {
	out := make(map[string]Object, len(c))
	for _, o := range c {
		out[o.key()] = o
	}
	return out
}

// gone says whether an object of have vanishes with a parent that is not expected.
func gone(have, expected map[string]Object, o Object) bool {
	for o.Parent != "" {
		if _, ok := expected[o.Parent]; !ok {
			if _, there := have[o.Parent]; there {
				return true
			}
			return false
		}
		o = expected[o.Parent]
	}
	return false
}

// missing says whether a parent is not there, and so will be created with its parts.
func missing(have map[string]Object, parent string) bool {
	_, ok := have[parent]
	return !ok
}
