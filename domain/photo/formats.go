package photo

import (
	"bytes"
	"image"
	"strings"

	"github.com/fleetphoto/fleetphoto/domain"
)

// format is an accepted image format.
type format struct {
	name    string
	begins  func(data []byte) bool
	inspect func(data []byte) (file, error) // reads the header and decodes nothing; may change data
}

// file is an image file whose header was read.
type file struct {
	kind          string      // for sentences, "interlaced PNG"
	width, height int         // before the picture is turned upright
	orientation   orientation // as the camera was held
	planar        bool        // decode returns Y, Cb and Cr, or grey, in planes
	cost          cost        // of decode
	jpeg          []byte      // the file itself, clean, where it may be stored; nil: it must be decoded
	decode        func() (image.Image, error)
	profile       func() []byte // the ICC profile; nil: none that can be used
}

// formats is the one list of what is accepted.
func formats() []format {
	return []format{
		{"JPEG", prefix("\xff\xd8\xff"), inspectJPEG},
		{"PNG", prefix("\x89PNG\r\n\x1a\n"), inspectPNG},
		{"GIF", prefix("GIF87a", "GIF89a"), inspectGIF},
		{"WebP", riff("WEBP"), inspectWebP},
	}
}

// Accepted names the accepted formats, "JPEG, PNG, GIF or WebP".
func Accepted() string {
	var names []string
	for _, f := range formats() {
		names = append(names, f.name)
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// inspect recognises data by its content and reads its header.
func inspect(data []byte) (file, error) {
	for _, f := range formats() {
		if f.begins(data) {
			return f.inspect(data)
		}
	}
	return file{}, refuse(data)
}

// prefix matches data that begins with one of the texts.
func prefix(texts ...string) func([]byte) bool {
	return func(data []byte) bool {
		for _, text := range texts {
			if bytes.HasPrefix(data, []byte(text)) {
				return true
			}
		}
		return false
	}
}

// riff matches a RIFF container of one of the forms.
func riff(forms ...string) func([]byte) bool {
	return func(data []byte) bool {
		return len(data) >= 12 && string(data[:4]) == "RIFF" && prefix(forms...)(data[8:])
	}
}

func broken(kind string, cause error) error {
	return domain.Errorf(domain.TypeError, "photo_base64: the %s image is broken or cut off; send a whole one", kind).WithCause(cause)
}
