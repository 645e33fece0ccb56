package scan

import (
	"sync"
	"time"
)

// clock times the phases and passes progress on.
type clock struct {
	mu       sync.Mutex
	report   func(Progress)
	begin    time.Time
	current  Phase
	since    time.Time
	cpuSince float64
	wall     map[string]float64
	cpu      map[string]float64
	last     time.Time
	p        Progress
}

// progressEvery is the least time between two calls of Input.Progress within a phase.
const progressEvery = 60 * time.Millisecond

func (c *clock) start(report func(Progress)) {
	c.report = report
	c.begin = time.Now()
	c.wall, c.cpu = map[string]float64{}, map[string]float64{}
	c.current, c.since, c.cpuSince = PhaseList, c.begin, cpuSeconds()
}

// phase ends the current phase and begins another.
func (c *clock) phase(p Phase) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.close()
	c.current = p
	c.p = Progress{Phase: p, Bytes: c.p.Bytes}
	c.last = time.Time{}
	c.tell()
}

func (c *clock) close() {
	now, cpu := time.Now(), cpuSeconds()
	c.wall[string(c.current)] += now.Sub(c.since).Seconds()
	c.cpu[string(c.current)] += cpu - c.cpuSince
	c.since, c.cpuSince = now, cpu
}

func (c *clock) stop() (wall, cpu map[string]float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.close()
	return c.wall, c.cpu
}

// total sets how many files the phase will work on.
func (c *clock) total(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.p.Total = int64(n)
	c.tell()
}

// done counts files and bytes.
func (c *clock) done(files int, bytes int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.p.Done += int64(files)
	c.p.Bytes += bytes
	c.tell()
}

// at sets how far the phase is.
func (c *clock) at(done, total int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.p.Done, c.p.Total = int64(done), int64(total)
	c.tell()
}

func (c *clock) tell() {
	if c.report == nil {
		return
	}
	now := time.Now()
	if now.Sub(c.last) < progressEvery && c.p.Done != c.p.Total {
		return
	}
	c.last = now
	c.p.Elapsed = now.Sub(c.begin)
	c.report(c.p)
}
