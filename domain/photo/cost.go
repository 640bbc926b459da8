package photo

import (
	"math"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
)

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

// What the steps of decoding take at most, each measured with files made to
// make it take long, on one core of an AMD EPYC virtual machine.
const (
	jpegByte          = 35 * time.Nanosecond
	jpegBlock         = 260 * time.Nanosecond // a sequential block, or an inverse transform
	progressiveVisit  = 30 * time.Nanosecond  // a block in a scan
	progressiveRefine = 80 * time.Nanosecond  // a block in a scan that refines its coefficients
	jpegPacked        = 8 * time.Nanosecond   // a pixel converted to RGB or CMYK
	pngPackedByte     = 78 * time.Nanosecond  // 20 in photos
	pngEmptyByte      = 115 * time.Nanosecond // where all is empty deflate blocks
	pngRawByte        = 3 * time.Nanosecond
	pngPixel          = 2 * time.Nanosecond
	pngInterlaced     = 3 * time.Nanosecond
	pngRow            = 25 * time.Nanosecond // a row, of whatever width
	pngInterlacedRow  = 40 * time.Nanosecond // as often again in the passes
	gifByte           = 15 * time.Nanosecond
	gifPixel          = 3 * time.Nanosecond
	vp8Byte           = 100 * time.Nanosecond
	vp8Pixel          = 20 * time.Nanosecond
	vp8lByte          = 15 * time.Nanosecond
	vp8lPixel         = 45 * time.Nanosecond
	vp8lGroup         = 70 * time.Microsecond // a group of Huffman trees
	shrinkPlane       = 2 * time.Nanosecond   // a pixel of a planar picture, all planes
	shrinkPacked      = 6 * time.Nanosecond   // a pixel of another
	encodePixel       = 22 * time.Nanosecond
)

// What the Huffman trees of a lossless WebP take.
const (
	vp8lGroups     = 2600     // most that the decoder takes
	vp8lGroupBytes = 54 << 10 // in memory
	vp8lGroupFile  = 200      // bytes of a file that make one, at least
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
		return domain.Errorf(domain.PhotoTooLarge, "photo_base64: want an image that decodes in about a second, got a %s of %d × %d that takes longer whatever its size; save it anew or smaller", f.kind, f.width, f.height)
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
