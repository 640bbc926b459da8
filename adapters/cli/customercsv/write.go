package customercsv

import (
	"encoding/csv"
	"io"
	"strconv"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
)

// Export writes customers as CSV. Rows reads it and, as PINs aren't in it,
// leaves those that are stored.
type Export struct{ csv *csv.Writer }

// NewExport writes to out what Flush says is complete.
func NewExport(out io.Writer) *Export {
	e := &Export{csv.NewWriter(out)}
	_ = e.csv.Write([]string{"id", "phone", "has_pin", "photo_bytes", "photo_changed_at"}) // Flush returns its error
	return e
}

// Write writes a customer. photo_bytes is 0 where there is no photo, and
// photo_changed_at empty where there never was one.
func (e *Export) Write(c domain.Customer) error {
	changedAt := ""
	if !c.Photo.ChangedAt.IsZero() {
		changedAt = c.Photo.ChangedAt.Format(time.RFC3339Nano)
	}
	return e.csv.Write([]string{
		strconv.FormatInt(int64(c.Ref.Customer), 10), strconv.FormatInt(int64(c.Phone), 10),
		strconv.FormatBool(c.PIN != domain.PINHash{}), strconv.FormatInt(c.Photo.Info.Size, 10), changedAt,
	})
}

// Flush writes what is still held back, and fails when anything failed before.
func (e *Export) Flush() error { return flush(e.csv) }

// Rejections lists the rows that an import didn't take, as CSV.
type Rejections struct{ csv *csv.Writer }

// NewRejections writes to out what Flush says is complete.
func NewRejections(out io.Writer) *Rejections { return &Rejections{csv.NewWriter(out)} }

// Head writes the names of the columns.
func (r *Rejections) Head() error { return r.csv.Write([]string{"line", "reason"}) }

// Write writes the line of a row and why it wasn't taken.
func (r *Rejections) Write(line int, reason string) error {
	return r.csv.Write([]string{strconv.Itoa(line), reason})
}

// Flush writes what is still held back, and fails when anything failed before.
func (r *Rejections) Flush() error { return flush(r.csv) }

func flush(out *csv.Writer) error {
	out.Flush()
	return out.Error()
}
