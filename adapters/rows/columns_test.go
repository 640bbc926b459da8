package rows

import (
	"testing"
	"time"
)

func TestColumns(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, time.March, 29, 12, 0, 0, 1_000, time.UTC)
	for _, column := range []any{noon, noon.In(time.FixedZone("", 3600)), noon.UnixMicro()} {
		var got Time
		if err := got.Scan(column); err != nil || time.Time(got) != noon {
			t.Errorf("%v: got %v, %v", column, time.Time(got), err)
		}
	}
	was := Digest{1}
	at := Time(noon)
	if err := was.Scan(nil); err != nil || was != (Digest{}) {
		t.Errorf("no hash: got %v, %v", was, err)
	}
	if err := at.Scan(nil); err != nil || !time.Time(at).IsZero() {
		t.Errorf("no time: got %v, %v", time.Time(at), err)
	}
	for _, bad := range []any{"text", []byte{1}, []byte{}, true} {
		if at.Scan(bad) == nil || was.Scan(bad) == nil {
			t.Errorf("%v is taken", bad)
		}
	}
}
