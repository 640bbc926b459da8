package customercsv_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/adapters/cli/customercsv"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/operator"
)

// What is exported is read again, without PINs: those that are stored stay.
func TestExport(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	export := customercsv.NewExport(&out)
	changedAt := time.Date(2026, 11, 23, 12, 0, 0, 123456000, time.UTC)
	for _, c := range []domain.Customer{
		{Ref: domain.CustomerRef{Fleet: 689, Customer: 7}, Phone: 447700900123, PIN: domain.PINHash{1}},
		{Ref: domain.CustomerRef{Fleet: 689, Customer: 8}, Phone: 8, Photo: domain.PhotoRecord{Info: domain.PhotoInfo{Size: 300}, ChangedAt: changedAt}},
	} {
		if err := export.Write(c); err != nil {
			t.Fatal(err)
		}
	}
	const want = "id,phone,has_pin,photo_bytes,photo_changed_at\n7,447700900123,true,0,\n8,8,false,300,2026-11-23T12:00:00.123456Z\n"
	if err := export.Flush(); err != nil || out.String() != want {
		t.Errorf("got %s, %v, want %s", &out, err, want)
	}
	rows, err := read(strings.NewReader(want), 1)
	if want := []operator.ImportRow{keeping(2, 7, 447700900123), keeping(3, 8, 8)}; err != nil || !slices.Equal(rows, want) {
		t.Errorf("read again it is %+v, %v, want %+v", rows, err, want)
	}
}

func TestExportOfNobody(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	if err := customercsv.NewExport(&out).Flush(); err != nil || out.String() != "id,phone,has_pin,photo_bytes,photo_changed_at\n" {
		t.Errorf("got %q, %v", &out, err)
	}
}

func TestRejections(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	rejections := customercsv.NewRejections(&out)
	if err := errors.Join(rejections.Head(), rejections.Write(7, "a, b"), rejections.Flush()); err != nil || out.String() != "line,reason\n7,\"a, b\"\n" {
		t.Errorf("got %q, %v", &out, err)
	}
}

type full struct{}

var errFull = errors.New("the disk is full")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestFlushSaysWhatFailed(t *testing.T) {
	t.Parallel()
	if err := customercsv.NewExport(full{}).Flush(); !errors.Is(err, errFull) {
		t.Errorf("export: got %v", err)
	}
	rejections := customercsv.NewRejections(full{})
	if err := errors.Join(rejections.Head(), rejections.Flush()); !errors.Is(err, errFull) {
		t.Errorf("rejections: got %v", err)
	}
}
