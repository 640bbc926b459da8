package photo

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"image"
	stdjpeg "image/jpeg"
	"io"
	"testing"
)

// phone makes a JPEG as a phone held in an orientation does: with EXIF and a
// thumbnail.
func phone(size image.Point, orientation uint16) []byte {
	metadata := exif(binary.BigEndian, orientation) + string(make([]byte, 20<<10))
	return insert(encodeJPEG(landscape(size.X, size.Y), 90), segment(markerAPP1, metadata))
}

// BenchmarkKeep measures the lossless path with both verifications, and
// image/jpeg's decoding for comparison.
func BenchmarkKeep(b *testing.B) {
	for _, size := range []image.Point{{512, 512}, {4000, 3000}} {
		original := phone(size, 1)
		for _, verify := range []Verify{VerifyDecode, VerifyStructure} {
			limits := generous()
			limits.MaxDimension, limits.Verify = 0, verify
			b.Run(fmt.Sprintf("%dx%d/%s", size.X, size.Y, verify), func(b *testing.B) { benchmarkRead(b, limits, original) })
		}
		b.Run(fmt.Sprintf("%dx%d/image-jpeg", size.X, size.Y), func(b *testing.B) {
			benchmark(b, original, func(data []byte) error {
				_, err := stdjpeg.Decode(bytes.NewReader(data))
				return err
			})
		})
	}
}

// BenchmarkNormalise turns and scales photos. For comparison, image/jpeg decodes
// them and encodes the result, without scaling.
func BenchmarkNormalise(b *testing.B) {
	for _, size := range []image.Point{{1280, 960}, {4000, 3000}} {
		original := phone(size, 6)
		b.Run(fmt.Sprintf("%dx%d/ours", size.X, size.Y), func(b *testing.B) { benchmarkRead(b, generous(), original) })
		stored := landscape(768, 1024)
		b.Run(fmt.Sprintf("%dx%d/image-jpeg", size.X, size.Y), func(b *testing.B) {
			benchmark(b, original, func(data []byte) error {
				if _, err := stdjpeg.Decode(bytes.NewReader(data)); err != nil {
					return err
				}
				return stdjpeg.Encode(io.Discard, stored, &stdjpeg.Options{Quality: encodeQuality})
			})
		})
	}
}

func benchmarkRead(b *testing.B, limits Limits, original []byte) {
	reader := NewReader(limits, 1)
	benchmark(b, original, func(data []byte) error {
		_, _, err := reader.Read(context.Background(), 689, data)
		return err
	})
}

// benchmark runs work on copies of the original, as work may change its data.
func benchmark(b *testing.B, original []byte, work func(data []byte) error) {
	data := bytes.Clone(original)
	b.SetBytes(int64(len(original)))
	b.ReportAllocs()
	for b.Loop() {
		copy(data, original)
		if err := work(data); err != nil {
			b.Fatal(err)
		}
	}
}
