package httpapi

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/fleetphoto/fleetphoto/domain/usecase"
)

// The paths of the admin address.
const (
	LivePath    = "/livez"
	ReadyPath   = "/readyz"
	MetricsPath = "/metrics"
)

// readyTimeout bounds the readiness check: probes give up after a few seconds.
const readyTimeout = 3 * time.Second

// NewAdmin makes the handler of the admin address: LivePath answers 200 while
// the process runs, ReadyPath 200 while calls can succeed and 503 otherwise,
// MetricsPath what metrics answers.
func NewAdmin(readiness *usecase.Readiness, metrics http.Handler, logger *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET "+MetricsPath, metrics)
	mux.HandleFunc("GET "+LivePath, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintln(w, "live")
	})
	mux.HandleFunc("GET "+ReadyPath, func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
		defer cancel()
		if err := readiness.Check(ctx); err != nil {
			logger.WarnContext(ctx, "not ready", slog.String("cause", err.Error()))
			http.Error(w, "not ready: a backend does not answer; the server's log has the cause", http.StatusServiceUnavailable)
			return
		}
		_, _ = fmt.Fprintln(w, "ready")
	})
	return mux
}
