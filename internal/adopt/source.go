package adopt

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"manito/internal/problem"
)

// core are the tables without which a schema is not the predecessor's, with the columns
// by which they are recognised. The rest may be missing: some installations never ran
// every migration.
var core = []struct {
	table   string
	columns []string
}{
	{"projects", []string{"id", "name", "path"}},
	{"scans", []string{"id", "project_id", "status"}},
	{"files", []string{"id", "project_id", "file_path"}},
	{"dependencies", []string{"id", "project_id", "name"}},
	{"conflicts", []string{"id", "project_id", "type"}},
}

// archived are the tables that Drop moves into ArchiveSchema: what they hold was made
// to be thrown away, or is made better elsewhere.
var archived = []string{"cache", "embeddings", "migrations", "websocket_connections"}

// ArchiveSchema is where Drop puts what it does not delete.
const ArchiveSchema = "manito_archive"

// Source is the old schema in one snapshot: whatever is written to it meanwhile is not seen.
type Source struct {
	Where
	tables []table
	conn   *pgx.Conn
	tx     pgx.Tx
}

// Where says which schema of which database it is.
type Where struct {
	Server   string `json:"server"` // host:port, or the path of a socket
	Cluster  string `json:"cluster"`
	Database string `json:"database"`
	Schema   string `json:"schema"`
	Version  string `json:"version"`
}

// String names it for people.
func (w Where) String() string {
	return fmt.Sprintf("schema %q of database %q at %s", w.Schema, w.Database, w.Server)
}

// table is a table of the old schema.
type table struct {
	name    string
	only    bool     // its rows are its own: those of tables that inherit from it are theirs
	id      string   // its key, when that is one column; else ""
	columns []column // those that hold data: computed ones follow from the others
}

// column is a column, with the SQL that makes it JSON without loss.
type column struct {
	name string
	text bool // its type has no lossless form in jsonb, so that its text is kept
}

func (t *table) columnNames() []string {
	out := make([]string, len(t.columns))
	for i, c := range t.columns {
		out[i] = c.name
	}
	return out
}

// OpenSource connects to the old database and begins the snapshot. An empty schema
// means the one that has the predecessor's tables. It fails with problem.Unavailable,
// problem.Denied (login, or tables that may not be read), problem.NotFound (no such
// database, no such schema), problem.Invalid (a schema of another program) or
// problem.Ambiguous.
func OpenSource(ctx context.Context, dsn, schema string) (s *Source, err error) {
	defer problem.Call(&err, "adopt: old database")
	conn, err := connect(ctx, dsn, "--dsn")
	if err != nil {
		return nil, err
	}
	s = &Source{conn: conn}
	defer func(opened *Source) {
		if err != nil {
			opened.Close(ctx)
		}
	}(s)
	if err = s.begin(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}); err != nil {
		return nil, err
	}
	if err = s.identify(ctx); err != nil {
		return nil, err
	}
	if s.Schema, err = s.find(ctx, schema); err != nil {
		return nil, err
	}
	if s.tables, err = s.look(ctx); err != nil {
		return nil, err
	}
	return s, s.readable(ctx)
}

// begin begins the transaction in which everything is done. What row security would hide
// must be an error, not a row less; the other settings decide how values become text.
func (s *Source) begin(ctx context.Context, how pgx.TxOptions) (err error) {
	if s.tx, err = s.conn.BeginTx(ctx, how); err != nil {
		return explain(ctx, err, "beginning a transaction")
	}
	_, err = s.tx.Exec(ctx, `
		set local statement_timeout = 0; set local idle_in_transaction_session_timeout = 0; set local lock_timeout = '30s';
		set local row_security = off; set local search_path = pg_catalog; set local timezone = 'UTC'; set local extra_float_digits = 3;
		set local datestyle = 'ISO'; set local intervalstyle = 'iso_8601'; set local bytea_output = 'hex'`, pgx.QueryExecModeSimpleProtocol)
	return explain(ctx, err, "beginning a transaction")
}

// Close ends the snapshot, also when ctx has ended.
func (s *Source) Close(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	// Nothing was written: a failure to say goodbye loses nothing.
	_ = s.conn.Close(ctx)
}

