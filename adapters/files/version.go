package files

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"os"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
)

// versionOf takes what Stat returns. A file's version is its inode and its
// modification time, which Put sets: inodes are reused, and the system's own
// times are coarse. Only a file system that keeps whole seconds may give a
// version twice, to files before and after a Delete within the same second.
func versionOf(info os.FileInfo, err error) (domain.PhotoVersion, error) {
	if err != nil {
		return domain.UnknownVersion, err
	}
	return domain.PhotoVersion(fmt.Sprintf("%d-%d", inode(info), info.ModTime().UnixNano())), nil
}

// modifiedAfter returns the modification time for a file that replaces one of
// the time replaced: the present, but always later than replaced, even if the
// clock was set back or the file system keeps only even seconds.
func modifiedAfter(replaced time.Time) time.Time {
	step := time.Microsecond
	if replaced.Nanosecond() == 0 {
		step = 2 * time.Second
	}
	now, next := time.Now(), replaced.Add(step)
	if next.After(now) {
		return next
	}
	return now
}

// compare fails with Conflict if the file at name has another version than
// over. It returns when the file was modified; zero if there is none.
func (s *PhotoStore) compare(name string, over domain.PhotoVersion) (modified time.Time, err error) {
	info, err := os.Stat(name)
	found, err := versionOf(info, err)
	switch {
	case err == nil && found == over:
		return info.ModTime(), nil
	case unlessMissing(err) != nil:
		return time.Time{}, err
	case err != nil:
		found = domain.NoPhoto
	}
	if err := s.attached(); err != nil { // without its volume, the photo seems to be missing
		return time.Time{}, err
	}
	if found != over {
		return time.Time{}, domain.Errorf(domain.Conflict, "the photo is another one by now").
			WithCause(fmt.Errorf("files: the photo has the version %q, not %q", found, over))
	}
	return time.Time{}, nil
}

// change runs do, a rename or a removal, under the lock of the key, and only if
// the file at name has the version over.
func (s *PhotoStore) change(ctx context.Context, key domain.PhotoKey, name string, over domain.PhotoVersion, do func() error) error {
	lock, err := s.locks.Take(ctx, url.PathEscape(string(key)))
	if err != nil {
		return err
	}
	defer lock.Unlock()
	if _, err := s.compare(name, over); err != nil {
		return err
	}
	if err := cmp.Or(ctx.Err(), lock.Prove()); err != nil {
		return err
	}
	return tried(do())
}
