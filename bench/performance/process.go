package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// usage is what a command took, with every process that worked for it.
type usage struct {
	CPU  float64 `json:"cpu_seconds"`
	Wall float64 `json:"wall_seconds"`
	Peak int64   `json:"peak_bytes"` // of all processes together, memory that they share counted once
	// Others is how many CPUs all other processes of the machine kept busy meanwhile.
	Others float64 `json:"others"`
}

// ticksPerSecond is the unit of /proc/PID/stat; Linux shows all programs the same one.
const ticksPerSecond = 100

// sampleEvery is how often memory and the server's CPU are looked at, which takes a
// few milliseconds and holds up the process that is looked at. What comes and goes
// in between is not seen.
const sampleEvery = 100 * time.Millisecond

// running is a command that has run.
type running struct {
	usage
	out     []byte
	server  float64 // of usage.CPU, the server's
	samples []sample
}

// sample is what the server had used of CPU since the start, at a moment of the run.
type sample struct{ at, cpu float64 }

// serverAt is the CPU that the server had used when the run had lasted some seconds.
func (r *running) serverAt(seconds float64) float64 {
	cpu := 0.0
	for _, s := range r.samples {
		if s.at > seconds {
			break
		}
		cpu = s.cpu
	}
	return cpu
}

// measure runs a command. server is a process that works for it without being its
// child (a database), 0 for none: its CPU during the run counts, and its memory.
func measure(ctx context.Context, cmd *exec.Cmd, server int) (*running, error) {
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	before, err := serverCPU(server)
	if err != nil {
		return nil, err
	}
	busy, err := othersCPU()
	if err != nil {
		return nil, err
	}
	r := &running{}
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	done := make(chan struct{})
	var g errgroup.Group
	g.Go(func() error {
		tick := time.NewTicker(sampleEvery)
		defer tick.Stop()
		for {
			now, err := serverCPU(server)
			if err != nil {
				return err
			}
			r.samples = append(r.samples, sample{time.Since(begin).Seconds(), now - before})
			r.Peak = max(r.Peak, memory(cmd.Process.Pid)+memory(server))
			select {
			case <-done:
				return nil
			case <-tick.C:
			}
		}
	})
	err = cmd.Wait()
	r.Wall = time.Since(begin).Seconds()
	close(done)
	if sampled := g.Wait(); err == nil {
		err = sampled
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args, " "), err, lastLine(stderr.String()))
	}
	after, err := serverCPU(server)
	if err != nil {
		return nil, err
	}
	busyAfter, err := othersCPU()
	if err != nil {
		return nil, err
	}
	own := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime() // with the children it waited for
	r.server = after - before
	r.CPU, r.out = own.Seconds()+r.server, stdout.Bytes()
	r.Others = max(0, busyAfter-busy-r.CPU) / r.Wall
	return r, ctx.Err()
}

func lastLine(s string) string {
	s = strings.TrimSpace(s)
	return s[strings.LastIndexByte(s, '\n')+1:]
}

// stat is what /proc tells of a process.
type stat struct {
	parent int
	own    float64 // CPU seconds
	waited float64 // of children that have ended
}

func readStat(pid int) (stat, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return stat{}, err
	}
	// The name stands in parentheses and may hold anything.
	f := strings.Fields(string(raw[bytes.LastIndexByte(raw, ')')+1:]))
	if len(f) < 15 {
		return stat{}, fmt.Errorf("/proc/%d/stat has %d fields", pid, len(f))
	}
	n := func(i int) float64 {
		v, convErr := strconv.Atoi(f[i])
		err = errors.Join(err, convErr)
		return float64(v)
	}
	s := stat{parent: int(n(1)), own: (n(11) + n(12)) / ticksPerSecond, waited: (n(13) + n(14)) / ticksPerSecond}
	return s, err
}

// family lists a process and all below it.
func family(root int) []int {
	if root == 0 {
		return nil
	}
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil // the pattern is right
	}
	children := map[int][]int{}
	for _, d := range dirs {
		pid, err := strconv.Atoi(filepath.Base(d))
		if err != nil {
			continue
		}
		if s, err := readStat(pid); err == nil { // it may have ended since
			children[s.parent] = append(children[s.parent], pid)
		}
	}
	out := []int{root}
	for i := 0; i < len(out); i++ {
		out = append(out, children[out[i]]...)
	}
	return out
}

// serverCPU is the CPU that a server has used: its own, that of the children it has, and of those it had.
func serverCPU(pid int) (float64, error) {
	if pid == 0 {
		return 0, nil
	}
	s, err := readStat(pid)
	if err != nil {
		return 0, fmt.Errorf("the database's server is gone: %w", err)
	}
	sum := s.own + s.waited
	for _, child := range family(pid)[1:] {
		if c, err := readStat(child); err == nil {
			sum += c.own + c.waited
		}
	}
	return sum, nil
}

// memory is the proportional set size of a process and all below it.
func memory(pid int) int64 {
	var sum int64
	for _, p := range family(pid) {
		raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", p))
		if err != nil {
			continue // it has ended
		}
		for line := range bytes.Lines(raw) {
			if rest, ok := bytes.CutPrefix(line, []byte("Pss:")); ok {
				kb, err := strconv.ParseInt(strings.Fields(string(rest))[0], 10, 64)
				if err == nil {
					sum += kb << 10
				}
				break
			}
		}
	}
	return sum
}

// named says whether a process has an argument.
func named(argument string) bool {
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return false // the pattern is right
	}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err == nil && slices.Contains(strings.Split(string(raw), "\x00"), argument) {
			return true
		}
	}
	return false
}

// othersCPU is the CPU seconds that all processes but this one have used since the machine was started.
func othersCPU() (float64, error) {
	raw, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, err
	}
	line, _, _ := strings.Cut(string(raw), "\n")
	f := strings.Fields(line)
	if len(f) < 8 || f[0] != "cpu" {
		return 0, fmt.Errorf("/proc/stat begins with %q", line)
	}
	self, err := readStat(os.Getpid())
	if err != nil {
		return 0, err
	}
	sum := -self.own
	for _, i := range []int{1, 2, 3, 6, 7} { // user, nice, system, irq, softirq; not idle, waiting and stolen
		n, err := strconv.ParseFloat(f[i], 64)
		if err != nil {
			return 0, err
		}
		sum += n / ticksPerSecond
	}
	return sum, nil
}

// size is the sum of the files below a path.
func size(path string) (int64, error) {
	var sum int64
	err := filepath.WalkDir(path, func(_ string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().IsRegular() {
			sum += info.Size()
		}
		return err
	})
	return sum, err
}
