package usecase

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/photo"
	"github.com/fleetphoto/fleetphoto/ports"
)

// storedPhoto is what a photo store holds under a key.
type storedPhoto struct {
	found bool
	data  []byte
	info  domain.PhotoInfo // of data; zero where nothing was found
}

// is says whether info describes what is stored: this photo, or none.
func (s storedPhoto) is(info domain.PhotoInfo) bool { return s.info.SHA256 == info.SHA256 }

func readStored(ctx context.Context, photos ports.PhotoStore, key domain.PhotoKey) (storedPhoto, error) {
	content, err := photos.Open(ctx, key)
	if errors.Is(err, domain.NotFound) {
		return storedPhoto{}, nil
	}
	if err != nil {
		return storedPhoto{}, err
	}
	data, err := io.ReadAll(content)
	if err := errors.Join(err, content.Close()); err != nil {
		return storedPhoto{}, domain.Errorf(domain.Unavailable, "the stored photo could not be read; try again").WithCause(err)
	}
	return storedPhoto{true, data, photo.Describe(data)}, nil
}

// corrected is the record that says what is stored, by no call, and whether it
// is another one than current.
func (s storedPhoto) corrected(current domain.PhotoRecord, now time.Time) (domain.PhotoRecord, bool) {
	if s.is(current.Info) {
		return current, false
	}
	return domain.PhotoRecord{Info: s.info, ChangedAt: instant(now)}, true
}
