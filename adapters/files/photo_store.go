package files

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/fleetphoto/fleetphoto/adapters/locks"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// Photos are personal data: only the owner and the group may read them.
const (
	directoryMode = 0o750
	fileMode      = 0o640
)

// unpolled saves four system calls with which the runtime finds out that it
// can't poll a file on a disk. It has no other effect on new files and on
// directories. PhotoStore.Open doesn't use it, because opening a file that
// another process holds a lease on has to wait.
const unpolled = syscall.O_NONBLOCK

const (
	listPage  = 1000     // directory entries per read
	keysBegin = "fleet-" // as every domain.PhotoKey does
	photosDir = "customer_photos"
	temporary = ".tmp" // ends the name of a file that is being written; see isTemporary
)

// PhotoStore is a ports.PhotoStore in a directory: each photo is a file at its
// key. Call Start before every other method, and Close after them. Any number
// of processes may share a directory.
type PhotoStore struct {
	path    string // absolute
	sync    func(*os.File) error
	locks   *locks.Files
	root    *os.File    // the directory that Start found; nil before. While it is open, its inode isn't reused
	started os.FileInfo // of root
	closed  atomic.Bool
	durable sync.Map // paths of directories that are durable, with their parents
}

var (
	_ ports.PhotoStore  = (*PhotoStore)(nil)
	_ ports.PhotoLister = (*PhotoStore)(nil)
)

// Directory returns the path of the directory.
func (s *PhotoStore) Directory() string { return s.path }

// Name returns the URL of the directory, which names this store in records.
func (s *PhotoStore) Name() domain.PhotoStoreName { return domain.PhotoStoreName("file://" + s.path) }

// Put implements ports.PhotoStore. It writes a temporary file beside the photo,
// syncs it, renames it under the key's lock and syncs the directory.
func (s *PhotoStore) Put(ctx context.Context, key domain.PhotoKey, photo domain.Photo, over domain.PhotoVersion) (domain.PhotoVersion, error) {
	version, err := s.put(ctx, key, photo.JPEG(), over)
	return version, translateChange("put photo", err)
}

func (s *PhotoStore) put(ctx context.Context, key domain.PhotoKey, jpeg []byte, over domain.PhotoVersion) (domain.PhotoVersion, error) {
	name, err := s.locate(ctx, key)
	if err != nil {
		return "", err
	}
	replaced, err := s.compare(name, over) // write nothing if the rename would be refused
	if err != nil {
		return "", err
	}
	written := name + "." + rand.Text() + temporary
	version, err := s.writeBelow(written, jpeg, modifiedAfter(replaced))
	if err == nil {
		err = s.change(ctx, key, name, over, func() error { return os.Rename(written, name) })
	}
	if err != nil {
		_ = os.Remove(written) // Sweep removes what is left
		return "", err
	}
	if err := s.syncDirectory(filepath.Dir(name)); err != nil {
		return "", uncertain{err}
	}
	return version, nil
}

// writeBelow writes a file beside a photo. It creates the directories if the
// photo is their first, or somebody has removed them.
func (s *PhotoStore) writeBelow(name string, data []byte, modified time.Time) (domain.PhotoVersion, error) {
	dir := filepath.Dir(name)
	if _, known := s.durable.Load(dir); known {
		if version, err := s.write(name, data, modified); !errors.Is(err, fs.ErrNotExist) {
			return version, err
		}
	}
	if err := cmp.Or(s.makeDirectory(filepath.Dir(dir)), s.makeDirectory(dir)); err != nil {
		return "", err
	}
	s.durable.Store(dir, nil)
	return s.write(name, data, modified)
}

// write creates a file and returns its version. It makes the content durable,
// but not the name.
func (s *PhotoStore) write(name string, data []byte, modified time.Time) (version domain.PhotoVersion, err error) {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC|unpolled, fileMode)
	if err != nil {
		return "", err
	}
	_, err = file.Write(data)
	if err == nil {
		err = setModified(file, modified)
	}
	if err == nil {
		err = s.sync(file)
	}
	if err == nil {
		version, err = versionOf(file.Stat())
	}
	return version, cmp.Or(err, file.Close())
}

