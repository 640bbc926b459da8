package telemetry

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
	"github.com/fleetphoto/fleetphoto/ports"
)

// Limits of the queries to the API log when the metrics are scraped.
const (
	mostUnfinished = 1000 // counting stops here
	askTimeout     = 2 * time.Second
	askEvery       = 15 * time.Second
	// settleWithin is how long a Repair may take to reach an entry that is due.
	settleWithin = 2 * usecase.RepairEvery
)

// unfinished counts the log entries that wait for Repair. Calls that are still
// running don't count; entries of all servers that share the log do. If the log
// doesn't answer, the metrics are absent.
type unfinished struct {
	log          ports.ApiLog
	logger       *slog.Logger
	open, oldest *prometheus.Desc

	mutex sync.Mutex
	asked time.Time
	count int
	age   time.Duration
	known bool
}

func newUnfinished(log ports.ApiLog, logger *slog.Logger) *unfinished {
	return &unfinished{log: log, logger: logger,
		open: prometheus.NewDesc("fleetphoto_unfinished_entries",
			"Log entries of calls that were cut off, until a Repair closes them; of the whole log, at most 1000; absent if the log doesn't answer.", nil, nil),
		oldest: prometheus.NewDesc("fleetphoto_unsettled_seconds",
			"Age of the oldest of these entries that a Repair should have examined or closed by now; 0 if there is none.", nil, nil),
	}
}

// Describe implements prometheus.Collector.
func (u *unfinished) Describe(to chan<- *prometheus.Desc) {
	to <- u.open
	to <- u.oldest
}

// Collect implements prometheus.Collector.
func (u *unfinished) Collect(to chan<- prometheus.Metric) {
	u.mutex.Lock()
	defer u.mutex.Unlock()
	if now := time.Now(); now.Sub(u.asked) >= askEvery {
		u.ask(now)
		u.asked = time.Now()
	}
	if u.known {
		to <- prometheus.MustNewConstMetric(u.open, prometheus.GaugeValue, float64(u.count))
		to <- prometheus.MustNewConstMetric(u.oldest, prometheus.GaugeValue, u.age.Seconds())
	}
}

func (u *unfinished) ask(now time.Time) {
	ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
	defer cancel()
	entries, err := u.log.Unfinished(ctx, usecase.SettleAfter, 0, mostUnfinished)
	late, lateErr := u.log.Unfinished(ctx, usecase.LateAfter+settleWithin, 0, 1)
	overdue, overdueErr := u.log.Unfinished(ctx, usecase.SettleAfter+settleWithin, 0, mostUnfinished)
	u.count, u.age = len(entries), 0
	overdue = slices.DeleteFunc(overdue, func(entry domain.ApiLogEntry) bool { return !entry.Outcome.SettledAt.IsZero() })
	for _, entry := range append(late, overdue...) {
		u.age = max(u.age, now.Sub(entry.Call.ReceivedAt))
	}
	err = errors.Join(err, lateErr, overdueErr)
	if u.known = err == nil; !u.known {
		u.logger.Warn("the unfinished log entries could not be counted for the metrics", slog.String("cause", err.Error()))
	}
}

// pools are the connection pools of the databases.
type pools map[string]Pool

// poolMetrics returns the pools' two metrics: the connections by state, and
// their maximum number.
func poolMetrics() (connections, most *prometheus.Desc) {
	return prometheus.NewDesc("fleetphoto_pool_connections", "Open database connections, by the setting that names the database and by state (in_use or idle).", []string{"setting", "state"}, nil),
		prometheus.NewDesc("fleetphoto_pool_max_connections", "Maximum number of database connections; when all are in use, calls wait.", []string{"setting"}, nil)
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
