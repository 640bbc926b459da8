package photo_test

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"slices"
	"testing"

	"github.com/fleetphoto/fleetphoto/domain/photo"
)

func gamaOf(value uint32) []byte {
	return pngChunk("gAMA", binary.BigEndian.AppendUint32(nil, value))
}

func chrmOf(values ...uint32) []byte {
	var content []byte
	for _, value := range values {
		content = binary.BigEndian.AppendUint32(content, value)
	}
	return pngChunk("cHRM", content)
}

func cicpOf(primaries, transfer byte) []byte {
	return pngChunk("cICP", []byte{primaries, transfer, 0, 1})
}

// TestPNGColours wants the colours of Chromium 156.
func TestPNGColours(t *testing.T) {
	t.Parallel()
	srgb, named := chrmOf(31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000), pngChunk("sRGB", []byte{0})
	p3 := chrmOf(31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)
	rubbish := pngChunk("iCCP", []byte("x\x00\x00rubbish"))
	profile := pngChunk("iCCP", append([]byte("x\x00\x00"), deflated(t, photo.Profile("Adobe RGB", ""))...))
	linear := quarters{{239, 96, 96, 255}, {96, 208, 96, 255}, {96, 96, 239, 255}, {244, 239, 110, 255}}
	displayP3 := quarters{{240, 0, 0, 255}, {0, 163, 0, 255}, {30, 30, 229, 255}, {232, 220, 0, 255}}
	cases := []struct {
		name   string
		chunks [][]byte
		want   quarters
	}{
		{"gAMA of sRGB", [][]byte{gamaOf(45455)}, asPainted()},
		{"gAMA near it, below", [][]byte{gamaOf(45000)}, asPainted()},
		{"gAMA near it, above", [][]byte{gamaOf(47700)}, asPainted()},
		{"gAMA a little above", [][]byte{gamaOf(47800)}, quarters{{223, 28, 28, 255}, {28, 165, 28, 255}, {28, 28, 223, 255}, {232, 223, 40, 255}}},
		{"gAMA a little below", [][]byte{gamaOf(43000)}, quarters{{219, 20, 20, 255}, {20, 157, 20, 255}, {20, 20, 219, 255}, {229, 219, 31, 255}}},
		{"gAMA of a Macintosh", [][]byte{gamaOf(55556)}, quarters{{227, 40, 40, 255}, {40, 176, 40, 255}, {40, 40, 227, 255}, {235, 227, 53, 255}}},
		{"gAMA, linear", [][]byte{gamaOf(100_000)}, linear},
		{"gAMA, dark", [][]byte{gamaOf(22727)}, quarters{{191, 0, 0, 255}, {0, 100, 0, 255}, {0, 0, 191, 255}, {209, 191, 1, 255}}},
		{"gAMA of zero", [][]byte{gamaOf(0)}, asPainted()},
		{"gAMA beyond reason", [][]byte{gamaOf(1<<32 - 1)}, quarters{{255, 255, 255, 255}, {255, 255, 255, 255}, {255, 255, 255, 255}, {255, 255, 255, 255}}},
		{"two gAMA", [][]byte{gamaOf(100_000), gamaOf(45455)}, linear},
		{"gAMA and sRGB", [][]byte{gamaOf(100_000), named}, asPainted()},
		{"gAMA and unsound sRGB", [][]byte{gamaOf(100_000), unsound(named)}, linear},
		{"gAMA and cICP", [][]byte{gamaOf(100_000), cicpOf(1, 13)}, asPainted()},
		{"cICP of P3", [][]byte{cicpOf(12, 13)}, displayP3},
		{"cICP of P3 and sRGB", [][]byte{cicpOf(12, 13), named}, displayP3},
		{"cICP of P3 and a profile", [][]byte{cicpOf(12, 13), profile}, displayP3},
		{"a profile and cICP of P3", [][]byte{profile, cicpOf(12, 13)}, displayP3},
		{"cICP of sRGB and a profile", [][]byte{cicpOf(1, 13), profile}, asPainted()},
		{"two cICP", [][]byte{cicpOf(12, 13), cicpOf(1, 8)}, displayP3},
		{"unsound cICP and gAMA", [][]byte{unsound(cicpOf(12, 13)), gamaOf(100_000)}, linear},
		{"short cICP and gAMA", [][]byte{pngChunk("cICP", []byte{12, 13, 0}), gamaOf(100_000)}, linear},
		{"cICP of half the range", [][]byte{pngChunk("cICP", []byte{12, 13, 0, 0})}, asPainted()},
		{"cICP of unknown primaries and gAMA", [][]byte{cicpOf(2, 13), gamaOf(100_000)}, linear},
		{"cICP of an unknown transfer and gAMA", [][]byte{cicpOf(1, 2), gamaOf(100_000)}, linear},
		{"cICP, primaries 4", [][]byte{cicpOf(4, 13)}, quarters{{255, 0, 0, 255}, {0, 157, 0, 255}, {0, 71, 227, 255}, {242, 213, 0, 255}}},
		{"cICP, primaries 5", [][]byte{cicpOf(5, 13)}, quarters{{224, 30, 30, 255}, {0, 160, 35, 255}, {30, 30, 219, 255}, {230, 220, 48, 255}}},
		{"cICP, primaries 6", [][]byte{cicpOf(6, 13)}, quarters{{214, 44, 28, 255}, {48, 158, 28, 255}, {39, 43, 221, 255}, {228, 219, 35, 255}}},
		{"cICP, primaries 7", [][]byte{cicpOf(7, 13)}, quarters{{214, 44, 28, 255}, {48, 158, 28, 255}, {39, 43, 221, 255}, {228, 219, 35, 255}}},
		{"cICP, primaries 8", [][]byte{cicpOf(8, 13)}, quarters{{250, 0, 0, 255}, {0, 165, 0, 255}, {22, 0, 228, 255}, {234, 221, 0, 255}}},
		{"cICP, primaries 9", [][]byte{cicpOf(9, 13)}, quarters{{255, 0, 1, 255}, {0, 169, 0, 255}, {0, 20, 231, 255}, {242, 220, 0, 255}}},
		{"cICP, primaries 11", [][]byte{cicpOf(11, 13)}, quarters{{234, 0, 1, 255}, {0, 163, 0, 255}, {27, 26, 229, 255}, {232, 220, 0, 255}}},
		{"cICP, primaries 22", [][]byte{cicpOf(22, 13)}, quarters{{222, 45, 28, 255}, {13, 156, 29, 255}, {31, 53, 220, 255}, {230, 217, 37, 255}}},
		{"cICP, a camera's curve", [][]byte{cicpOf(1, 1)}, quarters{{218, 18, 18, 255}, {18, 155, 18, 255}, {18, 18, 218, 255}, {229, 218, 28, 255}}},
		{"cICP, transfer 4", [][]byte{cicpOf(1, 4)}, quarters{{221, 24, 24, 255}, {24, 161, 24, 255}, {24, 24, 221, 255}, {231, 221, 35, 255}}},
		{"cICP, transfer 5", [][]byte{cicpOf(1, 5)}, quarters{{212, 8, 8, 255}, {8, 142, 8, 255}, {8, 8, 212, 255}, {224, 212, 17, 255}}},
		{"cICP, transfer 7", [][]byte{cicpOf(1, 7)}, quarters{{224, 48, 48, 255}, {48, 170, 48, 255}, {48, 48, 224, 255}, {233, 224, 58, 255}}},
		{"cICP, linear", [][]byte{cicpOf(1, 8)}, linear},
		{"cICP, transfer 17", [][]byte{cicpOf(1, 17)}, quarters{{224, 13, 13, 255}, {13, 154, 13, 255}, {13, 13, 224, 255}, {235, 224, 23, 255}}},
		{"gAMA and a profile", [][]byte{gamaOf(100_000), profile}, asPainted()},
		{"gAMA and a rubbish profile", [][]byte{gamaOf(100_000), rubbish}, linear},
		{"cHRM alone", [][]byte{p3}, asPainted()},
		{"cHRM and sRGB", [][]byte{p3, named}, asPainted()},
		{"cHRM of sRGB and gAMA of it", [][]byte{srgb, gamaOf(45455)}, quarters{{221, 24, 24, 255}, {24, 161, 24, 255}, {24, 24, 221, 255}, {231, 221, 35, 255}}},
		{"cHRM of sRGB and gAMA", [][]byte{gamaOf(100_000), srgb}, linear},
		{"cHRM of P3 and gAMA of sRGB", [][]byte{gamaOf(45455), p3}, quarters{{241, 0, 0, 255}, {0, 164, 0, 255}, {24, 24, 230, 255}, {233, 221, 0, 255}}},
		{"cHRM of P3 and gAMA", [][]byte{p3, gamaOf(100_000)}, quarters{{255, 83, 90, 255}, {9, 211, 79, 255}, {96, 96, 248, 255}, {245, 239, 83, 255}}},
		{"cHRM of no colours", [][]byte{chrmOf(0, 0, 0, 0, 0, 0, 0, 0), gamaOf(100_000)}, linear},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, picture := mustRead(t, productLimits(), pngOf(pngHeader(96, 64, 8, pngRGB), slices.Concat(c.chunks...),
				pngChunk("IDAT", deflated(t, rgbRows(quadrants()))), pngChunk("IEND", nil)))
			if err := checkQuarters(picture, image.Pt(96, 64), c.want); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestPNGGammaOfEachKind corrects linear samples of every kind. Alpha is not
// corrected.
func TestPNGGammaOfEachKind(t *testing.T) {
	t.Parallel()
	const opaque, half = 0xFF, 0x80
	white := color.RGBA{255, 255, 255, 255}
	grey := func(v uint8) quarters { c := color.RGBA{v, v, v, 255}; return quarters{c, c, c, c} }
	cases := []struct {
		name         string
		depth, color byte
		pixel        []byte
		want         quarters
	}{
		{"grey", 8, pngGrey, []byte{60}, grey(133)},
		{"grey, 4 bits", 4, pngGrey, []byte{0x44}, grey(142)},
		{"grey, 16 bits", 16, pngGrey, []byte{60, 60}, grey(133)},
		{"grey, 16 bits, dark", 16, pngGrey, []byte{1, 0x80}, grey(19)},
		{"grey, alpha", 8, 4, []byte{60, half}, grey(194)},
		{"grey, alpha, 16 bits", 16, 4, []byte{60, 60, half, half}, grey(194)},
		{"colour", 8, pngRGB, []byte{60, 60, 60}, grey(133)},
		{"colour, 16 bits", 16, pngRGB, []byte{60, 60, 60, 60, 60, 60}, grey(133)},
		{"colour, alpha", 8, pngRGBA, []byte{60, 60, 60, half}, grey(194)},
		{"colour, opaque", 8, pngRGBA, []byte{150, 150, 150, opaque}, grey(202)},
		{"colour, alpha, 16 bits", 16, pngRGBA, []byte{60, 60, 60, 60, 60, 60, half, half}, grey(194)},
		{"palette", 8, pngPalette, []byte{0}, grey(194)},
		{"palette, transparent", 8, pngPalette, []byte{1}, quarters{white, white, white, white}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var chunks []byte
			if c.color == pngPalette {
				chunks = append(pngChunk("PLTE", []byte{60, 60, 60, 60, 60, 60}), pngChunk("tRNS", []byte{half, 0})...)
			}
			row := append([]byte{0}, bytes.Repeat(c.pixel, 32)...)
			width := 32 * max(1, 8/int(c.depth)) // of a pixel or, where they are short, of a byte of them
			_, picture := mustRead(t, productLimits(), pngOf(pngHeader(width, 32, c.depth, c.color), gamaOf(100_000), chunks,
				pngChunk("IDAT", deflated(t, bytes.Repeat(row, 32))), pngChunk("IEND", nil)))
			if err := checkQuarters(picture, image.Pt(width, 32), c.want); err != nil {
				t.Error(err)
			}
		})
	}
}
