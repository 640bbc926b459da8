package ports

import (
	"context"
	"io"
	"iter"

	"github.com/fleetphoto/fleetphoto/domain"
)

// PhotoStore holds the photos, one JPEG a key.
type PhotoStore interface {
	// Put replaces the photo under key with the bytes of photo, durably.
	//
	// Until Put returns nil, Open yields the previous photo or the new one,
	// never part of one and never none where one was. A Put whose ctx had
	// ended before it began changes nothing. Repeating a Put is harmless. Put
	// keeps no reference to photo.
	Put(ctx context.Context, key domain.PhotoKey, photo domain.Photo) error

	// Delete removes the photo under key, durably. Deleting what isn't there
	// is no error.
	Delete(ctx context.Context, key domain.PhotoKey) error

	// Open returns the photo under key, which the caller closes. What is read
	// is one photo, whole, as it was when Open returned, whatever is put or
	// deleted meanwhile. ctx covers the reading too. It fails with NotFound
	// where there is no photo.
	Open(ctx context.Context, key domain.PhotoKey) (io.ReadSeekCloser, error)

	// URL returns the address under which anyone may fetch the photo under
	// key, whether or not there is one, or "" when this store has no address
	// of its own and the server serves the photos. It may answer although ctx
	// has ended.
	URL(ctx context.Context, key domain.PhotoKey) (string, error)
}

// PhotoLister is a PhotoStore that can also tell which photos it holds. It
// takes rights that no call needs, so nothing but an operator's commands asks.
type PhotoLister interface {
	PhotoStore

	// List yields every photo in the store, each once; of those that are put
	// or deleted meanwhile, some. What is stored beside photos, it passes over.
	// After the first failure, which it yields, it ends.
	List(ctx context.Context) iter.Seq2[domain.StoredPhoto, error]
}
