package files

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
)

// listed returns what a store lists, in the order of its keys.
func listed(t testing.TB, store *PhotoStore) []domain.StoredPhoto {
	t.Helper()
	var all []domain.StoredPhoto
	for photo, err := range store.List(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, photo)
	}
	slices.SortFunc(all, func(x, y domain.StoredPhoto) int { return strings.Compare(string(x.Key), string(y.Key)) })
	return all
}

// listError is the one failure that a list yields.
func listError(ctx context.Context, t testing.TB, store *PhotoStore) (failure error) {
	t.Helper()
	for photo, err := range store.List(ctx) {
		if failure != nil || err == nil || photo != (domain.StoredPhoto{}) {
			t.Errorf("got %+v, %v after %v", photo, err, failure)
		}
		failure = err
	}
	return failure
}

// checkList puts photos, and what is none, and lists.
func checkList(t *testing.T, store *PhotoStore, put func(key string)) {
	t.Helper()
	if all := listed(t, store); all != nil {
		t.Errorf("an empty store lists %+v", all)
	}
	photo := newPhoto(t, 20, 1)
	keys := []domain.PhotoKey{"fleet-7/customer_photos/42_photo.jpg", "fleet-7/customer_photos/43_photo.jpg", "fleet-70/customer_photos/1_photo.jpg"}
	for _, key := range keys {
		if _, err := store.Put(t.Context(), key, photo, domain.NoPhoto); err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range []string{
		"fleet-7/customer_photos/44_photo.jpg.18a.tmp", "fleet-7/customer_photos/note.txt", "fleet-7/note.txt", "fleet-0/customer_photos/1_photo.jpg",
		"fleet-x/customer_photos/1_photo.jpg", "other/fleet-7/customer_photos/42_photo.jpg", "zebra.txt",
		locksDir + "/fleet-7%2Fcustomer_photos%2F42_photo.jpg", locksDir + "/customer_photos/42_photo.jpg",
	} {
		put(key)
	}
	all := listed(t, store)
	if len(all) != len(keys) {
		t.Fatalf("listed are %+v, want %q", all, keys)
	}
	for i, got := range all {
		if got.Key != keys[i] || got.Size != int64(len(photo.JPEG())) || time.Since(got.ChangedAt).Abs() > time.Hour || got.ChangedAt.Location() != time.UTC {
			t.Errorf("got %+v, want %s, %d bytes", got, keys[i], len(photo.JPEG()))
		}
	}
	for _, err := range store.List(t.Context()) {
		if err != nil {
			t.Error(err)
		}
		break // it yields nothing more, or the test panics
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := listError(ended, t, store); !errors.Is(err, domain.Unavailable) {
		t.Errorf("with a ctx that ended: %v", err)
	}
}

func TestListFiles(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	store := started(t, root)
	checkList(t, store, func(key string) {
		name := filepath.Join(root, filepath.FromSlash(key))
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o750), os.WriteFile(name, []byte("x"), 0o600)); err != nil {
			t.Fatal(err)
		}
	})
}

// TestListSaysWhatItCannotRead: what is passed over in silence looks as if it
// were not there.
func TestListSaysWhatItCannotRead(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("Windows finds a file where a directory is asked for missing")
	}
	root := t.TempDir()
	store := started(t, root)
	mustPut(t, store, newPhoto(t, 20, 1))
	if err := errors.Join(os.RemoveAll(filepath.Join(root, photos)), os.WriteFile(filepath.Join(root, photos), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	checkUnavailable(t, "a directory that is none", listError(t.Context(), t, store))
	if err := os.RemoveAll(root); err != nil {
		t.Fatal(err)
	}
	checkUnavailable(t, "without the root", listError(t.Context(), t, store))
}

func TestListPages(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	store := started(t, root)
	const many = 2*listPage + 1
	if err := os.MkdirAll(filepath.Join(root, photos), 0o750); err != nil {
		t.Fatal(err)
	}
	for i := range many {
		if err := os.WriteFile(filepath.Join(root, fmt.Sprintf("%s/%d_photo.jpg", photos, i+1)), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	all := listed(t, store)
	if unique := slices.CompactFunc(slices.Clone(all), func(x, y domain.StoredPhoto) bool { return x.Key == y.Key }); len(all) != many || len(unique) != many {
		t.Errorf("listed are %d, %d of them once; want %d", len(all), len(unique), many)
	}
}

func checkUnavailable(t *testing.T, what string, err error) {
	t.Helper()
	known := domain.AsError(err)
	if known.Kind != domain.Unavailable || strings.ContainsAny(known.Public, "/:@") {
		t.Errorf("%s: got %v, want it Unavailable, and no address in %q", what, err, known.Public)
	}
}
