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

// HeldPhoto is what a photo store holds under a key. The zero HeldPhoto is no photo.
type HeldPhoto struct {
	Found bool
	JPEG  []byte
	Info  domain.PhotoInfo // of JPEG; without width and height where it can't be decoded
}

// ReadHeld reads what the store holds under key. That there is no photo is no
// error. It fails with Unavailable.
func ReadHeld(ctx context.Context, photos ports.PhotoStore, key domain.PhotoKey) (HeldPhoto, error) {
	content, err := photos.Open(ctx, key)
	if errors.Is(err, domain.NotFound) {
		return HeldPhoto{}, nil
	}
	if err != nil {
		return HeldPhoto{}, err
	}
	jpeg, err := io.ReadAll(content)
	if err := errors.Join(err, content.Close()); err != nil {
		return HeldPhoto{}, domain.Errorf(domain.Unavailable, "the stored photo could not be read; try again").WithCause(err)
	}
	return HeldPhoto{true, jpeg, photo.Describe(jpeg)}, nil
}

// Is says whether info describes what is held: this photo, or none.
func (h HeldPhoto) Is(info domain.PhotoInfo) bool { return h.Info.SHA256 == info.SHA256 }

// Corrected returns the record that describes what is held, as changed by no
// call, and whether it differs from current.
func (h HeldPhoto) Corrected(current domain.PhotoRecord, now time.Time) (domain.PhotoRecord, bool) {
	if h.Is(current.Info) {
		return current, false
	}
	return domain.PhotoRecord{Info: h.Info, ChangedAt: domain.Instant(now)}, true
}
