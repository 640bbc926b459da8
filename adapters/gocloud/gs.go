package gocloud

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"strconv"
	"strings"
	"syscall"
	"time"

	"cloud.google.com/go/storage"
	"gocloud.dev/blob/gcsblob"

	"github.com/fleetphoto/fleetphoto/domain"
)

func gsForms() forms {
	return forms{
		"access_id":        {anything, "the e-mail address of the service account that signs"},
		"private_key_path": {anything, "the path of its private key"},
	}
}

func newGS(name string, parameters url.Values) (provider, error) {
	return provider{
		bucket: name,
		name:   fmt.Sprintf("the bucket %q", name),
		rights: rights{
			write: "storage.objects.create and storage.objects.delete", read: "storage.objects.get", remove: "storage.objects.delete",
			list: "storage.objects.list", sign: "iam.serviceAccounts.signBlob", look: "storage.buckets.get",
		},
		identity: "GOOGLE_APPLICATION_CREDENTIALS, or run as a service account",
		connect: func(ctx context.Context) (*connection, error) {
			return connectGS(ctx, name, parameters)
		},
	}, nil
}

// connectGS doesn't use gocloud's URL opener, which signs only with an account
// that the URL names.
func connectGS(ctx context.Context, name string, parameters url.Values) (*connection, error) {
	server := cmp.Or(os.Getenv("STORAGE_EMULATOR_HOST"), "https://storage.googleapis.com")
	if !strings.Contains(server, "://") {
		server = "http://" + server
	}
	signing := storage.SignedURLOptions{
		Scheme: storage.SigningSchemeV4, Method: http.MethodGet, Insecure: strings.HasPrefix(server, "http:"),
		GoogleAccessID: parameters.Get("access_id"),
	}
	if path := parameters.Get("private_key_path"); path != "" {
		var err error
		if signing.PrivateKey, err = os.ReadFile(path); err != nil {
			return nil, fmt.Errorf("private_key_path: %w", err)
		}
	}
	client, err := storage.NewClient(context.WithoutCancel(ctx))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoCredentials, err)
	}
	client.SetRetry(storage.WithErrorFunc(func(err error) bool {
		return storage.ShouldRetry(err) && !errors.Is(err, syscall.ECONNREFUSED)
	}))
	objects, err := gcsblob.OpenBucket(ctx, nil, name, &gcsblob.Options{Client: client})
	if err != nil {
		return nil, err
	}
	bucket := client.Bucket(name)
	return &connection{
		objects, gsObjects{bucket}, `[1-9][0-9]{0,17}`, strings.TrimSuffix(server, "/") + "/" + name + "/", signGS(bucket, signing), gsObjects{bucket}.kept,
	}, nil
}

// gsObjects are the objects of a bucket. Their versions are generations.
type gsObjects struct{ bucket *storage.BucketHandle }

// change returns the object for a change over this version. The SDK retries the
// change only after status 429.
func (b gsObjects) change(name string, over domain.PhotoVersion) *storage.ObjectHandle {
	object := b.bucket.Object(name).Retryer(storage.WithPolicy(storage.RetryAlways), storage.WithErrorFunc(func(err error) bool {
		status, _ := answer(err)
		return status == http.StatusTooManyRequests
	}))
	switch over {
	case domain.Unversioned:
		return object
	case domain.NoPhoto:
		return object.If(storage.Conditions{DoesNotExist: true})
	default:
		generation, _ := strconv.ParseInt(string(over), 10, 64) // the SDK refuses 0
		return object.If(storage.Conditions{GenerationMatch: generation})
	}
}

// put makes one request: the data fits into one chunk.
func (b gsObjects) put(ctx context.Context, o object, over domain.PhotoVersion) (domain.PhotoVersion, error) {
	ctx, cancel := context.WithCancel(ctx) // releases what a failed Write leaves behind
	defer cancel()
	writer := b.change(o.name, over).NewWriter(ctx)
	writer.ContentType, writer.CacheControl, writer.ChunkSize = o.contentType, o.cacheControl, len(o.data)+1
	if _, err := writer.Write(o.data); err != nil {
		return "", err
	}
	if err := writer.Close(); err != nil {
		return "", err
	}
	return generation(writer.Attrs().Generation), nil
}

// remove checks afterwards that the object is gone: the SDK accepts a success
// from any server, such as a network's login page.
func (b gsObjects) remove(ctx context.Context, name string, over domain.PhotoVersion) error {
	if err := b.change(name, over).Delete(ctx); err != nil {
		return err
	}
	left, err := b.bucket.Object(name).Attrs(ctx)
	switch status, _ := answer(err); {
	case err == nil && generation(left.Generation) == over:
		return errNotStore
	case status == http.StatusNotFound, status == http.StatusForbidden:
		return nil
	}
	return err
}

func (b gsObjects) get(ctx context.Context, name string) (stored, error) {
	reader, err := b.bucket.Object(name).NewReader(ctx)
	if err != nil {
		return stored{}, err
	}
	return stored{reader, reader.Attrs.Size, generation(reader.Attrs.Generation)}, nil
}

func (b gsObjects) kept(ctx context.Context, _ string) (kept, error) {
	bucket, err := b.bucket.Attrs(ctx)
	if err != nil {
		return kept{}, err
	}
	var found kept
	if soft := bucket.SoftDeletePolicy; soft != nil {
		found.deleted = int(math.Ceil(soft.RetentionDuration.Hours() / 24))
	}
	if bucket.VersioningEnabled {
		found.versions = keptForEver
		for _, rule := range bucket.Lifecycle.Rules {
			if days := rule.Condition.DaysSinceNoncurrentTime; rule.Action.Type == storage.DeleteAction && reflect.DeepEqual(rule.Condition, storage.LifecycleCondition{DaysSinceNoncurrentTime: days}) {
				found.versions = soonest(found.versions, int(days))
			}
		}
	}
	return found, nil
}

func generation(number int64) domain.PhotoVersion {
	return domain.PhotoVersion(strconv.FormatInt(number, 10))
}

func signGS(bucket *storage.BucketHandle, signing storage.SignedURLOptions) signer {
	return func(ctx context.Context, name string, lifetime time.Duration) (string, error) {
		signing := signing
		signing.Expires = time.Now().Add(lifetime)
		return within(ctx, func() (string, error) { return bucket.SignedURL(name, &signing) })
	}
}

// within returns the result of f, or the error of ctx if that ends first.
// Without a private key, SignedURL has Google sign, and it takes no ctx.
func within(ctx context.Context, f func() (string, error)) (text string, err error) {
	done := make(chan func() (string, error), 1)
	go func() {
		text, err := f()
		done <- func() (string, error) { return text, err }
	}()
	select {
	case result := <-done:
		return result()
	case <-ctx.Done():
		return "", ctx.Err()
	}
}
