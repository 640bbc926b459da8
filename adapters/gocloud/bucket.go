package gocloud

import (
	"bytes"
	"context"
	"io"

	"gocloud.dev/blob"
)

const (
	contentType    = "image/jpeg"
	maxObjectBytes = 64 << 20 // more than any photo; what open may hold in memory
)

// bucket is the backend for the buckets whose Upload is atomic and durable by
// itself, as far as they are durable.
type bucket struct{ objects *blob.Bucket }

func (b bucket) start(context.Context) error { return nil }

func (b bucket) close() error { return b.objects.Close() }

func (b bucket) put(ctx context.Context, key string, jpeg []byte) error {
	return b.upload(ctx, key, jpeg, blob.WriterOptions{ContentType: contentType})
}

// upload uses Upload, with a reader that can't fail half way: NewWriter and
// WriteAll panic in azureblob when a write fails. One buffer, larger than the
// data, makes it one request: nothing has to be put together or left behind.
func (b bucket) upload(ctx context.Context, key string, data []byte, options blob.WriterOptions) error {
	options.BufferSize, options.MaxConcurrency = len(data)+1, 1
	return b.objects.Upload(ctx, key, bytes.NewReader(data), &options)
}

func (b bucket) delete(ctx context.Context, key string) error {
	return b.objects.Delete(ctx, key)
}

// open reads the whole object at once: a blob.Reader that seeks asks for the
// object again and may get a later one.
func (b bucket) open(ctx context.Context, key string) (io.ReadSeekCloser, error) {
	jpeg, err := b.read(ctx, key)
	if err != nil {
		return nil, err
	}
	return content{bytes.NewReader(jpeg), io.NopCloser(nil)}, nil
}

func (b bucket) read(ctx context.Context, key string) ([]byte, error) {
	reader, err := b.objects.NewReader(ctx, key, nil)
	if err != nil {
		return nil, err
	}
	data, err := readAll(reader, reader.Size(), maxObjectBytes)
	if closeErr := reader.Close(); err == nil {
		err = closeErr
	}
	return data, err
}

func (b bucket) address(string) string { return "" }

// readAll reads everything from reader, of which size bytes are announced, and
// fails with errTooLarge after limit bytes.
func readAll(reader io.Reader, size, limit int64) ([]byte, error) {
	if size > limit {
		return nil, errTooLarge
	}
	var read bytes.Buffer
	read.Grow(int(max(size, 0)) + bytes.MinRead)
	if _, err := read.ReadFrom(io.LimitReader(reader, limit+1)); err != nil {
		return nil, err
	}
	if int64(read.Len()) > limit {
		return nil, errTooLarge
	}
	return read.Bytes(), nil
}
