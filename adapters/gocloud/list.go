package gocloud

import (
	"context"
	"iter"
	"strings"
	"time"

	"gocloud.dev/blob"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

const (
	listPage  = 1000     // objects or files that are asked for at once
	keysBegin = "fleet-" // as domain.PhotoKey does
)

var _ ports.PhotoLister = (*PhotoStore)(nil)

// object is what a backend lists, a photo or something else.
type object struct {
	key       string
	size      int64
	changedAt time.Time
}

// List implements ports.PhotoLister.
func (s *PhotoStore) List(ctx context.Context) iter.Seq2[domain.StoredPhoto, error] {
	return func(yield func(domain.StoredPhoto, error) bool) {
		err := ctx.Err() // which a directory without photos doesn't look at
		if err == nil {
			err = s.backend.list(ctx, func(o object) bool {
				key, err := domain.ParsePhotoKey(o.key)
				return err != nil || yield(domain.StoredPhoto{Key: key, Size: o.size, ChangedAt: o.changedAt.UTC()}, nil)
			})
		}
		if err != nil {
			yield(domain.StoredPhoto{}, translate("list photos", err))
		}
	}
}

func (b bucket) list(ctx context.Context, each func(object) bool) error {
	return b.listPages(ctx, "", each, b.objects.ListPage)
}

// listPages gives each object below prefix to each, until that returns false.
func (b bucket) listPages(ctx context.Context, prefix string, each func(object) bool,
	page func(context.Context, []byte, int, *blob.ListOptions) ([]*blob.ListObject, []byte, error),
) error {
	for token := blob.FirstPageToken; len(token) > 0; {
		if err := ctx.Err(); err != nil { // which a bucket in memory doesn't look at
			return err
		}
		objects, next, err := page(ctx, token, listPage, &blob.ListOptions{Prefix: prefix + keysBegin})
		if err != nil {
			return err
		}
		for _, o := range objects {
			if !each(object{strings.TrimPrefix(o.Key, prefix), o.Size, o.ModTime}) {
				return nil
			}
		}
		token = next
	}
	return nil
}

// list needs a right that nothing else needs, and gives each page its time.
func (c *cloud) list(ctx context.Context, each func(object) bool) error {
	return c.connection.listPages(ctx, c.prefix, each, func(ctx context.Context, token []byte, size int, options *blob.ListOptions) ([]*blob.ListObject, []byte, error) {
		ctx, cancel := context.WithTimeout(ctx, c.timeout)
		defer cancel()
		objects, next, err := c.connection.objects.ListPage(ctx, token, size, options)
		return objects, next, c.explain(c.rights.list, err)
	})
}
