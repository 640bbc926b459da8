package bench

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
)

// picture is what is sent.
type picture struct {
	photos func() [2][]byte // that take turns
	stored image.Point      // the size of what the product makes of them; zero: they are kept as they came
}

var (
	jpeg50KB    = picture{photos: drawn(asJPEG(82), 512, 512)}
	jpeg300KB   = picture{photos: drawn(asJPEG(93), 1024, 768)}
	jpeg3MB     = picture{photos: drawn(asJPEG(87), 4000, 3000)}
	png512      = picture{drawn(asPNG, 512, 512), image.Pt(512, 512)}
	scaled12MP  = picture{drawn(asJPEG(92), 4000, 3000), image.Pt(1024, 768)}
	rotated1MP  = picture{turned(drawn(asJPEG(90), 1280, 960)), image.Pt(768, 1024)}
	rotated12MP = picture{turned(drawn(asJPEG(92), 4000, 3000)), image.Pt(768, 1024)}
)

// checkStored fails unless a handler stored what it owes for the photo.
func (p picture) checkStored(t testing.TB, h *handler, photo, stored []byte) {
	t.Helper()
	if p.stored == (image.Point{}) || h.as == asBare {
		if !bytes.Equal(stored, photo) {
			t.Fatalf("%s: stored are %d bytes, and not the %d that were sent", h.name, len(stored), len(photo))
		}
		return
	}
	config, err := jpeg.DecodeConfig(bytes.NewReader(stored))
	if size := image.Pt(config.Width, config.Height); err != nil || size != p.stored {
		t.Fatalf("%s: stored are %v pixels (%v), want %v", h.name, size, err, p.stored)
	}
}

type encoder func(out *bytes.Buffer, picture image.Image) error

// asJPEG encodes with a quality, which decides how many bytes a photo takes.
func asJPEG(quality int) encoder {
	return func(out *bytes.Buffer, picture image.Image) error {
		return jpeg.Encode(out, picture, &jpeg.Options{Quality: quality})
	}
}

func asPNG(out *bytes.Buffer, picture image.Image) error { return png.Encode(out, picture) }

// drawn draws two photos, once.
func drawn(encode encoder, width, height int) func() [2][]byte {
	return sync.OnceValue(func() [2][]byte {
		return [2][]byte{draw(encode, width, height, 1), draw(encode, width, height, 2)}
	})
}

// turned makes JPEGs ones of a phone that was held upright.
func turned(drawn func() [2][]byte) func() [2][]byte {
	const start = 2 // the length of SOI
	return sync.OnceValue(func() [2][]byte {
		photos := drawn()
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
func draw(encode encoder, width, height int, seed uint64) []byte {
	picture, random := image.NewRGBA(image.Rect(0, 0, width, height)), rand.New(rand.NewPCG(seed, seed))
	for y := range height {
		for x := range width {
			grain, across, down := random.IntN(24), 170*x/width, 170*y/height
			picture.SetRGBA(x, y, color.RGBA{uint8(across + grain), uint8(down + grain), uint8((across+down)/2 + grain), 255})
		}
	}
	var out bytes.Buffer
	if err := encode(&out, picture); err != nil {
		panic(err) // a buffer takes everything
	}
	return out.Bytes()
}
