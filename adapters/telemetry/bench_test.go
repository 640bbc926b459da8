//go:build unix

package telemetry

import (
	"context"
	"net/http"
	"slices"
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
// memory: unwatched, with metrics, and with metrics and every call or one in ten
// traced. They take turns, so that what else the machine does disturbs them alike.
//
//	go test ./adapters/telemetry -run '^$' -bench Cost -benchtime 300x
func BenchmarkCost(b *testing.B) {
	exporter, err := otlptrace.New(context.Background(), collector{})
	check(b, err)
	variants := []*fixture{newUnwatched(b, memory.New()), newFixture(b, nil), newFixture(b, exporter)}
	b.Setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
	b.Setenv("OTEL_TRACES_SAMPLER_ARG", "0.1")
	variants = append(variants, newFixture(b, exporter))
	body := call(b, testKey, testPhone, testPIN, testPhoto(b, 50_000))
	spent := make([][]float64, len(variants)) // for a call, in each turn
	for round := 0; b.Loop(); round++ {
		for i := range variants {
			at := (i + round) % len(variants)
			spent[at] = append(spent[at], variants[at].spend(b, body))
		}
	}
	plain := median(spent[0])
	b.ReportMetric(plain, "cpu-ns/call")
	for i, unit := range []string{"", "%-metrics", "%-traces", "%-tenth-traced"} {
		if i > 0 {
			b.ReportMetric(100*(median(spent[i])/plain-1), unit)
		}
	}
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// spend returns the processor time of a call, in nanoseconds, spans sent included.
func (f *fixture) spend(b *testing.B, body []byte) float64 {
	const calls = 50
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
	return float64(processorTime(b)-before) / calls
}

func processorTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	check(b, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
