package attacks_test

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/jpeg"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// TestPeakMemory has the shipped command take 64 uploads of 3 MB, whose photos
// have 12 megapixels and are turned, and PNGs that take as much memory as they
// may, all at once, and holds it to docs/operate.md's number. Each upload is valid.
func TestPeakMemory(t *testing.T) {
	needsTheMachine(t)
	const fleets, uploads, pngs = 4, 64, 16
	s, all := start(t, fleets)
	customers := addCustomers(t, s, all, (uploads+pngs)/fleets)
	photo, large, small := inBase64(turnedPhoto(t)), inBase64(plainPNG(t, 4000, 16, 6)), inBase64(plainPNG(t, 3900, 8, 2))
	var calls sync.WaitGroup
	for i, customer := range customers {
		sent := photo
		if i >= uploads {
			sent = [...][]byte{large, small}[i%2]
		}
		c := newCaller(s, fmt.Sprintf("127.0.2.%d", 1+i%8), customer, sent)
		calls.Go(func() {
			_, err := c.call(t.Context())
			if err != nil && (i < uploads || !strings.Contains(err.Error(), "Too Many Requests")) {
				t.Errorf("call %d: %v", i, err)
			}
		})
	}
	calls.Wait()
	peak, most := s.peak(t), most(t)
	t.Logf("the process took %.0f MB at most", peak)
	if peak > most {
		t.Errorf("it took %.0f MB, docs/operate.md says at most %.0f", peak, most)
	}
}

// addCustomers adds so many customers to each fleet, and returns each with its
// fleet's key, one fleet's after another's.
func addCustomers(t *testing.T, s *server, fleets []fleet, customers int) (added []fleet) {
	t.Helper()
	phone := func(fleet, i int) string { return fmt.Sprintf("4477009%02d%03d", 10+fleet, i) }
	for fleet := range fleets {
		var list strings.Builder
		for i := range customers {
			_, _ = fmt.Fprintf(&list, "%d,%s\n", 2+i, phone(fleet, i))
		}
		must(t, os.WriteFile(filepath.Join(s.directory, "customers.csv"), []byte(list.String()), 0o600))
		s.output(t, "customer", "import", fmt.Sprintf("--fleet=%d", 1+fleet), "customers.csv")
	}
	for i := range customers {
		for f, known := range fleets {
			added = append(added, fleet{known.key, phone(f, i)})
		}
	}
	return added
}

// turnedPhoto is a JPEG of a phone that was held upright.
func turnedPhoto(t *testing.T) []byte {
	t.Helper()
	picture, random := image.NewYCbCr(image.Rect(0, 0, 4000, 3000), image.YCbCrSubsampleRatio420), rand.New(rand.NewPCG(1, 2))
	for i := range picture.Y {
		picture.Y[i] = 100 + byte(random.Uint32()>>27)
	}
	var out bytes.Buffer
	must(t, jpeg.Encode(&out, picture, &jpeg.Options{Quality: 85}))
	const start = 2 // the length of SOI
	// An Exif segment with one tag, the orientation 6 (CIPA DC-008, 4.5 and 4.7.2).
	const rightTop = "\xff\xe1\x00\x22Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00\x00\x00\x00\x00"
	if size := out.Len(); size < 3e6 || size > 3.5e6 {
		t.Fatalf("the photo has %d bytes", size)
	}
	return slices.Insert(out.Bytes(), start, []byte(rightTop)...)
}

// plainPNG is a PNG of zeros: side² pixels of a colour type with 3 or
// 4 channels of so many bits (W3C PNG, third edition, 11.2.1).
func plainPNG(t *testing.T, side int, bits, colour byte) []byte {
	t.Helper()
	channels := map[byte]int{2: 3, 6: 4}[colour]
	var packed bytes.Buffer
	w, err := zlib.NewWriterLevel(&packed, zlib.BestSpeed)
	must(t, err)
	row := make([]byte, 1+side*channels*int(bits)/8)
	for range side {
		_, err := w.Write(row)
		must(t, err)
	}
	must(t, w.Close())
	header := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, uint32(side)), uint32(side))
	file := []byte("\x89PNG\r\n\x1a\n")
	for _, c := range []struct {
		kind string
		data []byte
	}{{"IHDR", append(header, bits, colour, 0, 0, 0)}, {"IDAT", packed.Bytes()}, {"IEND", nil}} {
		file = binary.BigEndian.AppendUint32(file, uint32(len(c.data)))
		checked := append([]byte(c.kind), c.data...)
		file = binary.BigEndian.AppendUint32(append(file, checked...), crc32.ChecksumIEEE(checked))
	}
	return file
}
