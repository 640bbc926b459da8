package httpapi

import (
	"cmp"
	"context"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"

	"github.com/fleetphoto/fleetphoto/adapters/httpapi/internal/parameters"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
)

// The content types of a call.
const (
	typeJSON      = "application/json"
	typeForm      = "application/x-www-form-urlencoded"
	typeMultipart = "multipart/form-data"
	typePlain     = "text/plain" // read as a form
)

// mostLoggedType is how many characters of the Content-Type the API log keeps.
const mostLoggedType = 100

// updateInput keeps the raw request. With a Body or RawBody field Huma would read
// and parse the body first, at many times the cost.
type updateInput struct {
	request *http.Request
	writer  http.ResponseWriter
}

var _ huma.Resolver = (*updateInput)(nil)

// Resolve implements huma.Resolver.
func (in *updateInput) Resolve(ctx huma.Context) []error {
	in.request, in.writer = humachi.Unwrap(ctx)
	return nil
}

type updateOutput struct{ Body success }

// success is the envelope of a successful call.
type success struct {
	Result   string          `json:"result" doc:"Always valid."`
	PhotoURL string          `json:"url_customer_picture" doc:"Where the photo is, for a while where the address is signed; empty after a deletion."`
	ApiLogID domain.ApiLogID `json:"api_log_id" minimum:"1" doc:"The number of the call in the server's log."`
}

func (s *Server) update(ctx context.Context, in *updateInput) (*updateOutput, error) {
	if s.ReadOnly { // dropRest reads the body
		err := errMoved()
		note(in.request, usecase.Answer{}, err)
		return nil, s.fail(err, 0)
	}
	request, body, err := s.receive(in.writer, in.request)
	defer body.release()
	connection := connectionOf(in.request)
	connection.works()
	defer connection.waits()
	var answer usecase.Answer
	switch {
	case err == nil:
		request.Photo = body.keepOnly(request.Photo)
		answer, err = s.Update.Do(ctx, request)
	case errors.Is(err, errFull): // an overloaded server doesn't even write the API log
		answer.Call = request.Call()
	default:
		answer, err = s.Update.Refuse(ctx, request, err)
	}
	note(in.request, answer, err)
	_ = http.NewResponseController(in.writer).SetWriteDeadline(time.Now().Add(otherTimeout)) // as in receive
	if errors.Is(err, errSlow) || errors.Is(err, errEvicted) {
		in.writer.Header().Set("Connection", "close") // so that dropRest doesn't wait for the rest
	}
	if err != nil {
		return nil, s.fail(err, answer.ApiLogID)
	}
	return &updateOutput{success{
		Result: string(domain.Valid), PhotoURL: photoURL(in.request, answer), ApiLogID: answer.ApiLogID,
	}}, nil
}

// receive reads and parses a call. Its photo aliases the body, which the caller must
// release when it no longer needs the photo, even after an error.
func (s *Server) receive(w http.ResponseWriter, r *http.Request) (usecase.Request, *body, error) {
	// if not supported, the server's WriteTimeout holds
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(BodyTimeout + usecase.SettleAfter))
	body := s.receiveBody(w, r)
	end := s.Receive(r.Context())
	request, err := s.readCall(r, body)
	end(err)
	logged := []rune(masked(strings.ToValidUTF8(r.Header.Get("Content-Type"), "")))
	request.From = clientName(r)
	request.Details = domain.CallDetails{ContentType: string(logged[:min(len(logged), mostLoggedType)]), BodyBytes: body.arrived}
	return request, body, err
}

func (s *Server) readCall(r *http.Request, into *body) (usecase.Request, error) {
	if err := checkQuery(r.URL.RawQuery); err != nil {
		return usecase.Request{}, err
	}
	mediaType, boundary, err := contentType(r)
	if err != nil {
		return usecase.Request{}, err
	}
	if r.ContentLength > s.maxBody {
		return usecase.Request{}, s.bodyTooLarge()
	}
	if err := s.room.admit(into); err != nil {
		return usecase.Request{}, err
	}
	found, err := readFields(mediaType, boundary, into)
	if err != nil {
		return usecase.Request{}, s.bodyError(err)
	}
	return found.Request()
}

