package photo_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"image"
	"slices"
	"testing"
)

// hexProfile is a profile as ImageMagick writes it into text.
func hexProfile(name string, profile []byte) []byte {
	return fmt.Appendf(nil, "\n%s\n%8d\n%s\n", name, len(profile), hex.EncodeToString(profile))
}

// TestPNGOrientation puts EXIF with an orientation into every chunk that may
// hold it.
func TestPNGOrientation(t *testing.T) {
	t.Parallel()
	tiff := phoneEXIF(binary.BigEndian, 6)
	named := append([]byte(nameEXIF), tiff...)
	straight := append([]byte(nameEXIF), phoneEXIF(binary.LittleEndian, 1)...)
	text := func(chunk, keyword string, between string, content []byte) []byte {
		return pngChunk(chunk, slices.Concat([]byte(keyword), []byte{0}, []byte(between), content))
	}
	const exif, app1 = "Raw profile type exif", "Raw profile type APP1"
	profile := hexProfile("exif", named)
	wrapped := bytes.ReplaceAll(hexProfile("exif", named), []byte("4d"), []byte("4D\r\n"))
	xmp := text("tEXt", app1, "", hexProfile("APP1", []byte("http://ns.adobe.com/xap/1.0/\x00<x:xmpmeta/>")))
	turned := map[string][]byte{
		"eXIf":                        pngChunk("eXIf", tiff),
		"eXIf with its name":          pngChunk("eXIf", named),
		"tEXt":                        text("tEXt", exif, "", profile),
		"tEXt without EXIF's name":    text("tEXt", exif, "", hexProfile("exif", tiff)),
		"tEXt, APP1":                  text("tEXt", app1, "", hexProfile("generic profile", named)),
		"tEXt in short lines":         text("tEXt", exif, "", wrapped),
		"zTXt":                        text("zTXt", exif, "\x00", deflated(t, profile)),
		"zTXt, APP1":                  text("zTXt", app1, "\x00", deflated(t, profile)),
		"zTXt cut off at the end":     text("zTXt", exif, "\x00", deflated(t, profile)[:len(deflated(t, profile))-6]),
		"iTXt":                        text("iTXt", exif, "\x00\x00en\x00exif\x00", profile),
		"iTXt, packed":                text("iTXt", exif, "\x01\x00\x00\x00", deflated(t, profile)),
		"eXIf before another":         append(pngChunk("eXIf", tiff), text("tEXt", exif, "", hexProfile("exif", straight))...),
		"XMP before EXIF, both in it": append(xmp, text("tEXt", app1, "", profile)...),
	}
	upright := map[string][]byte{
		"eXIf, unsound":       unsound(pngChunk("eXIf", tiff)),
		"tEXt, unsound":       unsound(text("tEXt", exif, "", profile)),
		"eXIf before text":    append(text("tEXt", exif, "", profile), pngChunk("eXIf", straight)...),
		"another keyword":     text("tEXt", "Raw profile type iptc", "", profile),
		"no digits":           text("tEXt", exif, "", []byte("\nexif\n 10\nno digits")),
		"one line":            text("tEXt", exif, "", []byte("exif")),
		"zTXt of nothing":     text("zTXt", exif, "", nil),
		"zTXt of rubbish":     text("zTXt", exif, "\x00", []byte("rubbish")),
		"iTXt of nothing":     text("iTXt", exif, "", nil),
		"iTXt without a text": text("iTXt", exif, "\x01\x00", nil),
		"no zero":             pngChunk("zTXt", []byte(exif)),
	}
	whole := func(first, last []byte) []byte {
		return pngOf(pngHeader(96, 64, 8, pngRGB), first, pngChunk("IDAT", deflated(t, rgbRows(quadrants()))), last, pngChunk("IEND", nil))
	}
	var cases []odd
	for name, chunks := range turned {
		cases = append(cases,
			odd{name, whole(chunks, nil), image.Pt(64, 96), asPainted().turnedRight(), ""},
			odd{name + ", behind the pixels", whole(nil, chunks), image.Pt(64, 96), asPainted().turnedRight(), ""})
	}
	for name, chunks := range upright {
		cases = append(cases, odd{name, whole(chunks, nil), image.Pt(96, 64), asPainted(), ""})
	}
	checkOdd(t, cases)
}
