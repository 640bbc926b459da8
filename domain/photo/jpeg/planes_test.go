package jpeg

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	stdjpeg "image/jpeg"
	"slices"
	"testing"
)

var scales = []Scale{8, 4, 2, 1}

// clean cleans a copy of data.
func clean(data []byte) (*File, error) { return Clean(bytes.Clone(data), nil) }

// cleanAndCheck cleans and checks a copy of data. It fails the test if they
// write after its end.
func cleanAndCheck(t testing.TB, data []byte) (*File, error) {
	t.Helper()
	const guard = "guard"
	guarded := append(bytes.Clone(data), guard...)
	f, err := Clean(guarded[:len(data)], nil)
	if err == nil {
		err = f.Check(t.Context())
	}
	if string(guarded[len(data):]) != guard {
		t.Fatal("bytes after the data were written")
	}
	return f, err
}

// planes are the components of a picture.
type planes []Plane

// decode decodes all components. It checks the strips of each: rows without gaps
// from top to bottom, as wide as PlaneSize says.
func decode(t testing.TB, f *File, scale Scale) (planes, error) {
	t.Helper()
	all := make(planes, f.Components)
	for c := range all {
		all[c].Width, _ = f.PlaneSize(c, scale)
		all[c].Stride = all[c].Width
	}
	err := f.Decode(t.Context(), scale, func(c, y int, rows Plane) error {
		p := &all[c]
		if y != p.Height || rows.Width != p.Width || rows.Height < 1 {
			return fmt.Errorf("component %d: got %d × %d samples for row %d, want %d × n for row %d",
				c, rows.Width, rows.Height, y, p.Width, p.Height)
		}
		for i := range rows.Height {
			p.Pix = append(p.Pix, rows.Row(i)...)
		}
		p.Height += rows.Height
		return nil
	})
	for c, p := range all {
		if _, height := f.PlaneSize(c, scale); err == nil && p.Height != height {
			err = fmt.Errorf("component %d: got %d rows, want %d", c, p.Height, height)
		}
	}
	return all, err
}

// mustDecode decodes a file that must be accepted.
func mustDecode(t testing.TB, data []byte, scale Scale) (*File, planes) {
	t.Helper()
	f, err := clean(data)
	if err != nil {
		t.Fatal(err)
	}
	all, err := decode(t, f, scale)
	if err != nil {
		t.Fatal(err)
	}
	return f, all
}

// apart returns the largest difference between two planes of one size, or an error.
func apart(a, b Plane) (int, error) {
	if a.Width != b.Width || a.Height != b.Height {
		return 0, fmt.Errorf("got %d × %d samples, want %d × %d", a.Width, a.Height, b.Width, b.Height)
	}
	most := 0
	for y := range a.Height {
		for x, sample := range a.Row(y) {
			difference := int(sample) - int(b.Row(y)[x])
			most = max(most, difference, -difference)
		}
	}
	return most, nil
}

// checkClose wants planes that differ by at most 1.
func checkClose(got, want Plane) error {
	distance, err := apart(got, want)
	if err == nil && distance > 1 {
		err = fmt.Errorf("a sample is off by %d", distance)
	}
	return err
}

// pixel returns the components of a pixel of the full-size picture.
func (all planes) pixel(f *File, x, y int) []byte {
	var components []byte
	for c, p := range all {
		column, row := position(f, c, x, y)
		components = append(components, p.Row(row)[column])
	}
	return components
}

// position returns where a component has the sample of a pixel.
func position(f *File, component, x, y int) (column, row int) {
	h, hMax, v, vMax := f.Sampling(component)
	return x * h / hMax, y * v / vMax
}

