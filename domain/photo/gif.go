package photo

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/gif"
	"time"
)

var (
	errGIFHeader = errors.New("the GIF header is cut off")
	errGIFFrame  = errors.New("the GIF's first frame has no pixels")
)

// What decoding a GIF takes at most.
const (
	gifByte  = 15 * time.Nanosecond
	gifPixel = 3 * time.Nanosecond
)

// inspectGIF reads the size of a GIF's canvas (GIF89a, 18), on which its first
// frame, all that is decoded, may be smaller. The decoder refuses a larger one.
func inspectGIF(data []byte) (file, error) {
	if len(data) < 13 {
		return file{}, broken("GIF", errGIFHeader)
	}
	f := file{
		kind: "GIF", orientation: upright,
		width: int(binary.LittleEndian.Uint16(data[6:])), height: int(binary.LittleEndian.Uint16(data[8:])),
		decode: func() (image.Image, error) { return decodeGIF(data) },
	}
	// The decoder has a byte a pixel, and two where it puts interlaced rows in order.
	pixels := int64(f.width) * int64(f.height)
	f.cost = cost{
		pixelBytes: 2 * pixels,
		fixedTime:  time.Duration(len(data)) * gifByte,
		pixelTime:  time.Duration(pixels) * gifPixel,
	}
	return f, nil
}

func decodeGIF(data []byte) (image.Image, error) {
	img, err := gif.Decode(bytes.NewReader(data))
	if err == nil && img.Bounds().Empty() {
		err = errGIFFrame
	}
	return img, err
}
