package jpeg

import "strings"

// kind is a file to write, and whether image/jpeg supports it.
type kind struct {
	name     string
	recipe   recipe
	standard bool
}

// Application segments.
const (
	segmentJFIF = "\xFF\xE0\x00\x10JFIF\x00\x01\x02\x00\x00\x01\x00\x01\x00\x00"
	adobeRGB    = "\xFF\xEE\x00\x0EAdobe\x00\x64\x00\x00\x00\x00\x00" // or CMYK
	adobeYCC    = "\xFF\xEE\x00\x0EAdobe\x00\x64\x00\x00\x00\x00\x01"
	adobeYCCK   = "\xFF\xEE\x00\x0EAdobe\x00\x64\x00\x00\x00\x00\x02"
)

// Scripts of scans.
var (
	scriptOnePerComponent = []scanRecipe{{components: []int{0}, end: 63}, {components: []int{1}, end: 63}, {components: []int{2}, end: 63}}
	scriptReversed        = []scanRecipe{scriptOnePerComponent[2], scriptOnePerComponent[0], scriptOnePerComponent[1]}
	scriptLightApart      = []scanRecipe{{components: []int{0}, end: 63}, {components: []int{1, 2}, end: 63}}

	// scriptProgressive is the script that cjpeg has for colour.
	scriptProgressive = []scanRecipe{
		{low: 1},
		{components: []int{0}, start: 1, end: 5, low: 2},
		{components: []int{2}, start: 1, end: 63, low: 1},
		{components: []int{1}, start: 1, end: 63, low: 1},
		{components: []int{0}, start: 6, end: 63, low: 2},
		{components: []int{0}, start: 1, end: 63, high: 2, low: 1},
		{high: 1},
		{components: []int{2}, start: 1, end: 63, high: 1},
		{components: []int{1}, start: 1, end: 63, high: 1},
		{components: []int{0}, start: 1, end: 63, high: 1},
	}
	// scriptDeep refines DC and AC three times, DC by component, AC in bands that
	// are refined at different times.
	scriptDeep = []scanRecipe{
		{components: []int{0}, low: 3},
		{components: []int{0}, start: 1, end: 1, low: 3},
		{components: []int{0}, start: 2, end: 40, low: 3},
		{components: []int{0}, start: 1, end: 1, high: 3, low: 2},
		{components: []int{0}, high: 3, low: 2},
		{components: []int{0}, high: 2, low: 1},
		{components: []int{0}, start: 1, end: 1, high: 2, low: 1},
		{components: []int{0}, start: 2, end: 40, high: 3, low: 2},
		{components: []int{0}, start: 2, end: 40, high: 2, low: 1},
		{components: []int{0}, start: 41, end: 63},
		{components: []int{0}, high: 1},
		{components: []int{0}, start: 1, end: 1, high: 1},
		{components: []int{0}, start: 2, end: 40, high: 1},
	}
	scriptSpectral = []scanRecipe{
		{},
		{components: []int{1}, start: 1, end: 63},
		{components: []int{0}, start: 10, end: 63},
		{components: []int{0}, start: 1, end: 9},
		{components: []int{2}, start: 1, end: 63},
	}
	// scriptApart comes back to the first component after the others.
	scriptApart = []scanRecipe{
		{components: []int{0}},
		{components: []int{1}},
		{components: []int{1}, start: 1, end: 63},
		{components: []int{2}},
		{components: []int{2}, start: 1, end: 63},
		{components: []int{0}, start: 1, end: 63},
	}
	scriptFour = []scanRecipe{
		{low: 1},
		{components: []int{0}, start: 1, end: 63},
		{components: []int{1}, start: 1, end: 63},
		{components: []int{2}, start: 1, end: 63},
		{components: []int{3}, start: 1, end: 63},
		{high: 1},
	}
)

