package telemetry

import (
	"cmp"
	"net/http"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/fleetphoto/fleetphoto/domain"
)

// refused is the treatment of an image of an accepted format that is broken or
// over a limit.
const refused = "refused"

// metrics are the service's own metrics and those of Go and the process. Their
// labels have few values, all of them in the code: no fleet, no customer, no
// path.
type metrics struct {
	registry *prometheus.Registry
	calls    *prometheus.CounterVec
	valid    prometheus.Counter // the series of calls
	took     map[domain.Result]prometheus.Observer
	stages   [len(stageNames)]prometheus.Observer
	received prometheus.Counter
	stored   prometheus.Counter
	photos   *prometheus.CounterVec
}

func newMetrics(options Options) *metrics {
	m := &metrics{registry: prometheus.NewRegistry(), took: map[domain.Result]prometheus.Observer{}}
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.countCalls()
	m.countPhotos()
	m.received = m.counter("fleetphoto_received_bytes_total", "Bytes read from the bodies of calls.")
	m.stored = m.counter("fleetphoto_stored_bytes_total", "Bytes of stored photos.")
	add(m, newBuildInfo(options.Version, options.Commit))
	add(m, newUnfinished(options.Log, options.Logger))
	if len(options.Pools) > 0 {
		add(m, pools(options.Pools))
	}
	return m
}

func add[C prometheus.Collector](m *metrics, collector C) C {
	m.registry.MustRegister(collector)
	return collector
}

func (m *metrics) counter(name, help string) prometheus.Counter {
	return add(m, prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help}))
}

func (m *metrics) counters(name, help string, labels ...string) *prometheus.CounterVec {
	return add(m, prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels))
}

func (m *metrics) histograms(name, help, label string, buckets ...float64) *prometheus.HistogramVec {
	return add(m, prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, []string{label}))
}

// countCalls begins each series at 0, so that the first failure of a kind
// shows as an increase.
func (m *metrics) countCalls() {
	m.calls = m.counters("fleetphoto_calls_total", "Calls, by result (valid or error) and error code (empty if valid).", "result", "error")
	m.valid = m.calls.WithLabelValues(string(domain.Valid), "")
	for _, kind := range domain.Kinds() {
		m.calls.WithLabelValues(string(domain.Failed), string(kind))
	}
	took := m.histograms("fleetphoto_call_duration_seconds", "How long calls took, from the first byte of the request to the answer, by result.", "result",
		0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
	for _, result := range []domain.Result{domain.Valid, domain.Failed} {
		m.took[result] = took.WithLabelValues(string(result))
	}
	stages := m.histograms("fleetphoto_stage_duration_seconds", "How long each stage of a call took.", "stage",
		0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
	for s, name := range stageNames {
		m.stages[s] = stages.WithLabelValues(name)
	}
}

func (m *metrics) countPhotos() {
	m.photos = m.counters("fleetphoto_photos_total", "Image files in an accepted format, by format and treatment (kept, normalised, or refused if broken or over a limit).", "treatment", "format")
	m.photos.WithLabelValues(string(domain.Kept), "JPEG")
	m.photos.WithLabelValues(string(domain.Normalised), "JPEG")
}

func (m *metrics) exchange(e Exchange) {
	if !e.IsCall {
		return
	}
	result := domain.Valid
	if e.Err == nil {
		m.valid.Inc()
	} else {
		result = domain.Failed
		m.calls.WithLabelValues(string(result), string(domain.AsError(e.Err).Kind)).Inc()
	}
	m.took[result].Observe(e.Took.Seconds())
	m.received.Add(float64(e.Answer.Call.Details.BodyBytes))
	m.stored.Add(float64(e.Answer.Stored.Size))
	if details := e.Answer.Call.Details; details.Format != "" {
		m.photos.WithLabelValues(cmp.Or(string(details.Treatment), refused), details.Format).Inc()
	}
}

func (m *metrics) stage(s stage, took time.Duration) { m.stages[s].Observe(took.Seconds()) }

func (m *metrics) inflight(held func() int64) {
	add(m, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "fleetphoto_inflight_bytes", Help: "Memory in use for request bodies; FLEETPHOTO_MAX_INFLIGHT_BYTES limits it.",
	}, func() float64 { return float64(held()) }))
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError})
}

func newBuildInfo(version, commit string) prometheus.Collector {
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "fleetphoto_build_info", Help: "Always 1; the labels identify the running program.",
	}, []string{"version", "commit", "goversion"})
	build.WithLabelValues(version, commit, runtime.Version()).Set(1)
	return build
}
