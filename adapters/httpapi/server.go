// Package httpapi serves the API over HTTP: it reads calls in three encodings,
// answers with one JSON envelope, serves stored photos and describes itself in
// OpenAPI.
//
// Only app and tests import it; it imports usecase, ports and domain.
package httpapi

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
	"github.com/fleetphoto/fleetphoto/ports"
)

// The paths of the API and of the admin address. Stored photos are below PhotosPath.
const (
	UpdatePath = "/update_customer_photo.json"
	PhotosPath = "/photos/"

	LivePath    = "/livez"
	ReadyPath   = "/readyz"
	MetricsPath = "/metrics"
)

// otherTimeout is how long a request other than a call may take to arrive. Every
// answer may take as long to be sent.
const otherTimeout = 30 * time.Second

// readyTimeout bounds the readiness check: probes give up after a few seconds.
const readyTimeout = 3 * time.Second

// Options configures a Server. Update, MaxInflightBytes and Logger are required.
type Options struct {
	Update *usecase.UpdateCustomerPhoto
	// Photos are served below PhotosPath. nil: none are served, as the store
	// serves them itself.
	Photos ports.PhotoStore
	// PhotoSigner checks the signatures of the photos' addresses, which
	// Update.Address must make. nil: anyone who knows or guesses a photo's
	// address can see it.
	PhotoSigner *PhotoSigner
	// MaxInflightBytes limits the request bodies held in memory at once. One
	// client address may hold a quarter of it, and at least one body.
	MaxInflightBytes int64
	// FailureStatus is the status of every failed call on UpdatePath, for
	// callers that read only the bodies of 200 answers. 0: the error table's.
	FailureStatus int
	// ReadOnly refuses every call unread. Photos are still served.
	ReadOnly bool
	// Pages serves PagePath, to try the API, and DocsPath.
	Pages bool
	// Prefill is for a demo, whose key is public.
	Prefill Prefill
	// CORSOrigins are the origins whose pages may call the API, as
	// ParseOrigins returns them. Empty: none but the server's own.
	CORSOrigins []string
	// TrustedProxies are believed about a request's client, scheme and host.
	TrustedProxies Proxies
	// Hosts are the host names that the server answers to, as ParseHosts
	// returns them. Empty: any.
	Hosts  []string
	Logger *slog.Logger
	// Observe is called when a request begins. The request is handled with the
	// returned context, and the returned function is called when it is
	// answered. Observe must be safe for concurrent use. May be nil.
	Observe func(*http.Request) (context.Context, func(Exchange))
	// Receive is called before a call's body is read, and the returned function
	// after it was read and parsed, with the error if that failed. Receive must
	// be safe for concurrent use. May be nil.
	Receive func(context.Context) func(error)
}

// Server is the API's http.Handler. It is safe for concurrent use.
type Server struct {
	Options
	maxPhoto, maxBody int64
	room              *room
	lines             *lines
	router            chi.Router
	api               huma.API
}

// New returns a Server. It opens nothing and starts no goroutines.
func New(options Options) *Server {
	if options.Observe == nil {
		options.Observe = func(r *http.Request) (context.Context, func(Exchange)) { return r.Context(), func(Exchange) {} }
	}
	if options.Receive == nil {
		options.Receive = func(context.Context) func(error) { return func(error) {} }
	}
	maxPhoto := options.Update.Reader.Limits().MaxBytes
	s := &Server{
		Options:  options,
		maxPhoto: maxPhoto,
		maxBody:  MaxBodyBytes(maxPhoto),
		room:     newRoom(options.MaxInflightBytes, MaxBodyBytes(maxPhoto)),
		lines:    newLines(),
		router:   chi.NewRouter(),
	}
	s.router.Use(s.tellOrigin, dropRest, s.logRequest, s.answerPanic, noSniff, s.boundHeaders, middleware.GetHead)
	if len(s.Hosts) > 0 {
		s.router.Use(s.checkHost)
	}
	if len(s.CORSOrigins) > 0 {
		s.router.Use(allowOrigins(s.CORSOrigins))
	}
	s.router.NotFound(s.notFound)
	s.router.MethodNotAllowed(s.methodNotAllowed)
	s.api = humachi.New(s.router, apiConfig())
	s.register()
	s.serveDocuments()
	if s.Photos != nil {
		s.router.Get(PhotosPath+"*", s.servePhoto)
	}
	if s.Pages {
		s.registerPages()
	}
	return s
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.router.ServeHTTP(w, r) }

// OpenAPI returns the description of the API (OpenAPI 3.1).
func (s *Server) OpenAPI() *huma.OpenAPI { return s.api.OpenAPI() }

// InflightBytes returns how many bytes request bodies hold at the moment.
func (s *Server) InflightBytes() int64 {
	s.room.mu.Lock()
	defer s.room.mu.Unlock()
	return s.room.all.held
}

// NewAdmin returns the handler of the admin address. LivePath answers 200 while the
// process runs, ReadyPath 200 while the backends answer and 503 otherwise, and
// MetricsPath what metrics answers. A read-only server is ready too, so that a load
// balancer still sends it requests for photos.
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
		if readiness.ReadOnly {
			_, _ = fmt.Fprintln(w, "ready, read-only: photos are served, calls get 503")
			return
		}
		_, _ = fmt.Fprintln(w, "ready")
	})
	return mux
}

// HTTPServer returns a server for handler that limits connections and headers and
// has deadlines for slow clients. It must serve a listener from Listen. Each of the
// proxies may have as many connections as all clients together.
func HTTPServer(handler http.Handler, proxies Proxies, logger *slog.Logger) *http.Server {
	return newHTTPServer(handler, newConnections(mostConnections, proxies), logger)
}

// AdminServer returns a server like HTTPServer's, with fewer connections, for the
// admin address.
func AdminServer(handler http.Handler, logger *slog.Logger) *http.Server {
	return newHTTPServer(handler, newConnections(adminConnections, nil), logger)
}

func newHTTPServer(handler http.Handler, bounded *connections, logger *slog.Logger) *http.Server {
	const (
		headerTimeout = 10 * time.Second
		slack         = 4 << 10 // net/http adds it to MaxHeaderBytes
		h2Streams     = 32      // at once on one connection
		h2Buffer      = 128 << 10
	)
	return &http.Server{
		Handler:           bounded.count(handler),
		ConnContext:       bounded.add,
		ConnState:         bounded.follow,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       otherTimeout,
		WriteTimeout:      2 * otherTimeout, // for reading the body and answering; calls have their own
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    mostHeaderBytes - slack,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams: h2Streams, MaxReceiveBufferPerConnection: h2Buffer, MaxReceiveBufferPerStream: h2Buffer,
		},

		DisableGeneralOptionsHandler: true, // it answers "OPTIONS *" without the envelope
		ErrorLog:                     slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
	}
}

func errPath() error {
	return domain.Errorf(domain.NotFound, "path: nothing is here; calls go to POST %s", UpdatePath)
}

func (s *Server) methodNotAllowed(w http.ResponseWriter, r *http.Request) {
	allowed := "GET, HEAD"
	switch {
	case r.URL.Path == UpdatePath:
		allowed = http.MethodPost
	case !s.router.Match(chi.NewRouteContext(), http.MethodGet, r.URL.Path):
		s.notFound(w, r)
		return
	}
	w.Header().Set("Allow", allowed)
	s.answerFailure(w, r, errMethod(allowed, r.Method))
}

func errMethod(allowed, got string) error {
	return domain.Errorf(methodNotAllowed, "method: want %s, got %s", allowed, clip(got))
}

func noSniff(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		next.ServeHTTP(w, r)
	})
}
