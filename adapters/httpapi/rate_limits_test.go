package httpapi

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/adapters/httpapi/internal/parameters"
	"github.com/fleetphoto/fleetphoto/domain"
)

// closed refuses every call without a live key.
type closed struct{ wait time.Duration }

func (c closed) Failure(string) time.Duration       { return c.wait }
func (c closed) Fleet(domain.FleetID) time.Duration { return 0 }

// TestRateLimited: a refused call gets a Retry-After and isn't in either log. A call
// with a live key from the same address succeeds.
func TestRateLimited(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ failureStatus, want int }{{0, http.StatusTooManyRequests}, {http.StatusOK, http.StatusOK}} {
		f := newFixture(t, func(o *Options) {
			o.Update.Limits = closed{1500 * time.Millisecond}
			o.FailureStatus = test.failureStatus
		})
		for contentType, body := range map[string]string{
			typeJSON:   strings.ReplaceAll(string(callJSON(t, parameters.Delete)), testKey, strings.Repeat("0", 25)),
			typeForm:   "phone_number=1",
			"text/xml": "<key>" + testKey + "</key>",
		} {
			got := f.post(t, contentType, strings.NewReader(body))
			const begins, detail = `{"result":"error","error":"Too Many Requests","api_log_id":0,`, `"detail":"too many calls without a live api_key came from this address, or from all; correct this one, and send it after that: `
			if got.Code != test.want || got.Header().Get("Retry-After") != "2" || !strings.HasPrefix(got.Body.String(), begins+detail) {
				t.Errorf("%s: got %d %s", contentType, got.Code, got.Body)
			}
		}
		if entries, err := f.backend.ApiLog.List(t.Context(), domain.ApiLogFilter{}, 1); f.log.Len() > 0 || err != nil || len(entries) > 0 {
			t.Errorf("logged are %s and %+v, %v", f.log, entries, err)
		}
		if got := f.post(t, typeJSON, bytes.NewReader(callJSON(t, parameters.Delete))); got.Code != http.StatusOK || !strings.Contains(got.Body.String(), `"valid"`) {
			t.Errorf("with a live key: got %d %s", got.Code, got.Body)
		}
	}
}
