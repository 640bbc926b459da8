package jpeg

import (
	"bytes"
	"fmt"
	stdjpeg "image/jpeg"
	"strings"
	"testing"
)

// onlyTheyTake are the reasons for which files are refused that image/jpeg
// reads, each of which leaves a part of the picture to chance.
var onlyTheyTake = map[error]string{
	errEntropy:  "a run of zeros goes beyond the block, or one of ended blocks beyond the scan; or the code means nothing",
	errTables:   "a table has more codes than there are of their length",
	errNoTables: "a scan's tables are missing: image/jpeg decodes with quantizers of 0",
	errNoScan:   "a component is missing: image/jpeg shows grey",
	errTwice:    "a scan brings what came before, or refines what didn't come",
}

// onlyWeTake are image/jpeg's reasons for refusing files that are read, and
// which files those are.
var onlyWeTake = []struct {
	reason string
	of     func(f *File) bool
}{
	{"luma/chroma subsampling", func(*File) bool { return true }},          // it knows the usual ratios only
	{"repeated component", func(f *File) bool { return f.Components > 1 }}, // libjpeg too takes those of one name in turn
	{"unknown color model", func(f *File) bool { return f.Model == CMYK }}, // there is no Adobe segment
	{"missing 0xff00 sequence", severalScans},                              // it counts units of several components
	{"bad RST marker", severalScans},                                       // between restarts, where there is one
	{"bad Th value", func(f *File) bool { return !f.Progressive }},         // baseline files have two tables of a kind
	{"unexpected EOF", func(*File) bool { return true }},                   // there was no end marker
	{"uninitialized Huffman", func(f *File) bool { return f.standard }},    // there are no tables, as in motion JPEG
}

func severalScans(f *File) bool { return f.Scans > 1 && f.Components > 1 }

// checkTaken compares a file that is taken with what image/jpeg makes of it: the
// same picture, or nothing, for a reason that is known and that checkTaken returns.
func checkTaken(t testing.TB, f *File, data []byte) (reason string, err error) {
	picture, err := standardDecode(data)
	if err != nil {
		for _, known := range onlyWeTake {
			if strings.Contains(err.Error(), known.reason) && known.of(f) {
				return known.reason, nil
			}
		}
		return "", fmt.Errorf("it is taken, and image/jpeg says %w", err)
	}
	got, err := decode(t, f, 8)
	if restarts := bytes.Contains(data, []byte{0xFF, markerDRI}); err != nil || restarts && severalScans(f) {
		return "", err // image/jpeg counts the frame's units to a restart, and not the scan's
	}
	return "", checkLikeStandard(f, got, picture, true)
}

// TestFlipped flips each bit of small files: what image/jpeg takes and this
// package doesn't, and the other way round, is for a reason that is known.
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
					t.Errorf("bit %d of byte %d is refused with %v; image/jpeg takes it", bit%8, bit/8, refusal)
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
