package rows

import (
	"crypto/sha256"
	"database/sql/driver"
	"fmt"
	"regexp"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
)

// Row is a row of a query: *sql.Row, *sql.Rows or pgx.Row.
type Row interface{ Scan(into ...any) error }

// Digest is a hash as a column: its bytes, NULL for the zero hash.
type Digest [sha256.Size]byte

// Bytes returns the hash, nil for the zero hash.
func (d Digest) Bytes() []byte {
	if d == (Digest{}) {
		return nil
	}
	return d[:]
}

// Value implements driver.Valuer.
func (d Digest) Value() (driver.Value, error) {
	if bytes := d.Bytes(); bytes != nil {
		return bytes, nil
	}
	return nil, nil
}

// Scan implements sql.Scanner.
func (d *Digest) Scan(column any) error {
	stored, isBytes := column.([]byte)
	if column != nil && (!isBytes || len(stored) != sha256.Size) {
		return fmt.Errorf("want a hash of %d bytes, got %T", sha256.Size, column)
	}
	*d = Digest{}
	copy(d[:], stored)
	return nil
}

// Time reads a column that holds a time, or microseconds since 1970 in UTC; NULL
// is the zero time.
type Time time.Time

// Scan implements sql.Scanner.
func (t *Time) Scan(column any) error {
	switch stored := column.(type) {
	case nil:
		*t = Time{}
	case int64:
		*t = Time(time.UnixMicro(stored).UTC())
	case time.Time:
		*t = Time(stored.UTC())
	default:
		return fmt.Errorf("want a time or microseconds, got %T", column)
	}
	return nil
}

// PhotoColumns are the columns of a photo's record.
const PhotoColumns = `photo_sha256, photo_size, photo_width, photo_height, photo_changed_at, photo_changed_by, photo_version, photo_store`

// PhotoValues are the values of PhotoColumns. changedAt is the record's time as
// the database takes it.
func PhotoValues(record domain.PhotoRecord, changedAt any) []any {
	info := record.Info
	return []any{Digest(info.SHA256), info.Size, info.Width, info.Height, changedAt, record.ChangedBy, record.Version, record.Store}
}

// PhotoInto is where PhotoColumns are read to.
func PhotoInto(record *domain.PhotoRecord) []any {
	info := &record.Info
	return []any{(*Digest)(&info.SHA256), &info.Size, &info.Width, &info.Height, (*Time)(&record.ChangedAt), &record.ChangedBy, &record.Version, &record.Store}
}

// CustomerColumns are the columns of a customer.
const CustomerColumns = `fleet_id, id, phone, pin_hash, ` + PhotoColumns

// SelectCustomer yields customers for ScanCustomer.
const SelectCustomer = `SELECT ` + CustomerColumns + ` FROM customers `

// CustomerValues are the values of CustomerColumns. changedAt is as for PhotoValues.
func CustomerValues(c domain.Customer, changedAt any) []any {
	return append([]any{c.Ref.Fleet, c.Ref.Customer, c.Phone, Digest(c.PIN)}, PhotoValues(c.Photo, changedAt)...)
}

// Replacing ends an INSERT … ON CONFLICT so that it replaces the columns of the row.
func Replacing(columns string) string {
	return "DO UPDATE SET (" + columns + ") = (" + columnName.ReplaceAllString(columns, "excluded.$0") + ")"
}

var columnName = regexp.MustCompile(`\w+`)

// ScanCustomer reads a row of SelectCustomer.
func ScanCustomer(row Row) (c domain.Customer, err error) {
	err = row.Scan(customerInto(&c)...)
	return c, err
}

// customerInto is where CustomerColumns are read to.
func customerInto(c *domain.Customer) []any {
	return append([]any{&c.Ref.Fleet, &c.Ref.Customer, &c.Phone, (*Digest)(&c.PIN)}, PhotoInto(&c.Photo)...)
}

// ScanStored reads CustomerColumns and then the PIN lock's attempts, end and wrong
// PINs in all.
func ScanStored(row Row) (c domain.StoredCustomer, err error) {
	err = row.Scan(append(customerInto(&c.Customer), &c.Lock.Attempts, (*Time)(&c.Lock.LockedUntil), &c.Lock.Wrong)...)
	return c, err
}

// ScanImported reads fleet_id, id, phone and pin_hash.
func ScanImported(row Row) (c domain.Customer, err error) {
	err = row.Scan(&c.Ref.Fleet, &c.Ref.Customer, &c.Phone, (*Digest)(&c.PIN))
	return c, err
}
