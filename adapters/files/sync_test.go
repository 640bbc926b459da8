package files

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/fleetphoto/fleetphoto/domain"
)

// journal records each sync as what was synced and what the key held then.
type journal struct {
	root   string
	names  map[string]string // of what the key may hold
	events []string
}

func (j *journal) sync(file *os.File) error {
	held, _ := os.ReadFile(filepath.Join(j.root, filepath.FromSlash(string(key))))
	j.events = append(j.events, j.describe(file)+" while the key holds "+j.names[string(held)])
	return file.Sync()
}

func (j *journal) describe(file *os.File) string {
	relative, err := filepath.Rel(j.root, file.Name())
	if err != nil {
		return err.Error()
	}
	if !strings.HasSuffix(relative, ".tmp") {
		return filepath.ToSlash(relative)
	}
	written, _ := os.ReadFile(file.Name())
	return "temporary file with " + j.names[string(written)]
}

func (j *journal) take() []string {
	events := j.events
	j.events = nil
	return events
}

func skipWithoutDirectorySync(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows can't sync directories")
	}
}

func TestChangesAreSyncedInOrder(t *testing.T) {
	t.Parallel()
	skipWithoutDirectorySync(t)
	store := started(t, t.TempDir())
	older, newer := newPhoto(t, 16, 1), newPhoto(t, 90, 2)
	recorded := &journal{root: store.path, names: map[string]string{
		"": "nothing", string(older.JPEG()): "older", string(newer.JPEG()): "newer",
	}}
	store.sync = recorded.sync
	version := domain.NoPhoto
	remove := func() error {
		over := version
		version = domain.NoPhoto
		return store.Delete(t.Context(), key, over)
	}
	put := func(photo domain.Photo) func() error {
		return func() (err error) {
			version, err = store.Put(t.Context(), key, photo, version)
			return err
		}
	}
	for _, step := range []struct {
		name string
		do   func() error
		want []string
	}{
		{"delete before anything is there", remove, nil},
		{"first put", put(older), []string{
			". while the key holds nothing",
			"fleet-7 while the key holds nothing",
			"temporary file with older while the key holds nothing",
			photos + " while the key holds older",
		}},
		{"second put", put(newer), []string{
			"temporary file with newer while the key holds older",
			photos + " while the key holds newer",
		}},
		{"delete", remove, []string{photos + " while the key holds nothing"}},
		{"delete again", remove, []string{photos + " while the key holds nothing"}},
	} {
		if err := step.do(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if got := recorded.take(); !slices.Equal(got, step.want) {
			t.Errorf("%s synced\n%s\nwant\n%s", step.name, strings.Join(got, "\n"), strings.Join(step.want, "\n"))
		}
	}
}

// A directory that another process made may not be durable yet.
func TestFirstPutSyncsDirectoriesThatOthersMade(t *testing.T) {
	t.Parallel()
	skipWithoutDirectorySync(t)
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, photos), 0o700); err != nil {
		t.Fatal(err)
	}
	store := started(t, root)
	var synced []string
	store.sync = func(file *os.File) error {
		synced = append(synced, strings.TrimPrefix(file.Name(), root))
		return nil
	}
	mustPut(t, store, newPhoto(t, 16, 1))
	if len(synced) != 4 || synced[0] != "" || synced[1] != "/fleet-7" {
		t.Errorf("Put synced %q, want the root and the fleet's directory first", synced)
	}
}

// After the rename or the removal nobody knows what a power cut would leave.
func TestChangeWhoseSyncFailedIsUnknown(t *testing.T) {
	t.Parallel()
	skipWithoutDirectorySync(t)
	store := started(t, t.TempDir())
	older, newer := newPhoto(t, 16, 1), newPhoto(t, 90, 2)
	over := mustPut(t, store, older)
	store.sync = func(file *os.File) error {
		if strings.HasSuffix(file.Name(), temporary) {
			return nil
		}
		return syscall.EIO
	}
	if _, err := store.Put(t.Context(), key, newer, over); outcome(err) != unknown {
		t.Errorf("Put without a sync: %v, want it %s", err, unknown)
	}
	read, over := opened(t, store)
	if !bytes.Equal(read, newer.JPEG()) {
		t.Error("the photo was not renamed")
	}
	for _, over := range []domain.PhotoVersion{over, domain.NoPhoto} {
		if err := store.Delete(t.Context(), key, over); outcome(err) != unknown {
			t.Errorf("Delete over %s without a sync: %v, want it %s", over, err, unknown)
		}
	}
	store.sync = (*os.File).Sync
	if err := store.Delete(t.Context(), key, domain.NoPhoto); err != nil {
		t.Error(err)
	}
}

func TestOthersMayNotReadPhotos(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no such permissions")
	}
	root := filepath.Join(t.TempDir(), "made", "by", "start")
	store := started(t, root)
	mustPut(t, store, newPhoto(t, 16, 1))
	for name, allowed := range map[string]os.FileMode{
		"..": directoryMode, ".": directoryMode, "fleet-7": directoryMode, locksDir: directoryMode, photos: directoryMode, string(key): fileMode,
	} {
		info, err := os.Stat(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		if beyond := info.Mode().Perm() &^ allowed; beyond != 0 {
			t.Errorf("%s has the mode %v, %v too much", name, info.Mode(), beyond)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(root, string(key)+"*")); len(left) != 1 {
		t.Errorf("Put left %q, want the photo alone", left)
	}
}
