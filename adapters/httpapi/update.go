package httpapi

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
)

// mostLoggedType is how many characters of the Content-Type the API log keeps.
const mostLoggedType = 100

// updateInput takes the request as it is: a Body or RawBody field would have
// Huma read and parse it first, at many times the cost.
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

// success is the envelope of a call that succeeded.
type success struct {
	Result   string          `json:"result" doc:"Always valid."`
	PhotoURL string          `json:"url_customer_picture" doc:"Where the photo is; empty after a deletion."`
	ApiLogID domain.ApiLogID `json:"api_log_id" minimum:"1" doc:"The number of the call in the server's log."`
}

func (s *Server) update(ctx context.Context, in *updateInput) (*updateOutput, error) {
	request, body, err := s.receive(in.writer, in.request)
	if body != nil {
		defer body.release()
	}
	var answer usecase.Answer
	switch {
	case err == nil:
		answer, err = s.Update.Do(ctx, request)
	case errors.Is(err, errFull): // in an overload not even the log is written
		answer.Call = request.Call()
	default:
		answer, err = s.Update.Refuse(ctx, request, err)
	}
	note(ctx, answer, err)
	if err != nil {
		return nil, s.fail(err, answer.ApiLogID)
	}
	return &updateOutput{success{
		Result: string(domain.Valid), PhotoURL: photoURL(in.request, answer), ApiLogID: answer.ApiLogID,
	}}, nil
}

// receive reads the call within the body limit and the read deadline.
func (s *Server) receive(w http.ResponseWriter, r *http.Request) (usecase.Request, *body, error) {
	deadline := http.NewResponseController(w)
	_ = deadline.SetReadDeadline(time.Now().Add(ReadTimeout)) // not supported: the server's own holds
	counted := &countedBody{ReadCloser: http.MaxBytesReader(w, r.Body, s.maxBody)}
	r.Body = counted
	end := s.Receive(r.Context())
	request, body, err := s.readCall(r)
	end(err)
	request.Details = domain.CallDetails{ContentType: firstCharacters(r.Header.Get("Content-Type"), mostLoggedType), BodyBytes: counted.read}
	if err == nil {
		// The body is read. A deadline that passes now would end ctx.
		_ = deadline.SetReadDeadline(time.Time{})
	}
	return request, body, err
}

// photoURL returns the store's address of the photo, or this server's, as the
// caller reached it.
func photoURL(r *http.Request, answer usecase.Answer) string {
	if answer.PhotoKey == "" || answer.PhotoURL != "" {
		return answer.PhotoURL
	}
	scheme := "http://"
	if r.TLS != nil {
		scheme = "https://"
	}
	host := r.Host
	if local, known := r.Context().Value(http.LocalAddrContextKey).(net.Addr); host == "" && known {
		host = local.String() // HTTP/1.0
	}
	return scheme + host + PhotosPath + string(answer.PhotoKey)
}