// standardPixel returns the pixel as image/jpeg shows it, which takes four
// components as inverted.
func (all planes) standardPixel(f *File, x, y int) []byte {
	p := all.pixel(f, x, y)
	if f.Model == CMYK {
		return []byte{255 - p[0], 255 - p[1], 255 - p[2], 255 - p[3]}
	}
	if f.Model == YCCK {
		r, g, b := color.YCbCrToRGB(p[0], p[1], p[2])
		return []byte{r, g, b, 255 - p[3]}
	}
	return p
}

func standardDecode(data []byte) (image.Image, error) { return stdjpeg.Decode(bytes.NewReader(data)) }

// standardComponents returns a pixel's components as image/jpeg decodes them.
func standardComponents(picture image.Image, x, y int) []byte {
	switch m := picture.(type) {
	case *image.Gray:
		return []byte{m.GrayAt(x, y).Y}
	case *image.YCbCr:
		at := m.COffset(x, y)
		return []byte{m.Y[m.YOffset(x, y)], m.Cb[at], m.Cr[at]}
	case *image.CMYK:
		p := m.CMYKAt(x, y)
		return []byte{p.C, p.M, p.Y, p.K}
	}
	p := color.RGBAModel.Convert(picture.At(x, y)).(color.RGBA)
	return []byte{p.R, p.G, p.B}
}

// checkLikeStandard wants the picture of image/jpeg, ±1 per sample. In a damaged
// file, blocks with a sample of 0 or 255 may differ: damage can exceed the range
// of a byte so far that the arithmetic wraps around.
func checkLikeStandard(f *File, got planes, want image.Image, damaged bool) error {
	if size := want.Bounds().Size(); size != image.Pt(f.Width, f.Height) {
		return fmt.Errorf("got %d × %d pixels, want %v", f.Width, f.Height, size)
	}
	if !slices.Contains(standardModels(want), f.Model) {
		return fmt.Errorf("got model %d, want one of %d", f.Model, standardModels(want))
	}
	most := 1
	if f.Model == YCCK {
		most = 4 // the conversion from YCbCr more than doubles an error of Cb
	}
	for y := range f.Height {
		for x := range f.Width {
			mine, other := got.standardPixel(f, x, y), standardComponents(want, x, y)
			if len(mine) != len(other) {
				return fmt.Errorf("got %d components, want %d", len(mine), len(other))
			}
			for c := range mine {
				difference := int(mine[c]) - int(other[c])
				if max(difference, -difference) > most && (!damaged || !got.cut(f, x, y)) {
					return fmt.Errorf("component %d at %d, %d: got %d, want %d", c, x, y, mine[c], other[c])
				}
			}
		}
	}
	return nil
}

// standardModels returns the models that image/jpeg decodes to a picture's type.
func standardModels(picture image.Image) []Model {
	switch picture.(type) {
	case *image.Gray:
		return []Model{Gray}
	case *image.YCbCr:
		return []Model{YCbCr}
	case *image.CMYK:
		return []Model{CMYK, YCCK}
	}
	return []Model{RGB}
}

// cut reports whether one of the blocks of a pixel has a sample of 0 or 255.
func (all planes) cut(f *File, x, y int) bool {
	for c, p := range all {
		column, row := position(f, c, x, y)
		left, right := column&^7, min(column|7, p.Width-1)
		for y := row &^ 7; y <= min(row|7, p.Height-1); y++ {
			samples := p.Row(y)[left : right+1]
			if slices.Min(samples) == 0 || slices.Max(samples) == 255 {
				return true
			}
		}
	}
	return false
}

// colour returns a pixel's colour as red<<16 | green<<8 | blue.
func (all planes) colour(f *File, x, y int) int {
	p := all.standardPixel(f, x, y)
	var c color.Color
	switch len(p) {
	case 3:
		c = color.YCbCr{Y: p[0], Cb: p[1], Cr: p[2]}
	case 4:
		c = color.CMYK{C: p[0], M: p[1], Y: p[2], K: p[3]}
	}
	r, g, b, _ := c.RGBA()
	return int(r>>8<<16 | g&0xFF00 | b>>8)
}
