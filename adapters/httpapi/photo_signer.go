package httpapi

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
)

// minSignerKeyBytes is the least length of a PhotoSigner's key.
const minSignerKeyBytes = 32

// PhotoSigner signs the addresses of photos that a Server serves: each shows
// one photo, for a while. It is safe for concurrent use.
type PhotoSigner struct {
	key      []byte
	lifetime time.Duration
	clock    func() time.Time
}

// NewPhotoSigner takes at least 32 random bytes, which nobody else may know and
// all servers of the same photos share.
func NewPhotoSigner(key []byte, lifetime time.Duration, clock func() time.Time) (*PhotoSigner, error) {
	if len(key) < minSignerKeyBytes {
		return nil, fmt.Errorf("want a key of at least %d bytes, got %d", minSignerKeyBytes, len(key))
	}
	return &PhotoSigner{key: key, lifetime: lifetime, clock: clock}, nil
}

// Sign returns the photo's address below PhotosPath, or below whatever passes
// requests on to there with their query.
func (s *PhotoSigner) Sign(key domain.PhotoKey) string {
	expires := strconv.FormatInt(s.clock().Add(s.lifetime+time.Second-1).Unix(), 10) // whole seconds, none too few
	return string(key) + "?expires=" + expires + "&signature=" + s.signature(key, expires)
}

func (s *PhotoSigner) signature(key domain.PhotoKey, expires string) string {
	mac := hmac.New(sha256.New, s.key)
	_, _ = io.WriteString(mac, string(key)+"\n"+expires) // a hash's Write never fails
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// signed tells whether the query is what Sign wrote for this photo, and hasn't
// expired. The signature is compared as text, in constant time, so that it has one form.
func (s *PhotoSigner) signed(key domain.PhotoKey, query url.Values) bool {
	expires := query.Get("expires")
	until, err := strconv.ParseInt(expires, 10, 64)
	return hmac.Equal([]byte(query.Get("signature")), []byte(s.signature(key, expires))) && err == nil && s.clock().Before(time.Unix(until, 0))
}

// errUnsigned doesn't say whether there is a photo, nor what is wrong.
func errUnsigned() error {
	return domain.Errorf(domain.NotFound, "there is no photo at this address, or its signature was altered or has expired; the answer to each call has a new address")
}
