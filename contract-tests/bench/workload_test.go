package bench

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
)

// workload is what a handler is sent, and the settings that the product needs for it.
type workload struct {
	name     string
	photos   func() [2][]byte // of one size
	rotated  bool             // the product turns them upright; others are kept as they came
	settings []string
}

var workloads = []workload{
	{name: "50KB", photos: drawn(512, 512, 82)},
	{name: "300KB", photos: drawn(1024, 768, 93)},
	{name: "3MB", photos: drawn(4000, 3000, 87), settings: []string{"FLEETPHOTO_MAX_DIMENSION=0"}},
	{name: "rotated-1MP", photos: turned(1280, 960, 90), rotated: true},
	{name: "rotated-12MP", photos: turned(4000, 3000, 92), rotated: true},
}

// upright is the size that rotated photos are stored with.
var upright = image.Pt(768, 1024)

// verifications are values of FLEETPHOTO_VERIFY, the default first, which only
// photos that are kept depend on.
func (w workload) verifications() []string {
	if w.rotated {
		return []string{"decode"}
	}
	return []string{"decode", "structure"}
}

// checkStored fails unless the handler stored what it owes for the photo.
func (w workload) checkStored(t testing.TB, h *handler, photo, stored []byte) {
	t.Helper()
	if !w.rotated || h.as == asBare {
		if !bytes.Equal(stored, photo) {
			t.Fatalf("%s, %s: stored are %d bytes, and not the %d that were sent", h.name, w.name, len(stored), len(photo))
		}
		return
	}
	config, err := jpeg.DecodeConfig(bytes.NewReader(stored))
	if size := image.Pt(config.Width, config.Height); err != nil || size != upright {
		t.Fatalf("%s, %s: stored are %v pixels (%v), want %v", h.name, w.name, size, err, upright)
	}
}

// drawn draws two JPEGs, once. The quality decides how many bytes they take.
func drawn(width, height, quality int) func() [2][]byte {
	return sync.OnceValue(func() [2][]byte {
		return [2][]byte{draw(width, height, quality, 1), draw(width, height, quality, 2)}
	})
}

// turned draws two JPEGs as of a phone that was held upright.
func turned(width, height, quality int) func() [2][]byte {
	const start = 2 // the length of SOI
	return sync.OnceValue(func() [2][]byte {
		photos := drawn(width, height, quality)()
		for i, photo := range photos {
			photos[i] = slices.Insert(photo, start, []byte(rightTop)...)
		}
		return photos
	})
}

// rightTop is an Exif segment (CIPA DC-008, 4.5 and 4.7.2) with one tag, the orientation 6.
const rightTop = "\xff\xe1\x00\x22Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08" +
	"\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00\x00\x00\x00\x00"

// draw draws a gradient under grain.
func draw(width, height, quality int, seed uint64) []byte {
	picture, random := image.NewRGBA(image.Rect(0, 0, width, height)), rand.New(rand.NewPCG(seed, seed))
	for y := range height {
		for x := range width {
			grain, across, down := random.IntN(24), 170*x/width, 170*y/height
			picture.SetRGBA(x, y, color.RGBA{uint8(across + grain), uint8(down + grain), uint8((across+down)/2 + grain), 255})
		}
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, picture, &jpeg.Options{Quality: quality}); err != nil {
		panic(err) // a buffer takes everything
	}
	return out.Bytes()
}
