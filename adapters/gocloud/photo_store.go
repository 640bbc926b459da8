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
	// callTimeout bounds a call, with the SDK's retries, and Start. It is less
	// than the 30 seconds that a whole API call may take.
	callTimeout = 20 * time.Second

	longestSigned  = 7 * 24 * time.Hour // S3's and Google's limit
	maxObjectBytes = 64 << 20           // the most that Open reads into memory; photos are smaller
)

// PhotoStore is a ports.PhotoStore over gocloud.dev/blob. Call Start before
// every other method, and Close after them.
//
// It needs only the rights to write, read and delete objects below its prefix.
// Without the right to list them, a provider refuses access to an object that
// doesn't exist; and gocloud doesn't tell a missing bucket from a missing
// object. So Start writes a marker, and a photo is missing only if the marker
// can be read.
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
	hides         bool // it refuses access to objects that don't exist
	fences        bool // it refuses changes over another version; if false, photos have no versions
	fencesDeletes bool // it refuses deletions over another version, too
}

var (
	_ ports.PhotoStore     = (*PhotoStore)(nil)
	_ ports.PhotoLister    = (*PhotoStore)(nil)
	_ ports.PhotoAddresser = (*PhotoStore)(nil)
)

// provider is what is known about a bucket before connecting to it.
type provider struct {
	bucket   string
	name     string // for messages, such as: the bucket "photos"
	rights   rights
	identity string // where the SDK looks for credentials
	connect  func(context.Context) (*connection, error)
	inMemory bool // mem://, which has no bucket, rights or addresses
}

// rights are the provider's names of the rights that a store needs.
type rights struct{ write, read, remove, list, sign, look string }

// connection is an open bucket: gocloud lists and signs, and objects does the
// rest.
type connection struct {
	*blob.Bucket
	objects
	versions string // the regular expression of a version
	base     string // begins the public addresses of objects
	sign     signer
	kept     func(ctx context.Context, prefix string) (kept, error) // after Start
}

// objects uses the provider's own client: gocloud discards the answer to an
// upload, and with it the version, and panics if the answer to a download
// doesn't come from Azure.
//
// put and remove change the object only if its version is over;
// domain.Unversioned means any version. They are retried only after an answer
// that says that nothing was changed.
type objects interface {
	put(ctx context.Context, object object, over domain.PhotoVersion) (domain.PhotoVersion, error)
	remove(ctx context.Context, name string, over domain.PhotoVersion) error
	get(ctx context.Context, name string) (stored, error)
}

// object is an object to write.
type object struct {
	name, contentType, cacheControl string
	data                            []byte
}

// stored is an object to read.
type stored struct {
	io.ReadCloser
	size    int64 // as the server announces it; negative if unknown
	version domain.PhotoVersion
}

// signer returns a signed address of an object, valid for lifetime.
type signer func(ctx context.Context, name string, lifetime time.Duration) (string, error)

// Name returns the name of the store in records and in the log.
func (s *PhotoStore) Name() domain.PhotoStoreName {
	return domain.PhotoStoreName(s.scheme + "://" + strings.TrimSuffix(s.bucket+"/"+s.prefix, "/"))
}

// Put implements ports.PhotoStore. It copies photo, because an HTTP client may
// still read the body of a request that was given up.
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

// FencesDeletions is false if the store refuses to replace a photo of another
// version but not to delete one. Call it after Start.
func (s *PhotoStore) FencesDeletions() bool { return s.fencesDeletes || !s.fences }

// condition returns the version that the request of a change over this version
// names. It fails with errConflict if the store can't have given that version.
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

// versionOf returns the version that callers see for one of the provider's.
func (s *PhotoStore) versionOf(version domain.PhotoVersion) domain.PhotoVersion {
	if version != "" && !s.fences {
		return domain.Unversioned
	}
	return version
}

// Open implements ports.PhotoStore. It reads the whole object at once: a reader
// that seeks would request the object again and might get a later one.
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

// call runs f with the timeout of a call, unless ctx has ended: memblob ignores
// ctx.
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

// HasAddresses reports whether photos have addresses of their own. All but
// those of mem:// have.
func (s *PhotoStore) HasAddresses() bool { return !s.inMemory }

// URL implements ports.PhotoAddresser. It is empty before Start, and if
// HasAddresses is false.
func (s *PhotoStore) URL(key domain.PhotoKey) string {
	if s.connection == nil || !s.HasAddresses() {
		return ""
	}
	return s.connection.base + s.prefix + string(key)
}

// SignedURL implements ports.PhotoAddresser. Start doesn't check whether the
// credentials can sign; the first SignedURL does.
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
		return "", errors.New("photos in mem:// have no addresses to sign; choose s3://, gs:// or azblob://")
	case ctx.Err() != nil:
		return "", translate("sign an address", ctx.Err())
	case lifetime < time.Second || lifetime > longestSigned:
		return "", fmt.Errorf("an address can be signed for 1s to %s (7 days), not for %s", longestSigned, lifetime)
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	address, err := s.connection.sign(ctx, name, lifetime)
	if err != nil {
		return "", s.explain(s.rights.sign, err)
	}
	return address, nil
}
