package pgembed

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"manito/internal/problem"
)

// runsIn says whether a process has a folder as its working folder: a server has its
// data folder. A process that has ended and was not collected has none.
func runsIn(pid int, dir string) answer {
	if pid <= 0 {
		return no
	}
	there, err := os.Stat(fmt.Sprintf("/proc/%d/cwd", pid))
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat("/proc/self"); err != nil {
			return unknown // no /proc here
		}
		return no
	}
	if err != nil {
		return unknown
	}
	if want, err := os.Stat(dir); err == nil && os.SameFile(there, want) {
		return yes
	}
	return no
}

// totalMemory is the memory of the machine, or of our container, in bytes.
func totalMemory() uint64 {
	var total uint64 = 1 << 30
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err == nil {
		total = uint64(info.Totalram) * uint64(info.Unit)
	}
	for _, path := range []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		text, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		// The second version's file says "max" and the first's a huge number for none.
		if limit, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64); err == nil && limit > 0 {
			total = min(total, limit)
		}
	}
	return total
}

// closeOnExec marks every descriptor but the standard three close-on-exec.
func closeOnExec() error {
	err := unix.CloseRange(3, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC)
	if errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EPERM) {
		return markDescriptors("/proc/self/fd") // before Linux 5.11, or forbidden by a container
	}
	return err
}

// reapPoll is how often Reap looks. A container has few processes.
const reapPoll = 5 * time.Second

// Reap collects the servers that other processes of a container started and that
// became our children when those ended, until the context ends. Only PID 1, or a
// process that asked to be a subreaper, has such children; others need not call it.
// It collects nothing but processes named postgres that have been waiting to be for a
// while, so that whoever started a child of ours gets to see its end first.
func Reap(ctx context.Context) error { return reapEvery(ctx, reapPoll) }

func reapEvery(ctx context.Context, poll time.Duration) error {
	var before map[int]bool
	for sleep(ctx, poll) == nil {
		now, err := orphans()
		if err != nil {
			return err
		}
		for pid := range now {
			if before[pid] {
				reap(pid)
			}
		}
		before = now
	}
	return nil
}

// orphans are our ended children named postgres.
func orphans() (map[int]bool, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, problem.Wrap(err, problem.Internal, "ended processes cannot be looked for")
	}
	found := map[int]bool{}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		stat, err := os.ReadFile("/proc/" + e.Name() + "/stat")
		if err != nil {
			continue // gone meanwhile
		}
		// pid (name) state parent ...; the name may hold anything.
		head, tail, ok := strings.Cut(string(stat), ") ")
		if fields := strings.Fields(tail); ok && len(fields) > 1 && strings.HasSuffix(head, "(postgres") &&
			fields[0] == "Z" && fields[1] == strconv.Itoa(os.Getpid()) {
			found[pid] = true
		}
	}
	return found, nil
}
