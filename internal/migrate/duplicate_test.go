package migrate

import (
	"errors"
	"sync"
	"testing"
)

// TestDuplicateMigration: applying what is applied, again and by several at once, is no
// error and touches no row of the ledger: each keeps the transaction that wrote it.
func TestDuplicateMigration(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, c *cluster) {
		h := newHouse(t, c, "manito")
		up := func() (int, error) {
			rep, err := h.migrator("manito", sqlFiles(simple)).Up(t.Context())
			if err != nil {
				return 0, err
			}
			return len(rep.Applied), nil
		}
		if n, err := up(); err != nil || n != len(simple) {
			t.Fatalf("%d, %v", n, err)
		}
		admin := c.connect(t, "postgres", h.database)
		const ledger = "select string_agg(m::text || ' written by ' || xmin, e'\n' order by version) from manito.migration m"
		const attempts = "select count(*) from manito.migration_attempt"
		before, tried := one[string](t, admin, ledger), one[int](t, admin, attempts)
		if n, err := up(); err != nil || n != 0 {
			t.Errorf("again: %d applied, %v", n, err)
		}
		var all sync.WaitGroup
		errs := make([]error, 6)
		for i := range errs {
			all.Go(func() {
				n, err := up()
				if n != 0 {
					err = errors.Join(err, errors.New("it applied something"))
				}
				errs[i] = err
			})
		}
		all.Wait()
		if err := errors.Join(errs...); err != nil {
			t.Errorf("several at once: %v", err)
		}
		if after := one[string](t, admin, ledger); after != before {
			t.Errorf("the ledger was\n%s\nand is\n%s", before, after)
		}
		if after := one[int](t, admin, attempts); after != tried {
			t.Errorf("%d attempts were recorded, and nothing was tried", after-tried)
		}
		// The database itself holds it, too.
		_, err := admin.Exec(t.Context(), "insert into manito.migration select * from manito.migration where version = 1")
		if sqlstate(err) != "23505" {
			t.Errorf("a second row of a version: %v", err)
		}
	})
}