// Delete implements ports.PhotoStore. It syncs even if there is no photo: the
// Delete that removed it may have been interrupted before its sync.
func (s *PhotoStore) Delete(ctx context.Context, key domain.PhotoKey, over domain.PhotoVersion) error {
	name, err := s.locate(ctx, key)
	if err == nil {
		err = s.change(ctx, key, name, over, func() error {
			if over == domain.NoPhoto {
				return nil
			}
			return unlessMissing(os.Remove(name))
		})
	}
	if err == nil {
		// A photo also seems to be missing if its volume is.
		if err = cmp.Or(unlessMissing(s.syncDirectory(filepath.Dir(name))), s.attached()); err != nil {
			err = uncertain{err}
		}
	}
	return translateChange("delete photo", err)
}

// Open implements ports.PhotoStore. An open photo keeps its content when it is
// replaced.
func (s *PhotoStore) Open(ctx context.Context, key domain.PhotoKey) (io.ReadSeekCloser, domain.PhotoVersion, error) {
	name, err := s.locate(ctx, key)
	if err != nil {
		return nil, "", translate("open photo", err)
	}
	file, err := os.Open(name)
	if err == nil {
		version, err := versionOf(file.Stat())
		if err != nil {
			return nil, "", translate("open photo", cmp.Or(err, file.Close()))
		}
		return file, version, nil
	}
	missing := errors.Is(err, fs.ErrNotExist)
	if detached := s.attached(); !missing || detached != nil { // without its volume, the photo seems to be missing
		return nil, "", translate("open photo", cmp.Or(detached, err))
	}
	return nil, "", domain.Errorf(domain.NotFound, "there is no photo at this address").WithCause(err)
}

// List implements ports.PhotoLister.
func (s *PhotoStore) List(ctx context.Context) iter.Seq2[domain.StoredPhoto, error] {
	return func(yield func(domain.StoredPhoto, error) bool) {
		if err := s.list(ctx, yield); err != nil {
			yield(domain.StoredPhoto{}, translate("list photos", err))
		}
	}
}

func (s *PhotoStore) list(ctx context.Context, yield func(domain.StoredPhoto, error) bool) error {
	if err := cmp.Or(ctx.Err(), s.attached()); err != nil {
		return err
	}
	return s.eachFile(ctx, func(name string, entry fs.DirEntry) (bool, error) {
		key, err := domain.ParsePhotoKey(name)
		if err != nil {
			return true, nil //nolint:nilerr // not a photo
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) || err == nil && info.IsDir() {
			return true, nil
		}
		if err != nil {
			return false, err
		}
		return yield(domain.StoredPhoto{Key: key, Size: info.Size(), ChangedAt: info.ModTime().UTC()}, nil), nil
	})
}

// eachFile calls each with the files in the fleets' directories of photos,
// named by their paths below the root, until each returns false or fails.
func (s *PhotoStore) eachFile(ctx context.Context, each func(name string, entry fs.DirEntry) (goOn bool, err error)) error {
	fleets, err := os.ReadDir(s.path)
	if err != nil {
		return err
	}
	for _, fleet := range fleets {
		if !strings.HasPrefix(fleet.Name(), keysBegin) || fleet.Type().IsRegular() {
			continue
		}
		goOn, err := s.eachFileOf(ctx, fleet.Name()+"/"+photosDir, each)
		if err != nil || !goOn {
			return err
		}
	}
	return nil
}

// eachFileOf reads the directory in portions: a fleet may have a million
// photos.
func (s *PhotoStore) eachFileOf(ctx context.Context, directory string, each func(string, fs.DirEntry) (bool, error)) (goOn bool, err error) {
	dir, err := os.Open(filepath.Join(s.path, filepath.FromSlash(directory)))
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	defer func() { _ = dir.Close() }() // it was only read
	for ctx.Err() == nil {
		entries, err := dir.ReadDir(listPage)
		for _, entry := range entries {
			if goOn, err := each(directory+"/"+entry.Name(), entry); err != nil || !goOn {
				return false, err
			}
		}
		if errors.Is(err, io.EOF) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
	}
	return false, ctx.Err()
}

// locate returns the path of the photo under key. It fails if ctx has ended or
// the directory isn't the one that Start found.
func (s *PhotoStore) locate(ctx context.Context, key domain.PhotoKey) (string, error) {
	local, err := filepath.Localize(string(key))
	return filepath.Join(s.path, local), cmp.Or(err, ctx.Err(), s.attached())
}

// unlessMissing returns err, or nil if it says that a file doesn't exist.
func unlessMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
