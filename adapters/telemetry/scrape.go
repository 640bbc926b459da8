package telemetry

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/fleetphoto/fleetphoto/domain/usecase"
	"github.com/fleetphoto/fleetphoto/ports"
)

// What is asked of the API log while somebody asks for the metrics.
const (
	mostUnfinished = 100 // stands for any number from it on
	askTimeout     = 2 * time.Second
	askEvery       = 15 * time.Second
)

// unfinished counts the log entries that wait for Repair. It says nothing of
// calls that run now, nor by which server the entries were opened: servers with
// one log count the same ones. Where the log doesn't answer, the metric is missing.
type unfinished struct {
	log    ports.ApiLog
	logger *slog.Logger
	metric *prometheus.Desc

	mutex sync.Mutex
	asked time.Time
	count int
	known bool
}

func newUnfinished(log ports.ApiLog, logger *slog.Logger) *unfinished {
	return &unfinished{log: log, logger: logger, metric: prometheus.NewDesc("fleetphoto_unfinished_entries",
		"Log entries of calls that were cut off and that no Repair has settled yet, in the whole log, at most 100; missing when the log doesn't answer.", nil, nil)}
}

// Describe implements prometheus.Collector.
func (u *unfinished) Describe(to chan<- *prometheus.Desc) { to <- u.metric }

// Collect implements prometheus.Collector.
func (u *unfinished) Collect(to chan<- prometheus.Metric) {
	u.mutex.Lock()
	defer u.mutex.Unlock()
	if now := time.Now(); now.Sub(u.asked) >= askEvery {
		u.ask(now)
		u.asked = time.Now()
	}
	if u.known {
		to <- prometheus.MustNewConstMetric(u.metric, prometheus.GaugeValue, float64(u.count))
	}
}

func (u *unfinished) ask(now time.Time) {
	ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
	defer cancel()
	entries, err := u.log.Unfinished(ctx, now.Add(-usecase.SettleAfter), mostUnfinished)
	u.count, u.known = len(entries), err == nil
	if err != nil {
		u.logger.Warn("the unfinished log entries could not be counted for the metrics", slog.String("cause", err.Error()))
	}
}

// pools are the connections to the databases.
type pools map[string]Pool

// poolMetrics are the pools' two metrics: the connections by state, and how many
// there may be.
func poolMetrics() (connections, most *prometheus.Desc) {
	return prometheus.NewDesc("fleetphoto_pool_connections", "Connections to the database now, by the setting that names it and state (in_use or idle).", []string{"setting", "state"}, nil),
		prometheus.NewDesc("fleetphoto_pool_max_connections", "Most connections to the database; calls wait for one beyond it.", []string{"setting"}, nil)
}

// Describe implements prometheus.Collector.
func (p pools) Describe(to chan<- *prometheus.Desc) {
	connections, most := poolMetrics()
	to <- connections
	to <- most
}

// Collect implements prometheus.Collector.
func (p pools) Collect(to chan<- prometheus.Metric) {
	connections, limit := poolMetrics()
	gauge := func(metric *prometheus.Desc, value int, labels ...string) {
		to <- prometheus.MustNewConstMetric(metric, prometheus.GaugeValue, float64(value), labels...)
	}
	for setting, pool := range p {
		inUse, idle, most := pool()
		gauge(connections, inUse, setting, "in_use")
		gauge(connections, idle, setting, "idle")
		gauge(limit, most, setting)
	}
}
