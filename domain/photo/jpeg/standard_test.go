package jpeg

import (
	"bytes"
	"context"
	"fmt"
	"image"
	stdjpeg "image/jpeg"
	"slices"
	"testing"
)

// TestTables compares the tables for each quality with those that image/jpeg writes.
func TestTables(t *testing.T) {
	t.Parallel()
	for quality := 1; quality <= 100; quality++ {
		var theirs bytes.Buffer
		picture := image.NewYCbCr(image.Rect(0, 0, 1, 1), image.YCbCrSubsampleRatio420)
		if err := stdjpeg.Encode(&theirs, picture, &stdjpeg.Options{Quality: quality}); err != nil {
			t.Fatal(err)
		}
		ours, err := Encode(context.Background(), nil, pictureOf(picture), Options{Quality: quality})
		if err != nil {
			t.Fatal(err)
		}
		for _, marker := range []byte{markerDQT, markerDHT} {
			if got, want := contents(t, ours, marker), contents(t, theirs.Bytes(), marker); !bytes.Equal(got, want) {
				t.Errorf("quality %d: segments 0x%X have\n%x, want\n%x", quality, marker, got, want)
			}
		}
	}
	for slot, want := range map[int]int{huffmanSlot: 1 + 16 + 12, huffmanSlot + 5: 1 + 16 + 162} {
		var lacking [slots]bool
		lacking[slot] = true
		data := slices.Concat([]byte{0xFF, markerSOI}, standardTables(lacking), []byte{0xFF, markerEOI})
		if got := contents(t, data, markerDHT); len(got) != want {
			t.Errorf("slot %d: standardTables has %d bytes, want %d", slot, len(got), want)
		}
	}
}

// contents returns the contents of all segments with a marker, up to the first scan.
func contents(t *testing.T, data []byte, marker byte) (all []byte) {
	t.Helper()
	for at := 2; ; {
		_, code, err := nextMarker(data, at)
		if err != nil {
			t.Fatal(err)
		}
		if data[code] == markerSOS || data[code] == markerEOI {
			return all
		}
		end, err := segmentEnd(data, code+1)
		if err != nil {
			t.Fatal(err)
		}
		if data[code] == marker {
			all = append(all, data[code+3:end]...)
		}
		at = end
	}
}

func ExampleEncode() {
	grey := Plane{Pix: make([]byte, 40*30), Stride: 40, Width: 40, Height: 30}
	data, err := Encode(context.Background(), nil, Picture{Y: grey}, Options{Quality: 85})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(Size(data))
	// Output: 40 30 <nil>
}
