package photo

import (
	"bytes"
	"testing"
)

func TestNeutralProfileRefused(t *testing.T) {
	t.Parallel()
	good := matrixProfile(2, adobeColorants, gammaCurv(2.2))
	curve := func(data []byte) []byte { return good.with(profileTag{"gTRC", data}).bytes() }
	table := func(data []byte) []byte { return tableProfile(4, data).bytes() }
	altered := func(data []byte, at int, value byte) []byte {
		data = bytes.Clone(data)
		data[at] = value
		return data
	}
	curves := wholeWords(unchanged, unchanged, unchanged)
	for name, profile := range map[string][]byte{
		"nothing":              nil,
		"header alone":         good.bytes()[:131],
		"no magic":             altered(good.bytes(), 36, 'A'),
		"version 5":            altered(good.bytes(), 8, 5),
		"link":                 altered(good.bytes(), 12, 'l'),
		"grey":                 greyProfile("XYZ ", gammaCurv(2.2)).bytes(),
		"CMYK":                 altered(good.bytes(), 16, 'C'),
		"other connection":     altered(good.bytes(), 20, 'L'),
		"no tags":              altered(good.bytes(), 131, 0),
		"no curve":             good.without("gTRC").bytes(),
		"no colorant":          good.without("bXYZ").bytes(),
		"cut off":              good.bytes()[:len(good.bytes())-1],
		"short point":          good.with(profileTag{"wtpt", xyz(1, 1, 1)[:19]}).bytes(),
		"text as point":        good.with(profileTag{"rXYZ", typed("text", fixeds(1, 1, 1))}).bytes(),
		"large point":          good.with(profileTag{"rXYZ", xyz(16, 1, 1)}).bytes(),
		"low point":            good.with(profileTag{"rXYZ", xyz(-16.1, 1, 1)}).bytes(),
		"short matrix":         good.with(profileTag{"chad", bradford[:40]}).bytes(),
		"no type":              curve([]byte("cur")),
		"curve of 4,097":       curve(curv(4097, power(2))),
		"count beyond curve":   curve(curv(100, power(2))[:211]),
		"count of all ones":    curve(typed("curv", []byte{0xFF, 0xFF, 0xFF, 0xFF})),
		"falling curve":        curve(curv(100, func(x float64) float64 { return 1 - x })),
		"text as curve":        curve(typed("curv", []byte("\x00\x00\x00\x04Jane Doe"))),
		"sixth function":       curve(para(5, 1, 1, 1, 1, 1, 1, 1)),
		"short function":       curve(sRGBFunction[:31]),
		"large parameter":      curve(para(0, 17)),
		"one point a side":     table(lut8(1)),
		"four inputs":          table(altered(lut8(3), 8, 4)),
		"four outputs":         table(altered(lut8(3), 9, 4)),
		"short 8-bit table":    table(lut8(3)[:len(lut8(3))-1]),
		"falling input":        table(altered(lut8(3), 48+10, 200)),
		"falling output":       table(altered(lut8(3), len(lut8(3))-1, 0)),
		"short 16-bit table":   table(lut16(3, 9)[:len(lut16(3, 9))-1]),
		"one entry":            table(typed("mft2", []byte{3, 3, 2, 0}, make([]byte, 36), []byte{0, 1, 0, 2}, make([]byte, 100))),
		"large matrix":         table(altered(lut16(3, 2), 12, 1)),
		"no B curves":          table(lutAToB(nil, nil, nil, cubeElement(3, 1))),
		"elements with four":   table(altered(lutAToB(curves), 8, 4)),
		"element beyond end":   table(altered(lutAToB(curves), 18, 1)),
		"element at the end":   table(lutAToB(curves, []byte{})),
		"two curves":           table(lutAToB(curves[:24])),
		"cube of 24 bits":      table(lutAToB(curves, nil, nil, append(altered(cubeElement(2, 2), 16, 3), make([]byte, 100)...))),
		"cube of one point":    table(lutAToB(curves, nil, nil, altered(cubeElement(3, 2), 1, 1))),
		"short cube":           table(lutAToB(curves, nil, nil, cubeElement(3, 2)[:20+160])),
		"multiprocess element": table(typed("mpet", []byte{0, 3, 0, 3, 0, 0, 0, 0})),
		"table without room":   table(lut16(23, 2)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := neutralProfile(profile, 3); got != nil {
				t.Errorf("got\n%q", got)
			}
		})
	}
	for _, components := range []int{0, 1, 4} {
		if got := neutralProfile(good.bytes(), components); got != nil {
			t.Errorf("%d components: got %q", components, got)
		}
	}
}
