package gocloud

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"gocloud.dev/blob/fileblob"

	"github.com/fleetphoto/fleetphoto/domain"
)

const (
	probeName      = ".fleetphoto-probe"
	abandonedAfter = time.Hour // far longer than any Put may last
)

func (d *directory) start(context.Context) error {
	if err := d.prepare(); err != nil {
		return fmt.Errorf("photos can't be kept in %s: %w; name a directory that this process may create, read and write", d.path, err)
	}
	return nil
}

func (d *directory) prepare() error {
	if err := d.makeRoot(d.path); err != nil {
		return err
	}
	if err := d.probe(); err != nil {
		return err
	}
	return d.attach()
}

// attach opens the bucket. Temporary files lie beside the photos, as a rename
// from another volume fails; there are no sidecar files, as they are replaced
// apart from the photo and readers fail in between.
func (d *directory) attach() error {
	objects, err := fileblob.OpenBucket(d.path, &fileblob.Options{
		NoTempDir:   true,
		Metadata:    fileblob.MetadataDontWrite,
		DirFileMode: directoryMode,
	})
	if err != nil {
		return err
	}
	root, err := os.Open(d.path)
	if err != nil {
		return err
	}
	d.objects, d.root = objects, root
	return nil
}

// probe does once, with a small file, what a Put does.
func (d *directory) probe() error {
	name := filepath.Join(d.path, probeName)
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o666)
	if err != nil {
		return err
	}
	_, err = file.WriteString("fleetphoto wrote this to see whether it can.\n")
	return cmp.Or(err, restrict(file), d.sync(file), file.Close(), removeIfThere(name), d.syncDirectory(d.path))
}

// sweep removes the temporary files that a killed process left beside the photos.
func (d *directory) sweep(ctx context.Context) error {
	directories, err := fs.Glob(os.DirFS(d.path), "fleet-*/customer_photos")
	if err != nil {
		return err
	}
	for _, directory := range directories {
		if err := d.sweepDirectory(ctx, directory); err != nil {
			return err
		}
	}
	return nil
}

// sweepDirectory reads the names in portions: a fleet may have a million photos.
func (d *directory) sweepDirectory(ctx context.Context, directory string) error {
	dir, err := os.Open(filepath.Join(d.path, filepath.FromSlash(directory)))
	if err != nil {
		return err
	}
	defer func() { _ = dir.Close() }()
	for ctx.Err() == nil {
		names, err := dir.Readdirnames(1000)
		for _, name := range names {
			if !isTemporary(directory + "/" + name) {
				continue
			}
			if err := removeAbandoned(filepath.Join(dir.Name(), name)); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

// isTemporary says whether name is what fileblob calls a photo while it writes
// it: the key, a dot, the nanoseconds in hexadecimal, and ".tmp".
func isTemporary(name string) bool {
	stem, found := strings.CutSuffix(name, ".tmp")
	dot := strings.LastIndexByte(stem, '.')
	if !found || dot < 0 {
		return false
	}
	nanoseconds, err := strconv.ParseInt(stem[dot+1:], 16, 64)
	if err != nil || nanoseconds < 0 || strconv.FormatInt(nanoseconds, 16) != stem[dot+1:] {
		return false
	}
	_, err = domain.ParsePhotoKey(stem[:dot])
	return err == nil
}

// removeAbandoned removes a file that nobody has written to for abandonedAfter.
func removeAbandoned(name string) error {
	info, err := os.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // its Put is done, or another process swept it
	}
	if err != nil || !info.Mode().IsRegular() || time.Since(info.ModTime()) < abandonedAfter {
		return err
	}
	return removeIfThere(name)
}

func removeIfThere(name string) error {
	if err := os.Remove(name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
