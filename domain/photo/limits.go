package photo

import (
	"image"
	"math"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
)

// Verify says how a JPEG is checked that is kept as it came.
type Verify string

// The ways to check a kept JPEG.
const (
	VerifyDecode    Verify = "decode"    // each block of each scan is decoded, no pixels are made
	VerifyStructure Verify = "structure" // its markers, dimensions, scans and end are walked; its pixels may still be broken, and bytes stand among them
)

// Limits bounds what is accepted and what is stored.
type Limits struct {
	MaxBytes     int64  // of the file that came
	MaxPixels    int64  // width × height, from its header
	MaxDimension int    // longest side of what is stored, pixels; 0: as it came
	MaxWaiting   int64  // bytes of one fleet's images that may wait to be decoded; 0: any number
	Verify       Verify // how a JPEG that is kept is checked; empty: by decoding
}

// fit returns the size of what is stored of a picture, with the longest side at
// MaxDimension where it is over that.
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

// load is what decoding a picture takes, as the file's header tells.
type load struct {
	caps   caps
	fixed  int // bytes of memory, however small the picture is
	memory int // bytes of memory that grow with the picture
	pixels int // as which those count that take longer
	packed int // bytes that are unpacked
}

// caps are how many pixels, and how many packed bytes, take a second of one
// core where they are made to take long; both together have the second. Zero
// caps nothing: memory and the limits do.
type caps struct{ pixels, packed float64 }

// The caps of what takes longest, measured with files that are made for it. GIFs
// and baseline JPEGs take half a second at most, and count as uncapped says.
var (
	uncapped        = caps{pixels: 100e6, packed: math.Inf(1)}
	progressiveCaps = caps{pixels: 150e6, packed: 50e6} // samples of all components
	pngCaps         = caps{pixels: 50e6, packed: 12.5e6}
	lossyCaps       = caps{pixels: 38e6, packed: 11e6} // of WebP: VP8
	losslessCaps    = caps{pixels: 17e6, packed: 36e6} // VP8L
)

// Budgets of one image under the limits that budgetPixels and budgetBytes are;
// they grow with larger limits.
const (
	maxMemory    = 190e6
	laneMemory   = 64e6                   // of each of those that are decoded at once
	laneTime     = 500 * time.Millisecond // of one core, likewise
	budgetPixels = 50e6
	budgetBytes  = 10 << 20
)

// Memory bounds what a Reader takes for the images that it decodes, parallel at
// once and one beside them.
func (l Limits) Memory(parallel int) int64 {
	return int64(laneMemory*float64(max(parallel, 1)) + maxMemory*l.grown())
}

// grown is how often the budgets of one image are those of the default limits.
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

// checkLoad refuses a picture that takes too much memory or time: to be checked
// where it is kept, else to be decoded, scaled and encoded. It returns what it takes.
func (l Limits) checkLoad(f file, t target, keep bool) (took load, err error) {
	pixels := f.size.X * f.size.Y
	took = f.load(t, keep)
	if !keep {
		if t.to.X > maxSide || t.to.Y > maxSide {
			return took, domain.Errorf(domain.PhotoTooLarge, "photo_base64: want an image of at most %d pixels a side, got %d × %d", maxSide, f.size.X, f.size.Y)
		}
		const storedPixel = 6 // bytes of the planes, and of the JPEG, twice while its buffer grows
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

// share is how much of the picture the budgets, grown so often, have room for.
func (l load) share(pixels int, grown float64) float64 {
	share := (grown*maxMemory - float64(l.fixed)) / float64(l.memory)
	if l.caps.pixels > 0 {
		rest := grown - float64(l.packed)/l.caps.packed
		share = min(share, rest*l.caps.pixels/float64(max(pixels, l.pixels)))
	}
	return share
}

// time is what a picture of this size may take of one core.
func (l load) time(size image.Point) time.Duration {
	c := l.caps
	if c.pixels == 0 {
		c = uncapped
	}
	seconds := float64(l.packed)/c.packed + float64(max(size.X*size.Y, l.pixels))/c.pixels
	return time.Duration(seconds * float64(time.Second))
}
