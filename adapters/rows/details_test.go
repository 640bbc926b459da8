package rows

import (
	"database/sql/driver"
	"testing"

	"github.com/fleetphoto/fleetphoto/domain"
)

// The stored form outlives the process: another form would lose what is stored.
func TestDetailsForm(t *testing.T) {
	t.Parallel()
	info := domain.PhotoInfo{SHA256: domain.Digest{0xAB}, Size: 1, Width: 2, Height: 3}
	const infoForm = `{"sha256":"ab00000000000000000000000000000000000000000000000000000000000000","size":1,"width":2,"height":3}`
	forms := map[string]driver.Valuer{
		`{"trace_id":"0af7","content_type":"a/b","body_bytes":9223372036854775807,"photo_bytes":4,"format":"JPEG","treatment":"kept","stages":{"receive":5}}`: CallDetails{
			TraceID: "0af7", ContentType: "a/b", BodyBytes: 1<<63 - 1, PhotoBytes: 4, Format: "JPEG", Treatment: domain.Kept,
			Timings: domain.Timings{Receive: 5},
		},
		`{"stages":{"receive":1,"identify":2,"find":3,"check_pin":4,"read_photo":5}}`: CallDetails{
			Timings: domain.Timings{Receive: 1, Identify: 2, Find: 3, CheckPIN: 4, ReadPhoto: 5},
		},
		`{"before":` + infoForm + `}`: OutcomeDetails{Before: info},
		`{"after":` + infoForm + `,"stages":{"open_entry":6,"wait":7,"store_photo":9223372036854775807,"store_record":9}}`: OutcomeDetails{
			After: info, Timings: domain.Timings{OpenEntry: 6, Wait: 7, StorePhoto: 1<<63 - 1, StoreRecord: 9},
		},
	}
	for form, details := range forms {
		checkForm(t, form, details)
	}
	checkForm(t, `{}`, CallDetails{})
	checkForm(t, `{}`, OutcomeDetails{})
}

func checkForm(t *testing.T, form string, details driver.Valuer) {
	t.Helper()
	if text, err := details.Value(); err != nil || text != form {
		t.Errorf("%+v is stored as %s, %v; want %s", details, text, err, form)
	}
	var got driver.Valuer
	var err error
	switch details.(type) {
	case CallDetails:
		read := CallDetails{TraceID: "what was there before"}
		err = read.Scan(form)
		got = read
	case OutcomeDetails:
		read := OutcomeDetails{After: domain.PhotoInfo{Size: 1}}
		err = read.Scan(form)
		got = read
	}
	if err != nil || got != details {
		t.Errorf("%s is read as %+v, %v; want %+v", form, got, err, details)
	}
}

// What another version of the program stored may have more, or less.
func TestDetailsOfOtherVersions(t *testing.T) {
	t.Parallel()
	for form, want := range map[string]CallDetails{
		`{"stages":{"dream":5,"wait":6},"more":[]}`: {Timings: domain.Timings{Wait: 6}},
		`{"stages":null}`: {},
		`null`:            {},
	} {
		var got CallDetails
		if err := got.Scan(form); err != nil || got != want {
			t.Errorf("%s: got %+v, %v; want %+v", form, got, err, want)
		}
	}
}

func TestDetailsThatAreNone(t *testing.T) {
	t.Parallel()
	for _, column := range []any{
		nil, 7, []byte("{}"), ``, `[]`, `{"stages":[]}`, `{"stages":{"wait":"6ms"}}`, `{"stages":{"wait":1.5}}`, `{"stages":{"wait":9223372036854775808}}`,
	} {
		var call CallDetails
		var outcome OutcomeDetails
		if call.Scan(column) == nil || outcome.Scan(column) == nil {
			t.Errorf("%v: got %+v, %+v and no error", column, call, outcome)
		}
	}
}
