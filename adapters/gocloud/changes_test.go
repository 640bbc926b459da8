package gocloud

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/fleetphoto/fleetphoto/domain"
)

// answers has a handler answer the changes.
func (f *front) answers(handler http.HandlerFunc) (changes *atomic.Int32) {
	changes = new(atomic.Int32)
	f.put(func(pass http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !isChange(r) {
				pass.ServeHTTP(w, r)
				return
			}
			changes.Add(1)
			_, _ = io.Copy(io.Discard, r.Body)
			handler(w, r)
		})
	})
	return changes
}

// eachChange calls f with a Put and with a Delete over what is under key.
func eachChange(t *testing.T, store *PhotoStore, f func(what string, change func(context.Context) error)) {
	t.Helper()
	version := mustPut(t, store, newPhoto(t, 20, 1))
	store.fencesDeletes = true // as far as these tests go
	f("Put", func(ctx context.Context) error {
		_, err := store.Put(ctx, key, newPhoto(t, 20, 2), version)
		return err
	})
	f("Delete", func(ctx context.Context) error { return store.Delete(ctx, key, version) })
}

func TestAnswersToChanges(t *testing.T) {
	onEachBucket(t, func(t *testing.T, front *front, store *PhotoStore) {
		for _, c := range []struct {
			scheme    string // empty: any
			status    int
			code      string
			want      domain.Kind
			unchanged bool
		}{
			{"", 500, "InternalError", domain.Unavailable, false},
			{"", 502, "", domain.Unavailable, false},
			{"", 503, "ServiceUnavailable", domain.Unavailable, false},
			{"", 408, "RequestTimeout", domain.Unavailable, false},
			{"", 400, "BadRequest", domain.Unavailable, true},
			{"", 401, "", domain.Unavailable, true},
			{"", 403, "AccessDenied", domain.Unavailable, true},
			{"", 409, "Other", domain.Unavailable, true},
			{"", 412, "PreconditionFailed", domain.Conflict, false},
			{"", 404, "NoSuchKey", domain.Conflict, false},
			{"s3", 404, "NoSuchBucket", domain.Unavailable, true},
			{"s3", 409, "ConditionalRequestConflict", domain.Conflict, false},
			{"azblob", 404, "ContainerNotFound", domain.Unavailable, true},
			{"azblob", 409, "BlobAlreadyExists", domain.Conflict, false},
			{"azblob", 412, "LeaseIdMissing", domain.Unavailable, true},
		} {
			if c.scheme != "" && c.scheme != store.scheme {
				continue
			}
			front.put(nil)
			eachChange(t, store, func(what string, change func(context.Context) error) {
				changes := front.answers(func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("X-Ms-Error-Code", c.code)
					w.WriteHeader(c.status)
					_, _ = fmt.Fprintf(w, "<Error><Code>%s</Code></Error>", c.code)
				})
				err := change(t.Context())
				known := domain.AsError(err)
				if known.Kind != c.want || known.Unchanged != c.unchanged || changes.Load() != 1 {
					t.Errorf("%s, answered %d %s: %v, Unchanged %v, after %d requests; want %s, %v, after one",
						what, c.status, c.code, err, known.Unchanged, changes.Load(), c.want, c.unchanged)
				}
			})
		}
	})
}

// A change that wasn't answered may be carried out, and isn't repeated.
func TestChangesWithoutAnAnswer(t *testing.T) {
	onEachBucket(t, func(t *testing.T, front *front, store *PhotoStore) {
		reset := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
		for name, c := range map[string]struct {
			requests int32
			answer   func(giveUp func(), request int32) http.HandlerFunc
		}{
			"reset":       {1, func(func(), int32) http.HandlerFunc { return reset }},
			"no answer":   {1, func(giveUp func(), _ int32) http.HandlerFunc { giveUp(); return front.hang(nil).ServeHTTP }},
			"not a store": {1, func(func(), int32) http.HandlerFunc { return portal }},
			"busy at first": {2, func(_ func(), request int32) http.HandlerFunc {
				if request > 1 {
					return reset
				}
				return func(w http.ResponseWriter, r *http.Request) { busy(w, r, store.scheme) }
			}},
		} {
			front.put(nil)
			eachChange(t, store, func(what string, change func(context.Context) error) {
				ctx, giveUp := context.WithCancel(t.Context())
				defer giveUp()
				var changes *atomic.Int32
				changes = front.answers(func(w http.ResponseWriter, r *http.Request) { c.answer(giveUp, changes.Load())(w, r) })
				err := change(ctx)
				checkUnavailable(t, what+", "+name, err)
				if domain.AsError(err).Unchanged || changes.Load() != c.requests {
					t.Errorf("%s, %s: %v, Unchanged %v, after %d requests; want %d", what, name, err, domain.AsError(err).Unchanged, changes.Load(), c.requests)
				}
			})
		}
	})
}

