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

// What is asked of the API log while somebody asks for the metrics.
const (
	mostUnfinished = 1000 // stands for any number from it on
	askTimeout     = 2 * time.Second
	askEvery       = 15 * time.Second
	// settleWithin is how long a Repair may take to come to an entry that it is
	// time for.
	settleWithin = 2 * usecase.RepairEvery
)

// unfinished watches the log entries that wait for Repair. It says nothing of
// calls that run now, nor by which server the entries were opened: servers with
// one log count the same ones. Where the log doesn't answer, the metrics are missing.
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
			"Log entries of calls that were cut off and that no Repair has closed yet, in the whole log, at most 1000; missing when the log doesn't answer.", nil, nil),
		oldest: prometheus.NewDesc("fleetphoto_unsettled_seconds",
			"Age of the oldest of these entries that a Repair should have looked at, or closed, by now; 0: there is none.", nil, nil),
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
