package photo

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"image"
	"image/gif"
)

var (
	errGIFHeader = errors.New("the GIF header is cut off")
	errGIFFrame  = errors.New("the GIF's first frame has no pixels")
)

// inspectGIF reads the size of a GIF's canvas (GIF89a, 18), on which its first
// frame, all that is decoded, may be smaller. The decoder refuses a larger one.
func inspectGIF(data []byte) (file, error) {
	if len(data) < 13 {
		return file{}, broken("GIF", errGIFHeader)
	}
	size := image.Pt(int(binary.LittleEndian.Uint16(data[6:])), int(binary.LittleEndian.Uint16(data[8:])))
	return file{
		kind: "GIF", orientation: upright, size: size,
		// The decoder has a byte a pixel, and two where it puts interlaced rows in order.
		load: func(target, bool) load { return load{memory: 2 * size.X * size.Y} },
		draw: decoded(func(ctx context.Context) (image.Image, error) { return decodeGIF(ctx, data) }),
	}, nil
}

func decodeGIF(ctx context.Context, data []byte) (image.Image, error) {
	img, err := gif.Decode(until(ctx, bytes.NewReader(data)))
	if err == nil && img.Bounds().Empty() {
		err = errGIFFrame
	}
	return img, err
}
