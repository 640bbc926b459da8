package gocloud

import (
	"bytes"
	"errors"
	"net/url"
	"strings"
	"testing"

	"cloud.google.com/go/storage"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/fleetphoto/fleetphoto/domain"
)

// openedAlone opens a store in a bucket of its own, which isn't there yet.
func openedAlone(t *testing.T, rawURL string) *PhotoStore {
	t.Helper()
	u, err := url.Parse(rawURL)
	if err != nil {
		t.Fatal(err)
	}
	u.Host = strings.Trim(u.Query().Get("prefix"), "/") // nobody else's
	return opened(t, u.String())
}

// makeBucket makes the bucket of a store that failed to start without it, and
// returns what removes it when it is empty.
func makeBucket(t *testing.T, store *PhotoStore) (remove func() error) {
	t.Helper()
	name := strings.Trim(store.prefix, "/")
	var amazon *s3.Client
	var google *storage.Client
	var azure *container.Client
	var err error
	switch objects := store.connection; {
	case objects.As(&amazon):
		_, err = amazon.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &name})
		remove = func() error {
			_, err := amazon.DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: &name})
			return err
		}
	case objects.As(&google):
		err = google.Bucket(name).Create(t.Context(), "test", nil)
		remove = func() error { return google.Bucket(name).Delete(t.Context()) }
	case objects.As(&azure):
		_, err = azure.Create(t.Context(), nil)
		remove = func() error {
			_, err := azure.Delete(t.Context(), nil)
			return err
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return remove
}

func TestBucketThatIsMissing(t *testing.T) {
	t.Parallel()
	for _, b := range buckets {
		t.Run(b.scheme, func(t *testing.T) {
			t.Parallel()
			store := openedAlone(t, b.place(t))
			err := store.Start(t.Context())
			if err == nil || errors.Is(err, domain.Unavailable) || !strings.HasPrefix(err.Error(), store.name+" does not exist; create it") {
				t.Fatalf("Start without the bucket: %v", err)
			}
			remove := makeBucket(t, store)
			if err := store.Start(t.Context()); err != nil {
				t.Fatalf("Start with the bucket: %v", err)
			}
			if err := errors.Join(store.connection.Delete(t.Context(), store.prefix+markerName), remove()); err != nil {
				t.Fatal(err)
			}
			for what, err := range calls(t, store, domain.NoPhoto) {
				checkUnavailable(t, what+" without the bucket", err)
				if err != nil && !strings.Contains(err.Error(), "does not exist") && !strings.Contains(err.Error(), "is gone") {
					t.Errorf("%s without the bucket: the cause in %q doesn't say so", what, err)
				}
			}
		})
	}
}

func TestMarkerThatIsGone(t *testing.T) {
	t.Parallel()
	for _, b := range buckets {
		t.Run(b.scheme, func(t *testing.T) {
			t.Parallel()
			store := started(t, b.place(t))
			photo := newPhoto(t, 20, 1)
			mustPut(t, store, photo)
			if err := store.connection.Delete(t.Context(), store.prefix+markerName); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(holds(t, store), photo.JPEG()) {
				t.Error("the photo is another one")
			}
			_, _, err := store.Open(t.Context(), otherKey)
			checkUnavailable(t, "Open of what isn't there", err)
			if !strings.Contains(err.Error(), markerName) {
				t.Errorf("Open of what isn't there: %q doesn't name %s", err, markerName)
			}
			if err := store.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, _, err := store.Open(t.Context(), otherKey); !errors.Is(err, domain.NotFound) {
				t.Errorf("after another Start: %v, want NotFound", err)
			}
		})
	}
}

// Processes that start at once write and delete the same objects.
func TestStartsAtOnce(t *testing.T) {
	t.Parallel()
	for _, b := range buckets {
		t.Run(b.scheme, func(t *testing.T) {
			t.Parallel()
			rawURL := b.place(t)
			started := make(chan error)
			for range 10 {
				store := opened(t, rawURL)
				go func() { started <- store.Start(t.Context()) }()
			}
			for range 10 {
				if err := <-started; err != nil {
					t.Error(err)
				}
			}
		})
	}
}
