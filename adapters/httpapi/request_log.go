package httpapi

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
)

type noteKey struct{}

// requestNote is what a handler tells the request's line in the log.
type requestNote struct {
	came   bool // a handler has answered
	answer usecase.Answer
	err    error
}

// note tells the request's line in the log what came of it.
func note(ctx context.Context, answer usecase.Answer, err error) {
	if n, ok := ctx.Value(noteKey{}).(*requestNote); ok {
		*n = requestNote{true, answer, err}
	}
}

// logRequest writes one line a request and tells Observe of it. Queries and
// paths that aren't ours stay out, as a caller may put a key there; so do keys,
// PINs, photos and whole phone numbers.
func (s *Server) logRequest(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begin := time.Now()
		n := &requestNote{}
		ctx, observed := s.Observe(r)
		counted := middleware.NewWrapResponseWriter(w, r.ProtoMajor)
		next.ServeHTTP(counted, r.WithContext(context.WithValue(ctx, noteKey{}, n)))
		took := time.Since(begin)
		line := []slog.Attr{
			slog.String("method", clip(r.Method)), slog.String("path", loggedPath(r)), slog.String("from", remoteHost(r)),
			slog.Int("status", counted.Status()), slog.Int64("bytes_in", r.ContentLength),
			slog.Int("bytes_out", counted.BytesWritten()), slog.Duration("took", took),
		}
		s.Logger.LogAttrs(ctx, n.level(), "request", append(line, n.attrs(r.URL.Path)...)...)
		observed(Exchange{
			Route: route(r), Status: counted.Status(), Took: took,
			IsCall: n.came && r.URL.Path == UpdatePath, Answer: n.answer, Err: n.err,
		})
	})
}

// loggedPath returns the path of a stored photo, or else the route that matched.
func loggedPath(r *http.Request) string {
	if key, found := strings.CutPrefix(r.URL.Path, PhotosPath); found {
		if _, err := domain.ParsePhotoKey(key); err == nil {
			return r.URL.Path
		}
	}
	return route(r)
}

// route returns the route that matched.
func route(r *http.Request) string {
	if pattern := chi.RouteContext(r.Context()).RoutePattern(); pattern != "" {
		return pattern
	}
	return "(other)"
}

func (n *requestNote) level() slog.Level {
	if n.err == nil {
		return slog.LevelInfo
	}
	switch domain.AsError(n.err).Kind {
	case domain.Internal:
		return slog.LevelError
	case domain.Unavailable:
		return slog.LevelWarn
	default:
		return slog.LevelInfo
	}
}

func (n *requestNote) attrs(path string) []slog.Attr {
	var attrs []slog.Attr
	if path == UpdatePath {
		call := n.answer.Call
		attrs = append(attrs,
			slog.Int64("api_log_id", int64(n.answer.ApiLogID)), slog.Int64("fleet", int64(call.Fleet)),
			slog.Int64("customer", int64(call.Customer)), slog.String("phone", string(call.Phone)),
			slog.String("operation", string(call.Operation)))
	}
	if n.err != nil {
		attrs = append(attrs, slog.String("error", string(domain.AsError(n.err).Kind)), slog.String("cause", n.err.Error()))
	}
	return attrs
}

// answerPanic turns a panic outside the use case into an answer.
func (s *Server) answerPanic(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			switch cause := recover(); cause {
			case nil:
			case http.ErrAbortHandler:
				panic(cause)
			default:
				s.answerFailure(w, r, fmt.Errorf("panic: %v\n%s", cause, debug.Stack()))
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// remoteHost returns the address that the request came from, without its port.
func remoteHost(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
