package photo_test

import (
	"encoding/binary"
	"image"
	"image/color"
	"slices"

	"github.com/rwcarlsen/goexif/exif"
)

// TIFF's types of a value.
const (
	typeByte     = 1
	typeASCII    = 2
	typeShort    = 3
	typeLong     = 4
	typeRational = 5
)

// The tags that the tests write.
const (
	tagMake         = 0x010F
	tagOrientation  = 0x0112
	tagGPS          = 0x8825
	tagGPSVersion   = 0
	tagLatitudeRef  = 1
	tagLatitude     = 2
	tagLongitudeRef = 3
	tagLongitude    = 4
)

// entry is a tag of an IFD; value is as it stands in the file.
type entry struct {
	tag, kind uint16
	count     uint32
	value     []byte
}

// tiff writes a TIFF by hand, in one byte order.
type tiff struct{ order binary.AppendByteOrder }

func (w tiff) short(tag uint16, value uint16) entry {
	return entry{tag, typeShort, 1, w.order.AppendUint16(nil, value)}
}

func (w tiff) long(tag uint16, value uint32) entry {
	return entry{tag, typeLong, 1, w.order.AppendUint32(nil, value)}
}

func (w tiff) text(tag uint16, value string) entry {
	return entry{tag, typeASCII, uint32(len(value) + 1), append([]byte(value), 0)}
}

func (w tiff) rationals(tag uint16, values ...uint32) entry {
	var raw []byte
	for _, value := range values {
		raw = w.order.AppendUint32(w.order.AppendUint32(raw, value), 1)
	}
	return entry{tag, typeRational, uint32(len(values)), raw}
}

// header begins a TIFF whose first IFD follows it.
func (w tiff) header() []byte {
	mark := []byte("II")
	if w.order.AppendUint16(nil, 1)[0] == 0 {
		mark = []byte("MM")
	}
	return w.order.AppendUint32(w.order.AppendUint16(mark, 42), 8)
}

// ifd writes a directory of entries at an offset, the offset of the next one,
// and the values that don't fit into entries.
func (w tiff) ifd(offset int, next uint32, entries ...entry) []byte {
	folder := w.order.AppendUint16(nil, uint16(len(entries)))
	behind := offset + 2 + 12*len(entries) + 4
	var values []byte
	for _, e := range entries {
		folder = w.order.AppendUint16(w.order.AppendUint16(folder, e.tag), e.kind)
		folder = w.order.AppendUint32(folder, e.count)
		if len(e.value) <= 4 {
			folder = append(folder, append(slices.Clone(e.value), 0, 0, 0, 0)[:4]...)
			continue
		}
		folder = w.order.AppendUint32(folder, uint32(behind+len(values)))
		values = append(values, e.value...)
		if len(values)%2 == 1 {
			values = append(values, 0)
		}
	}
	return append(w.order.AppendUint32(folder, next), values...)
}

// phoneEXIF is the EXIF of a phone: an orientation and where the photo was taken.
func phoneEXIF(order binary.AppendByteOrder, orientation int) []byte {
	w := tiff{order}
	folder := func(gps uint32) []byte {
		return w.ifd(8, 0, w.text(tagMake, "A phone maker"), w.short(tagOrientation, uint16(orientation)), w.long(tagGPS, gps))
	}
	offset := 8 + len(folder(0))
	gps := w.ifd(offset, 0,
		entry{tagGPSVersion, typeByte, 4, []byte{2, 2, 0, 0}},
		w.text(tagLatitudeRef, "N"), w.rationals(tagLatitude, 52, 31, 12),
		w.text(tagLongitudeRef, "E"), w.rationals(tagLongitude, 13, 24, 17))
	return slices.Concat(w.header(), folder(uint32(offset)), gps)
}

// withSegments inserts segments after the SOI of a JPEG.
func withSegments(data []byte, added ...segment) []byte {
	out := slices.Clone(data[:2])
	for _, s := range added {
		out = append(out, s.bytes()...)
	}
	return append(out, data[2:]...)
}

// app is an application segment.
func app(marker byte, name string, payload []byte) segment {
	return segment{marker: marker, payload: append([]byte(name), payload...)}
}

// orientationOf is what goexif reads; 1 where the EXIF has none.
func orientationOf(found *exif.Exif) int {
	tag, err := found.Get(exif.Orientation)
	if err != nil {
		return 1
	}
	orientation, err := tag.Int(0)
	if err != nil || orientation < 1 || orientation > 8 {
		return 1
	}
	return orientation
}

// place gives where the pixel (x, y) of a stored picture of size w × h belongs
// in the upright one, by the EXIF standard's words for its first row and column.
var place = [9]func(x, y, w, h int) (int, int){
	1: func(x, y, _, _ int) (int, int) { return x, y },                 // top, left
	2: func(x, y, w, _ int) (int, int) { return w - 1 - x, y },         // top, right
	3: func(x, y, w, h int) (int, int) { return w - 1 - x, h - 1 - y }, // bottom, right
	4: func(x, y, _, h int) (int, int) { return x, h - 1 - y },         // bottom, left
	5: func(x, y, _, _ int) (int, int) { return y, x },                 // left, top
	6: func(x, y, _, h int) (int, int) { return h - 1 - y, x },         // right, top
	7: func(x, y, w, h int) (int, int) { return h - 1 - y, w - 1 - x }, // right, bottom
	8: func(x, y, w, _ int) (int, int) { return y, w - 1 - x },         // left, bottom
}

// sidesSwap says that the orientation swaps width and height.
func sidesSwap(orientation int) bool { return orientation >= 5 }

// turned returns the upright picture of a stored one.
func turned(stored *image.RGBA, orientation int) *image.RGBA {
	size := stored.Bounds().Size()
	upright := blank(size.X, size.Y, color.White)
	if sidesSwap(orientation) {
		upright = blank(size.Y, size.X, color.White)
	}
	for y := range size.Y {
		for x := range size.X {
			toX, toY := place[orientation](x, y, size.X, size.Y)
			upright.SetRGBA(toX, toY, stored.RGBAAt(x, y))
		}
	}
	return upright
}

// turnedAway returns the stored picture that the orientation makes upright.
func turnedAway(upright *image.RGBA, orientation int) *image.RGBA {
	switch orientation { // the others undo themselves
	case 6:
		orientation = 8
	case 8:
		orientation = 6
	}
	return turned(upright, orientation)
}
