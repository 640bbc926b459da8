// Package photo turns the bytes that a caller sends into a JPEG that may be
// stored: complete, upright, of bounded size and without metadata; or into an
// error that says what came and what is accepted.
//
// The use cases import it; it imports domain, the standard library and golang.org/x/image.
package photo

import (
	"bytes"
	"context"
	"crypto/sha256"
	"image/jpeg"

	"github.com/fleetphoto/fleetphoto/domain"
)

// Verify says how a JPEG is checked that is kept as it came.
type Verify string

// The ways to check a kept JPEG.
const (
	VerifyDecode    Verify = "decode"    // it is decoded once
	VerifyStructure Verify = "structure" // its markers, dimensions, scans and end are walked; its pixels may still be broken
)

// Limits bounds what is accepted and what is stored.
type Limits struct {
	MaxBytes     int64  // of the file that came
	MaxPixels    int64  // width × height, from its header
	MaxDimension int    // longest side of what is stored, pixels; 0: as it came
	Verify       Verify // how a JPEG that is kept is checked; empty: by decoding
}

// Reader makes photos of what callers send. It is safe for concurrent use.
type Reader struct {
	limits Limits
	slots  chan struct{} // one for each image that may be decoded at once
}

// NewReader returns a Reader that decodes at most parallel images at once, and
// at least one.
func NewReader(limits Limits, parallel int) *Reader {
	return &Reader{limits: limits, slots: make(chan struct{}, max(parallel, 1))}
}

// Limits returns the limits that the Reader was made with.
func (r *Reader) Limits() Limits { return r.limits }

// Read makes a photo of data, an image file of an accepted format.
//
// A JPEG that is upright, grey or YCbCr and within MaxDimension is kept
// losslessly, without its metadata. Everything else is decoded, turned
// upright, scaled down to MaxDimension and encoded, transparency on white.
//
// Read may change data, whatever it returns, and the Photo may alias data. The
// Reading says what data was, as far as that was found out. Read fails with TypeError where data is not a whole image of an accepted format,
// with PhotoTooLarge over a limit, and with Unavailable when ctx ends while
// other images are being decoded.
func (r *Reader) Read(ctx context.Context, data []byte) (domain.Photo, Reading, error) {
	if int64(len(data)) > r.limits.MaxBytes {
		return domain.Photo{}, Reading{}, domain.Errorf(domain.PhotoTooLarge, "photo_base64: want an image of at most %d bytes, got %d", r.limits.MaxBytes, len(data))
	}
	f, err := inspect(data)
	reading := Reading{Format: f.kind}
	if err != nil {
		return domain.Photo{}, reading, err
	}
	if err := r.limits.checkPixels(f); err != nil {
		return domain.Photo{}, reading, err
	}
	clean, err := r.clean(ctx, f)
	if err != nil {
		return domain.Photo{}, reading, err
	}
	reading.Treatment = clean.treatment
	photo, err := domain.NewPhoto(clean.jpeg, clean.width, clean.height)
	return photo, reading, err
}

// Reading is what became of an image file.
type Reading struct {
	Format    string           // such as "progressive JPEG"; empty: none that is accepted, or broken from the start
	Treatment domain.Treatment // empty: it was refused
}

// output is a JPEG that may be stored.
type output struct {
	jpeg          []byte
	width, height int
	treatment     domain.Treatment
}

// clean keeps the file or normalises it.
func (r *Reader) clean(ctx context.Context, f file) (output, error) {
	width, height := r.limits.fit(f.width, f.height)
	keep := f.jpeg != nil && f.orientation == upright && width == f.width
	if keep && r.limits.Verify == VerifyStructure {
		return output{f.jpeg, width, height, domain.Kept}, nil
	}
	if err := r.limits.checkCost(f, keep); err != nil {
		return output{}, err
	}
	if err := r.acquire(ctx); err != nil {
		return output{}, err
	}
	defer func() { <-r.slots }()
	if !keep {
		return normalise(f, width, height)
	}
	if _, err := f.decode(); err != nil {
		return output{}, broken(f.kind, err)
	}
	return output{f.jpeg, width, height, domain.Kept}, nil
}

// acquire waits for a slot, which the caller gives back.
func (r *Reader) acquire(ctx context.Context) error {
	if ctx.Err() == nil {
		select {
		case r.slots <- struct{}{}:
			return nil
		case <-ctx.Done():
		}
	}
	return domain.Errorf(domain.Unavailable, "photo_base64: other images kept the server busy for too long; nothing was changed, send the call again").WithCause(context.Cause(ctx))
}

// Describe says what the bytes of a stored photo are. Dimensions are zero
// where the bytes are no JPEG.
func Describe(data []byte) domain.PhotoInfo {
	info := domain.PhotoInfo{SHA256: sha256.Sum256(data), Size: int64(len(data))}
	if config, err := jpeg.DecodeConfig(bytes.NewReader(data)); err == nil {
		info.Width, info.Height = config.Width, config.Height
	}
	return info
}
