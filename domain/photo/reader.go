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
	"image"
	"image/jpeg"
	"math"
	"strings"
	"time"

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
// Reading says what data was, as far as that was found out. Read fails with
// TypeError where data is not a whole image of an accepted format, with
// PhotoTooLarge over a limit, and with Unavailable when ctx ends while other
// images are being decoded.
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

// format is an accepted image format.
type format struct {
	name    string
	begins  func(data []byte) bool
	inspect func(data []byte) (file, error) // reads the header and decodes nothing; may change data
}

// file is an image file whose header was read.
type file struct {
	kind          string      // for sentences, "interlaced PNG"
	width, height int         // before the picture is turned upright
	orientation   orientation // as the camera was held
	planar        bool        // decode returns Y, Cb and Cr, or grey, in planes
	cost          cost        // of decode
	jpeg          []byte      // the file itself, clean, where it may be stored; nil: it must be decoded
	decode        func() (image.Image, error)
	profile       func() []byte // the ICC profile, or nil; nil itself: it doesn't fit what decode returns
}

// formats is the one list of what is accepted.
func formats() []format {
	return []format{
		{"JPEG", prefix("\xff\xd8\xff"), inspectJPEG},
		{"PNG", prefix("\x89PNG\r\n\x1a\n"), inspectPNG},
		{"GIF", prefix("GIF87a", "GIF89a"), inspectGIF},
		{"WebP", riff("WEBP"), inspectWebP},
	}
}

// Accepted names the accepted formats, "JPEG, PNG, GIF or WebP".
func Accepted() string {
	var names []string
	for _, f := range formats() {
		names = append(names, f.name)
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// inspect recognises data by its content and reads its header.
func inspect(data []byte) (file, error) {
	for _, f := range formats() {
		if f.begins(data) {
			return f.inspect(data)
		}
	}
	return file{}, refuse(data)
}

// prefix matches data that begins with one of the texts.
func prefix(texts ...string) func([]byte) bool {
	return func(data []byte) bool {
		for _, text := range texts {
			if bytes.HasPrefix(data, []byte(text)) {
				return true
			}
		}
		return false
	}
}

// riff matches a RIFF container of one of the forms.
func riff(forms ...string) func([]byte) bool {
	return func(data []byte) bool {
		return len(data) >= 12 && string(data[:4]) == "RIFF" && prefix(forms...)(data[8:])
	}
}

func broken(kind string, cause error) error {
	return domain.Errorf(domain.TypeError, "photo_base64: the %s image is broken or cut off; send a whole one", kind).WithCause(cause)
}

// fit returns the size of what is stored: width and height at most, with the
// longest side at MaxDimension where it is over that.
func (l Limits) fit(width, height int) (int, int) {
	longest := max(width, height)
	if l.MaxDimension <= 0 || longest <= l.MaxDimension {
		return width, height
	}
	scale := func(side int) int {
		return max(1, int((2*int64(side)*int64(l.MaxDimension)+int64(longest))/(2*int64(longest))))
	}
	return scale(width), scale(height)
}

// cost is what decoding an image takes at most: a part that the file's length
// decides, and a part that grows with its pixels.
type cost struct {
	fixedBytes, pixelBytes int64
	fixedTime, pixelTime   time.Duration
}

// Budgets of one image under the limits that budgetPixels and budgetBytes are;
// they grow with larger limits.
const (
	maxMemory    = 190e6
	maxTime      = 950 * time.Millisecond
	budgetPixels = 50e6
	budgetBytes  = 10 << 20
)

// What the steps behind decoding take at most. These times, and those of each
// format's decoding, were measured with files made to make it take long, on one
// core of an AMD EPYC virtual machine.
const (
	shrinkPlane  = 2 * time.Nanosecond // a pixel of a planar picture, all planes
	shrinkPacked = 6 * time.Nanosecond // a pixel of another
	encodePixel  = 22 * time.Nanosecond
)

// checkPixels refuses a picture over the pixel limit.
func (l Limits) checkPixels(f file) error {
	if f.width <= 0 || f.height <= 0 {
		return domain.Errorf(domain.TypeError, "photo_base64: want an image of at least one pixel, got a %s of %d × %d", f.kind, f.width, f.height)
	}
	if int64(f.width) > l.MaxPixels/int64(f.height) {
		return domain.Errorf(domain.PhotoTooLarge, "photo_base64: want an image of at most %d pixels, got %d × %d", l.MaxPixels, f.width, f.height)
	}
	return nil
}

// checkCost refuses a picture that takes too much memory or time to decode, and
// unless it is kept, to scale and encode.
func (l Limits) checkCost(f file, keep bool) error {
	width, height := l.fit(f.width, f.height)
	c := f.cost
	if !keep {
		if width > maxSide || height > maxSide {
			return domain.Errorf(domain.PhotoTooLarge, "photo_base64: want an image of at most %d pixels a side, got %d × %d", maxSide, f.width, f.height)
		}
		l.addNormalise(&c, f)
	}
	grown := max(1, float64(l.MaxPixels)/budgetPixels, float64(l.MaxBytes)/budgetBytes)
	share := min(
		(grown*maxMemory-float64(c.fixedBytes))/float64(c.pixelBytes),
		(grown*float64(maxTime)-float64(c.fixedTime))/float64(c.pixelTime),
	)
	if share >= 1 {
		return nil
	}
	if share <= 0 {
		return domain.Errorf(domain.PhotoTooLarge, "photo_base64: want an image that decodes in about a second, got a %s of %d × %d that takes longer whatever its size; save it again or smaller", f.kind, f.width, f.height)
	}
	pixels := math.Floor(share * float64(f.width) * float64(f.height))
	return domain.Errorf(domain.PhotoTooLarge, "photo_base64: want at most %.0f pixels of an image of this kind, %s, as it takes much to decode; got %d × %d; send it smaller or as a baseline JPEG", pixels, f.kind, f.width, f.height)
}

// addNormalise adds what is taken beside decoding: memory for the scaled
// planes, twice while they are turned, and the JPEG, twice while its buffer
// grows; and time to scale and to encode.
func (l Limits) addNormalise(c *cost, f file) {
	width, height := l.fit(f.width, f.height)
	stored := int64(width) * int64(height)
	c.pixelBytes += 6 * stored
	if f.orientation != upright {
		c.pixelBytes += 3 * stored
	}
	shrink := shrinkPacked
	if f.planar {
		shrink = shrinkPlane
	}
	c.pixelTime += time.Duration(f.width)*time.Duration(f.height)*shrink + time.Duration(stored)*encodePixel
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
