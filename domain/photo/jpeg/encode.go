package jpeg

import (
	"context"
	"errors"
	"fmt"
)

// Picture is a picture to encode: Y alone for grey, or Y, Cb and Cr. Cb and Cr have
// the same size: that of Y, or half its width and half its height, rounded up.
type Picture struct{ Y, Cb, Cr Plane }

// Options say how a picture is encoded.
type Options struct {
	Quality int    // 1 to 100, as in libjpeg
	Profile []byte // an ICC profile of at most MaxProfile bytes; empty: none
}

// MaxProfile is the length in bytes of the longest ICC profile that a JPEG can
// hold, in 255 parts.
const MaxProfile = 0xFF * mostOfPart

// Encode appends p as a baseline JPEG to dst: a JFIF file (ITU-T T.871) with the
// Huffman tables of T.81, annex K, and its quantization tables, scaled to the
// quality. Blocks at the right and bottom edges are completed by repeating the
// last column and row.
//
// Encode fails if the width or height is not 1 to 65535, if planes don't match or
// lack samples, and if an option is out of range. It returns ctx's cause soon after
// ctx ends. If it fails, it returns nil and may have written after dst's length.
//
// Encode allocates nothing but room for dst, keeps no references to its
// arguments, and is safe for concurrent use.
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

// The kinds of pictures: grey, 4:4:4 and 4:2:0.
func (p Picture) grey() bool   { return p.hasColour(0, 0) }
func (p Picture) full() bool   { return p.hasColour(p.Y.Width, p.Y.Height) }
func (p Picture) halved() bool { return p.hasColour(ceilDiv(p.Y.Width, 2), ceilDiv(p.Y.Height, 2)) }

func (p Picture) hasColour(width, height int) bool {
	return p.Cb.Width == width && p.Cr.Width == width && p.Cb.Height == height && p.Cr.Height == height
}

// fits reports whether Pix has all samples. It divides because a product may
// overflow.
func (p Plane) fits() bool {
	return p.Stride >= p.Width && len(p.Pix) >= p.Width && (len(p.Pix)-p.Width)/p.Stride >= p.Height-1
}
