package ports

import (
	"context"
	"io"
	"iter"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
)

// PhotoStore holds the photos, one JPEG a key, and gives each state of a key a
// version, so that a request that arrives after a later change does nothing.
//
// A change names the version that it replaces: one that Put or Open returned, or
// domain.NoPhoto. Where the store holds another one, which it does for any other
// word too, the change fails with Conflict and does nothing. The same version
// may come again only with the same bytes. A store that can't do that returns
// domain.Unversioned for each photo and takes every version for the right one.
//
// A change asks for one thing that may be carried out, and never repeats it
// unless the answer says that it was not. Where nothing can have been carried
// out, and never will be, its error is Unchanged. All else may have been carried
// out, or may be later; a Conflict too, as a network that repeats a request
// answers with the last one's answer.
//
// Each method fails with Unavailable while the backend doesn't answer and once
// ctx has ended, and puts no host, path or secret into an error's Public text.
type PhotoStore interface {
	// Put replaces the photo under key with the bytes of photo, durably.
	//
	// Until Put returns nil, Open yields the previous photo or the new one,
	// never part of one and never none where one was. A Put whose ctx had
	// ended before it began changes nothing, and its error is Unchanged. Put
	// keeps no reference to photo. It returns the version of what is there now,
	// as the store told it.
	Put(ctx context.Context, key domain.PhotoKey, photo domain.Photo, over domain.PhotoVersion) (domain.PhotoVersion, error)

	// Delete removes the photo under key, durably. Over domain.NoPhoto it makes
	// sure that there is none. Over a version of a photo that is gone it may fail
	// with Conflict or return nil.
	Delete(ctx context.Context, key domain.PhotoKey, over domain.PhotoVersion) error

	// Open returns the photo under key, which the caller closes, and its
	// version. What is read is one photo, whole, as it was when Open returned,
	// whatever is put or deleted meanwhile. ctx covers the reading too. It fails
	// with NotFound where there is no photo.
	Open(ctx context.Context, key domain.PhotoKey) (io.ReadSeekCloser, domain.PhotoVersion, error)
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
