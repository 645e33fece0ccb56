package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// scratches lists the scratch databases of the server that a session of this test has made, or named so.
func scratches(t *testing.T, conn *pgx.Conn) []string {
	t.Helper()
	rows, err := conn.Query(context.WithoutCancel(t.Context()), "select datname::text from pg_database where starts_with(datname, $1) order by 1", scratchPrefix)
	if err != nil {
		t.Fatal(err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestScratch tries what cannot be rolled back in a copy. The server is one of its
// own, so that no other test's copy is in the way.
func TestScratch(t *testing.T) {
	t.Parallel()
	p := newPrivatePatient(t)
	p.exec(t, `create role doctor_test_owner_login login password 'manito-test' in role doctor_test_owner; create index orders_again on shop.orders (customer_id); create table shop.line (order_id bigint references shop.orders, product bigint references shop.customer, x int);
		create type shop.size as enum ('s', 'm'); alter table shop.line add column size shop.size; alter table shop.line owner to doctor_test_owner; alter type shop.size owner to doctor_test_owner;
		create function public.slow() returns event_trigger language plpgsql as 'begin raise exception ''never in a copy''; end';
		create event trigger slow on ddl_command_end when tag in ('CREATE SEQUENCE', 'CREATE INDEX') execute function public.slow()`)
	opt := p.options("IDX-02", "KEY-02")
	opt.DryRun, opt.Hold = time.Minute, time.Minute
	p.exec(t, "alter event trigger slow disable")

	r := examine(t, opt)
	if f := r.find("shop.orders_again"); f == nil || f.Fix.Transaction || f.Fix.DryRun != "not dry-run: it cannot run inside a transaction; --plan tries it on a copy of the schema" {
		t.Fatalf("without a copy: %+v", f)
	}
	opt.Scratch = true
	r = examine(t, opt)
	tried := 0
	for _, f := range r.Findings {
		if f.Fix.DryRun == "ok on a scratch copy" {
			tried++
		} else if len(f.Fix.SQL) > 0 {
			t.Errorf("%s of %s: %s\n%v", f.ID, f.Object, f.Fix.DryRun, f.Fix.SQL)
		}
	}
	if tried < 2 {
		t.Errorf("%d fixes were tried: %+v", tried, r.Findings)
	}
	if left := scratches(t, p.conn); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if again := examine(t, opt); again.find("shop.orders_again") == nil {
		t.Error("the dry run changed the database")
	}

	t.Run("interrupted", func(t *testing.T) {
		for range 3 {
			ctx, stop := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() {
				_, err := Examine(ctx, opt)
				done <- err
			}()
			seen := false
			for !seen {
				select {
				case err := <-done:
					t.Fatalf("it ended before its copy was seen: %v", err)
				default:
					seen = len(scratches(t, p.conn)) > 0
				}
			}
			stop()
			if err := <-done; err == nil {
				t.Error("an examination that was stopped has a report")
			}
			if left := scratches(t, p.conn); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		}
	})

	t.Run("left over", func(t *testing.T) {
		var living string
		if err := p.conn.QueryRow(t.Context(), `select $1 || pid || '_' || floor(extract(epoch from backend_start) * 1000000)::int8 from pg_stat_activity where pid = pg_backend_pid()`, scratchPrefix).Scan(&living); err != nil {
			t.Fatal(err)
		}
		dead, reused := scratchPrefix+"999999_1", strings.TrimRight(living, "0123456789")+"1"
		for _, name := range []string{living, dead, reused, scratchPrefix + "notes"} {
			p.exec(t, "create database "+name)
		}
		plain := opt
		plain.Scratch = false
		r := examine(t, plain)
		if !slices.ContainsFunc(r.Notes, func(n string) bool {
			return strings.Contains(n, dead) && strings.Contains(n, "--plan and --fix remove it")
		}) || len(scratches(t, p.conn)) != 4 {
			t.Errorf("a plain look: %v, %v", r.Notes, scratches(t, p.conn))
		}
		r = examine(t, opt)
		if len(r.Notes) != 2 || !strings.Contains(fmt.Sprint(r.Notes), "removed the scratch database "+dead) {
			t.Errorf("notes: %v", r.Notes)
		}
		if got := scratches(t, p.conn); !slices.Equal(got, []string{living, scratchPrefix + "notes"}) && !slices.Equal(got, []string{scratchPrefix + "notes", living}) {
			t.Errorf("there are %v", got)
		}
		p.exec(t, "drop database "+living+"\n--\ndrop database "+scratchPrefix+"notes")
	})

	t.Run("without the right", func(t *testing.T) {
		as := opt
		as.DSN = p.as(owner + "_login")
		if f := examine(t, as).find("shop.orders_again"); f == nil || !strings.Contains(f.Fix.DryRun, "needs CREATEDB, which doctor_test_owner_login has not") {
			t.Errorf("%+v", f)
		}
		p.exec(t, "alter role doctor_test_owner_login createdb")
		if f := examine(t, as).find("shop.orders_again"); f == nil || f.Fix.DryRun != "ok on a scratch copy" {
			t.Errorf("as owner: %+v", f)
		}
		if left := scratches(t, p.conn); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	})
}
