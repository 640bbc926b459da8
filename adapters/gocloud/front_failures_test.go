package gocloud

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
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
		version := mustPut(t, store, photo)
		front.stop()
		store.timeout = 500 * time.Millisecond // Azure's SDK reads for longer
		for what, err := range calls(t, store, version) {
			checkUnavailable(t, what, err)
			if what != "Open" && !domain.AsError(err).Unchanged {
				t.Errorf("%s that found nobody: %v, want it Unchanged", what, err)
			}
		}
		if err := store.Start(t.Context()); !errors.Is(err, domain.Unavailable) {
			t.Errorf("Start: %v, want it Unavailable", err)
		}
		front.start()
		store.timeout = callTimeout
		if !bytes.Equal(holds(t, store), photo.JPEG()) {
			t.Error("the photo is another one")
		}
		for what, err := range calls(t, store, version) {
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
		for what, err := range calls(t, store, domain.NoPhoto) {
			checkUnavailable(t, what, err)
			if domain.AsError(err).Unchanged != (what == "Delete") { // which only looks
				t.Errorf("%s: Unchanged is %v", what, domain.AsError(err).Unchanged)
			}
		}
		if err := store.Start(t.Context()); !errors.Is(err, domain.Unavailable) {
			t.Errorf("Start: %v, want it Unavailable", err)
		}
	})
}

// A request of a start that nobody ever answers: the start succeeds without it.
func TestStartLosesARequest(t *testing.T) {
	onEachBucket(t, func(t *testing.T, front *front, store *PhotoStore) {
		want := store.found
		store.timeout = 6 * time.Second // it starts over in a twentieth
		for lost := int64(1); ; lost++ {
			var requests atomic.Int64
			front.put(func(pass http.Handler) http.Handler {
				if requests.Add(1) == lost {
					return front.hang(pass)
				}
				return pass
			})
			store.found = found{}
			if err := store.Start(t.Context()); err != nil || store.found != want {
				t.Errorf("without its request %d: %v, found %+v, want %+v", lost, err, store.found, want)
			}
			if requests.Load() < lost {
				break // it makes fewer requests
			}
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
		_, err := store.Put(ctx, key, newPhoto(t, 20, 1), domain.NoPhoto)
		checkUnavailable(t, "Put", err)
	})
}

// Each call meets the server at a bad moment once; S3's Put at one when a
// directory is being removed.
func TestOneRefusalIsRepeated(t *testing.T) {
	onEachBucket(t, func(t *testing.T, front *front, store *PhotoStore) {
		photo := newPhoto(t, 20, 1)
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
					busy(w, r, store.scheme)
					return
				}
				pass.ServeHTTP(w, r)
			})
		})
		version, err := store.Put(t.Context(), key, photo, domain.NoPhoto)
		if err != nil || !bytes.Equal(holds(t, store), photo.JPEG()) {
			t.Errorf("Put: %v, or the photo is another one", err)
		}
		if err := store.Delete(t.Context(), key, version); err != nil {
			t.Error(err)
		}
		if len(failed) < 3 {
			t.Errorf("failed were %v, want one of each call", failed)
		}
	})
}

// busy is how a provider refuses what may be repeated.
func busy(w http.ResponseWriter, r *http.Request, scheme string) {
	status, body := http.StatusServiceUnavailable, "<Error><Code>SlowDown</Code></Error>"
	switch {
	case scheme == "gs":
		status = http.StatusTooManyRequests
	case scheme == "azblob":
		w.Header().Set("X-Ms-Error-Code", "ServerBusy")
	case r.Method == http.MethodPut:
		status, body = http.StatusConflict, "<Error><Code>ExistingObjectIsDirectory</Code></Error>"
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
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
		if _, err := store.Put(t.Context(), key, photo, domain.NoPhoto); err != nil {
			t.Error(err)
		}
		if len(requests) != 1 || strings.Contains(requests[0], "resumable") {
			t.Errorf("Put made the requests %q, want one", requests)
		}
		if !bytes.Equal(holds(t, store), large) {
			t.Error("the photo is another one")
		}
	})
}

func TestUploadThatBreaksOff(t *testing.T) {
	onEachBucket(t, func(t *testing.T, front *front, store *PhotoStore) {
		older := newPhoto(t, 20, 1)
		version := mustPut(t, store, older)
		front.put(func(http.Handler) http.Handler {
			return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				_, _ = io.CopyN(io.Discard, r.Body, 1<<16)
				panic(http.ErrAbortHandler)
			})
		})
		store.timeout = 500 * time.Millisecond
		_, err := store.Put(t.Context(), key, newPhoto(t, 1000, 2), version)
		checkUnavailable(t, "Put", err)
		front.put(nil)
		store.timeout = callTimeout
		if !bytes.Equal(holds(t, store), older.JPEG()) {
			t.Error("the photo is another one than before")
		}
	})
}
