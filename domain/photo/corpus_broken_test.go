package photo_test

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"testing"
)

// whole are files of every accepted kind.
var whole = [][2]string{
	{"image", "video-001.jpeg"},
	{"image", "video-001.progressive.jpeg"},
	{"image", "video-001.q50.420.jpeg"},
	{"image", "video-001.restart2.jpeg"},
	{"image", "video-005.gray.jpeg"},
	{"image", "video-001.cmyk.jpeg"},
	{"image", "video-001.rgb.jpeg"},
	{"image", "video-001.png"},
	{"png", "benchRGB-interlace.png"},
	{"png", "benchPaletted.png"},
	{"image", "video-001.gif"},
	{"image", "video-001.interlaced.gif"},
	{"ximage", "video-001.lossy.webp"},
	{"ximage", "yellow_rose.lossy-with-alpha.webp"},
	{"ximage", "blue-purple-pink.lossless.webp"},
}

// forEachWhole runs a check on each of these files. As only JPEGs are kept, only
// they are checked with both verifications.
func forEachWhole(t *testing.T, check func(t *testing.T, data []byte, modes []mode)) {
	t.Helper()
	folders := corpora(t)
	for _, file := range whole {
		t.Run(file[1], func(t *testing.T) {
			t.Parallel()
			ways := modes()
			if path.Ext(file[1]) != ".jpeg" {
				ways = slices.DeleteFunc(ways, func(m mode) bool { return m.name == structureMode })
			}
			check(t, readFile(t, folders[file[0]], file[1]), ways)
		})
	}
}

// TestTruncated cuts files off, as a broken connection does.
func TestTruncated(t *testing.T) {
	t.Parallel()
	// The last part lacks the end of the file and some pixels: IEND, the checksums
	// and an empty block after the pixels of a PNG take 25 bytes.
	const parts, lost = 24, 32
	forEachWhole(t, func(t *testing.T, data []byte, modes []mode) {
		for _, m := range modes {
			for part := 1; part <= parts; part++ {
				end := len(data)*part/parts - lost
				if _, err := read(t, m.limits, data[:end]); checkRefused(err) != nil {
					t.Errorf("%s: %d of %d bytes: got error %v, want a Type Error", m.name, end, len(data), err)
				}
			}
		}
	})
}

// TestCorrupt changes single bytes. The file may be refused or read, but a
// stored photo keeps every promise. If a JPEG is kept without being decoded,
// only its structure is promised.
func TestCorrupt(t *testing.T) {
	t.Parallel()
	places := 60
	if raceDetector {
		places = 12 // at ten times the cost each
	}
	forEachWhole(t, func(t *testing.T, data []byte, modes []mode) {
		for i := range places {
			if err := checkCorrupt(t, data, i*len(data)/places, modes); err != nil {
				t.Error(err)
			}
		}
	})
}

// checkCorrupt changes a byte and reads the file in each of the modes.
func checkCorrupt(t *testing.T, data []byte, at int, modes []mode) error {
	corrupt := bytes.Clone(data)
	corrupt[at] ^= 1 << (at % 8)
	for _, m := range modes {
		got, err := read(t, m.limits, corrupt)
		switch {
		case err != nil && checkRefused(err) != nil && checkTooLarge(err) != nil:
			return fmt.Errorf("%s: byte %d: got error %w, want a Type Error or Photo Too Large", m.name, at, err)
		case err == nil && m.name == structureMode:
			err = checkSegments(got.JPEG())
		case err == nil:
			_, err = checkStored(got, m.limits)
		default:
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: byte %d: %w", m.name, at, err)
		}
	}
	return nil
}
