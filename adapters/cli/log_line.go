package cli

import (
	"iter"
	"maps"
	"strconv"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
)

// logLine is an entry of the API log as JSON. Programs rely on the names, which
// docs/operate.md lists.
type logLine struct {
	ID          domain.ApiLogID    `json:"id"`
	ReceivedAt  time.Time          `json:"received_at"`
	From        string             `json:"from,omitempty"`
	Fleet       domain.FleetID     `json:"fleet,omitempty"`
	Key         domain.KeyLabel    `json:"key,omitempty"`
	Customer    domain.CustomerID  `json:"customer,omitempty"`
	Phone       domain.MaskedPhone `json:"phone,omitempty"`
	Operation   domain.Operation   `json:"operation,omitempty"`
	TraceID     string             `json:"trace_id,omitempty"`
	ContentType string             `json:"content_type,omitempty"`
	BodyBytes   int64              `json:"body_bytes,omitempty"`
	PhotoBytes  int64              `json:"photo_bytes,omitempty"`
	Format      string             `json:"format,omitempty"`
	Treatment   domain.Treatment   `json:"treatment,omitempty"`
	Result      domain.Result      `json:"result"`
	Error       domain.Kind        `json:"error,omitempty"`
	Detail      string             `json:"detail,omitempty"`
	EndedAt     time.Time          `json:"ended_at,omitzero"`
	SettledAt   time.Time          `json:"settled_at,omitzero"`
	Store       string             `json:"store,omitempty"`
	Before      photoLine          `json:"before,omitzero"`
	After       photoLine          `json:"after,omitzero"`

	Stages map[string]time.Duration `json:"stages_ns,omitempty"`
}

// photoLine is a domain.PhotoInfo as JSON.
type photoLine struct {
	SHA256 domain.Digest `json:"sha256"`
	Size   int64         `json:"size"`
	Width  int           `json:"width"`
	Height int           `json:"height"`
}

func newLogLine(entry domain.ApiLogEntry) logLine {
	call, outcome := entry.Call, entry.Outcome
	return logLine{
		ID: entry.ID, ReceivedAt: call.ReceivedAt, From: call.From, Fleet: call.Fleet, Key: call.Key,
		Customer: call.Customer, Phone: call.Phone, Operation: call.Operation,
		TraceID: call.Details.TraceID, ContentType: call.Details.ContentType, BodyBytes: call.Details.BodyBytes,
		PhotoBytes: call.Details.PhotoBytes, Format: call.Details.Format, Treatment: call.Details.Treatment,
		Result: outcome.Status(), Error: outcome.Error, Detail: outcome.Detail, EndedAt: outcome.EndedAt,
		SettledAt: outcome.SettledAt, Store: string(call.Store),
		Before: photoLine(outcome.Details.Before), After: photoLine(outcome.Details.After), Stages: maps.Collect(stages(entry)),
	}
}

// stages yields how long each stage of the call took, in their order. Unknown ones
// are left out.
func stages(entry domain.ApiLogEntry) iter.Seq2[string, time.Duration] {
	return func(yield func(string, time.Duration) bool) {
		for _, half := range []domain.Timings{entry.Call.Details.Timings, entry.Outcome.Details.Timings} {
			for name, took := range half.All() {
				if *took != 0 && !yield(name, *took) {
					return
				}
			}
		}
	}
}

// logRow returns an entry as a row of the list.
func logRow(entry domain.ApiLogEntry) []string {
	call, outcome := entry.Call, entry.Outcome
	ended, took := string(outcome.Status()), ""
	if outcome.Error != "" {
		ended = string(outcome.Error)
	}
	if !outcome.IsOpen() {
		took = outcome.EndedAt.Sub(call.ReceivedAt).String()
	}
	return []string{
		number(entry.ID), clock(call.ReceivedAt), number(call.Fleet), string(call.Key), number(call.Customer), string(call.Phone),
		string(call.Operation), ended, took,
	}
}

// number returns an id as text, or "" for 0, which stands for none.
func number[ID ~int64](id ID) string {
	if id == 0 {
		return ""
	}
	return strconv.FormatInt(int64(id), 10)
}
