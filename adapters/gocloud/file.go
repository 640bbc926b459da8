package gocloud

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sync"

	"gocloud.dev/blob"
)

// directory is the backend for file://. fileblob writes a temporary file beside
// the photo and renames it, so that nobody reads part of a photo; directory
// adds the syncs without which a power cut undoes that.
type directory struct {
	path    string // absolute
	sync    func(*os.File) error
	objects *blob.Bucket // nil until start
	root    *os.File     // path as start found it; nil until then
	durable sync.Map     // paths of directories whose entry above them is durable
}

var errNoFile = errors.New("fileblob doesn't hand out its file")

func newDirectory(path string) *directory {
	return &directory{path: path, sync: (*os.File).Sync}
}

func (d *directory) close() error {
	if d.objects == nil {
		return nil
	}
	return errors.Join(d.objects.Close(), d.root.Close())
}

// attached fails unless the root is the directory that start found. Without
// its volume every photo would seem to be missing, and a new one would be
// stored where nobody finds it.
func (d *directory) attached() error {
	if d.root == nil {
		return errors.New("the photo store was not started")
	}
	started, err := d.root.Stat()
	if err != nil {
		return err
	}
	current, err := os.Stat(d.path)
	if err == nil && !os.SameFile(started, current) {
		err = errors.New("the photo directory is another one than at the start; mount or restore it and start again")
	}
	return err
}

func (d *directory) put(ctx context.Context, key string, jpeg []byte) error {
	if err := d.attached(); err != nil {
		return err
	}
	if err := d.makeDirectoriesOf(key); err != nil {
		return err
	}
	if err := d.replace(ctx, key, jpeg); err != nil {
		return err
	}
	return d.syncDirectory(d.directoryOf(key))
}

// replace writes a temporary file, syncs it and renames it to key.
func (d *directory) replace(ctx context.Context, key string, jpeg []byte) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	file, writer, err := d.create(ctx, key)
	if err != nil {
		return err
	}
	_, err = writer.Write(jpeg)
	if err == nil {
		err = d.sync(file)
	}
	if err != nil {
		cancel() // or Close renames what was written so far
	}
	if closeErr := writer.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		_ = os.Remove(file.Name()) // fileblob leaves it when the file's own Close fails
	}
	return err
}

// create makes the temporary file that the writer writes to.
func (d *directory) create(ctx context.Context, key string) (file *os.File, writer *blob.Writer, err error) {
	writer, err = d.objects.NewWriter(ctx, key, &blob.WriterOptions{
		ContentType: contentType,
		BeforeWrite: func(as func(any) bool) error {
			if !as(&file) {
				return errNoFile
			}
			return restrict(file)
		},
	})
	return file, writer, err
}

// delete syncs even where there is no photo: the Delete that removed it may
// have been cut off before its sync.
func (d *directory) delete(ctx context.Context, key string) error {
	if err := d.attached(); err != nil {
		return err
	}
	if err := d.objects.Delete(ctx, key); err != nil && !missing(err) {
		return err
	}
	err := d.syncDirectory(d.directoryOf(key))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// open reads from the file itself, which stays what it is when another one is
// renamed to its name: a blob.Reader that seeks opens the name again.
func (d *directory) open(ctx context.Context, key string) (io.ReadSeekCloser, error) {
	if err := d.attached(); err != nil {
		return nil, err
	}
	var file *os.File
	reader, err := d.objects.NewReader(ctx, key, &blob.ReaderOptions{
		BeforeRead: func(as func(any) bool) error {
			if !as(&file) {
				return errNoFile
			}
			return nil
		},
	})
	if err != nil {
		return nil, err
	}
	return content{file, reader}, nil
}

func (d *directory) address(string) string { return "" }

func (d *directory) directoryOf(key string) string {
	return filepath.Join(d.path, filepath.FromSlash(path.Dir(key)))
}
