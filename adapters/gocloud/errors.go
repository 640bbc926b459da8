package gocloud

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"cloud.google.com/go/auth"
	"cloud.google.com/go/storage"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
	"github.com/aws/smithy-go"
	"gocloud.dev/gcerrors"
	"google.golang.org/api/googleapi"

	"github.com/fleetphoto/fleetphoto/domain"
)

var (
	errNoCredentials = errors.New("no credentials")
	errMissing       = errors.New("there is no such object")
	errConflict      = errors.New("there is another version")
	// errNotStore means that something else answered, such as a network's login
	// page.
	errNotStore = errors.New("the answer doesn't come from a photo store")
	// errTooLarge means that fleetphoto didn't write the object.
	errTooLarge = fmt.Errorf("the object is larger than %d bytes", maxObjectBytes)
)

// changeError is an explained error of a change.
type changeError struct {
	error
	status    int  // of the answer; 0: there was none
	unchanged bool // nothing was changed, and nothing will be
}

// Unwrap implements errors.Is and errors.As.
func (e changeError) Unwrap() error { return e.error }

// translate converts an error of explain or of ctx into a domain.Error. Nil
// stays nil.
func translate(action string, err error) error {
	if err == nil {
		return nil
	}
	kind, public := domain.Unavailable, "the photo store doesn't answer as it should; try again later"
	switch {
	case errors.Is(err, errMissing):
		kind, public = domain.NotFound, "there is no photo at this address"
	case errors.Is(err, errConflict):
		kind, public = domain.Conflict, "the photo was changed meanwhile; try again"
	case errors.Is(err, errTooLarge):
		kind, public = domain.Internal, "the stored photo can't be what was put there; report this"
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		public = "the call was given up before it was done; try again"
	}
	failure := domain.Errorf(kind, "%s", public).WithCause(fmt.Errorf("gocloud: %s: %w", action, err))
	var change changeError
	if errors.As(err, &change) && change.unchanged && kind != domain.Conflict {
		return failure.AsUnchanged()
	}
	return failure
}

// explain describes err for the operator. Nil stays nil. The error is
// domain.Unavailable if the same call may succeed later. right is the right
// that the call needed. explain doesn't wrap err: gocloud calls both a missing
// bucket and an unknown host NotFound, and the addresses in err may hold an
// Azure SAS.
func (s *PhotoStore) explain(right string, err error) error {
	var text string
	status, code := answer(err)
	switch {
	case err == nil, errors.Is(err, errTooLarge):
		return err
	case refusedCredentials(err, status, code):
		text = fmt.Sprintf("the credentials for %s are missing or wrong; set %s", s.name, s.identity)
	case status >= 500, status == http.StatusTooManyRequests, status == http.StatusRequestTimeout, status == 0 && broken(err):
		return domain.Errorf(domain.Unavailable, "the photo store can't be reached; try again later").WithCause(fmt.Errorf("%s: %s", s.name, brief(err)))
	case status == http.StatusForbidden:
		text = fmt.Sprintf("%s refuses access; grant %s to these credentials, or set others: %s", s.name, right, s.identity)
	case status == http.StatusNotFound && right == s.rights.read:
		text = fmt.Sprintf("%s, or %s in it, is gone; restore it and start again", s.name, markerName)
	case status == http.StatusNotFound:
		text = s.name + " does not exist; create it or correct the URL"
	case status == http.StatusMovedPermanently, code == "AuthorizationHeaderMalformed":
		text = s.name + " is in another region; name its own with region= in the URL"
	default:
		text = s.name + " can't be used; check the URL and the credentials"
	}
	return fmt.Errorf("%s (%s)", text, brief(err))
}

// perhapsMissing reports whether err may be about an object that doesn't exist.
// A store that hides those refuses access to them with one of two codes.
func (s *PhotoStore) perhapsMissing(err error) bool {
	status, code := answer(err)
	return status == http.StatusNotFound && code != "NoSuchBucket" && code != string(bloberror.ContainerNotFound) ||
		s.hides && status == http.StatusForbidden && slices.Contains([]string{"AccessDenied", "Forbidden"}, code)
}

// conflicts reports whether an answer says that the object has another version.
func conflicts(status int, code string) bool {
	return status == http.StatusPreconditionFailed && code != string(bloberror.LeaseIDMissing) ||
		code == "ConditionalRequestConflict" || code == string(bloberror.BlobAlreadyExists)
}

// answer returns the status of the answer that err is about, 0 if there was
// none, and the provider's error code.
func answer(err error) (status int, code string) {
	var azure *azcore.ResponseError
	var google *googleapi.Error
	var amazon interface{ HTTPStatusCode() int }
	var coded smithy.APIError
	switch {
	case errors.As(err, &azure):
		return azure.StatusCode, azure.ErrorCode
	case errors.As(err, &google):
		return google.Code, http.StatusText(google.Code)
	case errors.As(err, &amazon):
		if errors.As(err, &coded) {
			code = coded.ErrorCode()
		}
		return amazon.HTTPStatusCode(), code
	case errors.Is(err, storage.ErrObjectNotExist), errors.Is(err, gcerrors.ErrNotFound) && !broken(err): // memblob
		return http.StatusNotFound, http.StatusText(http.StatusNotFound)
	}
	return 0, ""
}

func refusedCredentials(err error, status int, code string) bool {
	var azure interface{ NonRetriable() } // no identity, or no token for it; or the answer broke off
	return refusedToken(err) || status == http.StatusUnauthorized ||
		status == 0 && errors.As(err, &azure) && !broken(err) ||
		slices.Contains([]string{
			"InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "RequestTimeTooSkewed", // S3
			"XAdminUserNotFound",                                                                      // versitygw
			"AuthenticationFailed", "InvalidAuthenticationInfo", "KeyBasedAuthenticationNotPermitted", // Azure
		}, code)
}

// refusedToken reports whether there was nothing to sign a request with.
func refusedToken(err error) bool {
	var google *auth.Error // the token server refused
	return errors.Is(err, errNoCredentials) || errors.As(err, &google) && !google.Temporary()
}

// broken reports whether err is about a connection or a timeout.
func broken(err error) bool {
	var timed net.Error
	return errors.As(err, new(*net.OpError)) || errors.As(err, &timed) && timed.Timeout() ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, context.Canceled)
}

// brief returns err on one line, shortened and without addresses.
func brief(err error) string {
	if status, code := answer(err); status != 0 {
		return strings.TrimSpace(fmt.Sprint(status, " ", code))
	}
	var request *url.Error
	if errors.As(err, &request) {
		err = request.Err
	}
	return fmt.Sprintf("%.300s", strings.Join(strings.Fields(fmt.Sprint(err)), " "))
}
