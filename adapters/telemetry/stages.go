package telemetry

import (
	"context"
	"sync"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
)

// stage is a step of a call that is timed.
type stage int

// The stages, in the order of a call; domain.Timings describes them. The log
// has no time for closeEntry, which closes the log entry.
const (
	receive stage = iota
	identify
	find
	checkPIN
	readPhoto
	openEntry
	wait
	storePhoto
	storeRecord
	closeEntry
)

// stageNames are the names in metrics and traces, and in the log.
var stageNames = [...]string{
	receive: "receive", identify: "identify", find: "find", checkPIN: "check_pin", readPhoto: "read_photo",
	openEntry: "open_entry", wait: "wait", storePhoto: "store_photo", storeRecord: "store_record", closeEntry: "close_entry",
}

// String returns the stage's name.
func (s stage) String() string { return stageNames[s] }

// times holds how long the stages of one request took. Times of parts of a
// stage are added up.
type times struct {
	mutex sync.Mutex
	took  [len(stageNames)]time.Duration
	ended [len(stageNames)]bool // the stages that the request went through
}

type timesKey struct{}

func withTimes(ctx context.Context) (context.Context, *times) {
	t := &times{}
	return context.WithValue(ctx, timesKey{}, t), t
}

// timesOf returns the times of the request that ctx belongs to; nil if there is
// none.
func timesOf(ctx context.Context) *times {
	t, _ := ctx.Value(timesKey{}).(*times)
	return t
}

func (t *times) add(s stage, took time.Duration) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.took[s] += took
	t.ended[s] = true
}

// each calls f with the time of each stage that the request went through.
func (t *times) each(f func(stage, time.Duration)) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	for s, took := range t.took {
		if t.ended[s] {
			f(stage(s), took)
		}
	}
}

// logged returns the times as the log keeps them: of the stages before the
// entry is opened, and of the others.
func (t *times) logged() (call, outcome domain.Timings) {
	var whole [len(stageNames)]time.Duration
	t.each(func(s stage, took time.Duration) { whole[s] = took.Truncate(time.Microsecond) })
	call = domain.Timings{
		Receive: whole[receive], Identify: whole[identify], Find: whole[find], CheckPIN: whole[checkPIN], ReadPhoto: whole[readPhoto],
	}
	outcome = domain.Timings{
		OpenEntry: whole[openEntry], Wait: whole[wait], StorePhoto: whole[storePhoto], StoreRecord: whole[storeRecord],
	}
	return call, outcome
}

// begin begins a stage, or a part of one, of the request that ctx belongs to.
// The stage runs with the returned context and ends with the returned function.
// If ctx belongs to no request, nothing is timed.
func (t *Telemetry) begin(ctx context.Context, s stage) (context.Context, func(error)) {
	times := timesOf(ctx)
	if times == nil {
		return ctx, func(error) {}
	}
	endSpan := func(error) {}
	if t.traces != nil {
		ctx, endSpan = t.traces.stage(ctx, s)
	}
	begun := t.clock()
	return ctx, func(err error) {
		times.add(s, t.clock().Sub(begun))
		endSpan(err)
	}
}

// Receive begins the stage in which the body of ctx's request is received. The
// returned function ends it.
func (t *Telemetry) Receive(ctx context.Context) func(error) {
	_, end := t.begin(ctx, receive)
	return end
}
