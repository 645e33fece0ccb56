package server

import (
	"context"
	"net/http"
	"runtime"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"manito/internal/postgres"
)

// metrics are the server's figures. Those of the pool and of the database are read when
// they are asked for, so that they are never older than the answer.
type metrics struct {
	server   *Server
	registry *prometheus.Registry
	requests *prometheus.CounterVec

	up, total, idle, inUse, waiting, most *prometheus.Desc
	waited, cancelled                     *prometheus.Desc
	scans, repositories, published        *prometheus.Desc
}

func newMetrics(s *Server) *metrics {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("manito_"+name, help, labels, nil)
	}
	m := &metrics{server: s, registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "manito_http_requests_total", Help: "Requests that were answered."}, []string{"route", "code"}),

		up:        desc("database_up", "1 when the database answered while these figures were collected."),
		total:     desc("pool_connections", "Connections of the pool: idle, in use and being opened."),
		idle:      desc("pool_idle_connections", "Connections of the pool that nobody uses."),
		inUse:     desc("pool_used_connections", "Connections of the pool that are in use."),
		waiting:   desc("pool_waiting_requests", "Callers that have asked for a connection and have none yet."),
		most:      desc("pool_max_connections", "Connections that the pool may have at most (DB_POOL_MAX)."),
		waited:    desc("pool_waits_total", "Times that a caller had to wait for a connection."),
		cancelled: desc("pool_given_up_total", "Times that a caller gave up waiting for a connection."),

		scans:        desc("scans", "Recorded scans by status.", "status"),
		repositories: desc("repositories", "Repositories in the graph."),
		published:    desc("last_published_timestamp_seconds", "When a scan was last published; absent before the first."),
	}
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "manito_build_info", Help: "1, with what runs as labels."}, []string{"version", "go", "os", "arch"})
	build.WithLabelValues(s.cfg.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH).Set(1)
	m.registry.MustRegister(m, m.requests, build, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4})
}

// request counts an answer. Only known routes become labels, so that nobody can fill the
// memory with them.
func (m *metrics) request(pattern string, status int) {
	if pattern == "" {
		pattern = "refused"
	}
	if status == 0 {
		status = http.StatusOK
	}
	m.requests.WithLabelValues(pattern, strconv.Itoa(status)).Inc()
}

// Describe lists the figures that Collect reads.
func (m *metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{m.up, m.total, m.idle, m.inUse, m.waiting, m.most, m.waited, m.cancelled, m.scans, m.repositories, m.published} {
		ch <- d
	}
}

// Collect reads the pool and asks the database. What the database did not answer is
// absent: an old figure would pass for a new one.
func (m *metrics) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	db := m.server.store()
	if db == nil {
		gauge(m.up, 0)
		return
	}
	p := db.Pool() // before the question below takes a connection
	gauge(m.total, float64(p.Total))
	gauge(m.idle, float64(p.Idle))
	gauge(m.inUse, float64(p.InUse))
	gauge(m.waiting, float64(p.Waiting))
	gauge(m.most, float64(p.Max))
	ch <- prometheus.MustNewConstMetric(m.waited, prometheus.CounterValue, float64(p.Waited))
	ch <- prometheus.MustNewConstMetric(m.cancelled, prometheus.CounterValue, float64(p.Cancelled))

	ctx, cancel := context.WithTimeout(context.Background(), probeTimeout) // a Collector is given none
	defer cancel()
	c, err := db.CountScans(ctx)
	if err != nil {
		gauge(m.up, 0)
		return
	}
	gauge(m.up, 1)
	for _, status := range []postgres.ScanStatus{postgres.ScanRunning, postgres.ScanPublished, postgres.ScanFailed, postgres.ScanCancelled, postgres.ScanAbandoned} {
		gauge(m.scans, float64(c.ByStatus[status]), string(status))
	}
	gauge(m.repositories, float64(c.Repositories))
	if !c.LastPublished.IsZero() {
		gauge(m.published, float64(c.LastPublished.UnixMilli())/1000)
	}
}
