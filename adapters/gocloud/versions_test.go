package gocloud

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/fleetphoto/fleetphoto/domain"
)

// isChange says that a request is to change an object.
func isChange(r *http.Request) bool { return r.Method != http.MethodGet && r.Method != http.MethodHead }

// counted counts the changes that are asked for.
func (f *front) counted() *atomic.Int32 {
	var changes atomic.Int32
	f.put(func(pass http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if isChange(r) {
				changes.Add(1)
			}
			pass.ServeHTTP(w, r)
		})
	})
	return &changes
}

func checkConflict(t *testing.T, what string, err error) {
	t.Helper()
	if known := domain.AsError(err); known.Kind != domain.Conflict || known.Unchanged {
		t.Errorf("%s: %v, want Conflict, not Unchanged", what, err)
	}
}

// The servers of the tests: Google's stand-in doesn't look at the condition of
// a deletion.
func TestStartFindsWhatIsFenced(t *testing.T) {
	onEachBucket(t, func(t *testing.T, _ *front, store *PhotoStore) {
		if want := (found{fences: true, fencesDeletes: store.scheme != "gs"}); store.found != want {
			t.Errorf("found is %+v, want %+v", store.found, want)
		}
	})
}

func TestChangesOverVersions(t *testing.T) {
	onEachBucket(t, func(t *testing.T, front *front, store *PhotoStore) {
		older, newer := newPhoto(t, 20, 1), newPhoto(t, 20, 2)
		first := mustPut(t, store, older)
		second := mustPut(t, store, newer)
		if first == second || first == domain.Unversioned || held(t, store) != second {
			t.Errorf("the versions are %q and %q, and what is there is %q", first, second, held(t, store))
		}
		changes := front.counted()
		for _, c := range []struct {
			over     domain.PhotoVersion
			requests int32
		}{
			{first, 2}, {domain.NoPhoto, 1}, {domain.UnknownVersion, 0}, {domain.Unversioned, 0}, {"*", 0}, {`a"`, 0}, {"a b", 0},
		} {
			changes.Store(0)
			_, err := store.Put(t.Context(), key, older, c.over)
			checkConflict(t, "Put over "+string(c.over), err)
			checkConflict(t, "Delete over "+string(c.over), store.Delete(t.Context(), key, c.over))
			if got := changes.Load(); got != c.requests && store.fencesDeletes {
				t.Errorf("over %q: %d requests, want %d", c.over, got, c.requests)
			}
		}
		if jpeg, version := opens(t, store); !bytes.Equal(jpeg, newer.JPEG()) || version != second {
			t.Errorf("the photo is another one than before, or its version %q isn't %q", version, second)
		}
		for _, over := range []domain.PhotoVersion{second, domain.NoPhoto} {
			if err := store.Delete(t.Context(), key, over); err != nil {
				t.Errorf("Delete over %q: %v", over, err)
			}
		}
		_, err := store.Put(t.Context(), key, older, second)
		checkConflict(t, "Put over what was deleted", err)
	})
}

func TestName(t *testing.T) {
	t.Setenv("AZURE_STORAGE_ACCOUNT", "taxi")
	for rawURL, want := range map[string]domain.PhotoStoreName{
		"mem://":                                    "mem://",
		"s3://photos?region=eu-west-1":              "s3://photos",
		"gs://photos?prefix=a/b":                    "gs://photos/a/b",
		"azblob://photos?prefix=a/&protocol=http":   "azblob://photos/a",
		"s3://photos?endpoint=http://127.0.0.1:707": "s3://photos",
	} {
		if got := opened(t, rawURL).Name(); got != want {
			t.Errorf("%s is named %q, want %q", rawURL, got, want)
		}
	}
}

// hold keeps the next change, as a network may, while its caller gives up, and
// returns what carries it out.
func (f *front) hold(giveUp func()) (release func() (kept *http.Request, status int)) {
	var kept *http.Request
	f.put(func(pass http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !isChange(r) {
				pass.ServeHTTP(w, r)
				return
			}
			body, err := io.ReadAll(r.Body)
			if err != nil {
				f.t.Error(err)
			}
			kept = r.Clone(context.WithoutCancel(r.Context()))
			kept.Body = io.NopCloser(bytes.NewReader(body))
			giveUp()
			f.hang(nil).ServeHTTP(w, r)
		})
	})
	return func() (*http.Request, int) {
		answer := httptest.NewRecorder()
		f.pass.ServeHTTP(answer, kept)
		return kept, answer.Code
	}
}

// A request that the network carries out after a later change has been
// acknowledged does nothing.
func TestLateRequests(t *testing.T) {
	onEachBucket(t, func(t *testing.T, front *front, store *PhotoStore) {
		for what, change := range map[string]func(context.Context, domain.PhotoVersion) error{
			"Put": func(ctx context.Context, over domain.PhotoVersion) error {
				_, err := store.Put(ctx, key, newPhoto(t, 20, 2), over)
				return err
			},
			"Delete": func(ctx context.Context, over domain.PhotoVersion) error { return store.Delete(ctx, key, over) },
		} {
			version := mustPut(t, store, newPhoto(t, 20, 1))
			store.fencesDeletes = true
			ctx, giveUp := context.WithCancel(t.Context())
			release := front.hold(giveUp)
			err := change(ctx, version)
			checkUnavailable(t, what, err)
			if domain.AsError(err).Unchanged {
				t.Errorf("%s that may be carried out later is Unchanged: %v", what, err)
			}
			front.put(nil)
			later := newPhoto(t, 20, 3)
			if _, err := store.Put(t.Context(), key, later, version); err != nil {
				t.Fatal(err)
			}
			kept, status := release()
			if what == "Delete" && store.scheme == "gs" { // whose stand-in ignores the condition
				if got := kept.URL.Query().Get("ifGenerationMatch"); got != string(version) {
					t.Errorf("Delete is over the generation %q, want %q", got, version)
				}
				continue
			}
			if status != http.StatusPreconditionFailed || !bytes.Equal(holds(t, store), later.JPEG()) {
				t.Errorf("a late %s: %d, or the photo is another one than that of the later Put", what, status)
			}
		}
	})
}
