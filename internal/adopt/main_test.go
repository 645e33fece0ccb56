package adopt

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

	"manito/internal/postgres"
	"manito/internal/postgres/postgrestest"
	"manito/internal/problem"
)

// TestMain runs the tests, or one adoption that kills its process at a phase, see
// TestKilledAnywhere.
func TestMain(m *testing.M) {
	if at := os.Getenv("ADOPT_TEST_KILL_AT"); at != "" {
		err := child(at)
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(postgrestest.Main(m))
}

// child adopts and kills its own process when a phase is reached for the nth time.
func child(at string) error {
	var nth int
	var name string
	if _, err := fmt.Sscanf(at, "%d %s", &nth, &name); err != nil {
		return err
	}
	ctx := context.Background()
	if name == "drop" {
		_, err := Drop(ctx, DropOptions{DSN: os.Getenv("ADOPT_TEST_DSN"), Target: os.Getenv("ADOPT_TEST_TARGET"), TargetSchema: os.Getenv("ADOPT_TEST_SCHEMA"), hook: die})
		return err
	}
	db, err := postgres.Open(ctx, postgres.Config{DSN: os.Getenv("ADOPT_TEST_TARGET"), Schema: os.Getenv("ADOPT_TEST_SCHEMA"), HeartbeatEvery: time.Second, HeartbeatStale: 3 * time.Second})
	if err != nil {
		return err
	}
	_, err = Run(ctx, Options{DSN: os.Getenv("ADOPT_TEST_DSN"), DB: db, Target: os.Getenv("ADOPT_TEST_TARGET"), TargetSchema: os.Getenv("ADOPT_TEST_SCHEMA"), AppVersion: "test",
		hook: func(p phase) {
			if string(p) == name {
				if nth--; nth == 0 {
					die()
				}
			}
		}})
	return errors.Join(err, problem.New(problem.Internal, "the phase %s was not reached often enough", at))
}

// die ends the process as kill -9 does.
func die() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}
