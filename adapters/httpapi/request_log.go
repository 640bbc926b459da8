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

// Exchange is a request that was answered.
type Exchange struct {
	Route  string // the pattern that matched, such as /photos/*; "(other)": none
	Status int
	Took   time.Duration
	IsCall bool           // to UpdatePath, by any method
	Answer usecase.Answer // of a call
	Err    error          // what the answer says went wrong; nil: nothing
}

type exchangeKey struct{}

// note tells the request's Exchange what came of it.
func note(r *http.Request, answer usecase.Answer, err error) {
	if e, ok := r.Context().Value(exchangeKey{}).(*Exchange); ok {
		e.IsCall, e.Answer, e.Err = r.URL.Path == UpdatePath, answer, err
	}
}

// logRequest writes one line a request and tells Observe of it. Queries and
// paths that aren't ours stay out, as a caller may put a key there; so do keys,
// PINs, photos and whole phone numbers.
func (s *Server) logRequest(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begin := time.Now()
		ctx, observed := s.Observe(r)
		e := &Exchange{}
		counted := middleware.NewWrapResponseWriter(w, r.ProtoMajor)
		next.ServeHTTP(counted, r.WithContext(context.WithValue(ctx, exchangeKey{}, e)))
		e.Route, e.Status, e.Took = route(r), counted.Status(), time.Since(begin)
		const most = 15 // enough for every line, so that none is allocated twice
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

// What requests without a live key may write to the log at each level: a loop
// that asks for nothing fills no disk, at 500 MB a day, nor does a database that
// is down, and neither leaves out what the other would have said.
const (
	linesASecond = 20
	linesAtOnce  = 1000
)

// lines bounds the lines of requests without a live key, level by level, and
// counts what it leaves out for the next line that is written.
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

// level is LevelDebug for what is left out: what the rate limits refused, who
// tell of all of it at once, and what is too much.
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

// levels are those of the failures that are the service's own; others are information.
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

// clip bounds a header's value, or a method, that an error or the log repeats,
// and masks what may be a key.
func clip(text string) string {
	const most = 60
	if text = masked(text); len(text) <= most {
		return text
	}
	return text[:most] + "…"
}

var likeKeys = regexp.MustCompile(fmt.Sprintf(`[0-9A-Za-z]{%d,}`, domain.APIKeyLength))

// masked returns text without what is as long as a key and of its alphabet: a
// caller may have put one anywhere.
func masked(text string) string { return likeKeys.ReplaceAllString(text, "[masked]") }
