package files

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/domain/usecase"
)

func TestStartMakesTheDirectory(t *testing.T) {
	t.Parallel()
	skipWithoutDirectorySync(t)
	above := t.TempDir()
	store, err := Open(fileURL(filepath.Join(above, "a", "b")))
	if err != nil {
		t.Fatal(err)
	}
	var synced []string
	store.sync = func(file *os.File) error {
		synced = append(synced, strings.TrimPrefix(file.Name(), above))
		return file.Sync()
	}
	if err := store.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	// The first is for whoever made above and was killed before its sync.
	want := []string{filepath.Dir(above), "", "/a", "/a/b/" + probeName, "/a/b"}
	if !slices.Equal(synced, want) {
		t.Errorf("Start synced %q, want %q", synced, want)
	}
	if left, err := os.ReadDir(filepath.Join(above, "a", "b")); err != nil || len(left) != 1 || left[0].Name() != locksDir {
		t.Errorf("Start left %v, %v, want the directory of locks", left, err)
	}
}

func TestStartSaysWhyItCannot(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{file, filepath.Join(file, "photos"), filepath.Join(file, "a", "photos")} {
		store, err := Open(fileURL(path))
		if err != nil {
			t.Fatal(err)
		}
		checkStartFails(t, store, path)
	}
}

func TestStartFailsWhereNothingCanBeSynced(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	store, err := Open(fileURL(root))
	if err != nil {
		t.Fatal(err)
	}
	store.sync = func(*os.File) error { return syscall.EIO }
	checkStartFails(t, store, root)
	if left, err := os.ReadDir(root); err != nil || len(left) != 1 || left[0].Name() != locksDir {
		t.Errorf("Start left %v, %v, want the directory of locks", left, err)
	}
}

func checkStartFails(t *testing.T, store *PhotoStore, path string) {
	t.Helper()
	err := store.Start(t.Context())
	if err == nil {
		t.Fatalf("Start in %s worked", path)
	}
	for _, part := range []string{"photos can't be kept in " + path + ": ", "; name a directory that"} {
		if !strings.Contains(err.Error(), part) || strings.Contains(err.Error(), "\n") {
			t.Errorf("Start in %s: %q, want one line with %q", path, err, part)
		}
	}
	if err := store.Close(); err != nil {
		t.Errorf("Close after it: %v", err)
	}
}

// age makes the file look as if it was written two hours ago.
func age(t *testing.T, name string) {
	t.Helper()
	then := time.Now().Add(-2 * usecase.SettleAfter)
	if err := os.Chtimes(name, then, then); err != nil {
		t.Fatal(err)
	}
}

func TestSweepRemovesOnlyWhatKilledPutsLeft(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	swept := []string{
		string(key) + ".18a2b3c4d5e6f708.tmp",
		string(key) + "." + rand.Text() + ".tmp",
		"fleet-9223372036854775807/customer_photos/9223372036854775807_photo.jpg.1.tmp",
	}
	kept := []string{
		string(key),
		photos + "/notes.tmp",
		photos + "/.tmp",
		photos + "/42_photo.jpg.tmp",
		photos + "/42_photo.jpg..tmp",
		photos + "/42_photo.jpg.18A2B3C4D5E6F708.tmp",
		photos + "/42_photo.jpg." + rand.Text() + "X.tmp",
		photos + "/42_photo.jpg." + rand.Text() + "18.tmp",
		photos + "/42_photo.jpg.018a.tmp",
		photos + "/42_photo.jpg.-18a.tmp",
		photos + "/42_photo.jpg.18a2b3c4d5e6f7081.tmp",
		photos + "/42_photo.jpg.xyz.tmp",
		photos + "/42_photo.jpg.18a2.tmp.bak",
		photos + "/042_photo.jpg.18a2.tmp",
		photos + "/42_photo.png.18a2.tmp",
		photos + "/deeper/42_photo.jpg.18a2.tmp",
		"fleet-7/42_photo.jpg.18a2.tmp",
		"fleet-x/customer_photos/42_photo.jpg.18a2.tmp",
		"fleet-07/customer_photos/42_photo.jpg.18a2.tmp",
		"other/customer_photos/42_photo.jpg.18a2.tmp",
		"fleet-notes.txt",
		"42_photo.jpg.18a2.tmp",
		locksDir + "/42_photo.jpg.18a2.tmp",
	}
	for _, name := range slices.Concat(swept, kept) {
		write(t, filepath.Join(root, name))
		age(t, filepath.Join(root, name))
	}
	young := photos + "/43_photo.jpg.18a2.tmp"
	write(t, filepath.Join(root, young))
	nested := filepath.Join(root, photos, "44_photo.jpg.18a2.tmp")
	if err := os.Mkdir(nested, 0o700); err != nil {
		t.Fatal(err)
	}
	age(t, nested)

	store := started(t, root)
	mustSweep(t, store)
	for _, name := range swept {
		if _, err := os.Lstat(filepath.Join(root, name)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is still there: %v", name, err)
		}
	}
	for _, name := range append(kept, young, photos+"/44_photo.jpg.18a2.tmp") {
		if _, err := os.Lstat(filepath.Join(root, name)); err != nil {
			t.Errorf("a stranger's file was swept: %v", err)
		}
	}
}

func TestSweepStopsWithItsContext(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	write(t, filepath.Join(root, string(key)))
	store := started(t, root)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := store.Sweep(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Sweep: %v, want that it was cancelled", err)
	}
}

func mustSweep(t *testing.T, store *PhotoStore) {
	t.Helper()
	if err := store.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, name string) {
	t.Helper()
	err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o700), os.WriteFile(name, []byte("x"), 0o600))
	if err != nil {
		t.Fatal(err)
	}
}
