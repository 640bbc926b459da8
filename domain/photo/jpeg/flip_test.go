package jpeg

import (
	"bytes"
	"fmt"
	stdjpeg "image/jpeg"
	"strings"
	"testing"
)

// onlyTheyTake are the errors with which files are refused that image/jpeg
// accepts, leaving part of the picture to chance.
var onlyTheyTake = map[error]string{
	errEntropy:  "a run of zeros goes beyond the block, or a run of blocks beyond the scan, or a code is unknown",
	errTables:   "a table has more codes of a length than exist",
	errNoTables: "a scan's tables are missing: image/jpeg decodes with quantizers of 0",
	errNoScan:   "a component is missing: image/jpeg shows grey",
	errTwice:    "a scan repeats coefficients, or refines missing ones",
}

// onlyWeTake are the errors with which image/jpeg refuses files that are
// accepted, and which files these are.
var onlyWeTake = []struct {
	reason string
	of     func(f *File) bool
}{
	{"luma/chroma subsampling", func(*File) bool { return true }},          // it supports only the usual ratios
	{"repeated component", func(f *File) bool { return f.Components > 1 }}, // like libjpeg, components with the same name are taken in turn
	{"unknown color model", func(f *File) bool { return f.Model == CMYK }}, // there is no Adobe segment
	{"missing 0xff00 sequence", severalScans},                              // it counts units of all components between restarts
	{"bad RST marker", severalScans},                                       // likewise
	{"bad Th value", func(f *File) bool { return !f.Progressive }},         // it allows baseline files only two tables of a kind
	{"unexpected EOF", func(*File) bool { return true }},                   // the end marker was missing
	{"uninitialized Huffman", func(f *File) bool { return f.standard }},    // the tables are missing, as in motion JPEG
}

func severalScans(f *File) bool { return f.Scans > 1 && f.Components > 1 }

// checkTaken compares an accepted file with image/jpeg. Either both decode the same
// picture, or image/jpeg refuses the file for a known reason, which is returned.
func checkTaken(t testing.TB, f *File, data []byte) (reason string, err error) {
	picture, err := standardDecode(data)
	if err != nil {
		for _, known := range onlyWeTake {
			if strings.Contains(err.Error(), known.reason) && known.of(f) {
				return known.reason, nil
			}
		}
		return "", fmt.Errorf("it is accepted, and image/jpeg says %w", err)
	}
	got, err := decode(t, f, 8)
	if restarts := bytes.Contains(data, []byte{0xFF, markerDRI}); err != nil || restarts && severalScans(f) {
		return "", err // between restarts, image/jpeg counts units of the frame instead of the scan
	}
	return "", checkLikeStandard(f, got, picture, true)
}

// TestFlipped flips each bit of small files. If only one of image/jpeg and this
// package accepts the result, it must be for a known reason.
func TestFlipped(t *testing.T) {
	t.Parallel()
	const w, h = 11, 9
	reasons := map[string]bool{}
	for _, o := range []recipe{
		{width: w, height: h, sampling: []byte("\x11")},
		{width: w, height: h, sampling: []byte("\x21\x11\x11"), restart: 1},
		{width: w, height: h, sampling: []byte("\x11\x11\x11"), script: scriptOnePerComponent},
		{width: w, height: h, sampling: []byte("\x22\x11\x11"), sof: markerSOF2, script: scriptProgressive},
		{width: w, height: h, sampling: []byte("\x11"), sof: markerSOF2, script: scriptDeep},
	} {
		data := o.write().data
		for bit := range 8 * len(data) {
			flipped := bytes.Clone(data)
			flipped[bit/8] ^= 0x80 >> (bit % 8)
			if config, err := stdjpeg.DecodeConfig(bytes.NewReader(flipped)); err == nil && config.Width*config.Height > 1<<14 {
				continue
			}
			f, refusal := cleanAndCheck(t, flipped)
			if refusal == nil {
				reason, err := checkTaken(t, f, flipped)
				if err != nil {
					t.Errorf("bit %d of byte %d: %v", bit%8, bit/8, err)
				}
				reasons[reason] = true
			} else if _, err := standardDecode(flipped); err == nil {
				if onlyTheyTake[refusal] == "" {
					t.Errorf("bit %d of byte %d is refused with %v; image/jpeg accepts it", bit%8, bit/8, refusal)
				}
				reasons[refusal.Error()] = true
			}
		}
	}
	for reason := range onlyTheyTake {
		if !reasons[reason.Error()] {
			t.Errorf("no flip is refused with %v", reason)
		}
	}
	for _, reason := range []string{"luma/chroma subsampling", "unexpected EOF", "uninitialized Huffman"} {
		if !reasons[reason] {
			t.Errorf("image/jpeg refuses no flip with %s", reason)
		}
	}
}
