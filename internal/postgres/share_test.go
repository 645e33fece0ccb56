package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"manito/internal/postgres"
	"manito/internal/postgres/postgrestest"
)

// crowdEnv makes this test binary play a serving process with many questions at once.
const crowdEnv = "MANITO_TEST_CHILD_CROWD"

// crowdChild asks as many questions at once as its pool may have connections, says when
// all are answered, and stays.
func crowdChild() {
	ctx := context.Background()
	db, err := postgres.Open(ctx, postgres.Config{DSN: os.Getenv("MANITO_TEST_CHILD_DSN"), Schema: os.Getenv("MANITO_TEST_CHILD_SCHEMA"), Application: "crowd",
		MinConns: 5, MaxConns: most, IdleTimeout: time.Second, StatementTimeout: 10 * time.Minute, AcquireTimeout: 10 * time.Minute})
	if err == nil {
		fmt.Println("opened")
		errs := make([]error, most)
		var all sync.WaitGroup
		for i := range errs {
			all.Go(func() { _, errs[i] = db.Status(ctx, 0) })
		}
		all.Wait()
		err = errors.Join(errs...)
	}
	if err != nil {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
	fmt.Println("answered")
	select {}
}

// TestProcessesShareTheServer: four processes want 50 connections each of an embedded
// server that has 117 for them. The sum stays within that, nobody is turned away, and
// what is idle afterwards is given back to those who come later.
func TestProcessesShareTheServer(t *testing.T) {
	t.Parallel()
	d := postgrestest.NewPrivate(t)
	admin := d.Connect(t, d.Admin)
	var room int
	err := admin.QueryRow(t.Context(), `select current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int`).Scan(&room)
	if err != nil || room != 117 {
		t.Fatalf("the server has room for %d, %v", room, err)
	}
	count := func() (n int) {
		t.Helper()
		if err := admin.QueryRow(t.Context(), `select count(*) from pg_stat_activity where application_name = 'crowd'`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	holder := d.Connect(t, d.Admin)
	if _, err := holder.Exec(t.Context(), `begin; lock table repo in access exclusive mode`); err != nil {
		t.Fatal(err)
	}
	words := make(chan string, 8)
	children := []*exec.Cmd{}
	for range 4 {
		children = append(children, listenChild(t, d.App, d.Schema, words, crowdEnv+"=1"))
	}
	until := func(what string, done func() bool) {
		t.Helper()
		for deadline := time.Now().Add(2 * time.Minute); !done(); time.Sleep(50 * time.Millisecond) {
			select {
			case w := <-words:
				if w != "opened" {
					t.Fatalf("%s: a process says %q", what, w)
				}
			default:
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s: %d connections", what, count())
			}
		}
	}
	// Two superuser sessions of this test take ordinary places, too.
	until("all places are taken", func() bool { return count() >= room-2 })
	for range 20 { // they ask again and again, and never get more
		if n := count(); n > room {
			t.Fatalf("%d connections, and there is room for %d", n, room)
		}
		time.Sleep(50 * time.Millisecond)
	}
	if _, err := holder.Exec(t.Context(), `rollback`); err != nil {
		t.Fatal(err)
	}
	for answered := 0; answered < len(children); {
		switch w := <-words; w {
		case "answered":
			answered++
		case "opened":
		default:
			t.Fatalf("a process says %q", w)
		}
	}
	// A command that comes later waits for what the others give back.
	late := d.Open(t, func(c *postgres.Config) { c.MaxConns = 4; c.AcquireTimeout = time.Minute })
	if err := late.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	until("what is idle is given back", func() bool { return count() <= 4*5 })
	for _, c := range children {
		if c.ProcessState != nil {
			t.Error("a process has ended")
		}
	}
}