func (s *Source) identify(ctx context.Context) error {
	cfg := s.conn.Config()
	s.Server = address(cfg)
	err := s.tx.QueryRow(ctx, `select current_database(), current_setting('server_version')`).Scan(&s.Database, &s.Version)
	if err != nil {
		return explain(ctx, err, "asking the server what it is")
	}
	var number int
	var encoding string
	if err := s.tx.QueryRow(ctx, `select current_setting('server_version_num')::int, current_setting('server_encoding')`).Scan(&number, &encoding); err != nil {
		return explain(ctx, err, "asking the server what it is")
	}
	switch {
	case number < 120000:
		return problem.New(problem.Unsupported, "the old server is PostgreSQL %s; 12 or newer can be read", s.Version).
			Fix("upgrade it with pg_upgrade, or restore a dump of it on a newer server")
	case encoding == "SQL_ASCII":
		return problem.New(problem.Unsupported, "the old database has no encoding (SQL_ASCII), so that its bytes mean nothing certain").
			Fix("dump it, and restore it into a database with ENCODING 'UTF8'")
	}
	s.Cluster, err = s.cluster(ctx)
	return err
}

// cluster is the system identifier; where it may not be asked for, what leads to the server.
func (s *Source) cluster(ctx context.Context) (id string, err error) {
	nested, err := s.tx.Begin(ctx)
	if err != nil {
		return "", explain(ctx, err, "asking the server what it is")
	}
	err = nested.QueryRow(ctx, `select system_identifier::text from pg_control_system()`).Scan(&id)
	if end := nested.Rollback(ctx); end != nil {
		return "", explain(ctx, end, "asking the server what it is")
	}
	switch {
	case err == nil:
		return id, nil
	case sqlstate(err) == "42501":
		return "at " + s.Server, nil
	}
	return "", explain(ctx, err, "asking the server what it is")
}

// find is the schema to read.
func (s *Source) find(ctx context.Context, wanted string) (string, error) {
	var names []string
	for _, c := range core {
		names = append(names, c.table)
	}
	if wanted != "" {
		var there bool
		if err := s.tx.QueryRow(ctx, `select exists (select from pg_namespace where nspname = $1)`, wanted).Scan(&there); err != nil {
			return "", explain(ctx, err, "looking for the schema")
		}
		if !there {
			return "", s.gone(ctx, problem.New(problem.NotFound, "database %q at %s has no schema %q", s.Database, s.Server, wanted).
				Fix("leave --schema out to let it be found"))
		}
		return wanted, nil
	}
	rows, err := s.tx.Query(ctx, `
		select n.nspname from pg_namespace n join pg_class c on c.relnamespace = n.oid
		where c.relkind in ('r', 'p') and c.relname = any ($1) and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', $2)
		group by 1 having count(*) = $3 order by 1`, names, ArchiveSchema, len(names))
	if err != nil {
		return "", explain(ctx, err, "looking for the schema")
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	switch {
	case err != nil:
		return "", explain(ctx, err, "looking for the schema")
	case len(found) == 0:
		return "", s.gone(ctx, problem.New(problem.NotFound, "no schema of database %q at %s has the tables of the predecessor (%s)", s.Database, s.Server, strings.Join(names, ", ")).
			Fix("correct the database in --dsn").Fix("or name the schema with --schema, to see what it lacks"))
	case len(found) > 1:
		e := problem.New(problem.Ambiguous, "%d schemas of database %q have the tables of the predecessor", len(found), s.Database)
		for _, f := range found {
			e = e.Fix("--schema %s", f)
		}
		return "", e
	}
	return found[0], nil
}

// gone adds to an error what the archive says of an adoption that ended.
func (s *Source) gone(ctx context.Context, e *problem.Error) error {
	var note *string
	err := s.tx.QueryRow(ctx, `select obj_description(oid, 'pg_namespace') from pg_namespace where nspname = $1`, ArchiveSchema).Scan(&note)
	switch {
	case errors.Is(err, pgx.ErrNoRows) || err == nil && note == nil:
		return e
	case err != nil:
		return explain(ctx, err, "looking for the archive")
	}
	return e.Fix("it may be gone already; the archive %s says: %s", ArchiveSchema, *note)
}

// look reads which tables and columns there are.
func (s *Source) look(ctx context.Context) ([]table, error) {
	rows, err := s.tx.Query(ctx, `
		select c.relname, c.relkind = 'r', a.attname, a.attgenerated <> '',
			t.oid = any ('{bool,int2,int4,int8,float4,float8,numeric,text,varchar,bpchar,name,uuid,jsonb,date,timestamp,timestamptz,inet,cidr}'::regtype[]) as plain,
			coalesce((select array_length(i.indkey::int2[], 1) = 1 and i.indkey[0] = a.attnum from pg_index i where i.indrelid = c.oid and i.indisprimary), false)
		from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid join pg_type t on t.oid = a.atttypid
		where n.nspname = $1 and c.relkind in ('r', 'p') and not c.relispartition and a.attnum > 0 and not a.attisdropped
		order by c.relname, a.attnum`, s.Schema)
	if err != nil {
		return nil, explain(ctx, err, "looking at the tables")
	}
	defer rows.Close()
	var tables []table
	for rows.Next() {
		var name, attribute string
		var only, generated, plain, key bool
		if err := rows.Scan(&name, &only, &attribute, &generated, &plain, &key); err != nil {
			return nil, explain(ctx, err, "looking at the tables")
		}
		if len(tables) == 0 || tables[len(tables)-1].name != name {
			tables = append(tables, table{name: name, only: only})
		}
		t := &tables[len(tables)-1]
		if generated {
			continue
		}
		t.columns = append(t.columns, column{attribute, !plain})
		if key || t.id == "" && attribute == "id" {
			t.id = attribute
		}
	}
	if err := rows.Err(); err != nil {
		return nil, explain(ctx, err, "looking at the tables")
	}
	return tables, s.recognise(tables)
}

// recognise refuses a schema that is not the predecessor's.
func (s *Source) recognise(tables []table) error {
	var lacks []string
	for _, c := range core {
		at := slices.IndexFunc(tables, func(t table) bool { return t.name == c.table })
		if at < 0 {
			lacks = append(lacks, "table "+c.table)
			continue
		}
		have := tables[at].columnNames()
		for _, name := range c.columns {
			if !slices.Contains(have, name) {
				lacks = append(lacks, "column "+c.table+"."+name)
			}
		}
	}
	if len(lacks) == 0 {
		return nil
	}
	return problem.New(problem.Invalid, "the %s is not the predecessor's: it lacks %s", s.Where, strings.Join(lacks, ", ")).
		Fix("name the schema of the old program with --schema").
		Fix("a schema of another program cannot be adopted; manito db doctor --dsn examines it")
}

// readable refuses tables that the session's user may not read, all at once.
func (s *Source) readable(ctx context.Context) error {
	rows, err := s.tx.Query(ctx, `
		select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
		where n.nspname = $1 and c.relkind in ('r', 'p') and not c.relispartition
			and not coalesce(has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select'), false)
		order by 1`, s.Schema)
	if err != nil {
		return explain(ctx, err, "looking at the rights")
	}
	denied, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return explain(ctx, err, "looking at the rights")
	}
	user := quote(s.conn.Config().User)
	if len(denied) == 0 {
		return s.whole(ctx, user)
	}
	var quoted []string
	for _, d := range denied {
		quoted = append(quoted, quote(s.Schema, d))
	}
	return problem.New(problem.Denied, "%s may not read %s", user, strings.Join(quoted, ", ")).
		Fix("GRANT USAGE ON SCHEMA %s TO %s;", quote(s.Schema), user).
		Fix("GRANT SELECT ON %s TO %s;", strings.Join(quoted, ", "), user).
		Fix("or give --dsn the role that owns them")
}

