package files

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
)

func TestChangesOverAnotherVersionDoNothing(t *testing.T) {
	t.Parallel()
	store := started(t, t.TempDir())
	older, newer := newPhoto(t, 16, 1), newPhoto(t, 90, 2)
	deleted := mustPut(t, store, older)
	if err := store.Delete(t.Context(), key, deleted); err != nil {
		t.Fatal(err)
	}
	var touched []string
	check := func(state string, want []byte, overs ...domain.PhotoVersion) {
		t.Helper()
		store.sync = func(file *os.File) error { touched = append(touched, file.Name()); return nil }
		for _, over := range overs {
			_, put := store.Put(t.Context(), key, newer, over)
			for method, err := range map[string]error{"Put": put, "Delete": store.Delete(t.Context(), key, over)} {
				if outcome(err) != conflicted || strings.Contains(domain.AsError(err).Public, "/") {
					t.Errorf("%s over %q, %s: %v, want it %s", method, over, state, err, conflicted)
				}
			}
		}
		if read := stored(t, store); !bytes.Equal(read, want) || touched != nil {
			t.Errorf("%s: %d bytes are there, want %d; written or synced are %q", state, len(read), len(want), touched)
		}
		store.sync = (*os.File).Sync
	}
	others := []domain.PhotoVersion{domain.UnknownVersion, domain.Unversioned, "0-0", deleted + "0", " " + domain.NoPhoto}
	check("where a photo was deleted", nil, append(others, deleted)...)
	replaced := mustPut(t, store, older)
	mustPut(t, store, older)
	check("where the same bytes were put again", older.JPEG(), append(others, deleted, replaced, domain.NoPhoto)...)
}

func TestOfPutsOverTheSameVersionOneSucceeds(t *testing.T) {
	t.Parallel()
	const crowd = 8
	root := t.TempDir()
	over := domain.NoPhoto
	for round := range 4 {
		var ready, done sync.WaitGroup
		ready.Add(crowd)
		versions, failures := make([]domain.PhotoVersion, crowd), make([]error, crowd)
		for i := range crowd {
			store := started(t, root)
			store.sync = func(file *os.File) error {
				if strings.HasSuffix(file.Name(), temporary) { // none has taken the lock yet
					ready.Done()
					ready.Wait()
				}
				return file.Sync()
			}
			done.Go(func() {
				versions[i], failures[i] = store.Put(t.Context(), key, newPhoto(t, 16+round, uint8(i)), over)
			})
		}
		done.Wait()
		read, version := opened(t, started(t, root))
		var winners int
		for i, err := range failures {
			switch {
			case err != nil && outcome(err) != conflicted:
				t.Error(err)
			case err == nil && (versions[i] != version || !bytes.Equal(read, newPhoto(t, 16+round, uint8(i)).JPEG())):
				t.Errorf("a Put returned %q, and Open another photo, with %q", versions[i], version)
			case err == nil:
				winners++
			}
		}
		if winners != 1 {
			t.Errorf("%d Puts over %q succeeded, want 1", winners, over)
		}
		over = version
	}
	if left := temporaries(t, root); left != nil {
		t.Errorf("they left %q", left)
	}
}

func TestOfProcessesThatPutOneSucceeds(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	older, newer := killedPhotos(t)
	store := started(t, root)
	mustPut(t, store, older)
	var children []process
	for range 4 {
		child := startProcess(t, root, 3) // of its temporary file
		if said := child.line(t); said != "still" {
			t.Fatalf("a process says %q", said)
		}
		children = append(children, child)
	}
	for _, child := range children {
		child.goOn(t)
	}
	ends := map[string]int{}
	for _, child := range children {
		ends[child.end(t)]++
	}
	if ends[changed] != 1 || ends[conflicted] != 3 {
		t.Errorf("the Puts ended as %v, want one that changed the photo and Conflict", ends)
	}
	if !bytes.Equal(stored(t, store), newer.JPEG()) {
		t.Error("the photo is not the one that was put")
	}
}

func TestVersionsDontComeAgain(t *testing.T) {
	t.Parallel()
	store := started(t, t.TempDir())
	store.sync = func(*os.File) error { return nil }
	photo := newPhoto(t, 16, 1)
	seen := map[domain.PhotoVersion]bool{domain.NoPhoto: true, domain.UnknownVersion: true, domain.Unversioned: true}
	over := domain.NoPhoto
	for i := range 2000 {
		version, err := store.Put(t.Context(), key, photo, over)
		if err != nil || seen[version] {
			t.Fatalf("Put %d returned %q, %v; want another version", i, version, err)
		}
		seen[version], over = true, version
		if i%3 > 0 {
			continue
		}
		if err := store.Delete(t.Context(), key, over); err != nil { // its inode may be the next one's
			t.Fatal(err)
		}
		over = domain.NoPhoto
	}
}

func TestModificationTimesGrow(t *testing.T) {
	t.Parallel()
	store := started(t, t.TempDir())
	name := filepath.Join(store.path, filepath.FromSlash(string(key)))
	now := time.Now().Truncate(time.Second)
	for _, replaced := range []time.Time{now, now.Add(time.Hour), now.Add(time.Hour + 100), now.Add(-time.Hour)} {
		mustPut(t, store, newPhoto(t, 16, 1))
		if err := os.Chtimes(name, time.Time{}, replaced); err != nil {
			t.Fatal(err)
		}
		mustPut(t, store, newPhoto(t, 16, 2))
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if later := info.ModTime().Sub(replaced); later <= 0 || replaced.Nanosecond() == 0 && later < 2*time.Second && replaced.After(now) {
			t.Errorf("a file replaces one of %v with the time %v", replaced, info.ModTime())
		}
	}
}

