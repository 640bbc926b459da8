package ports

import (
	"context"
	"io"
	"iter"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
)

// PhotoStore holds the photos, one JPEG a key.
//
// Each method fails with Unavailable while the backend doesn't answer and once
// ctx has ended, and puts no host, path or secret into an error's Public text.
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
}

// PhotoAddresser is a photo store whose photos have addresses of their own,
// under which they are fetched without this product.
//
// SignedURL fails with Unavailable while the backend doesn't answer and once
// ctx has ended; it puts no host, path or secret into an error's Public text.
type PhotoAddresser interface {
	// URL returns the public address of the photo under key, whether or not
	// there is a photo and whether or not strangers may read it. It asks nobody.
	URL(key domain.PhotoKey) string

	// SignedURL returns an address under which anyone may fetch the photo under
	// key for lifetime, which is 1 second to 7 days, whether or not there is a
	// photo. Where nothing can be signed, it fails with Unavailable.
	SignedURL(ctx context.Context, key domain.PhotoKey, lifetime time.Duration) (string, error)
}

// PhotoLister is a photo store that can list its photos. That may take rights
// that no call needs.
//
// It fails with Unavailable while the backend doesn't answer and once
// ctx has ended, and puts no host, path or secret into an error's Public text.
type PhotoLister interface {
	// List yields every photo in the store, each once; of those that are put
	// or deleted meanwhile, some. What is stored beside photos is not listed.
	// After the first failure, which it yields, it ends.
	List(ctx context.Context) iter.Seq2[domain.StoredPhoto, error]
}
