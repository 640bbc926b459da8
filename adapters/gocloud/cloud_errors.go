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
	"github.com/aws/smithy-go"
	"google.golang.org/api/googleapi"

	"github.com/fleetphoto/fleetphoto/domain"
)

var errNoCredentials = errors.New("no credentials")

// explain says what err means to the operator; it is Unavailable where the
// same call may succeed later. right is what the call needed. It doesn't wrap
// err, in which gocloud calls a missing bucket and an unknown host NotFound,
// and whose addresses may hold an Azure SAS.
func (c *cloud) explain(right string, err error) error {
	var text string
	status, code := answer(err)
	switch {
	case err == nil, errors.Is(err, errTooLarge):
		return err
	case refusedCredentials(err, status, code):
		text = fmt.Sprintf("the credentials for %s are missing or wrong; set %s", c.name, c.identity)
	case status >= 500, status == http.StatusTooManyRequests, status == http.StatusRequestTimeout, status == 0 && broken(err):
		return domain.Errorf(domain.Unavailable, "the photo store can't be reached; try again later").WithCause(fmt.Errorf("%s: %s", c.name, brief(err)))
	case status == http.StatusForbidden:
		text = fmt.Sprintf("%s refuses access; grant %s to these credentials, or set others: %s", c.name, right, c.identity)
	case status == http.StatusNotFound && right == c.rights.read:
		text = fmt.Sprintf("%s, or %s in it, is gone; restore it and start again", c.name, markerName)
	case status == http.StatusNotFound:
		text = c.name + " does not exist; create it or correct the URL"
	case status == http.StatusMovedPermanently, code == "AuthorizationHeaderMalformed":
		text = c.name + " is in another region; name its own with region= in the URL"
	default:
		text = c.name + " can't be used; check the URL and the credentials"
	}
	return fmt.Errorf("%s (%s)", text, brief(err))
}

// perhapsMissing says that err may be about an object that isn't there. Of
// refusals, a store that hides what is missing has one alone.
func (c *cloud) perhapsMissing(err error) bool {
	status, code := answer(err)
	return status == http.StatusNotFound ||
		c.hides && status == http.StatusForbidden && slices.Contains([]string{"AccessDenied", "Forbidden"}, code)
}

// answer returns the status of the answer that err is about, 0 if there was
// none, and the provider's word for it.
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
	case errors.Is(err, storage.ErrObjectNotExist):
		return http.StatusNotFound, http.StatusText(http.StatusNotFound)
	case errors.As(err, &amazon):
		if errors.As(err, &coded) {
			code = coded.ErrorCode()
		}
		return amazon.HTTPStatusCode(), code
	}
	return 0, ""
}

func refusedCredentials(err error, status int, code string) bool {
	var google *auth.Error                // the token server says no
	var azure interface{ NonRetriable() } // there is no identity, or it gets no token
	return errors.Is(err, errNoCredentials) || status == http.StatusUnauthorized ||
		errors.As(err, &google) && !google.Temporary() ||
		status == 0 && errors.As(err, &azure) ||
		slices.Contains([]string{
			"InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "RequestTimeTooSkewed", // S3
			"XAdminUserNotFound",                                                                      // versitygw
			"AuthenticationFailed", "InvalidAuthenticationInfo", "KeyBasedAuthenticationNotPermitted", // Azure
		}, code)
}

// broken says that err is about a connection or about time.
func broken(err error) bool {
	var timed net.Error
	return errors.As(err, new(*net.OpError)) || errors.As(err, &timed) && timed.Timeout() ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, context.Canceled)
}

// brief is err in one line, not too long and without an address.
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
