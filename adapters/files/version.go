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
// modification time, which Put sets: a file's inode is used again when the file is
// gone, and the system's own times are coarse. Only a file system that keeps
// whole seconds may give the same version twice within one of them, after a Delete.
func versionOf(info os.FileInfo, err error) (domain.PhotoVersion, error) {
	if err != nil {
		return domain.UnknownVersion, err
	}
	return domain.PhotoVersion(fmt.Sprintf("%d-%d", inode(info), info.ModTime().UnixNano())), nil
}

// modifiedAfter returns the modification time of a file that replaces one with
// the time replaced: the present, and later than replaced, whatever the clock
// did and even where the file system keeps every second second alone.
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

// compare fails with Conflict unless the file at name is the one that over
// names. It returns when that was modified; zero where there is none.
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
	if err := s.attached(); err != nil { // a volume that went away would look like no photo
		return time.Time{}, err
	}
	if found != over {
		return time.Time{}, domain.Errorf(domain.Conflict, "the photo is another one by now").
			WithCause(fmt.Errorf("files: it has the version %q, not %q", found, over))
	}
	return time.Time{}, nil
}

// change runs do, which renames or removes, under the lock of the key and only
// where the file at name is the one that over names.
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
