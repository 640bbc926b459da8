package photo

import (
	"image"
	"math"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
)

// Verify says how a JPEG is checked that is kept as sent.
type Verify string

// The ways to check a kept JPEG.
const (
	VerifyDecode    Verify = "decode"    // every block of every scan is decoded, without making pixels
	VerifyStructure Verify = "structure" // only markers, dimensions, scans and the end are checked: pixels may be broken, and other bytes may lie among them
)

// Limits bounds what is accepted and what is stored.
type Limits struct {
	MaxBytes     int64  // of the file as sent
	MaxPixels    int64  // width × height, from its header
	MaxDimension int    // longest side of a stored photo in pixels; 0: no limit
	MaxWaiting   int64  // bytes of one fleet's images that may wait to be decoded; 0: no limit
	Verify       Verify // how a kept JPEG is checked; empty: VerifyDecode
}

// fit returns the size at which a picture is stored: scaled down so that its
// longest side is at most MaxDimension.
func (l Limits) fit(size image.Point) image.Point {
	longest := max(size.X, size.Y)
	if l.MaxDimension <= 0 || longest <= l.MaxDimension {
		return size
	}
	scale := func(side int) int {
		return max(1, int((2*int64(side)*int64(l.MaxDimension)+int64(longest))/(2*int64(longest))))
	}
	return image.Pt(scale(size.X), scale(size.Y))
}

// load estimates what decoding a picture takes, from the file's header.
type load struct {
	caps   caps
	fixed  int // bytes of memory, whatever the size of the picture
	memory int // bytes of memory that grow with the picture
	pixels int // pixels that take as long to decode, if more than the picture has
	packed int // bytes of compressed data
}

// caps are the worst cases of a decoder: how many pixels, and how many
// compressed bytes, it decodes in one second of one core. The two times add up.
// The zero value means that memory and the limits bound the time enough.
type caps struct{ pixels, packed float64 }

// Measured with files that are made to take as long as possible. GIFs and
// baseline JPEGs within the limits take at most half a second; for the choice of
// lane, their time is estimated by uncapped.
var (
	uncapped        = caps{pixels: 100e6, packed: math.Inf(1)}
	progressiveCaps = caps{pixels: 150e6, packed: 50e6} // samples of all components
	pngCaps         = caps{pixels: 50e6, packed: 12.5e6}
	lossyCaps       = caps{pixels: 38e6, packed: 11e6} // of WebP: VP8
	losslessCaps    = caps{pixels: 17e6, packed: 36e6} // VP8L
)

// Budgets of one image, for limits of budgetPixels and budgetBytes. Larger
// limits enlarge maxMemory and the time of one second in proportion.
const (
	maxMemory    = 190e6
	laneMemory   = 64e6                   // bytes of an image in the fast lane
	laneTime     = 500 * time.Millisecond // of one core, for an image in the fast lane
	budgetPixels = 50e6
	budgetBytes  = 10 << 20
)

// Memory returns the most bytes that a Reader takes for the images that it
// decodes at once: parallel of them and a larger one (see NewReader).
func (l Limits) Memory(parallel int) int64 {
	return int64(laneMemory*float64(max(parallel, 1)) + maxMemory*l.grown())
}

// grown returns the factor by which the limits enlarge the budgets of one image.
func (l Limits) grown() float64 {
	return max(1, float64(l.MaxPixels)/budgetPixels, float64(l.MaxBytes)/budgetBytes)
}

// checkPixels refuses a picture over the pixel limit.
func (l Limits) checkPixels(f file) error {
	if f.size.X <= 0 || f.size.Y <= 0 {
		return domain.Errorf(domain.TypeError, "photo_base64: want an image of at least one pixel, got a %s of %d × %d", f.kind, f.size.X, f.size.Y)
	}
	if int64(f.size.X) > l.MaxPixels/int64(f.size.Y) {
		return domain.Errorf(domain.PhotoTooLarge, "photo_base64: want an image of at most %d pixels, got %d × %d", l.MaxPixels, f.size.X, f.size.Y)
	}
	return nil
}

// checkLoad refuses a picture that takes too much memory or time: to check, if
// it is kept, or else to decode, scale and encode. It returns the estimate.
func (l Limits) checkLoad(f file, t target, keep bool) (took load, err error) {
	pixels := f.size.X * f.size.Y
	took = f.load(t, keep)
	if !keep {
		if t.to.X > maxSide || t.to.Y > maxSide {
			return took, domain.Errorf(domain.PhotoTooLarge, "photo_base64: want an image of at most %d pixels a side, got %d × %d", maxSide, f.size.X, f.size.Y)
		}
		const storedPixel = 6 // bytes of the planes and of the JPEG, which is there twice while its buffer grows
		took.memory += storedPixel * t.to.X * t.to.Y
	}
	share := took.share(pixels, l.grown())
	if share >= 1 {
		return took, nil
	}
	if share <= 0 {
		return took, domain.Errorf(domain.PhotoTooLarge, "photo_base64: want an image that decodes in about a second, got a %s of %d × %d that takes longer whatever its size; save it again or smaller", f.kind, f.size.X, f.size.Y)
	}
	return took, domain.Errorf(domain.PhotoTooLarge, "photo_base64: want at most %.0f pixels of an image of this kind, %s, as it takes much to decode; got %d × %d; send it smaller or as a baseline JPEG",
		math.Floor(share*float64(pixels)), f.kind, f.size.X, f.size.Y)
}

// share returns the fraction of the picture that fits into the budgets times
// grown. It is at least 1 if all of it does.
func (l load) share(pixels int, grown float64) float64 {
	share := (grown*maxMemory - float64(l.fixed)) / float64(l.memory)
	if l.caps.pixels > 0 {
		rest := grown - float64(l.packed)/l.caps.packed
		share = min(share, rest*l.caps.pixels/float64(max(pixels, l.pixels)))
	}
	return share
}

// time estimates the longest that a picture of this size takes on one core.
func (l load) time(size image.Point) time.Duration {
	c := l.caps
	if c.pixels == 0 {
		c = uncapped
	}
	seconds := float64(l.packed)/c.packed + float64(max(size.X*size.Y, l.pixels))/c.pixels
	return time.Duration(seconds * float64(time.Second))
}
