package telemetry

import (
	"context"
	"sync"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// together holds back ended spans until the request's span ends. The batch
// processor behind it wakes a goroutine for each span that arrives alone, which
// costs far more than the span.
type together struct {
	sdktrace.SpanProcessor
	mutex sync.Mutex
	ended []sdktrace.ReadOnlySpan
}

// OnEnd implements sdktrace.SpanProcessor.
func (p *together) OnEnd(span sdktrace.ReadOnlySpan) {
	p.mutex.Lock()
	p.ended = append(p.ended, span)
	p.mutex.Unlock()
	if span.SpanKind() == trace.SpanKindServer {
		p.handOn()
	}
}

// ForceFlush implements sdktrace.SpanProcessor.
func (p *together) ForceFlush(ctx context.Context) error {
	p.handOn()
	return p.SpanProcessor.ForceFlush(ctx)
}

// Shutdown implements sdktrace.SpanProcessor.
func (p *together) Shutdown(ctx context.Context) error {
	p.handOn()
	return p.SpanProcessor.Shutdown(ctx)
}

func (p *together) handOn() {
	p.mutex.Lock()
	ended := p.ended
	p.ended = nil
	p.mutex.Unlock()
	for _, span := range ended {
		p.SpanProcessor.OnEnd(span)
	}
}
