package httpapi

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestAdminServesMetrics(t *testing.T) {
	metrics := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "the metrics") })
	for method, want := range map[string]int{http.MethodGet: 200, http.MethodPost: 405} {
		recorder := httptest.NewRecorder()
		NewAdmin(nil, metrics, nil).ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), method, MetricsPath, nil))
		if recorder.Code != want || want == 200 && recorder.Body.String() != "the metrics" {
			t.Errorf("%s: got %d %s, want %d", method, recorder.Code, recorder.Body, want)
		}
	}
}
