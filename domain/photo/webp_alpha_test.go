package photo_test

import (
	"image"
	"image/color"
	"slices"
	"testing"
)

// oneColour is a VP8L chunk of 32 × 32 half-transparent pixels. used is the
// alpha flag of its header.
func oneColour(used int) []byte {
	var w lowBits
	w.put(31, 14)
	w.put(31, 14)
	w.put(used, 1)
	w.put(0, 3)                                          // version
	w.put(0, 3)                                          // no transform, no colour cache, one group of codes
	for _, symbol := range []int{100, 200, 50, 128, 0} { // green, red, blue, alpha, distance
		w.put(0b101, 3) // a simple code of one symbol of eight bits
		w.put(symbol, 8)
	}
	return riffChunk("VP8L", append([]byte{0x2F}, w.out...))
}

// TestWebPAlpha wants alpha if the flag of VP8X announces it, or without VP8X
// that of VP8L, as in browsers.
func TestWebPAlpha(t *testing.T) {
	t.Parallel()
	all := func(c color.RGBA) quarters { return quarters{c, c, c, c} }
	opaque, blended := all(color.RGBA{200, 100, 50, 255}), all(color.RGBA{227, 177, 152, 255})
	header := func(flags byte) []byte { return webpHeader(flags, 32, 32) }
	frames := func(flags byte, frame []byte) []byte {
		return webpFile(header(webpAnimated|flags), riffChunk("ANIM", make([]byte, 6)), animatedFrame(32, 32, frame))
	}
	lossy := readFile(t, "testdata", "corners.alpha.webp")
	unannounced := slices.Clone(lossy)
	unannounced[20] &^= webpAlpha
	corners := quarters{{255, 0, 0, 255}, {0, 255, 0, 255}, {0, 0, 255, 255}, {255, 255, 255, 255}}
	hidden := corners
	hidden[3] = color.RGBA{0, 0, 0, 255}
	size := image.Pt(32, 32)
	checkOdd(t, []odd{
		{"VP8L, used", webpFile(oneColour(1)), size, blended, ""},
		{"VP8L, not used", webpFile(oneColour(0)), size, opaque, ""},
		{"VP8X and VP8L, both say so", webpFile(header(webpAlpha), oneColour(1)), size, blended, ""},
		{"VP8X says so", webpFile(header(webpAlpha), oneColour(0)), size, blended, ""},
		{"VP8L says so", webpFile(header(0), oneColour(1)), size, opaque, ""},
		{"neither says so", webpFile(header(0), oneColour(0)), size, opaque, ""},
		{"animated, VP8X says so", frames(webpAlpha, oneColour(0)), size, blended, ""},
		{"animated, VP8L says so", frames(0, oneColour(1)), size, opaque, ""},
		{"ALPH", lossy, size, corners, ""},
		{"ALPH, not announced", unannounced, size, hidden, ""},
	})
}
