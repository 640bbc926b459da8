package contracttests

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

func openClauses() []photoClause {
	key := photoKey(689, 1)
	large, other := photoSized(1, 256<<10), photoSized(2, 256<<10)
	return []photoClause{
		{
			"open_nothing", "Open fails with NotFound where there is no photo",
			steps(holdsNoPhoto(key), puts(photoKey(689, 2), photoOf(2)), holdsNoPhoto(key), holdsNoPhoto(domain.CustomerRef{}.PhotoKey())),
		}, {
			"open_before_put", "what is read is the photo as it was when Open returned, whatever is put meanwhile",
			steps(puts(key, large), whileOpen(key, puts(key, other), large), holdsPhoto(key, other)),
		}, {
			"open_before_delete", "what is read is the photo as it was when Open returned, although it is deleted meanwhile",
			steps(puts(key, large), whileOpen(key, deletes(key), large), holdsNoPhoto(key)),
		}, {
			"open_seek", "what Open returns seeks from the start, from where it is and from the end, and reads again",
			steps(puts(key, large), seeks(key, large.JPEG())),
		}, {
			"open_seek_snapshot", "what is read after a seek back is the photo as it was when Open returned",
			steps(puts(key, large), seeksBackAfter(key, puts(key, other), large), seeksBackAfter(key, deletes(key), other)),
		}, {
			"open_twice", "each Open reads from the start, whatever others read of the same photo",
			steps(puts(key, large), whileOpen(key, holdsPhoto(key, large), large)),
		}, {
			"open_at_once", "Open is safe for concurrent use",
			steps(puts(key, large), atOnce(crowd, func(ctx context.Context, store ports.PhotoStore, _ int) error {
				return holdsPhoto(key, large)(ctx, store)
			})),
		},
	}
}

// withOpenPhoto opens a photo, uses it and closes it.
func withOpenPhoto(key domain.PhotoKey, use func(ctx context.Context, store ports.PhotoStore, content io.ReadSeeker) error) photoCheck {
	return func(ctx context.Context, store ports.PhotoStore) error {
		content, err := store.Open(ctx, key)
		if err != nil {
			return failed(fmt.Sprintf("Open(%s)", key), err)
		}
		return errors.Join(use(ctx, store, content), failed("closing", content.Close()))
	}
}

// whileOpen reads the beginning of a photo, does something, and reads the rest.
func whileOpen(key domain.PhotoKey, do photoCheck, want domain.Photo) photoCheck {
	return withOpenPhoto(key, func(ctx context.Context, store ports.PhotoStore, content io.ReadSeeker) error {
		beginning := make([]byte, 1000)
		if _, err := io.ReadFull(content, beginning); err != nil {
			return failed("reading the beginning", err)
		}
		if err := do(ctx, store); err != nil {
			return err
		}
		rest, err := io.ReadAll(content)
		if err != nil {
			return failed("reading the rest", err)
		}
		return sameBytes("the photo that was open", append(beginning, rest...), want.JPEG())
	})
}

// seeksBackAfter reads a photo, does something, and reads it again.
func seeksBackAfter(key domain.PhotoKey, do photoCheck, want domain.Photo) photoCheck {
	return withOpenPhoto(key, func(ctx context.Context, store ports.PhotoStore, content io.ReadSeeker) error {
		if _, err := io.Copy(io.Discard, content); err != nil {
			return failed("reading", err)
		}
		return errors.Join(do(ctx, store), readsFrom(content, 0, io.SeekStart, want.JPEG(), 0))
	})
}

func seeks(key domain.PhotoKey, jpeg []byte) photoCheck {
	size := int64(len(jpeg))
	return withOpenPhoto(key, func(_ context.Context, _ ports.PhotoStore, content io.ReadSeeker) error {
		return errors.Join(
			readsFrom(content, -700, io.SeekEnd, jpeg, size-700),
			readsFrom(content, 5, io.SeekStart, jpeg, 5),
			readsFrom(content, -size, io.SeekCurrent, jpeg, 0),
			readsFrom(content, size/2, io.SeekStart, jpeg, size/2),
			readsFrom(content, 0, io.SeekEnd, jpeg, size), // as http.ServeContent does to learn the size
			readsFrom(content, 0, io.SeekStart, jpeg, 0),
			readsFrom(content, 0, io.SeekCurrent, jpeg, size),
		)
	})
}

// readsFrom seeks, which must lead to at, and reads all that follows.
func readsFrom(content io.ReadSeeker, offset int64, whence int, jpeg []byte, at int64) error {
	what := fmt.Sprintf("Seek(%d, %d) in %d bytes", offset, whence, len(jpeg))
	position, err := content.Seek(offset, whence)
	if err := yields(what, position, err, at); err != nil {
		return err
	}
	rest, err := io.ReadAll(content)
	if err != nil {
		return failed("reading after "+what, err)
	}
	return sameBytes("the bytes after "+what, rest, jpeg[at:])
}
