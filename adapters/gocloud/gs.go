package gocloud

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"

	"cloud.google.com/go/storage"
	"gocloud.dev/blob/gcsblob"
)

func gsForms() forms {
	return forms{
		"access_id":        {anything, "the e-mail address of the service account that signs"},
		"private_key_path": {anything, "the path of its private key"},
	}
}

func newGS(name string, parameters url.Values) (provider, error) {
	return provider{
		name: fmt.Sprintf("the bucket %q", name),
		rights: rights{
			write: "storage.objects.create and storage.objects.delete", read: "storage.objects.get", remove: "storage.objects.delete",
			list: "storage.objects.list", sign: "iam.serviceAccounts.signBlob",
		},
		identity: "GOOGLE_APPLICATION_CREDENTIALS, or run as a service account",
		connect: func(ctx context.Context) (*connection, error) {
			return connectGS(ctx, name, parameters)
		},
	}, nil
}

// connectGS doesn't open by a URL, as gocloud signs only by an account that
// the URL names. It has the SDK repeat what it takes for unsafe to repeat: to
// replace an object by the same one, and to delete it.
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
	client.SetRetry(storage.WithPolicy(storage.RetryAlways), storage.WithErrorFunc(func(err error) bool {
		return storage.ShouldRetry(err) && !errors.Is(err, syscall.ECONNREFUSED)
	}))
	objects, err := gcsblob.OpenBucket(ctx, nil, name, &gcsblob.Options{Client: client})
	if err != nil {
		return nil, err
	}
	return &connection{objects, strings.TrimSuffix(server, "/") + "/" + name + "/", signGS(client.Bucket(name), signing)}, nil
}

func signGS(bucket *storage.BucketHandle, signing storage.SignedURLOptions) signer {
	return func(ctx context.Context, name string, lifetime time.Duration) (string, error) {
		signing := signing
		signing.Expires = time.Now().Add(lifetime)
		return within(ctx, func() (string, error) { return bucket.SignedURL(name, &signing) })
	}
}

// within stops waiting for f when ctx ends: without a key at hand the SDK has
// Google sign, and takes no ctx.
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
