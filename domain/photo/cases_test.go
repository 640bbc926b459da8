package photo_test

import (
	"image"
	"testing"
)

// TestCases reads files that people sent. It wants what Chromium shows, or what
// libvips and ImageMagick show of an orientation of type BYTE.
func TestCases(t *testing.T) {
	t.Parallel()
	file := func(name string) []byte { return readFile(t, "testdata/cases", name) }
	size, q := image.Pt(96, 64), quarters{{208, 64, 48, 255}, {48, 160, 64, 255}, {48, 80, 192, 255}, {224, 192, 64, 255}}
	checkOdd(t, []odd{
		{"png_text_badcrc.png", file("png_text_badcrc.png"), size, q, ""},
		{"png_iccp_badcrc.png", file("png_iccp_badcrc.png"), size, q, ""},
		{"png_no_iend.png", file("png_no_iend.png"), size, q, ""},
		{"png_gama_1.8mac.png", file("png_gama_1.8mac.png"), size, quarters{{217, 81, 63, 255}, {63, 176, 81, 255}, {63, 99, 203, 255}, {230, 203, 81, 255}}, ""},
		{"png_idat_badcrc.png", file("png_idat_badcrc.png"), size, q, brokenPNG},
		{"png_cgbi.png", file("png_cgbi.png"), size, q, "Apple-optimised PNG"},
		{"gif_frame_bigger_than_screen.gif", file("gif_frame_bigger_than_screen.gif"), size, q, ""},
	})
	turnable := file("exif_o6_BYTE.jpg")
	_, picture := mustRead(t, productLimits(), turnable)
	if err := checkFaithful(onWhite(picture), turned(onWhite(decodePhoto(t, turnable)), 6), scaledSlack); err != nil {
		t.Errorf("exif_o6_BYTE.jpg: %v", err)
	}
}
