package photo_test

import (
	"slices"
	"strconv"
	"testing"

	"github.com/fleetphoto/fleetphoto/domain/photo"
)

// TestScansAreCounted reads a progressive JPEG of as many scans as are
// allowed, and refuses one more, however the photo is verified.
func TestScansAreCounted(t *testing.T) {
	t.Parallel()
	const most = 64
	b := jpegBomb{64, 64, []byte{0x11}}
	dc := b.flatDC()
	dc.payload[len(dc.payload)-1] = 1 // all bits but the lowest, which a last scan adds
	scans := []segment{dc}
	for k := byte(1); k < 64; k++ {
		scans = append(scans, emptyScan(1, b.blocks(), [2]byte{k, k}, 0, 0))
	}
	lowest := scan([]byte{1}, [2]byte{0, 0}, 1, 0, make([]byte, b.blocks()/8))
	for _, m := range modes() {
		for count, all := range map[int][]segment{most: scans, most + 1: append(slices.Clone(scans), lowest)} {
			t.Run(m.name+"/"+strconv.Itoa(count), func(t *testing.T) {
				data := b.file(markerSOF2, [2]byte{longestRun, endOfBlock}, all...)
				if count <= most {
					mustRead(t, m.limits, data)
					return
				}
				_, err := read(t, m.limits, data)
				if err := checkRefused(err); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// TestLimitsAreExact reads a photo as large as the limits and refuses it when
// they are one less.
func TestLimitsAreExact(t *testing.T) {
	t.Parallel()
	data := encoded(t, quadrants())
	exact := productLimits()
	exact.MaxBytes, exact.MaxPixels = int64(len(data)), 96*64
	mustRead(t, exact, data)
	cases := map[string]func(*photo.Limits){
		"bytes":  func(l *photo.Limits) { l.MaxBytes-- },
		"pixels": func(l *photo.Limits) { l.MaxPixels-- },
	}
	for name, lower := range cases {
		t.Run(name, func(t *testing.T) {
			limits := exact
			lower(&limits)
			_, err := read(t, limits, data)
			if err := checkTooLarge(err); err != nil {
				t.Error(err)
			}
		})
	}
}
