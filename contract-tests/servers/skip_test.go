package servers

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// verdict is a test that writes down how it ends.
type verdict struct {
	testing.TB
	word string
}

func (*verdict) Helper() {}

func (v *verdict) Skip(reasons ...any) { v.end("skipped: ", reasons) }

func (v *verdict) Fatal(reasons ...any) { v.end("failed: ", reasons) }

func (v *verdict) end(word string, reasons []any) {
	v.word = word + fmt.Sprint(reasons...)
	runtime.Goexit()
}

func TestWithoutAnEngine(t *testing.T) {
	missing := &kind{"s3", func() (server, error) { return server{}, errNoEngine }}
	broken := &kind{"s3", func() (server, error) { return server{}, fmt.Errorf("no such image") }}
	for _, test := range []struct {
		required string
		kind     *kind
		want     string
	}{
		{"", missing, "skipped: no container engine answers"},
		{"encoders,postgres", missing, "skipped: no container engine answers"},
		{"postgres,s3", missing, "failed: no container engine answers"},
		{"", broken, "failed: no such image"},
	} {
		t.Setenv("FLEETPHOTO_REQUIRE", test.required)
		var v verdict
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			test.kind.server(&v)
		}()
		<-ended
		if !strings.HasPrefix(v.word, test.want) {
			t.Errorf("FLEETPHOTO_REQUIRE=%q: got %q, want %q", test.required, v.word, test.want)
		}
	}
}