// trailers are what phones, printers and careless programs write after EOI.
var trailers = map[string]string{
	"zeros":           strings.Repeat("\x00", 300),
	"Samsung":         "\x00\x00\x01\x08\x0A\x00\x00\x00Image_UTC_Data1600000000000SEFH\x6A\x00\x00\x00\x01\x00\x00\x00SEFT",
	"text with FF":    "<html>\xFF\xFF\xE1 \xFF\x00\xFF",
	"another picture": string(recipe{width: 8, height: 8, sampling: []byte{0x11}}.write().data),
	"tables and scan": "\xFF\xC4\x00\x14\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xFF\xDA\x00\x08\x01\x01\x00\x00\x3F\x00\x12\x34",
}

// kinds are files of every kind. They are small, with partial units at the right
// and bottom edges, except the 1×1 one.
func kinds() []kind {
	sized := func(sampling string, o recipe) recipe {
		o.width, o.height, o.sampling = 43, 37, []byte(sampling)
		return o
	}
	const (
		grey = "\x11"
		s444 = "\x11\x11\x11"
		s422 = "\x21\x11\x11"
		s420 = "\x22\x11\x11"
	)
	cases := []kind{
		{"grey", sized(grey, recipe{}), true},
		{"grey, factors 2x2", sized("\x22", recipe{}), true},
		{"grey, factors 4x3, restarts", sized("\x43", recipe{restart: 4}), false},
		{"one pixel", recipe{width: 1, height: 1, sampling: []byte(s420)}, true},
		{"4:4:4", sized(s444, recipe{}), true},
		{"4:4:4 by factors 2x2", sized("\x22\x22\x22", recipe{script: scriptOnePerComponent}), true},
		{"4:2:2", sized(s422, recipe{}), true},
		{"4:2:0", sized(s420, recipe{}), true},
		{"4:4:0", sized("\x12\x11\x11", recipe{}), true},
		{"4:1:1", sized("\x41\x11\x11", recipe{}), true},
		{"4:1:0", sized("\x42\x11\x11", recipe{}), true},
		{"1x1 2x2 2x2", sized("\x11\x22\x22", recipe{}), false},
		{"2x2 1x1 2x1", sized("\x22\x11\x21", recipe{}), false},
		{"2x2 1x2 1x2", sized("\x22\x12\x12", recipe{}), true},
		{"3x1 1x1 1x1", sized("\x31\x11\x11", recipe{}), false},
		{"3x2 2x1 1x2", sized("\x32\x21\x12", recipe{}), false},
		{"2x4 1x1 1x1", sized("\x24\x11\x11", recipe{}), false},
		{"4x4 1x1 1x1, apart", sized("\x44\x11\x11", recipe{script: scriptOnePerComponent}), false},
		{"4x3 3x4 1x1, apart", sized("\x43\x34\x11", recipe{script: scriptOnePerComponent}), false},
		{"2x1 3x3 4x4, apart", sized("\x21\x33\x44", recipe{script: scriptReversed}), false},
		{"three scans", sized(s420, recipe{script: scriptOnePerComponent}), true},
		{"three scans, reversed, restarts", sized(s420, recipe{script: scriptReversed, restart: 3}), false},
		{"two scans", sized(s420, recipe{script: scriptLightApart}), true},
		{"two scans, restarts", sized(s422, recipe{script: scriptLightApart, restart: 5}), false},
		{"restarts", sized(s420, recipe{restart: 2}), true},
		{"restarts in each unit", sized(s444, recipe{restart: 1}), true},
		{"restarts in one scan", sized(s444, recipe{script: []scanRecipe{{components: []int{0}, end: 63}, {components: []int{1, 2}, end: 63, restart: 7}}}), true},
		{"restart interval longer than the scan", sized(s420, recipe{restart: 1000}), true},
		{"DNL", sized(s420, recipe{dnl: true}), false},
		{"DNL, three scans, restarts", sized(s420, recipe{dnl: true, script: scriptOnePerComponent, restart: 3}), false},
		{"DNL, progressive", sized(s420, recipe{dnl: true, sof: markerSOF2, script: scriptProgressive}), false},
		{"fill bytes", sized(s420, recipe{between: "\xFF\xFF\xFF", script: scriptLightApart}), true},
		{"junk between", sized(s420, recipe{between: "junk\xFF\x00\x00", script: scriptLightApart}), true},
		{"no DHT", sized(s422, recipe{standard: true}), false},
		{"no DHT, restarts", sized(s420, recipe{standard: true, restart: 1}), false},
		{"two tables", sized(s420, recipe{tables: 2}), true},
		{"SOF1, four tables", sized("\x11\x11\x11\x11", recipe{sof: markerSOF1, tables: 4, segments: adobeRGB}), true},
		{"16-bit quantizers", sized(s420, recipe{sof: markerSOF1, wide: true}), true},
		{"one quantization table, redefined", sized(s444, recipe{redefined: true, script: scriptOnePerComponent}), true},
		{"one quantization table, redefined, progressive", sized("\x11\x22\x22", recipe{redefined: true, sof: markerSOF2, script: scriptApart}), false},
		{"ids R G B", sized(s444, recipe{ids: "RGB"}), true},
		{"Adobe RGB", sized(s444, recipe{segments: adobeRGB}), true},
		{"Adobe YCbCr", sized(s420, recipe{segments: adobeYCC}), true},
		{"JFIF beats Adobe", sized(s444, recipe{segments: segmentJFIF + adobeRGB}), true},
		{"one id thrice", sized(s420, recipe{ids: "\x01\x01\x01"}), false},
		{"ids 0 0 7", sized(s420, recipe{ids: "\x00\x00\x07"}), false},
		{"CMYK", sized("\x11\x11\x11\x11", recipe{segments: adobeRGB}), true},
		{"CMYK without Adobe", sized("\x11\x11\x11\x11", recipe{}), false},
		{"CMYK, 2x2 1x1 1x1 2x2", sized("\x22\x11\x11\x22", recipe{segments: adobeRGB}), true},
		{"CMYK, 1x1 2x1 1x2 1x1", sized("\x11\x21\x12\x11", recipe{segments: adobeRGB}), false},
		{"YCCK", sized("\x11\x11\x11\x11", recipe{segments: adobeYCCK}), true},
		{"progressive", sized(s444, recipe{sof: markerSOF2, script: scriptProgressive}), true},
		{"progressive, 4:2:0", sized(s420, recipe{sof: markerSOF2, script: scriptProgressive}), true},
		{"progressive, 4:2:0, restarts", sized(s420, recipe{sof: markerSOF2, script: scriptProgressive, restart: 3}), false},
		{"progressive, 4:4:4, restarts", sized(s444, recipe{sof: markerSOF2, script: scriptProgressive, restart: 3}), true},
		{"progressive, 3x2 2x1 1x2", sized("\x32\x21\x12", recipe{sof: markerSOF2, script: scriptProgressive}), false},
		{"progressive, bands alone", sized(s420, recipe{sof: markerSOF2, script: scriptSpectral, tables: 2}), true},
		{"progressive, grey, three refinements", sized(grey, recipe{sof: markerSOF2, script: scriptDeep}), true},
		{"progressive, grey, restarts", sized(grey, recipe{sof: markerSOF2, script: scriptDeep, restart: 7}), true},
		{"progressive, CMYK", sized("\x11\x11\x11\x11", recipe{sof: markerSOF2, script: scriptFour, segments: adobeRGB}), true},
		{"progressive, YCCK, 2x2 1x1 1x1 2x2", sized("\x22\x11\x11\x22", recipe{sof: markerSOF2, script: scriptFour, segments: adobeYCCK}), true},
		{"progressive, long runs", recipe{width: 300, height: 8, sampling: []byte(grey), sof: markerSOF2, script: scriptDeep}, true},
		{"no EOI", sized(s420, recipe{noEOI: true}), false},
		{"progressive, no EOI", sized(s420, recipe{sof: markerSOF2, script: scriptProgressive, noEOI: true}), false},
	}
	for name, trailer := range trailers {
		cases = append(cases,
			kind{"trailer: " + name, sized(s420, recipe{trailer: trailer}), true},
			kind{"trailer without EOI: " + name, sized(s420, recipe{trailer: trailer, noEOI: true}), false})
	}
	return cases
}
