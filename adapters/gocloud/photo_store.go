package gocloud

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
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
	scheme       string
	prefix       string // of every object's name; empty, or ends in "/"
	cacheControl string
	timeout      time.Duration
	connection   *connection // nil until Start
	found
}

// found is what Start found out about a store.
type found struct {
	hides         bool // it refuses access to what is missing
	fences        bool // it does no change over another version; without it, photos have no versions
	fencesDeletes bool // it does no deletion over another version either
}

var (
	_ ports.PhotoStore     = (*PhotoStore)(nil)
	_ ports.PhotoLister    = (*PhotoStore)(nil)
	_ ports.PhotoAddresser = (*PhotoStore)(nil)
)

// provider is what is known of a bucket without asking.
type provider struct {
	bucket   string
	name     string // of the bucket, with the word for it
	rights   rights
	identity string // where the SDK looks for credentials
	connect  func(context.Context) (*connection, error)
	inMemory bool // it needs none of these, and nobody else reaches it
}

// rights are the provider's names for what a store needs.
type rights struct{ write, read, remove, list, sign, look string }

// connection is an open bucket, for gocloud to list and sign, and its objects.
type connection struct {
	*blob.Bucket
	objects
	versions string // the pattern of a version
	base     string // of the addresses under which anyone fetches objects
	sign     signer
	kept     func(ctx context.Context, prefix string) (kept, error) // after Start
}

// objects asks by the provider's own client. gocloud throws the answer to an
// upload away, and with it the version, and panics on a download from Azure
// that isn't Azure's.
//
// A change asks for what is done only where the version over is there, or for
// what is always done where that is domain.Unversioned. It is repeated only
// after an answer that says that it wasn't carried out.
type objects interface {
	put(ctx context.Context, object object, over domain.PhotoVersion) (domain.PhotoVersion, error)
	remove(ctx context.Context, name string, over domain.PhotoVersion) error
	get(ctx context.Context, name string) (stored, error)
}

// object is one to be stored.
type object struct {
	name, contentType, cacheControl string
	data                            []byte
}

// stored is an object that is read.
type stored struct {
	io.ReadCloser
	size    int64 // as announced; below 0: unknown
	version domain.PhotoVersion
}

// signer signs an address of an object.
type signer func(ctx context.Context, name string, lifetime time.Duration) (string, error)

// Name returns the name by which records and the log know the store.
func (s *PhotoStore) Name() domain.PhotoStoreName {
	return domain.PhotoStoreName(s.scheme + "://" + strings.TrimSuffix(s.bucket+"/"+s.prefix, "/"))
}

// Put implements ports.PhotoStore. It copies photo, as an HTTP client that gave
// up may still be reading what it was to send.
func (s *PhotoStore) Put(ctx context.Context, key domain.PhotoKey, photo domain.Photo, over domain.PhotoVersion) (version domain.PhotoVersion, err error) {
	err = s.call(ctx, "put photo", func(ctx context.Context) error {
		over, err := s.condition(over)
		if err == nil {
			version, err = s.write(ctx, string(key), bytes.Clone(photo.JPEG()), "image/jpeg", over)
		}
		return err
	})
	return s.versionOf(version), err
}

// Delete implements ports.PhotoStore.
func (s *PhotoStore) Delete(ctx context.Context, key domain.PhotoKey, over domain.PhotoVersion) error {
	return s.call(ctx, "delete photo", func(ctx context.Context) error {
		over, err := s.condition(over)
		if err != nil {
			return err
		}
		if over == domain.NoPhoto || s.fences && !s.fencesDeletes {
			if err := s.check(ctx, string(key), over); over == domain.NoPhoto || err != nil {
				return err
			}
			over = domain.Unversioned
		}
		if err := s.remove(ctx, string(key), over); over != domain.Unversioned || !errors.Is(err, errMissing) {
			return err
		}
		return nil
	})
}

// FencesDeletions says, after Start, whether the store refuses to delete another
// version than a change is over, where it refuses to replace one.
func (s *PhotoStore) FencesDeletions() bool { return s.fencesDeletes || !s.fences }

// condition returns what a change over a version asks for. It fails with
// errConflict where the store can't have given that version.
func (s *PhotoStore) condition(over domain.PhotoVersion) (domain.PhotoVersion, error) {
	switch {
	case !s.fences:
		return domain.Unversioned, nil
	case over == domain.NoPhoto:
		return over, nil
	case over == domain.Unversioned, !matches(s.connection.versions, string(over)):
		return "", errConflict
	}
	return over, nil
}

// versionOf returns the version by which callers know one of the provider's.
func (s *PhotoStore) versionOf(version domain.PhotoVersion) domain.PhotoVersion {
	if version != "" && !s.fences {
		return domain.Unversioned
	}
	return version
}

// Open implements ports.PhotoStore. It reads the whole object at once: a
// reader that seeks would ask for the object again and may get a later one.
func (s *PhotoStore) Open(ctx context.Context, key domain.PhotoKey) (io.ReadSeekCloser, domain.PhotoVersion, error) {
	var jpeg []byte
	var version domain.PhotoVersion
	err := s.call(ctx, "open photo", func(ctx context.Context) (err error) {
		jpeg, version, err = s.read(ctx, string(key))
		return err
	})
	if err != nil {
		return nil, "", err
	}
	return content{bytes.NewReader(jpeg)}, s.versionOf(version), nil
}

// call runs f with the time that a call has, unless ctx has ended, which memory
// doesn't look at.
func (s *PhotoStore) call(ctx context.Context, action string, f func(context.Context) error) error {
	if err := ctx.Err(); err != nil {
		return translate(action, changeError{error: err, unchanged: true})
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