// whole refuses tables of which row security would hide rows.
func (s *Source) whole(ctx context.Context, user string) error {
	rows, err := s.tx.Query(ctx, `
		select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
		where n.nspname = $1 and c.relkind in ('r', 'p') and c.relrowsecurity and row_security_active(c.oid) order by 1`, s.Schema)
	if err != nil {
		return explain(ctx, err, "looking at the rights")
	}
	hidden, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(hidden) == 0 {
		return explain(ctx, err, "looking at the rights")
	}
	return problem.New(problem.Denied, "row security hides rows of %s from %s", strings.Join(hidden, ", "), user).
		Fix("give --dsn the owner of the tables, or a role with BYPASSRLS")
}

// lookup finds a table by name.
func (s *Source) lookup(name string) (*table, bool) {
	for i := range s.tables {
		if s.tables[i].name == name {
			return &s.tables[i], true
		}
	}
	return nil, false
}

// rowsSQL selects every row of a table as (ord, id, d): its number, its key as text and
// its columns as jsonb.
func (s *Source) rowsSQL(t *table) string {
	var list []string
	for _, c := range t.columns {
		if c.text {
			list = append(list, quote(c.name)+"::text as "+quote(c.name))
		} else {
			list = append(list, quote(c.name))
		}
	}
	id, order := "null::text", ""
	if t.id != "" {
		id, order = "t."+quote(t.id)+"::text", "order by t."+quote(t.id)
	}
	from := quote(s.Schema, t.name)
	if t.only {
		from = "only " + from
	}
	return fmt.Sprintf(`select row_number() over (%s) as ord, %s as id, (select to_jsonb(r) from (select %s) r) as d from %s t`,
		order, id, strings.Join(prefixed(list), ", "), from)
}

// prefixed makes the columns of a list those of the row t.
func prefixed(list []string) []string {
	out := make([]string, len(list))
	for i, c := range list {
		out[i] = "t." + c
	}
	return out
}
