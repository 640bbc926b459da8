package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"golang.org/x/time/rate"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
)

// Exchange is an answered request.
type Exchange struct {
	Route  string // the pattern that matched, such as /photos/*; "(other)": none
	Status int
	Took   time.Duration
	IsCall bool           // of UpdatePath, with any method
	Answer usecase.Answer // of a call
	Err    error          // why the request failed; nil: it didn't
}

type exchangeKey struct{}

// note stores the outcome of a request in its Exchange.
func note(r *http.Request, answer usecase.Answer, err error) {
	if e, ok := r.Context().Value(exchangeKey{}).(*Exchange); ok {
		e.IsCall, e.Answer, e.Err = r.URL.Path == UpdatePath, answer, err
	}
}

// logRequest writes one line for each request and tells Observe. It logs no queries
// and no unknown paths, where a caller may have put a key, and no keys, PINs, photos
// or whole phone numbers.
func (s *Server) logRequest(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begin := time.Now()
		ctx, observed := s.Observe(r)
		e := &Exchange{}
		counted := middleware.NewWrapResponseWriter(w, r.ProtoMajor)
		next.ServeHTTP(counted, r.WithContext(context.WithValue(ctx, exchangeKey{}, e)))
		e.Route, e.Status, e.Took = route(r), counted.Status(), time.Since(begin)
		const most = 15 // attributes of the longest line
		line := append(make([]slog.Attr, 0, most),
			slog.String("method", clip(r.Method)), slog.String("path", loggedPath(r, e.Route)), slog.String("from", clientName(r)),
			slog.Int("status", e.Status), slog.Int64("bytes_in", r.ContentLength),
			slog.Int("bytes_out", counted.BytesWritten()), slog.Duration("took", e.Took))
		if r.URL.Path == UpdatePath {
			call := e.Answer.Call
			line = append(line,
				slog.Int64("api_log_id", int64(e.Answer.ApiLogID)), slog.Int64("fleet", int64(call.Fleet)),
				slog.Int64("customer", int64(call.Customer)), slog.String("phone", string(call.Phone)),
				slog.String("operation", string(call.Operation)))
		}
		if e.Err != nil {
			line = append(line, slog.String("error", string(domain.AsError(e.Err).Kind)), slog.String("cause", e.Err.Error()))
		}
		level := s.lines.level(e)
		if level > slog.LevelDebug {
			if omitted := s.lines.omitted.Swap(0); omitted > 0 {
				line = append(line, slog.Int64("omitted", omitted))
			}
		}
		s.Logger.LogAttrs(ctx, level, "request", line...)
		observed(*e)
	})
}

// Limits of the lines that requests without a live key may write at each level,
// about 500 MB a day. Neither a client's endless loop nor a database that is down
// fills the disk, and the two don't crowd out each other's lines.
const (
	linesASecond = 20
	linesAtOnce  = 1000
)

// lines limits the lines of requests without a live key for each level, and counts
// the omitted ones for the next line that is written.
type lines struct {
	limits  map[slog.Level]*rate.Limiter
	omitted atomic.Int64
}

func newLines() *lines {
	l := &lines{limits: map[slog.Level]*rate.Limiter{}}
	for _, level := range []slog.Level{slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
		l.limits[level] = rate.NewLimiter(linesASecond, linesAtOnce)
	}
	return l
}

// level returns the level of a request's line: LevelDebug if it is over the limit, or
// if a rate limit refused the call: the limits report those calls together.
func (l *lines) level(e *Exchange) slog.Level {
	level := slog.LevelInfo
	if e.Err != nil {
		level = levels[domain.AsError(e.Err).Kind]
	}
	switch {
	case errors.Is(e.Err, usecase.ErrRateLimited):
		return slog.LevelDebug
	case e.Answer.Call.Fleet == 0 && !l.limits[level].Allow():
		l.omitted.Add(1)
		return slog.LevelDebug
	}
	return level
}

// levels has the levels of failures that are the service's fault; others are Info.
var levels = map[domain.Kind]slog.Level{domain.Internal: slog.LevelError, domain.Unavailable: slog.LevelWarn}

// loggedPath returns the path of a stored photo, or else the route that matched.
func loggedPath(r *http.Request, route string) string {
	if key, found := strings.CutPrefix(r.URL.Path, PhotosPath); found {
		if _, err := domain.ParsePhotoKey(key); err == nil {
			return r.URL.Path
		}
	}
	return route
}

// route returns the route that matched.
func route(r *http.Request) string {
	if pattern := chi.RouteContext(r.Context()).RoutePattern(); pattern != "" {
		return pattern
	}
	return "(other)"
}

// answerPanic answers a request whose handler panicked.
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

// clip shortens a header's value or a method for an error or the log, and masks
// what may be a key.
func clip(text string) string {
	const most = 60
	if text = masked(text); len(text) <= most {
		return text
	}
	return text[:most] + "…"
}

var keyRun = regexp.MustCompile(fmt.Sprintf(`[0-9A-Za-z]{%d,}`, domain.APIKeyLength))

// masked returns text with every run of letters and digits that may contain a key
// masked: a caller may have put one anywhere.
func masked(text string) string { return keyRun.ReplaceAllString(text, "[masked]") }
