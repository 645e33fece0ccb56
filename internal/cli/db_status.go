package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"manito/internal/config"
	"manito/internal/migrate"
	"manito/internal/pgembed"
	"manito/internal/postgres"
)

// databaseDocument is the JSON of db status. Each part was found out by asking: what could
// not be asked is left out and named in Problems.
type databaseDocument struct {
	Schema     string           `json:"schema"`
	Server     *serverStatus    `json:"server,omitempty"`
	Pool       *poolStatus      `json:"pool,omitempty"`
	Tables     *tablesStatus    `json:"tables,omitempty"`
	Functions  *functionsStatus `json:"functions,omitempty"`
	Indexes    *indexesStatus   `json:"indexes,omitempty"`
	Migrations *ledgerStatus    `json:"migrations,omitempty"`
	Cluster    *pgembed.Status  `json:"cluster,omitempty"` // of the embedded database
	Services   []serviceStatus  `json:"services"`
	Problems   []string         `json:"problems"`
}

type serverStatus struct {
	Version  string `json:"version"`
	Database string `json:"database"`
	User     string `json:"user"`
	Schema   string `json:"schema"`
	ReadOnly bool   `json:"read_only"`

	Pooler           string `json:"pooler,omitempty"`            // between program and server: none, session or transaction
	StatementTimeout string `json:"statement_timeout,omitempty"` // that is in force, such as 1min
}

type poolStatus struct {
	Total   int32 `json:"total"`
	Idle    int32 `json:"idle"`
	Waiting int32 `json:"waiting"`
	InUse   int32 `json:"in_use"`
	Max     int32 `json:"max"`
}

type tablesStatus struct {
	Count int          `json:"count"`
	Bytes int64        `json:"bytes"`
	List  []tableEntry `json:"list"`
}

type tableEntry struct {
	Name  string `json:"name"`
	Rows  int64  `json:"rows_estimated"` // -1 when it was never analysed
	Bytes int64  `json:"bytes"`
}

type functionsStatus struct {
	Count  int             `json:"count"`
	Ran    int             `json:"ran"`
	Failed []functionEntry `json:"failed"`
	Others []string        `json:"not_called"` // not this program's
}

type functionEntry struct {
	Function string `json:"function"`
	Error    string `json:"error"`
}

type indexesStatus struct {
	Count   int      `json:"count"`
	Valid   int      `json:"valid"`
	Invalid []string `json:"invalid"`
}

type ledgerStatus struct {
	Applied int                   `json:"applied"`
	Failed  int                   `json:"failed"`
	Pending int                   `json:"pending"`
	Report  *migrate.StatusReport `json:"report"`
}

type serviceStatus struct {
	Name   string `json:"name"`
	State  string `json:"state"` // ready, not ready, stopped or absent
	Detail string `json:"detail"`
}

