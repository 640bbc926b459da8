package rows

import (
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
)

// CallDetails are a call's details as one column: JSON text.
type CallDetails domain.CallDetails

// OutcomeDetails are an outcome's details as one column: JSON text.
type OutcomeDetails domain.OutcomeDetails

var (
	_ driver.Valuer = CallDetails{}
	_ driver.Valuer = OutcomeDetails{}
	_ sql.Scanner   = (*CallDetails)(nil)
	_ sql.Scanner   = (*OutcomeDetails)(nil)
)

// The JSON outlives the process: with other names, what is stored would be lost.
type callJSON struct {
	TraceID     string           `json:"trace_id,omitempty"`
	ContentType string           `json:"content_type,omitempty"`
	BodyBytes   int64            `json:"body_bytes,omitempty"`
	PhotoBytes  int64            `json:"photo_bytes,omitempty"`
	Format      string           `json:"format,omitempty"`
	Treatment   domain.Treatment `json:"treatment,omitempty"`
	Stages      stages           `json:"stages,omitzero"`
}

type outcomeJSON struct {
	Before photoJSON `json:"before,omitzero"`
	After  photoJSON `json:"after,omitzero"`
	Stages stages    `json:"stages,omitzero"`
}

type photoJSON struct {
	SHA256 domain.Digest `json:"sha256"`
	Size   int64         `json:"size"`
	Width  int           `json:"width"`
	Height int           `json:"height"`
}

// stages are the times that were taken, in nanoseconds, under their names.
// Others, which this version of the program doesn't know, are ignored.
type stages struct {
	Receive     time.Duration `json:"receive,omitempty"`
	Identify    time.Duration `json:"identify,omitempty"`
	Find        time.Duration `json:"find,omitempty"`
	CheckPIN    time.Duration `json:"check_pin,omitempty"`
	ReadPhoto   time.Duration `json:"read_photo,omitempty"`
	OpenEntry   time.Duration `json:"open_entry,omitempty"`
	Wait        time.Duration `json:"wait,omitempty"`
	StorePhoto  time.Duration `json:"store_photo,omitempty"`
	StoreRecord time.Duration `json:"store_record,omitempty"`
}

// Value implements driver.Valuer.
func (d CallDetails) Value() (driver.Value, error) {
	return encode(callJSON{
		TraceID: d.TraceID, ContentType: d.ContentType, BodyBytes: d.BodyBytes, PhotoBytes: d.PhotoBytes,
		Format: d.Format, Treatment: d.Treatment, Stages: stages(d.Timings),
	})
}

// Scan implements sql.Scanner.
func (d *CallDetails) Scan(column any) error {
	stored, err := decode[callJSON](column)
	*d = CallDetails{
		TraceID: stored.TraceID, ContentType: stored.ContentType, BodyBytes: stored.BodyBytes, PhotoBytes: stored.PhotoBytes,
		Format: stored.Format, Treatment: stored.Treatment, Timings: domain.Timings(stored.Stages),
	}
	return err
}

// Value implements driver.Valuer.
func (d OutcomeDetails) Value() (driver.Value, error) {
	return encode(outcomeJSON{photoJSON(d.Before), photoJSON(d.After), stages(d.Timings)})
}

// Scan implements sql.Scanner.
func (d *OutcomeDetails) Scan(column any) error {
	stored, err := decode[outcomeJSON](column)
	*d = OutcomeDetails{
		Before: domain.PhotoInfo(stored.Before), After: domain.PhotoInfo(stored.After), Timings: domain.Timings(stored.Stages),
	}
	return err
}

func encode(details any) (driver.Value, error) {
	text, err := json.Marshal(details)
	return string(text), err
}

func decode[T any](column any) (details T, err error) {
	text, isText := column.(string)
	if !isText {
		return details, fmt.Errorf("want JSON text, got %T", column)
	}
	return details, json.Unmarshal([]byte(text), &details)
}
