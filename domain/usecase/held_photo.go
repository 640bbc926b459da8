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

// HeldPhoto is what a photo store holds under a key.
type HeldPhoto struct {
	Found   bool
	JPEG    []byte
	Info    domain.PhotoInfo // of JPEG; without width and height if it can't be decoded
	Version domain.PhotoVersion
}

// ReadHeld reads what the store holds under key. If there is no photo, it returns
// a HeldPhoto that is not Found, and no error. It fails with Unavailable.
func ReadHeld(ctx context.Context, photos ports.PhotoStore, key domain.PhotoKey) (HeldPhoto, error) {
	content, version, err := photos.Open(ctx, key)
	if errors.Is(err, domain.NotFound) {
		return HeldPhoto{Version: domain.NoPhoto}, nil
	}
	if err != nil {
		return HeldPhoto{}, err
	}
	jpeg, err := io.ReadAll(content)
	if err := errors.Join(err, content.Close()); err != nil {
		return HeldPhoto{}, domain.Errorf(domain.Unavailable, "the stored photo could not be read; try again").WithCause(err)
	}
	return HeldPhoto{true, jpeg, photo.Describe(jpeg), version}, nil
}

// versionOf returns the version of what the store holds under key.
func versionOf(ctx context.Context, photos ports.PhotoStore, key domain.PhotoKey) (domain.PhotoVersion, error) {
	content, version, err := photos.Open(ctx, key)
	if errors.Is(err, domain.NotFound) {
		return domain.NoPhoto, nil
	}
	if err == nil {
		err = content.Close()
	}
	return version, err
}

// Is reports whether info describes what is held: this photo, or none.
func (h HeldPhoto) Is(info domain.PhotoInfo) bool { return h.Info.SHA256 == info.SHA256 }

// Corrected returns current, corrected to describe what store holds, and whether
// it named a different photo. A corrected record names no call as its changer.
func (h HeldPhoto) Corrected(current domain.PhotoRecord, store domain.PhotoStoreName, now time.Time) (domain.PhotoRecord, bool) {
	corrected := !h.Is(current.Info)
	if corrected {
		current = domain.PhotoRecord{Info: h.Info, ChangedAt: domain.Instant(now)}
	}
	current.Version, current.Store = h.Version, store
	return current, corrected
}
