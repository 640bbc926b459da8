package jpeg

import (
	"bytes"
	"fmt"
	"image"
	stdjpeg "image/jpeg"
	"testing"
)

// BenchmarkRead checks and decodes pictures. For comparison, image/jpeg decodes
// them.
func BenchmarkRead(b *testing.B) {
	for _, size := range []image.Point{{512, 512}, {4000, 3000}} {
		picture := newPicture(pictureKinds["4:2:0"], size.X, size.Y, photoLike())
		data, err := Encode(b.Context(), nil, picture, Options{Quality: 90})
		if err != nil {
			b.Fatal(err)
		}
		ways := []way{
			{"Check", func(f *File) error { return f.Check(b.Context()) }},
			{"image-jpeg", func(f *File) error { _, err := stdjpeg.Decode(bytes.NewReader(f.Bytes())); return err }},
		}
		for _, scale := range scales {
			ways = append(ways, way{fmt.Sprintf("Decode at %d", scale), func(f *File) error {
				return f.Decode(b.Context(), scale, func(int, int, Plane) error { return nil })
			}})
		}
		for _, w := range ways {
			b.Run(fmt.Sprintf("%v/%s", size, w.name), func(b *testing.B) { benchmarkRead(b, data, w.read) })
		}
	}
}

type way struct {
	name string
	read func(f *File) error
}

func benchmarkRead(b *testing.B, original []byte, read func(f *File) error) {
	data := bytes.Clone(original)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		copy(data, original) // Clean may change it
		f, err := Clean(data, nil)
		if err != nil {
			b.Fatal(err)
		}
		if err := read(f); err != nil {
			b.Fatal(err)
		}
	}
}