func readFields(mediaType, boundary string, from *body) (parameters.Fields, error) {
	if mediaType == typeMultipart {
		return readMultipart(from, boundary, from)
	}
	if err := from.fill(from); err != nil {
		return parameters.Fields{}, err
	}
	if err := from.join(); err != nil {
		return parameters.Fields{}, err
	}
	if mediaType == typeJSON {
		return parameters.ParseJSON(from.data)
	}
	return parameters.ParseForm(from.data)
}

// contentType returns which of the three types the request has, and the boundary of
// a multipart form. A body without a type, or of text/plain, counts as a form.
func contentType(r *http.Request) (mediaType, boundary string, err error) {
	unsupported := func(format string, args ...any) error {
		return domain.Errorf(domain.TypeError, format, args...).WithCause(errMediaType)
	}
	encoding, encodingErr := single(r.Header, "Content-Encoding")
	header, typeErr := single(r.Header, "Content-Type")
	if err := cmp.Or(encodingErr, typeErr); err != nil {
		return "", "", err
	}
	if encoding != "" && !strings.EqualFold(encoding, "identity") {
		return "", "", unsupported("Content-Encoding: want none, as compressed bodies are not read, got %q", clip(encoding))
	}
	mediaType, _, _ = strings.Cut(header, ";")
	switch mediaType = strings.ToLower(strings.TrimSpace(mediaType)); {
	case header == "" || mediaType == typePlain:
		return typeForm, "", nil
	case mediaType == typeJSON || mediaType == typeForm:
		return mediaType, "", nil
	case mediaType != typeMultipart:
		return "", "", unsupported("Content-Type: want %s, %s or %s, got %q", typeJSON, typeForm, typeMultipart, clip(header))
	}
	if boundary = boundaryOf(header); boundary == "" {
		return "", "", unsupported("Content-Type: %s needs its boundary; let your HTTP client write this header", typeMultipart)
	}
	return mediaType, boundary, nil
}

// boundaryOf returns the boundary of a multipart form; empty: there is none. If the
// header breaks the grammar, mostly with an unquoted "=", "/" or ":", the boundary
// ends at the next semicolon.
func boundaryOf(header string) string {
	if _, parameters, err := mime.ParseMediaType(header); err == nil {
		return parameters["boundary"]
	}
	for parameter := range strings.SplitSeq(header, ";") {
		name, value, _ := strings.Cut(parameter, "=")
		if strings.EqualFold(strings.TrimSpace(name), "boundary") {
			return strings.Trim(strings.TrimSpace(value), `"`)
		}
	}
	return ""
}

// bodyError returns the caller's error for a body that could not be read or parsed.
func (s *Server) bodyError(err error) error {
	var tooLarge *http.MaxBytesError
	var known *domain.Error
	switch {
	case errors.As(err, &tooLarge):
		return s.bodyTooLarge()
	case errors.As(err, &known):
		return err
	}
	broken := domain.Errorf(domain.TypeError, "body: it ended before it was whole, or its multipart boundaries are broken")
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return broken.WithCause(err)
	}
	return broken // without the parser's error: it may quote a key, and causes are logged
}

func (s *Server) bodyTooLarge() error {
	return domain.Errorf(domain.PhotoTooLarge, "body: want at most %d bytes, for a photo of at most %d bytes, got more", s.maxBody, s.maxPhoto)
}

// photoURL returns the photo's address. If the answer's has no host, the photo is
// served here, and the address gets the host that the caller used.
func photoURL(r *http.Request, answer usecase.Answer) string {
	if answer.PhotoKey == "" || answer.PhotoURL != "" && !strings.HasPrefix(answer.PhotoURL, "/") {
		return answer.PhotoURL
	}
	from := originOf(r)
	host := from.host
	if local, known := r.Context().Value(http.LocalAddrContextKey).(net.Addr); host == "" && known {
		host = local.String() // HTTP/1.0
	}
	return from.scheme + "://" + host + cmp.Or(answer.PhotoURL, PhotosPath+string(answer.PhotoKey))
}
