package jpeg

import (
	"context"
	"errors"
	"fmt"
)

// Picture is a picture to write: Y alone, for grey, or Y, Cb and Cr. The planes of
// Cb and Cr have one size: that of Y, or half its width and half its height,
// rounded up.
type Picture struct{ Y, Cb, Cr Plane }

// Options say how a picture is written.
type Options struct {
	Quality int    // 1 to 100, as libjpeg counts it
	Profile []byte // an ICC profile of at most MaxProfile bytes; empty: none
}

// MaxProfile is the length in bytes of the longest ICC profile that a JPEG has
// room for: 255 parts.
const MaxProfile = 0xFF * mostOfPart

// Encode appends a baseline JPEG of p to dst: a JFIF file (ITU-T T.871) with the
// quantization tables of T.81, annex K, scaled to the quality, and its Huffman
// tables. It completes blocks at the right and at the bottom by repeating the last
// column and row.
//
// It fails where the width or height isn't 1 to 65535, planes don't go together or
// lack samples, or an option is out of range, and with ctx's cause soon after
// ctx ends. It returns nothing then, and may have written behind dst's length.
// It allocates nothing but room behind dst, keeps nothing of its arguments, and is
// safe for concurrent use.
func Encode(ctx context.Context, dst []byte, p Picture, o Options) ([]byte, error) {
	if err := errors.Join(p.validate(), o.validate()); err != nil {
		return nil, err
	}
	var e encoder
	e.begin(p, o.Quality)
	e.dst = e.headers(dst, o.Profile)
	if err := e.scan(ctx); err != nil {
		return nil, err
	}
	return append(e.dst, 0xFF, markerEOI), nil
}

func (p Picture) validate() error {
	const mostSide = 0xFFFF // T.81, B.2.2
	y, cb, cr := p.Y, p.Cb, p.Cr
	switch {
	case min(y.Width, y.Height) < 1 || max(y.Width, y.Height) > mostSide:
		return fmt.Errorf("jpeg: want a width and a height from 1 to %d, got %d×%d", mostSide, y.Width, y.Height)
	case !p.grey() && !p.full() && !p.halved():
		return fmt.Errorf("jpeg: planes of %d×%d, %d×%d and %d×%d don't go together",
			y.Width, y.Height, cb.Width, cb.Height, cr.Width, cr.Height)
	case !y.fits() || !p.grey() && (!cb.fits() || !cr.fits()):
		return errors.New("jpeg: a plane has fewer samples than its size and stride say")
	}
	return nil
}

func (o Options) validate() error {
	switch {
	case o.Quality < 1 || o.Quality > 100:
		return fmt.Errorf("jpeg: want a quality from 1 to 100, got %d", o.Quality)
	case len(o.Profile) > MaxProfile:
		return fmt.Errorf("jpeg: want a profile of at most %d bytes, got %d", MaxProfile, len(o.Profile))
	}
	return nil
}

// The kinds of pictures: without colour, with as many samples of it as of light,
// and with half the columns and rows of these.
func (p Picture) grey() bool   { return p.hasColour(0, 0) }
func (p Picture) full() bool   { return p.hasColour(p.Y.Width, p.Y.Height) }
func (p Picture) halved() bool { return p.hasColour(ceilDiv(p.Y.Width, 2), ceilDiv(p.Y.Height, 2)) }

func (p Picture) hasColour(width, height int) bool {
	return p.Cb.Width == width && p.Cr.Width == width && p.Cb.Height == height && p.Cr.Height == height
}

// fits reports whether Pix has all samples. It divides, for a product may overflow.
func (p Plane) fits() bool {
	return p.Stride >= p.Width && len(p.Pix) >= p.Width && (len(p.Pix)-p.Width)/p.Stride >= p.Height-1
}
