package gocloud

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// PhotoStore is a ports.PhotoStore over gocloud.dev/blob. Start comes before
// every other method but URL, Close after them.
type PhotoStore struct{ backend backend }

var (
	_ ports.PhotoStore     = (*PhotoStore)(nil)
	_ ports.PhotoAddresser = (*PhotoStore)(nil)
)

// backend is where the objects are. Its errors are as gocloud made them:
// PhotoStore translates them. What is missing is told by the function missing.
type backend interface {
	start(ctx context.Context) error
	put(ctx context.Context, key string, jpeg []byte) error
	delete(ctx context.Context, key string) error
	open(ctx context.Context, key string) (io.ReadSeekCloser, error)
	list(ctx context.Context, each func(object) bool) error // until each returns false
	address(key string) string
	close() error
}

// Start makes the store ready, or says in a sentence for the operator why it
// can't be. In a bucket it proves that objects can be written, read and deleted. It fails with domain.Unavailable where the same Start may succeed
// later, as the server of the bucket doesn't answer.
func (s *PhotoStore) Start(ctx context.Context) error { return s.backend.start(ctx) }

// Close gives back what Start took. Photos that are open stay readable.
func (s *PhotoStore) Close() error { return s.backend.close() }

// Put implements ports.PhotoStore.
func (s *PhotoStore) Put(ctx context.Context, key domain.PhotoKey, photo domain.Photo) error {
	const action = "put photo"
	if err := ctx.Err(); err != nil {
		return translate(action, err)
	}
	return translate(action, s.backend.put(ctx, string(key), photo.JPEG()))
}

// Delete implements ports.PhotoStore.
func (s *PhotoStore) Delete(ctx context.Context, key domain.PhotoKey) error {
	const action = "delete photo"
	if err := ctx.Err(); err != nil {
		return translate(action, err)
	}
	if err := s.backend.delete(ctx, string(key)); !missing(err) {
		return translate(action, err)
	}
	return nil
}

// Open implements ports.PhotoStore.
func (s *PhotoStore) Open(ctx context.Context, key domain.PhotoKey) (io.ReadSeekCloser, error) {
	const action = "open photo"
	if err := ctx.Err(); err != nil {
		return nil, translate(action, err)
	}
	content, err := s.backend.open(ctx, string(key))
	if missing(err) {
		return nil, noPhoto(err)
	}
	if err != nil {
		return nil, translate(action, err)
	}
	return content, nil
}

// URL implements ports.PhotoAddresser; "" where HasAddresses is false. Start
// learns the region and the account: before it, the address may be another one.
func (s *PhotoStore) URL(key domain.PhotoKey) string { return s.backend.address(string(key)) }

// HasAddresses says whether the photos have addresses of their own: in the
// clouds they have.
func (s *PhotoStore) HasAddresses() bool {
	_, can := s.backend.(*cloud)
	return can
}

// SignedURL implements ports.PhotoAddresser. The first call after Start tells
// whether the credentials can sign.
func (s *PhotoStore) SignedURL(ctx context.Context, key domain.PhotoKey, lifetime time.Duration) (string, error) {
	bucket, can := s.backend.(*cloud)
	if !can {
		return "", noSignature(errors.New("photos in mem:// have no address that could be signed; choose s3://, gs:// or azblob://"))
	}
	if err := ctx.Err(); err != nil {
		return "", translate("sign an address", err)
	}
	address, err := bucket.sign(ctx, string(key), lifetime)
	return address, noSignature(err)
}

// content is an open photo.
type content struct {
	io.ReadSeeker
	io.Closer
}
