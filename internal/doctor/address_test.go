package doctor

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// TestUnverified judges addresses that lead to other machines.
func TestUnverified(t *testing.T) {
	t.Parallel()
	for dsn, found := range map[string]bool{
		"postgres://u@db.example.com/x?sslmode=disable":                 true,
		"postgres://u@db.example.com/x?sslmode=require":                 true,
		"postgres://u@db.example.com/x":                                 true,
		"postgres://u@db.example.com/x?sslmode=verify-full":             false,
		"postgres://u@localhost/x?sslmode=disable":                      false,
		"host=/run/postgresql dbname=x user=u":                          false,
		"postgres://u@[::1]/x?sslmode=prefer":                           false,
		"postgres://u@10.0.0.1,10.0.0.2/x?target_session_attrs=primary": true,
	} {
		cfg, err := pgx.ParseConfig(dsn)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(unverifiedAddress(cfg)) > 0; got != found {
			t.Errorf("%s: found %v", dsn, got)
		}
	}
}

// TestClocks compares clocks with the way of the answer allowed for.
func TestClocks(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for off, found := range map[time.Duration]bool{0: false, 4 * time.Second: false, 7 * time.Second: true, -time.Minute: true} {
		if got := len(clocks(now, now.Add(off), now.Add(time.Second))) > 0; got != found {
			t.Errorf("%s: found %v", off, got)
		}
	}
}

// TestInterrupted stops Apply after its first fix and runs it again.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	p, opt := seeded(t)
	before := p.rows(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	fixed := 0
	_, err := Apply(ctx, opt, ApplyOptions{NoBackup: true, Each: func(a Action) {
		if fixed++; fixed == 3 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("stopped with %v", err)
	}
	r := apply(t, opt, ApplyOptions{NoBackup: true})
	if r.Worst(High) {
		t.Errorf("left: %s", r.Summary())
	}
	if p.rows(t) != before {
		t.Error("rows changed")
	}
}
