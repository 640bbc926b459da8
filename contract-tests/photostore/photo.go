package photostore

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math/rand/v2"
	"sync"

	"github.com/fleetphoto/fleetphoto/domain"
)

const photoWidth, photoHeight = 16, 12

// photoOf is a JPEG of 16 KiB that differs from those with another n.
func photoOf(n int) domain.Photo {
	if made, found := photos.Load(n); found {
		return made.(domain.Photo)
	}
	made := photoSized(n, 16<<10)
	photos.Store(n, made)
	return made
}

// photos are those that photoOf has made, as they are asked for very often.
var photos sync.Map

// noPhoto stands for there being none.
var noPhoto domain.Photo

// photoSized is a JPEG of so many bytes, which differs from those with another n
// from beginning to end. size is 2,000 or more.
func photoSized(n, size int) domain.Photo {
	picture := image.NewGray(image.Rect(0, 0, photoWidth, photoHeight))
	for i := range picture.Pix {
		picture.Pix[i] = color.Gray{Y: uint8(i*n + n)}.Y
	}
	var encoded bytes.Buffer
	if err := jpeg.Encode(&encoded, picture, nil); err != nil {
		panic(fmt.Sprintf("encode a small picture into memory: %v", err))
	}
	const startOfImage = 2
	data := append(make([]byte, 0, size), encoded.Bytes()[:startOfImage]...)
	data = appendComments(data, n, size-encoded.Len())
	made, err := domain.NewPhoto(append(data, encoded.Bytes()[startOfImage:]...), photoWidth, photoHeight)
	if err != nil {
		panic(fmt.Sprintf("make a photo of a JPEG: %v", err))
	}
	return made
}

// appendComments appends so many bytes of JPEG segments that no decoder looks at.
func appendComments(data []byte, n, size int) []byte {
	const header, most = 4, 2 + 0xFFFF
	noise := rand.NewChaCha8([32]byte{byte(n), byte(n >> 8)})
	for size > 0 {
		segment := min(size, most)
		if rest := size - segment; rest > 0 && rest < header {
			segment -= header // leaves room for the last one
		}
		data = append(data, 0xFF, 0xFE)
		data = binary.BigEndian.AppendUint16(data, uint16(segment-2)) // the marker isn't counted
		start := len(data)
		data = data[:start+segment-header]
		_, _ = noise.Read(data[start:]) // never fails
		size -= segment
	}
	return data
}