// lockedCtx runs do when somebody asks for its error while a key is locked, as
// a change does last.
type lockedCtx struct {
	context.Context
	root string
	do   func() error
}

func (c lockedCtx) Err() error {
	if locked, _ := filepath.Glob(filepath.Join(c.root, locksDir, "*")); locked != nil {
		if err := c.do(); err != nil {
			return err
		}
	}
	return c.Context.Err()
}

func TestChangeThatIsStoppedUnderTheLock(t *testing.T) {
	t.Parallel()
	skipWithoutDirectorySync(t) // Windows doesn't rename or remove what is open
	for name, do := range map[string]func(root string) error{
		"lock lost": func(root string) error { return os.RemoveAll(filepath.Join(root, locksDir)) },
		"root gone": func(root string) error { return os.Rename(root, root+"-elsewhere") },
		"ctx ended": func(string) error { return context.Canceled },
	} {
		for _, method := range []string{"Put", "Delete"} {
			t.Run(method+", "+name, func(t *testing.T) {
				t.Parallel()
				root := filepath.Join(t.TempDir(), "photos")
				store := started(t, root)
				older := newPhoto(t, 16, 1)
				over := mustPut(t, store, older)
				ctx := lockedCtx{t.Context(), root, func() error { return do(root) }}
				var err error
				if method == "Delete" {
					err = store.Delete(ctx, key, over)
				} else {
					_, err = store.Put(ctx, key, newPhoto(t, 90, 2), over)
				}
				if outcome(err) != harmless {
					t.Errorf("got %v, want it %s", err, harmless)
				}
				if _, err := os.Stat(root); err != nil {
					root += "-elsewhere"
				}
				if read, version := opened(t, started(t, root)); !bytes.Equal(read, older.JPEG()) || version != over {
					t.Error("the photo is another one")
				}
			})
		}
	}
}

// A photo that is missing because its volume is missing is no other version.
func TestChangeOnAVolumeThatGoesAway(t *testing.T) {
	t.Parallel()
	skipWithoutDirectorySync(t)
	for _, over := range []bool{true, false} {
		root := filepath.Join(t.TempDir(), "photos")
		store := started(t, root)
		version := domain.NoPhoto
		if over {
			version = mustPut(t, store, newPhoto(t, 16, 1))
		}
		store.sync = func(file *os.File) error {
			if !strings.HasSuffix(file.Name(), temporary) {
				return nil
			}
			return errors.Join(os.Rename(root, root+"-elsewhere"), os.Mkdir(root, 0o700))
		}
		if _, err := store.Put(t.Context(), key, newPhoto(t, 90, 2), version); outcome(err) != harmless {
			t.Errorf("Put over %q: %v, want it %s", version, err, harmless)
		}
	}
}

func TestLocksDirectoryComesBack(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	store := started(t, root)
	for i := range 2 {
		if err := os.RemoveAll(filepath.Join(root, locksDir)); err != nil {
			t.Fatal(err)
		}
		mustPut(t, store, newPhoto(t, 16, uint8(i)))
	}
	if left, err := os.ReadDir(filepath.Join(root, locksDir)); err != nil || len(left) != 0 {
		t.Errorf("in the directory of locks are %v, %v; want none", left, err)
	}
}

func TestWaitingForAKeyEndsWithCtx(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	store, other := started(t, root), started(t, root)
	over := mustPut(t, store, newPhoto(t, 16, 1))
	lock, err := other.locks.Take(t.Context(), url.PathEscape(string(key)))
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Unlock()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := store.Put(ctx, key, newPhoto(t, 90, 2), over); outcome(err) != harmless || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Put while the key is locked: %v, want it %s", err, harmless)
	}
	if left := temporaries(t, root); left != nil {
		t.Errorf("it left %q", left)
	}
}

func TestRenameThatWasRefusedChangedNothing(t *testing.T) {
	t.Parallel()
	for err, want := range map[error]string{
		syscall.ENOSPC: harmless, syscall.EDQUOT: harmless, syscall.EROFS: harmless, syscall.EACCES: harmless, syscall.EPERM: harmless,
		syscall.EIO: unknown, syscall.ENOENT: unknown, errors.New("what nobody knows"): unknown, nil: changed,
	} {
		failed := err
		if err != nil {
			failed = &os.LinkError{Op: "rename", Err: err}
		}
		if got := outcome(translateChange("put photo", tried(failed))); got != want {
			t.Errorf("%v is %s, want %s", err, got, want)
		}
	}
}

// Nothing can be renamed over a directory or removed with what it holds.
func TestChangeThatFailedIsUnknown(t *testing.T) {
	t.Parallel()
	store := started(t, t.TempDir())
	name := filepath.Join(store.path, filepath.FromSlash(string(key)))
	write(t, filepath.Join(name, "file"))
	over, err := versionOf(os.Stat(name))
	if err != nil {
		t.Fatal(err)
	}
	_, put := store.Put(t.Context(), key, newPhoto(t, 16, 1), over)
	for method, err := range map[string]error{"Put": put, "Delete": store.Delete(t.Context(), key, over)} {
		if outcome(err) != unknown {
			t.Errorf("%s: %v, want it %s", method, err, unknown)
		}
	}
	if left := temporaries(t, store.path); left != nil {
		t.Errorf("they left %q", left)
	}
}

func TestNameIsTheURL(t *testing.T) {
	t.Parallel()
	store := started(t, t.TempDir())
	if got, want := string(store.Name()), fmt.Sprint("file://", store.Directory()); got != want {
		t.Errorf("the name is %s, want %s", got, want)
	}
}
