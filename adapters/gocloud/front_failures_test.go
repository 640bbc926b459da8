package gocloud

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
)

// onEachBucket runs f on a store of each kind behind a front. It isn't
// parallel, as gs:// takes its server from the environment.
func onEachBucket(t *testing.T, f func(t *testing.T, front *front, store *PhotoStore)) {
	for _, b := range buckets {
		t.Run(b.scheme, func(t *testing.T) {
			front, through := newFront(t, b.place(t))
			store := started(t, through)
			f(t, front, store)
		})
	}
}

func checkUnavailable(t *testing.T, what string, err error) {
	t.Helper()
	known := domain.AsError(err)
	if known.Kind != domain.Unavailable || strings.ContainsAny(known.Public, "/:@") {
		t.Errorf("%s: got %v, want it Unavailable, and no address in %q", what, err, known.Public)
	}
}

func TestServerThatIsAwayAndBack(t *testing.T) {
	onEachBucket(t, func(t *testing.T, front *front, store *PhotoStore) {
		photo := newPhoto(t, 20, 1)
		mustPut(t, store, photo)
		front.stop()
		store.timeout = 500 * time.Millisecond // Azure's SDK tries for longer
		for what, err := range calls(t, store) {
			checkUnavailable(t, what, err)
		}
		if err := store.Start(t.Context()); !errors.Is(err, domain.Unavailable) {
			t.Errorf("Start: %v, want it Unavailable", err)
		}
		front.start()
		store.timeout = callTimeout
		if !bytes.Equal(stored(t, store), photo.JPEG()) {
			t.Error("the photo is another one")
		}
		for what, err := range calls(t, store) {
			if err != nil {
				t.Errorf("%s: %v", what, err)
			}
		}
	})
}

func TestServerThatHangs(t *testing.T) {
	onEachBucket(t, func(t *testing.T, front *front, store *PhotoStore) {
		front.put(front.hang)
		store.timeout = 50 * time.Millisecond
		for what, err := range calls(t, store) {
			checkUnavailable(t, what, err)
		}
		if err := store.Start(t.Context()); !errors.Is(err, domain.Unavailable) {
			t.Errorf("Start: %v, want it Unavailable", err)
		}
	})
}

func TestCallerThatGivesUp(t *testing.T) {
	onEachBucket(t, func(t *testing.T, front *front, store *PhotoStore) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		front.put(func(pass http.Handler) http.Handler {
			cancel()
			return front.hang(pass)
		})
		checkUnavailable(t, "Put", store.Put(ctx, key, newPhoto(t, 20, 1)))
	})
}

// Each call meets the server at a bad moment once; S3's Put at one when a
// directory is being removed.
func TestOneFailureIsRepeated(t *testing.T) {
	onEachBucket(t, func(t *testing.T, front *front, store *PhotoStore) {
		photo := newPhoto(t, 20, 1)
		inS3 := strings.HasPrefix(store.rights.write, "s3:")
		var mu sync.Mutex
		failed := map[string]bool{}
		front.put(func(pass http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				first := !failed[r.Method]
				failed[r.Method] = true
				mu.Unlock()
				if first {
					_, _ = io.Copy(io.Discard, r.Body)
					if inS3 && r.Method == http.MethodPut {
						w.WriteHeader(http.StatusConflict)
						_, _ = io.WriteString(w, "<Error><Code>ExistingObjectIsDirectory</Code></Error>")
						return
					}
					w.WriteHeader(http.StatusServiceUnavailable)
					return
				}
				pass.ServeHTTP(w, r)
			})
		})
		mustPut(t, store, photo)
		if !bytes.Equal(stored(t, store), photo.JPEG()) {
			t.Error("the photo is another one")
		}
		if err := store.Delete(t.Context(), key); err != nil {
			t.Error(err)
		}
		if len(failed) < 3 {
			t.Errorf("failed were %v, want one of each call", failed)
		}
	})
}

// One request replaces a photo: there is no moment with a part of it, and
// nothing to clear away when it breaks off.
func TestPutIsOneRequest(t *testing.T) {
	onEachBucket(t, func(t *testing.T, front *front, store *PhotoStore) {
		large := append(newPhoto(t, 20, 1).JPEG(), make([]byte, 10<<20)...)
		photo, err := domain.NewPhoto(large, 20, 20)
		if err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		var requests []string
		front.put(func(pass http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				requests = append(requests, r.Method+" "+r.URL.String())
				mu.Unlock()
				pass.ServeHTTP(w, r)
			})
		})
		mustPut(t, store, photo)
		if len(requests) != 1 || strings.Contains(requests[0], "resumable") {
			t.Errorf("Put made the requests %q, want one", requests)
		}
		if !bytes.Equal(stored(t, store), large) {
			t.Error("the photo is another one")
		}
	})
}

func TestUploadThatBreaksOff(t *testing.T) {
	onEachBucket(t, func(t *testing.T, front *front, store *PhotoStore) {
		older := newPhoto(t, 20, 1)
		mustPut(t, store, older)
		front.put(func(http.Handler) http.Handler {
			return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				_, _ = io.CopyN(io.Discard, r.Body, 1<<16)
				panic(http.ErrAbortHandler)
			})
		})
		store.timeout = 500 * time.Millisecond
		checkUnavailable(t, "Put", store.Put(t.Context(), key, newPhoto(t, 1000, 2)))
		front.put(nil)
		store.timeout = callTimeout
		if !bytes.Equal(stored(t, store), older.JPEG()) {
			t.Error("the photo is another one than before")
		}
	})
}
