package gocloud

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"gocloud.dev/blob"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

const (
	// callTimeout is for a call with the SDK's retries, and for Start: a whole
	// API call may take 30 seconds.
	callTimeout = 20 * time.Second

	longestSigned  = 7 * 24 * time.Hour // S3's and Google's limit
	maxObjectBytes = 64 << 20           // more than any photo; what Open may hold in memory
)

// PhotoStore is a ports.PhotoStore over gocloud.dev/blob. Start comes before
// every other method, Close after them.
//
// It needs no right but to write, read and delete objects below its prefix.
// Without the right to list them a provider refuses access to an object that
// isn't there, and of a missing bucket gocloud says no more than of a missing
// object. So Start writes a marker, and a photo is missing only where the
// marker can be read.
type PhotoStore struct {
	provider
	prefix       string // of every object's name; empty, or ends in "/"
	cacheControl string
	timeout      time.Duration
	connection   *connection // nil until Start
	hides        bool        // it refuses access to what is missing, as Start found out
}

var (
	_ ports.PhotoStore     = (*PhotoStore)(nil)
	_ ports.PhotoLister    = (*PhotoStore)(nil)
	_ ports.PhotoAddresser = (*PhotoStore)(nil)
)

// provider is what is known of a bucket without asking.
type provider struct {
	name     string // of the bucket, with the word for it
	rights   rights
	identity string // where the SDK looks for credentials
	connect  func(context.Context) (*connection, error)
	inMemory bool // it needs none of these, and nobody else reaches it
}

// rights are the provider's names for what a store needs.
type rights struct{ write, read, remove, list, sign string }

// connection is an open bucket. Its As yields the provider's own client.
type connection struct {
	*blob.Bucket
	base string // of the addresses under which anyone fetches objects
	sign signer
}

// signer signs an address of an object.
type signer func(ctx context.Context, name string, lifetime time.Duration) (string, error)

// Put implements ports.PhotoStore.
func (s *PhotoStore) Put(ctx context.Context, key domain.PhotoKey, photo domain.Photo) error {
	return s.call(ctx, "put photo", func(ctx context.Context) error {
		return s.write(ctx, string(key), photo.JPEG(), "image/jpeg")
	})
}

// Delete implements ports.PhotoStore.
func (s *PhotoStore) Delete(ctx context.Context, key domain.PhotoKey) error {
	return s.call(ctx, "delete photo", func(ctx context.Context) error {
		if err := s.remove(ctx, string(key)); !errors.Is(err, errMissing) {
			return err
		}
		return nil
	})
}

// Open implements ports.PhotoStore. It reads the whole object at once: a
// blob.Reader that seeks asks for the object again and may get a later one.
func (s *PhotoStore) Open(ctx context.Context, key domain.PhotoKey) (io.ReadSeekCloser, error) {
	var jpeg []byte
	err := s.call(ctx, "open photo", func(ctx context.Context) (err error) {
		jpeg, err = s.read(ctx, string(key))
		return err
	})
	if err != nil {
		return nil, err
	}
	return content{bytes.NewReader(jpeg)}, nil
}

// call runs f with the time that a call has, unless ctx has ended, which memory
// doesn't look at.
func (s *PhotoStore) call(ctx context.Context, action string, f func(context.Context) error) error {
	if err := ctx.Err(); err != nil {
		return translate(action, err)
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	return translate(action, f(ctx))
}

// content is an open photo.
type content struct{ *bytes.Reader }

// Close implements io.Closer.
func (content) Close() error { return nil }

// HasAddresses says whether the photos have addresses of their own: in the
// clouds they have.
func (s *PhotoStore) HasAddresses() bool { return !s.inMemory }

// URL implements ports.PhotoAddresser; "" before Start and where HasAddresses
// is false.
func (s *PhotoStore) URL(key domain.PhotoKey) string {
	if s.connection == nil || !s.HasAddresses() {
		return ""
	}
	return s.connection.base + s.prefix + string(key)
}

// SignedURL implements ports.PhotoAddresser. The first call after Start tells
// whether the credentials can sign.
func (s *PhotoStore) SignedURL(ctx context.Context, key domain.PhotoKey, lifetime time.Duration) (string, error) {
	address, err := s.sign(ctx, s.prefix+string(key), lifetime)
	if err == nil || errors.As(err, new(*domain.Error)) {
		return address, err
	}
	return "", domain.Errorf(domain.Unavailable, "the photo store signs no address; try again later").WithCause(err)
}

func (s *PhotoStore) sign(ctx context.Context, name string, lifetime time.Duration) (string, error) {
	switch {
	case !s.HasAddresses():
		return "", errors.New("photos in mem:// have no address that could be signed; choose s3://, gs:// or azblob://")
	case ctx.Err() != nil:
		return "", translate("sign an address", ctx.Err())
	case lifetime < time.Second || lifetime > longestSigned:
		return "", fmt.Errorf("an address is signed for 1s to %s, which is 7 days, not for %s", longestSigned, lifetime)
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	address, err := s.connection.sign(ctx, name, lifetime)
	if err != nil {
		return "", s.explain(s.rights.sign, err)
	}
	return address, nil
}
