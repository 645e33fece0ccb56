package postgres_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"testing"

	"manito/internal/postgres"
)

// childEnv makes this test binary play a scanning process.
const childEnv = "MANITO_TEST_CHILD"

// startChild starts a process that scans the small corpus and waits until it says a word.
func startChild(t *testing.T, dsn, schema, word string, env ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"=1", "MANITO_TEST_CHILD_DSN="+dsn, "MANITO_TEST_CHILD_SCHEMA="+schema)
	cmd.Env = append(cmd.Env, env...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() }) // it has ended when the test passes
	if word == "" {
		go func() { _, _ = io.Copy(io.Discard, out) }() // the child must not block on a full pipe
		return cmd
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if lines.Text() == word {
			go func() { _, _ = io.Copy(io.Discard, out) }() // the child must not block on a full pipe
			return cmd
		}
	}
	t.Fatalf("the scanning process ended without saying %q: %v", word, lines.Err())
	return nil
}

// listenChild starts a process of this test binary; what it says goes to the channel.
func listenChild(t *testing.T, dsn, schema string, words chan<- string, env ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"=1", "MANITO_TEST_CHILD_DSN="+dsn, "MANITO_TEST_CHILD_SCHEMA="+schema)
	cmd.Env = append(cmd.Env, env...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var said sync.WaitGroup
	said.Go(func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			words <- lines.Text()
		}
	})
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it is ours
		said.Wait()
		_ = cmd.Wait() // it was killed
	})
	return cmd
}

// child scans, says each phase that is done, and waits to be killed.
func child() {
	if os.Getenv(crowdEnv) != "" {
		crowdChild()
	}
	ctx := context.Background()
	fail := func(err error) {
		if err != nil {
			fmt.Fprintln(os.Stderr, "child:", err)
			os.Exit(1)
		}
	}
	db, err := postgres.Open(ctx, postgres.Config{DSN: os.Getenv("MANITO_TEST_CHILD_DSN"), Schema: os.Getenv("MANITO_TEST_CHILD_SCHEMA"), Application: "child"})
	fail(err)
	c := newCorpus(small)
	if os.Getenv("MANITO_TEST_CHILD_SEED") != "" {
		c = changed(small)
	}
	lease, err := take(ctx, db, "/r", "main")
	fail(err)
	st, err := c.write(ctx, db, lease)
	fail(err)
	fmt.Println("written")
	_, err = lease.Publish(ctx, c.publication(st))
	fail(err)
	fmt.Println("committed")
	fail(lease.Project(ctx, c.projection(st)))
	fmt.Println("published")
	select {}
}
