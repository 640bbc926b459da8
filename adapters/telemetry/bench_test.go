//go:build unix

package telemetry

import (
	"context"
	"net/http"
	"syscall"
	"testing"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/fleetphoto/fleetphoto/adapters/memory"
)

// collector takes spans as OTLP sends them, down to the bytes, and drops them.
type collector struct{}

// Start implements otlptrace.Client.
func (collector) Start(context.Context) error { return nil }

// Stop implements otlptrace.Client.
func (collector) Stop(context.Context) error { return nil }

// UploadTraces implements otlptrace.Client.
func (collector) UploadTraces(_ context.Context, spans []*tracepb.ResourceSpans) error {
	for _, s := range spans {
		if _, err := proto.Marshal(s); err != nil {
			return err
		}
	}
	return nil
}

// BenchmarkCost is the processor time of a whole call with a photo of 50 KB over
// memory: unwatched, with metrics, and with metrics and every call traced. They
// take turns, so that what else the machine does disturbs them alike.
//
//	go test ./adapters/telemetry -run '^$' -bench Cost -benchtime 300x
func BenchmarkCost(b *testing.B) {
	exporter, err := otlptrace.New(context.Background(), collector{})
	check(b, err)
	variants := []*fixture{newUnwatched(b, memory.New()), newFixture(b, nil), newFixture(b, exporter)}
	body := call(b, testKey, testPhone, testPIN, testPhoto(b, 50_000))
	spent := make([]time.Duration, len(variants))
	const turn = 50
	round := 0
	for b.Loop() {
		for i := range variants {
			at := (i + round) % len(variants)
			spent[at] += variants[at].spend(b, body, turn)
		}
		round++
	}
	perCall := func(i int) float64 { return float64(spent[i]) / float64(round*turn) }
	b.ReportMetric(perCall(0), "cpu-ns/call")
	b.ReportMetric(100*(perCall(1)/perCall(0)-1), "%-metrics")
	b.ReportMetric(100*(perCall(2)/perCall(0)-1), "%-traces")
}

// spend returns the processor time of so many calls, spans sent included.
func (f *fixture) spend(b *testing.B, body []byte, calls int) time.Duration {
	f.log.Reset()
	before := processorTime(b)
	for range calls {
		if answer := f.post(b, body); answer.Code != http.StatusOK {
			b.Fatal(answer.Body)
		}
	}
	if f.Telemetry != nil && f.traces != nil {
		check(b, f.traces.provider.ForceFlush(b.Context()))
	}
	return processorTime(b) - before
}

func processorTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	check(b, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