// portal is a network's page that wants a login.
func portal(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html")
	_, _ = io.WriteString(w, "<html>Welcome</html>")
}

func TestPortalIsNoStore(t *testing.T) {
	onEachBucket(t, func(t *testing.T, front *front, store *PhotoStore) {
		photo := newPhoto(t, 20, 2)
		version := mustPut(t, store, photo)
		for _, over := range []domain.PhotoVersion{version, domain.NoPhoto} {
			front.put(func(http.Handler) http.Handler { return http.HandlerFunc(portal) })
			for what, err := range calls(t, store, over) {
				checkUnavailable(t, what, err)
			}
			front.put(nil)
			if !bytes.Equal(holds(t, store), photo.JPEG()) {
				t.Error("the photo is another one")
			}
		}
	})
}

// bucket is one of S3 that keeps some conditions only.
type bucket struct {
	mu      sync.Mutex
	objects map[string]string
	keeps   map[string]int // status of the answer where the condition fails; 0: it is ignored
	asked   []string       // of the changes
}

func (b *bucket) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	held, there := b.objects[r.URL.Path]
	etag := func(object string) string { return fmt.Sprintf(`"%x"`, sha256.Sum256([]byte(object))) }
	condition, fails := "", false
	switch match := r.Header.Get("If-Match"); {
	case match != "":
		condition, fails = " If-Match", !there || match != etag(held)
	case r.Header.Get("If-None-Match") != "":
		condition, fails = " If-None-Match", there
	}
	if isChange(r) {
		b.asked = append(b.asked, r.Method+condition)
	}
	switch status := b.keeps[r.Method+condition]; {
	case status == http.StatusNotImplemented, status != 0 && fails:
		w.WriteHeader(status)
	case r.Method == http.MethodPut:
		b.objects[r.URL.Path] = string(body)
		w.Header().Set("ETag", etag(string(body)))
	case r.Method == http.MethodDelete:
		delete(b.objects, r.URL.Path)
		w.WriteHeader(http.StatusNoContent)
	case !there:
		w.WriteHeader(http.StatusNotFound)
	default:
		w.Header().Set("ETag", etag(held))
		_, _ = io.WriteString(w, held)
	}
}

// A server may accept the headers and not apply them, or not know them.
func TestStoresThatKeepSomeConditions(t *testing.T) {
	const create, overwrite, remove = "PUT If-None-Match", "PUT If-Match", "DELETE If-Match"
	for _, c := range []struct {
		name  string
		keeps map[string]int
		found found
		asked []string // by a Put and a Delete
	}{
		{"all", map[string]int{create: 412, overwrite: 412, remove: 412}, found{fences: true, fencesDeletes: true}, []string{create, remove}},
		{"none", nil, found{}, []string{"PUT", "DELETE"}},
		{"none, and says so", map[string]int{create: 501, overwrite: 501, remove: 501}, found{}, []string{"PUT", "DELETE"}},
		{"of a first photo", map[string]int{create: 412, remove: 412}, found{}, []string{"PUT", "DELETE"}},
		{"of an overwrite", map[string]int{overwrite: 412, remove: 412}, found{}, []string{"PUT", "DELETE"}},
		{"of an overwrite, or says so", map[string]int{create: 412, overwrite: 501}, found{}, []string{"PUT", "DELETE"}},
		{"not of a deletion", map[string]int{create: 412, overwrite: 412}, found{fences: true}, []string{create, "DELETE"}},
		{"not of a deletion, and says so", map[string]int{create: 412, overwrite: 412, remove: 501}, found{fences: true}, []string{create, "DELETE"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := &bucket{objects: map[string]string{}, keeps: c.keeps}
			server := httptest.NewServer(b)
			defer server.Close()
			store := started(t, storeAt(t, "s3", strings.TrimPrefix(server.URL, "http://"), nil))
			if store.found != c.found || len(b.objects) != 1 {
				t.Fatalf("found is %+v, want %+v; objects left are %d, want the marker", store.found, c.found, len(b.objects))
			}
			b.asked = nil
			version, err := store.Put(t.Context(), key, newPhoto(t, 16, 1), domain.NoPhoto)
			if err != nil || (version == domain.Unversioned) == c.found.fences || held(t, store) != version {
				t.Errorf("Put: the version %q, %v; Open: the version %q", version, err, held(t, store))
			}
			if err := store.Delete(t.Context(), key, version); err != nil || holds(t, store) != nil {
				t.Errorf("Delete: %v", err)
			}
			if !slices.Equal(b.asked, c.asked) {
				t.Errorf("asked were %q, want %q", b.asked, c.asked)
			}
			again := mustPut(t, store, newPhoto(t, 16, 2))
			if err := store.Delete(t.Context(), key, version); errors.Is(err, domain.Conflict) != c.found.fences || held(t, store) == again != c.found.fences {
				t.Errorf("Delete over a version of before: %v", err)
			}
		})
	}
}
