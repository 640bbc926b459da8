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

// PhotoSigner signs the addresses of photos that a Server serves. A signed address
// gives access to one photo until it expires. Safe for concurrent use.
type PhotoSigner struct {
	key      []byte
	lifetime time.Duration
	clock    func() time.Time
}

// NewPhotoSigner returns a PhotoSigner whose addresses expire after lifetime. The key
// is at least 32 random bytes, kept secret and shared by all servers of the same
// photos. It fails with a shorter key.
func NewPhotoSigner(key []byte, lifetime time.Duration, clock func() time.Time) (*PhotoSigner, error) {
	if len(key) < minSignerKeyBytes {
		return nil, fmt.Errorf("want a key of at least %d bytes, got %d", minSignerKeyBytes, len(key))
	}
	return &PhotoSigner{key: key, lifetime: lifetime, clock: clock}, nil
}

// Sign returns the photo's address, with the signature in the query, relative to
// PhotosPath or to a proxy's path that leads there.
func (s *PhotoSigner) Sign(key domain.PhotoKey) string {
	expires := strconv.FormatInt(s.clock().Add(s.lifetime+time.Second-1).Unix(), 10) // rounded up to a second
	return string(key) + "?expires=" + expires + "&signature=" + s.signature(key, expires)
}

func (s *PhotoSigner) signature(key domain.PhotoKey, expires string) string {
	mac := hmac.New(sha256.New, s.key)
	_, _ = io.WriteString(mac, string(key)+"\n"+expires) // a hash's Write never fails
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// signed reports whether the query has this photo's signature and hasn't expired. It
// compares the signature as text, so no other encoding of it is accepted, and in
// constant time.
func (s *PhotoSigner) signed(key domain.PhotoKey, query url.Values) bool {
	expires := query.Get("expires")
	until, err := strconv.ParseInt(expires, 10, 64)
	return hmac.Equal([]byte(query.Get("signature")), []byte(s.signature(key, expires))) && err == nil && s.clock().Before(time.Unix(until, 0))
}

// errUnsigned reveals neither whether there is a photo nor what is wrong.
func errUnsigned() error {
	return domain.Errorf(domain.NotFound, "there is no photo at this address, or its signature was altered or has expired; the answer to each call has a new address")
}
