// Package photo turns the bytes that a caller sends into a JPEG that may be
// stored, or into an error that says what came and what is accepted.
//
// The use cases import it; it imports domain, the standard library and golang.org/x/image.
package photo

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"strings"

	"github.com/fleetphoto/fleetphoto/domain"
)

// Limits bounds what is accepted.
type Limits struct {
	MaxBytes  int64 // of the file that came
	MaxPixels int64 // width × height, from its header
}

// encodeQuality is that of a JPEG made from another format.
const encodeQuality = 85

// format is an accepted image format.
type format struct {
	name   string
	magic  string // what its files begin with
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error) // the first frame
}

// formats is the one list of what is accepted.
var formats = []format{
	{"JPEG", "\xff\xd8\xff", jpeg.DecodeConfig, jpeg.Decode},
	{"PNG", "\x89PNG\r\n\x1a\n", png.DecodeConfig, png.Decode},
	{"GIF", "GIF8", gif.DecodeConfig, gif.Decode},
}

// Accepted names the accepted formats, for instance "JPEG, PNG or GIF".
func Accepted() string {
	names := make([]string, len(formats))
	for i, f := range formats {
		names[i] = f.name
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// Read checks that data is a whole image of an accepted format within the
// limits and returns it as a JPEG. A JPEG is decoded once and kept as it came:
// the Photo then aliases data. Other formats are converted, transparency on
// white. It fails with TypeError or PhotoTooLarge.
func Read(data []byte, limits Limits) (domain.Photo, error) {
	if int64(len(data)) > limits.MaxBytes {
		return domain.Photo{}, domain.Errorf(domain.PhotoTooLarge, "photo_base64: want an image of at most %d bytes, got %d", limits.MaxBytes, len(data))
	}
	found, err := recognise(data)
	if err != nil {
		return domain.Photo{}, err
	}
	config, err := found.config(bytes.NewReader(data))
	if err != nil {
		return domain.Photo{}, broken(found, err)
	}
	if int64(config.Width)*int64(config.Height) > limits.MaxPixels {
		return domain.Photo{}, domain.Errorf(domain.PhotoTooLarge, "photo_base64: want an image of at most %d pixels, got %d × %d", limits.MaxPixels, config.Width, config.Height)
	}
	picture, err := found.decode(bytes.NewReader(data))
	if err != nil {
		return domain.Photo{}, broken(found, err)
	}
	if found.name != "JPEG" {
		if data, err = encode(picture); err != nil {
			return domain.Photo{}, domain.Errorf(domain.PhotoTooLarge, "photo_base64: want an image of at most 65535 pixels a side, got %d × %d", config.Width, config.Height).WithCause(err)
		}
	}
	size := picture.Bounds().Size()
	result, err := domain.NewPhoto(data, size.X, size.Y)
	if err != nil {
		return domain.Photo{}, broken(found, err)
	}
	return result, nil
}

// Describe says what the bytes of a stored photo are. Dimensions are zero
// where the bytes are no JPEG.
func Describe(data []byte) domain.PhotoInfo {
	info := domain.PhotoInfo{SHA256: sha256.Sum256(data), Size: int64(len(data))}
	if config, err := jpeg.DecodeConfig(bytes.NewReader(data)); err == nil {
		info.Width, info.Height = config.Width, config.Height
	}
	return info
}

func recognise(data []byte) (format, error) {
	for _, f := range formats {
		if bytes.HasPrefix(data, []byte(f.magic)) {
			return f, nil
		}
	}
	return format{}, domain.Errorf(domain.TypeError, "photo_base64: want an image in %s format, got %d bytes of something else", Accepted(), len(data))
}

func broken(f format, cause error) error {
	return domain.Errorf(domain.TypeError, "photo_base64: the %s image is broken or cut off; send a whole one", f.name).WithCause(cause)
}

// encode makes a JPEG, which has no side over 65,535 pixels.
func encode(picture image.Image) ([]byte, error) {
	opaque := image.NewRGBA(picture.Bounds())
	draw.Draw(opaque, opaque.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
	draw.Draw(opaque, opaque.Bounds(), picture, picture.Bounds().Min, draw.Over)
	var out bytes.Buffer
	if err := jpeg.Encode(&out, opaque, &jpeg.Options{Quality: encodeQuality}); err != nil {
		return nil, fmt.Errorf("encode a JPEG: %w", err)
	}
	return out.Bytes(), nil
}
