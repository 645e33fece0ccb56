package doctor

import (
	"strings"
	"testing"
	"time"
)

// fingerprint is a checksum over the catalogue and the rows of the shop, with its
// sequences; not over what other tests change, nor over the planner's statistics.
func (p *patient) fingerprint(t *testing.T) string {
	t.Helper()
	var out string
	if err := p.conn.QueryRow(t.Context(), `select md5(string_agg(x, ',' order by x)) from (
		select concat_ws(' ', c.oid, c.relname, c.relowner, c.relacl, c.relkind, c.relpersistence, c.reloptions, c.relrowsecurity, c.relfilenode) from pg_class c where c.relkind <> 't' and c.relnamespace in (select oid from pg_namespace where nspname in ('shop', 'public'))
		union all select p::text from pg_proc p where p.pronamespace = 'shop'::regnamespace
		union all select k::text from pg_constraint k where k.connamespace = 'shop'::regnamespace
		union all select concat_ws(' ', n.nspname, n.nspowner, n.nspacl) from pg_namespace n where n.nspname in ('shop', 'public')
		union all select e::text from pg_extension e union all select s::text from pg_db_role_setting s where s.setdatabase = (select oid from pg_database where datname = current_database())
		union all select o::text from shop.orders o union all select last_value || ' ' || is_called from shop.orders_id_seq) t(x)`).Scan(&out); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestDryRunLeavesNothing tries fixes of all kinds in place and compares the database.
func TestDryRunLeavesNothing(t *testing.T) {
	t.Parallel()
	p := newPatient(t)
	p.exec(t, `alter table shop.orders owner to doctor_test_other; grant create on schema shop to public; revoke insert on shop.orders from doctor_test_app;
		insert into shop.orders (id, customer_id) values (500, 1); create index orders_again on shop.orders (customer_id);
		create function shop.secret() returns int language sql security definer as 'select 1'`)
	before := p.fingerprint(t)
	opt := p.options()
	opt.DryRun, opt.Hold = time.Minute, time.Minute
	r := examine(t, opt)
	if got := p.fingerprint(t); got != before {
		t.Error("the dry run changed the database")
	}
	tried := 0
	for _, f := range r.Findings {
		if f.Fix.DryRun == "ok" {
			tried++
		} else if len(f.Fix.SQL) > 0 && !strings.HasPrefix(f.Fix.DryRun, "not dry-run: ") {
			t.Errorf("%s of %s: %s", f.ID, f.Object, f.Fix.DryRun)
		}
	}
	if tried < 4 {
		t.Errorf("only %d fixes were tried: %+v", tried, r.Findings)
	}
	if f := r.find("shop.orders.id"); f == nil || !strings.Contains(f.Fix.DryRun, "a rollback does not take back what setval does") {
		t.Errorf("the sequence: %+v", f)
	}
	opt.DryRun = 0
	if f := examine(t, opt).find("table shop.orders"); f == nil || f.Fix.DryRun != "not dry-run: it was not asked for" {
		t.Errorf("without a dry run: %+v", f)
	}
}

// TestDryRunGivesWay meets a lock, a fix that takes long and a role that may not write: none of them is a failed fix.
func TestDryRunGivesWay(t *testing.T) {
	t.Parallel()
	p := newPatient(t)
	p.exec(t, "alter table shop.orders owner to doctor_test_other")
	opt := p.options("OWN-01")
	opt.DryRun, opt.Hold = time.Minute, time.Minute
	says := func(want string) {
		t.Helper()
		f := examine(t, opt).find("table shop.orders")
		if f == nil || !strings.HasPrefix(f.Fix.DryRun, "not dry-run: ") || !strings.Contains(f.Fix.DryRun, want) {
			t.Errorf("want %q: %+v", want, f)
		}
	}
	p.exec(t, "begin; lock table shop.orders in access share mode")
	says("a lock was not to be had within 200ms")
	p.exec(t, "rollback")

	// A trigger of the database makes every ALTER TABLE slow.
	p.exec(t, `create function public.slow() returns event_trigger language plpgsql as 'begin perform pg_sleep(30); end'; create event trigger slow on ddl_command_end when tag in ('ALTER TABLE') execute function public.slow()`)
	opt.Hold = 300 * time.Millisecond
	says("it takes longer than 300ms")
	p.exec(t, "drop event trigger slow")

	opt.Hold, opt.DSN = time.Minute, p.as(app)
	says("must be owner of table orders; it is for superuser, this is " + app)
}
