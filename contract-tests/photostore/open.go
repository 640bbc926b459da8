package photostore

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/fleetphoto/fleetphoto/contract-tests/clause"
	"github.com/fleetphoto/fleetphoto/domain"
)

func openClauses() []clauseOf {
	key := photoKey(689, 1)
	large, other := photoSized(1, 256<<10), photoSized(2, 256<<10)
	return []clauseOf{
		clause.New(
			"open_nothing", "Open fails with NotFound where there is no photo",
			clause.Steps(holdsNoPhoto(key), puts(photoKey(689, 2), photoOf(2)), holdsNoPhoto(key), holdsNoPhoto(domain.CustomerRef{}.PhotoKey())),
		), clause.New(
			"open_before_put", "what is read is the photo as it was when Open returned, whatever is put meanwhile",
			clause.Steps(puts(key, large), whileOpen(key, puts(key, other), large), holdsPhoto(key, other)),
		), clause.New(
			"open_before_delete", "what is read is the photo as it was when Open returned, although it is deleted meanwhile",
			clause.Steps(puts(key, large), whileOpen(key, deletes(key), large), holdsNoPhoto(key)),
		), clause.New(
			"open_seek", "what Open returns seeks from the start, from where it is and from the end, and reads again",
			clause.Steps(puts(key, large), seeks(key, large.JPEG())),
		), clause.New(
			"open_seek_snapshot", "what is read after a seek back is the photo as it was when Open returned",
			clause.Steps(puts(key, large), seeksBackAfter(key, puts(key, other), large), seeksBackAfter(key, deletes(key), other)),
		), clause.New(
			"open_twice", "each Open reads from the start, whatever others read of the same photo",
			clause.Steps(puts(key, large), whileOpen(key, holdsPhoto(key, large), large)),
		), clause.New(
			"open_at_once", "Open is safe for concurrent use",
			clause.Steps(puts(key, large), clause.AtOnce(clause.Crowd, func(ctx context.Context, store Port, _ int) error {
				return holdsPhoto(key, large)(ctx, store)
			})),
		),
	}
}

// withOpenPhoto opens a photo, uses it and closes it.
func withOpenPhoto(key domain.PhotoKey, use func(ctx context.Context, store Port, content io.ReadSeeker) error) check {
	return func(ctx context.Context, store Port) error {
		content, _, err := store.Open(ctx, key)
		if err != nil {
			return clause.Failed(fmt.Sprintf("Open(%s)", key), err)
		}
		return errors.Join(use(ctx, store, content), clause.Failed("closing", content.Close()))
	}
}

// whileOpen reads the beginning of a photo, does something, and reads the rest.
func whileOpen(key domain.PhotoKey, do check, want domain.Photo) check {
	return withOpenPhoto(key, func(ctx context.Context, store Port, content io.ReadSeeker) error {
		beginning := make([]byte, 1000)
		if _, err := io.ReadFull(content, beginning); err != nil {
			return clause.Failed("reading the beginning", err)
		}
		if err := do(ctx, store); err != nil {
			return err
		}
		rest, err := io.ReadAll(content)
		if err != nil {
			return clause.Failed("reading the rest", err)
		}
		return clause.SameBytes("the photo that was open", append(beginning, rest...), want.JPEG())
	})
}

// seeksBackAfter reads a photo, does something, and reads it again.
func seeksBackAfter(key domain.PhotoKey, do check, want domain.Photo) check {
	return withOpenPhoto(key, func(ctx context.Context, store Port, content io.ReadSeeker) error {
		if _, err := io.Copy(io.Discard, content); err != nil {
			return clause.Failed("reading", err)
		}
		return errors.Join(do(ctx, store), readsFrom(content, 0, io.SeekStart, want.JPEG(), 0))
	})
}

func seeks(key domain.PhotoKey, jpeg []byte) check {
	size := int64(len(jpeg))
	return withOpenPhoto(key, func(_ context.Context, _ Port, content io.ReadSeeker) error {
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
	if err := clause.Yields(what, position, err, at); err != nil {
		return err
	}
	rest, err := io.ReadAll(content)
	if err != nil {
		return clause.Failed("reading after "+what, err)
	}
	return clause.SameBytes("the bytes after "+what, rest, jpeg[at:])
}
