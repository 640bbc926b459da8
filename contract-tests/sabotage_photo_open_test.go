package contracttests

import (
	"bytes"
	"context"
	"io"
	"sync"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// badContent is an open photo, good but for the methods that are set.
type badContent struct {
	io.ReadSeeker
	read  func(p []byte) (int, error)
	seek  func(offset int64, whence int) (int64, error)
	close func()
}

func (b *badContent) Read(p []byte) (int, error) {
	if b.read != nil {
		return b.read(p)
	}
	return b.ReadSeeker.Read(p)
}

func (b *badContent) Seek(offset int64, whence int) (int64, error) {
	if b.seek != nil {
		return b.seek(offset, whence)
	}
	return b.ReadSeeker.Seek(offset, whence)
}

func (b *badContent) Close() error {
	if b.close != nil {
		b.close()
	}
	return nil
}

// spoilContent makes a PhotoStore whose large photos, once open, are spoilt.
// The small ones, which are replaced while they are read, are good. now reads
// what is stored.
func spoilContent(spoil func(content *badContent, now func() ([]byte, error))) func() ports.PhotoStore {
	return spoilPhotoStore(func(bad *badPhotoStore, good ports.PhotoStore) {
		bad.open = func(ctx context.Context, key domain.PhotoKey) (io.ReadSeekCloser, error) {
			jpeg, err := read(ctx, good, key)
			if err != nil {
				return nil, err
			}
			content := &badContent{ReadSeeker: bytes.NewReader(jpeg)}
			if len(jpeg) > 128<<10 {
				spoil(content, func() ([]byte, error) { return read(ctx, good, key) })
			}
			return content, nil
		}
	})
}

func badOpens() []photoStoreSabotage {
	return append(badOpensAtOnce(),
		photoStoreSabotage{"there is an empty photo of nobody", []string{"open_nothing"}, spoilPhotoStore(func(bad *badPhotoStore, good ports.PhotoStore) {
			bad.open = func(ctx context.Context, key domain.PhotoKey) (io.ReadSeekCloser, error) {
				content, err := good.Open(ctx, key)
				if missing(err) && key == photoKey(0, 0) {
					return &badContent{ReadSeeker: bytes.NewReader(nil)}, nil
				}
				return content, err
			}
		})},
		photoStoreSabotage{"a Put changes what is open", []string{"open_before_put"}, spoilContent(func(content *badContent, now func() ([]byte, error)) {
			content.read = afterFirstRead(content, func() error {
				jpeg, err := now()
				if err == nil {
					err = continueWith(content, jpeg)
				}
				if missing(err) {
					return nil
				}
				return err
			})
		})},
		photoStoreSabotage{"a Delete ends what is open", []string{"open_before_delete"}, spoilContent(func(content *badContent, now func() ([]byte, error)) {
			content.read = afterFirstRead(content, func() error {
				_, err := now()
				return err
			})
		})},
		photoStoreSabotage{"a seek back opens the photo again", []string{"open_seek_snapshot"}, spoilContent(func(content *badContent, now func() ([]byte, error)) {
			content.seek = func(offset int64, whence int) (int64, error) {
				jpeg, err := now()
				if err == nil {
					err = continueWith(content, jpeg)
				}
				if err != nil {
					return 0, err
				}
				return content.ReadSeeker.Seek(offset, whence)
			}
		})},
		photoStoreSabotage{"a seek from the end goes to the end", []string{"open_seek"}, spoilContent(func(content *badContent, _ func() ([]byte, error)) {
			content.seek = func(offset int64, whence int) (int64, error) {
				if whence == io.SeekEnd {
					offset = 0
				}
				return content.ReadSeeker.Seek(offset, whence)
			}
		})},
		photoStoreSabotage{"a seek is relative to the start alone", []string{"open_seek"}, spoilContent(func(content *badContent, _ func() ([]byte, error)) {
			content.seek = func(offset int64, whence int) (int64, error) {
				if whence == io.SeekCurrent {
					whence = io.SeekStart
				}
				return content.ReadSeeker.Seek(offset, whence)
			}
		})},
	)
}

// afterFirstRead is a Read that does something, once, after its first call.
func afterFirstRead(content *badContent, do func() error) func([]byte) (int, error) {
	reads := 0
	return func(p []byte) (int, error) {
		if reads++; reads == 2 {
			if err := do(); err != nil {
				return 0, err
			}
		}
		return content.ReadSeeker.Read(p)
	}
}

// continueWith goes on in other bytes, at the same place.
func continueWith(content *badContent, jpeg []byte) error {
	at, err := content.ReadSeeker.Seek(0, io.SeekCurrent)
	if err != nil {
		return err
	}
	content.ReadSeeker = bytes.NewReader(jpeg)
	_, err = content.ReadSeeker.Seek(at, io.SeekStart)
	return err
}

func badOpensAtOnce() []photoStoreSabotage {
	return []photoStoreSabotage{
		{"an Open rewinds what is open", []string{"open_twice"}, func() ports.PhotoStore {
			var mu sync.Mutex
			all := map[*badContent]bool{}
			return spoilContent(func(content *badContent, _ func() ([]byte, error)) {
				mu.Lock()
				for other := range all {
					_, _ = other.ReadSeeker.Seek(0, io.SeekStart)
				}
				all[content] = true
				mu.Unlock()
				time.Sleep(time.Millisecond) // lets all others that open now do so before one of them reads
				content.read = func(p []byte) (int, error) {
					mu.Lock()
					defer mu.Unlock()
					return content.ReadSeeker.Read(p)
				}
				content.close = func() {
					mu.Lock()
					defer mu.Unlock()
					delete(all, content)
				}
			})()
		}},
		{"photos opened at once are cut", []string{"open_at_once"}, func() ports.PhotoStore {
			var opening overlap
			return spoilContent(func(content *badContent, now func() ([]byte, error)) {
				others, over := opening.during()
				defer over()
				if jpeg, err := now(); others && err == nil {
					content.ReadSeeker = bytes.NewReader(jpeg[:1000])
				}
			})()
		}},
	}
}
