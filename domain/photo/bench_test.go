package photo

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"image"
	"testing"
)

// phone makes a JPEG as a phone does: with EXIF that holds a thumbnail.
func phone(width, height int) []byte {
	metadata := exif(binary.BigEndian, 1) + string(make([]byte, 20<<10))
	return insert(encodeJPEG(landscape(width, height), 90), segment(markerAPP1, metadata))
}

// BenchmarkFilter is the lossless path without the SHA-256 that a Photo has.
func BenchmarkFilter(b *testing.B) {
	original := phone(4000, 3000)
	data := make([]byte, len(original))
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		copy(data, original)
		if _, err := inspect(data); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkKeep is the whole lossless path, verified by structure.
func BenchmarkKeep(b *testing.B) {
	limits := generous()
	limits.MaxDimension, limits.Verify = 0, VerifyStructure
	benchmarkRead(b, limits, phone(4000, 3000))
}

// BenchmarkKeepDecoded is the same for a photo of the stored size, decoded once.
func BenchmarkKeepDecoded(b *testing.B) { benchmarkRead(b, generous(), phone(1024, 768)) }

func BenchmarkScale(b *testing.B) {
	for _, size := range []image.Point{{4000, 3000}, {1600, 1200}} {
		b.Run(fmt.Sprintf("%dx%d", size.X, size.Y), func(b *testing.B) {
			benchmarkRead(b, generous(), phone(size.X, size.Y))
		})
	}
}

func benchmarkRead(b *testing.B, limits Limits, original []byte) {
	reader := NewReader(limits, 1)
	data := bytes.Clone(original)
	b.SetBytes(int64(len(original)))
	b.ReportAllocs()
	for b.Loop() {
		copy(data, original)
		if _, _, err := reader.Read(context.Background(), data); err != nil {
			b.Fatal(err)
		}
	}
}
