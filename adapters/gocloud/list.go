package gocloud

import (
	"context"
	"iter"

	"gocloud.dev/blob"

	"github.com/fleetphoto/fleetphoto/domain"
)

const listPage = 1000 // objects per request

// List implements ports.PhotoLister. It needs the right to list objects, which
// no other method needs.
func (s *PhotoStore) List(ctx context.Context) iter.Seq2[domain.StoredPhoto, error] {
	return func(yield func(domain.StoredPhoto, error) bool) {
		for token := blob.FirstPageToken; len(token) > 0; {
			objects, next, err := s.listPage(ctx, token)
			if err != nil {
				yield(domain.StoredPhoto{}, translate("list photos", err))
				return
			}
			for _, object := range objects {
				key, err := domain.ParsePhotoKey(object.Key[len(s.prefix):])
				if err == nil && !yield(domain.StoredPhoto{Key: key, Size: object.Size, ChangedAt: object.ModTime.UTC()}, nil) {
					return
				}
			}
			token = next
		}
	}
}

// listPage lists one page. Each page has its own timeout.
func (s *PhotoStore) listPage(ctx context.Context, token []byte) ([]*blob.ListObject, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	if err := ctx.Err(); err != nil { // memblob ignores ctx
		return nil, nil, err
	}
	objects, next, err := s.connection.ListPage(ctx, token, listPage, &blob.ListOptions{Prefix: s.prefix + "fleet-"})
	return objects, next, s.explain(s.rights.list, err)
}