func (a *app) dbStatusCommand() *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Look at the server, the pool, tables, functions, indexes and migrations", Args: cobra.NoArgs,
		Long: `Status asks the database for each thing it prints: every function of the schema is
called (in a transaction that may only read), every index is looked at, the ledger of
migrations is compared with the files. It changes nothing; an embedded database that
stands still is started, one that does not exist is not made.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.dbStatus(cmd.Context()) },
	}
}

func (a *app) dbStatus(ctx context.Context) (err error) {
	cfg, err := a.load()
	if err != nil {
		return err
	}
	doc := &databaseDocument{Schema: "manito/database/v1", Services: []serviceStatus{}, Problems: []string{}}
	dsn, leave, err := a.statusAddress(ctx, cfg, doc)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, leave()) }()
	if dsn == "" {
		doc.Problems = append(doc.Problems, "there is no embedded database yet: manito scan . or manito db up makes it")
	} else if err := a.lookAtDatabase(ctx, cfg, dsn, doc); err != nil {
		return err
	}
	doc.Services = append(doc.Services, serveState(ctx, cfg))
	for _, later := range laterServices() {
		doc.Services = append(doc.Services, serviceStatus{later, "absent", "this version does not have it"})
	}
	return show(a, doc, showDatabase)
}

// statusAddress finds the database to look at, without making one: the address is empty
// when there is none. leave is called at the end.
func (a *app) statusAddress(ctx context.Context, cfg *config.Config, doc *databaseDocument) (dsn string, leave func() error, err error) {
	leave = func() error { return nil }
	if cfg.Database.External() {
		dsn, err = cfg.Database.DSN()
		return dsn, leave, err
	}
	opt, err := a.clusterOptions(cfg)
	if err != nil {
		return "", leave, err
	}
	before, err := pgembed.Inspect(ctx, opt)
	doc.Cluster = &before
	if err != nil || before.State == pgembed.Absent {
		return "", leave, err
	}
	cluster, err := a.openCluster(ctx, cfg)
	if err != nil {
		return "", leave, err
	}
	now, err := cluster.Status(ctx)
	if err != nil {
		return "", leave, closeAfter(err, cluster)
	}
	now.InUse = before.InUse // by others; we have it open, too
	doc.Cluster = &now
	dsn, err = a.currentDSN(ctx, cfg, cluster)
	if err != nil {
		return "", leave, closeAfter(err, cluster)
	}
	return dsn, cluster.Close, nil
}

// lookAtDatabase fills in what the database says. A schema that is not there yet, or not
// up to date, is something to report and no failure.
func (a *app) lookAtDatabase(ctx context.Context, cfg *config.Config, dsn string, doc *databaseDocument) error {
	rep, err := a.migrator(cfg, dsn).Status(ctx)
	if err != nil {
		return err
	}
	m := &ledgerStatus{Report: rep}
	for _, l := range rep.Migrations {
		switch l.State {
		case "applied", "missing":
			m.Applied++
		case "failed", "abandoned":
			m.Failed++
			m.Pending++
		default:
			m.Pending++
		}
	}
	doc.Migrations = m
	doc.Server = &serverStatus{Version: rep.Server, Database: rep.Database, Schema: rep.DatabaseSchema}
	if rep.State != migrate.StateCurrent {
		doc.Problems = append(doc.Problems, rep.Message)
	}
	db, err := postgres.Open(ctx, poolConfig(cfg, dsn, 0, min(cfg.Database.PoolMax, 4)))
	if err != nil {
		if rep.State == migrate.StateCurrent {
			return err
		}
		doc.Services = append(doc.Services, serviceStatus{"database", "not ready", err.Error()})
		return nil
	}
	defer db.Close()
	return lookAtStore(ctx, db, rep, doc)
}

func lookAtStore(ctx context.Context, db *postgres.DB, rep *migrate.StatusReport, doc *databaseDocument) error {
	srv, err := db.Server(ctx)
	if err != nil {
		return err
	}
	doc.Server = &serverStatus{Version: srv.Version, Database: srv.Database, User: srv.User, Schema: srv.Schema, ReadOnly: srv.ReadOnly,
		Pooler: string(srv.Pooler), StatementTimeout: srv.StatementTimeout}
	inv, err := db.Inventory(ctx)
	if err != nil {
		return err
	}
	doc.take(inv)
	p := db.Pool()
	doc.Pool = &poolStatus{Total: p.Total, Idle: p.Idle, Waiting: p.Waiting, InUse: p.InUse, Max: p.Max}
	state := serviceStatus{"database", "ready", fmt.Sprintf("PostgreSQL %s answers", srv.Version)}
	switch {
	case srv.ReadOnly:
		state.State, state.Detail = "not ready", "the server is read-only"
	case rep.State != migrate.StateCurrent:
		state.State, state.Detail = "not ready", rep.Message
	case len(doc.Functions.Failed)+len(doc.Indexes.Invalid) > 0:
		state.State, state.Detail = "not ready", "functions fail or indexes are invalid"
	}
	scans := serviceStatus{"scans", "ready", ""}
	if counts, err := db.CountScans(ctx); err != nil {
		scans.State, scans.Detail = "not ready", err.Error()
	} else {
		scans.Detail = fmt.Sprintf("%s, %d running, %d published", plural(int(counts.Repositories), "repository"), counts.ByStatus[postgres.ScanRunning], counts.ByStatus[postgres.ScanPublished])
	}
	doc.Services = append(doc.Services, state, scans)
	return nil
}

// take fills in the parts of an inventory.
func (d *databaseDocument) take(inv postgres.Inventory) {
	t := &tablesStatus{Count: len(inv.Tables), List: []tableEntry{}}
	for _, x := range inv.Tables {
		t.Bytes += x.Bytes
		t.List = append(t.List, tableEntry(x))
	}
	f := &functionsStatus{Count: len(inv.Functions), Failed: []functionEntry{}, Others: []string{}}
	for _, x := range inv.Functions {
		switch {
		case x.Unknown:
			f.Others = append(f.Others, x.Signature)
		case x.Error != "":
			f.Failed = append(f.Failed, functionEntry{x.Signature, x.Error})
			d.Problems = append(d.Problems, fmt.Sprintf("the function %s fails: %s", x.Signature, x.Error))
		default:
			f.Ran++
		}
	}
	i := &indexesStatus{Count: len(inv.Indexes), Invalid: []string{}}
	for _, x := range inv.Indexes {
		if x.Valid && x.Ready {
			i.Valid++
			continue
		}
		i.Invalid = append(i.Invalid, x.Name)
		d.Problems = append(d.Problems, fmt.Sprintf("the index %s of %s is invalid: manito db repair", x.Name, x.Table))
	}
	d.Tables, d.Functions, d.Indexes = t, f, i
}

// serveState asks the server of the configured address whether it lives.
func serveState(ctx context.Context, cfg *config.Config) serviceStatus {
	s := serviceStatus{Name: "serve", State: "stopped", Detail: "nothing of Manito answers at " + cfg.Addr}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+cfg.Addr+"/readyz", nil)
	if err != nil {
		s.Detail = err.Error()
		return s
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return s
	}
	defer resp.Body.Close()
	switch {
	case !strings.HasPrefix(resp.Header.Get("Server"), "manito/"):
		s.Detail = "another program listens at " + cfg.Addr
	case resp.StatusCode == http.StatusOK:
		s.State, s.Detail = "ready", "answers at "+cfg.Addr
	default:
		s.State, s.Detail = "not ready", fmt.Sprintf("answers %s at %s/readyz", resp.Status, cfg.Addr)
	}
	return s
}

// laterServices are the systems whose settings are known and unused.
func laterServices() (names []string) {
	for _, s := range config.Settings {
		if s.Later != "" && !slices.Contains(names, s.Later) {
			names = append(names, s.Later)
		}
	}
	return names
}

func showDatabase(p *printer, d *databaseDocument) {
	rows := [][]string{}
	add := func(name, format string, args ...any) {
		rows = append(rows, []string{name, fmt.Sprintf(format, args...)})
	}
	if s := d.Server; s != nil {
		who := ""
		if s.User != "" {
			who = " as " + s.User
		}
		add("server", "PostgreSQL %s, database %s, schema %s%s", s.Version, s.Database, s.Schema, who)
		if s.Pooler == string(postgres.PoolerSession) || s.Pooler == string(postgres.PoolerTransaction) {
			add("pooler", "in %s mode; statements end after %s", s.Pooler, s.StatementTimeout)
		}
	}
	if c := d.Cluster; c != nil {
		text := string(c.State)
		if c.DataDir != "" {
			text += "  " + p.cyan(c.DataDir)
		}
		if c.PID != 0 {
			text += "  " + p.faint(fmt.Sprintf("process %d since %s", c.PID, c.Since.Local().Format(time.DateTime)))
		}
		add("embedded", "%s", text)
	}
	if x := d.Pool; x != nil {
		add("pool", "%d total, %d idle, %d waiting, at most %d", x.Total, x.Idle, x.Waiting, x.Max)
	}
	if x := d.Tables; x != nil {
		add("tables", "%d, %s", x.Count, bytesText(x.Bytes))
	}
	if x := d.Functions; x != nil {
		add("functions", "%d, %s", x.Count, p.good(x.Ran == x.Count, "%d called without an error", x.Ran))
	}
	if x := d.Indexes; x != nil {
		add("indexes", "%d, %s", x.Count, p.good(x.Valid == x.Count, "%d valid", x.Valid))
	}
	if x := d.Migrations; x != nil {
		add("migrations", "%d applied, %s", x.Applied, p.good(x.Failed+x.Pending == 0, "%d failed, %d pending", x.Failed, x.Pending))
	}
	for _, s := range d.Services {
		text := s.State
		switch s.State {
		case "ready":
			text = p.green(text)
		case "not ready":
			text = p.yellow(text)
		}
		add(s.Name, "%s  %s", text, p.faint(s.Detail))
	}
	p.table("", rows)
	if x := d.Migrations; x != nil && x.Report.State != migrate.StateCurrent {
		p.line("")
		showMigrations(p, x.Report)
	}
	for _, x := range d.Problems {
		p.line("%s", p.yellow("- "+x))
	}
	if x := d.Migrations; x != nil {
		for _, f := range x.Report.Fixes {
			p.line("  -> %s", f)
		}
	}
}

// good is a text in green, or in yellow when it is none.
func (p *printer) good(ok bool, format string, args ...any) string {
	if ok {
		return p.green(fmt.Sprintf(format, args...))
	}
	return p.yellow(fmt.Sprintf(format, args...))
}

func showMigrations(p *printer, r *migrate.StatusReport) {
	rows := [][]string{}
	for _, l := range r.Migrations {
		when := ""
		if l.AppliedAt != nil {
			when = l.AppliedAt.Local().Format(time.DateTime)
		}
		rows = append(rows, []string{l.Name, p.good(l.State == "applied", "%s", l.State), p.faint(when)})
	}
	p.table("  ", rows)
	for _, a := range r.Attempts {
		if a.Outcome == "failed" {
			p.line("  %s %s, line %d: %s", p.yellow("failed"), a.Name, a.Line, a.Error)
			return
		}
	}
}
