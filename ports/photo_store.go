package ports

import (
	"context"
	"io"
	"iter"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
)

// PhotoStore holds the photos, one JPEG per key.
//
// Versions fence off late requests. The store gives each state of a key a
// version, and Put and Delete name the version that they replace: one that Put
// or Open returned, domain.NoPhoto, or domain.UnknownVersion, which never matches.
// If the store holds any other version, they fail with Conflict and change
// nothing. So a request that the network delivers after a later change does
// nothing, unless the later state has the same version: a version may recur with
// the same bytes, and NoPhoto recurs with each deletion. A store that can't do
// this returns domain.Unversioned for every photo and accepts every version.
//
// A Put or Delete sends one request that can change the photo. It sends another
// only after an answer that says that the last one was not carried out. Its error
// is Unchanged only if no request was carried out and none will be. After any
// other error, Conflict included, a request may have been carried out, or may be
// later: if the network repeats a request, the caller gets the answer to the
// repeat.
type PhotoStore interface {
	// Put durably replaces the photo under key with the bytes of photo, and
	// returns the version that the store gave it.
	//
	// Until Put returns nil, Open yields the previous photo or the new one, never
	// part of a photo, and never no photo if there was one. If ctx had ended before
	// Put began, Put changes nothing and its error is Unchanged.
	Put(ctx context.Context, key domain.PhotoKey, photo domain.Photo, over domain.PhotoVersion) (domain.PhotoVersion, error)

	// Delete durably removes the photo under key. Over domain.NoPhoto it returns nil
	// if there is none, and otherwise fails with Conflict. Over a version of a photo
	// that is gone it may fail with Conflict or return nil. If ctx had ended before
	// Delete began, Delete changes nothing and its error is Unchanged.
	Delete(ctx context.Context, key domain.PhotoKey, over domain.PhotoVersion) error

	// Open returns the photo under key and its version. The caller closes the
	// photo. Reading it yields one whole photo, as it was when Open returned,
	// even if it is replaced or deleted meanwhile. ctx covers the reading too.
	// Open fails with NotFound if there is no photo.
	Open(ctx context.Context, key domain.PhotoKey) (io.ReadSeekCloser, domain.PhotoVersion, error)
}

// PhotoAddresser is a photo store that serves its photos itself, at addresses of
// its own.
type PhotoAddresser interface {
	// URL returns the public address of the photo under key, whether or not
	// there is a photo and whether or not the public may read it. It does no I/O.
	URL(key domain.PhotoKey) string

	// SignedURL returns an address at which anyone can fetch the photo under key
	// for lifetime, which is 1 second to 7 days, whether or not there is a photo.
	// It fails with Unavailable if nothing can be signed.
	SignedURL(ctx context.Context, key domain.PhotoKey, lifetime time.Duration) (string, error)
}

// PhotoLister is a photo store that can list its photos. Listing may require
// permissions that no call needs.
type PhotoLister interface {
	// List yields every photo in the store once. Photos that are put or deleted
	// meanwhile may be missing. Anything stored beside photos is not listed. List
	// ends after the first error that it yields.
	List(ctx context.Context) iter.Seq2[domain.StoredPhoto, error]
}
