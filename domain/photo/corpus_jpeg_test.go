package photo_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"slices"
	"strings"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/photo"
)

// The markers of a JPEG that the tests name.
const (
	markerSOF0  = 0xC0
	markerSOF1  = 0xC1
	markerSOF2  = 0xC2
	markerDHT   = 0xC4
	markerSOI   = 0xD8
	markerEOI   = 0xD9
	markerSOS   = 0xDA
	markerDQT   = 0xDB
	markerDRI   = 0xDD
	markerAPP0  = 0xE0
	markerAPP1  = 0xE1
	markerAPP2  = 0xE2
	markerAPP13 = 0xED
	markerAPP14 = 0xEE
	markerCOM   = 0xFE
)

// The names that application segments begin with.
const (
	nameJFIF  = "JFIF\x00"
	nameICC   = "ICC_PROFILE\x00"
	nameAdobe = "Adobe"
	nameEXIF  = "Exif\x00\x00"
	nameXMP   = "http://ns.adobe.com/xap/1.0/\x00"
)

// segment is a marker of a JPEG and its payload.
type segment struct {
	marker  byte
	payload []byte
	entropy []byte // of SOS: the data up to the next marker other than RST
}

// bytes returns the segment as it is in a file.
func (s segment) bytes() []byte {
	head := binary.BigEndian.AppendUint16([]byte{0xFF, s.marker}, uint16(len(s.payload)+2))
	return slices.Concat(head, s.payload, s.entropy)
}

// segments splits a JPEG, which must end with EOI.
func segments(data []byte) ([]segment, error) {
	if !bytes.HasPrefix(data, []byte{0xFF, markerSOI}) {
		return nil, errors.New("no SOI")
	}
	var found []segment
	for rest := data[2:]; ; {
		for len(rest) > 0 && rest[0] == 0xFF {
			rest = rest[1:]
		}
		if len(rest) == 0 {
			return nil, errors.New("no EOI")
		}
		if rest[0] == markerEOI {
			if len(rest) > 1 {
				return nil, fmt.Errorf("%d bytes after EOI", len(rest)-1)
			}
			return found, nil
		}
		if len(rest) < 3 || len(rest) < 1+int(binary.BigEndian.Uint16(rest[1:])) {
			return nil, errors.New("a segment is cut off")
		}
		length := int(binary.BigEndian.Uint16(rest[1:]))
		next := segment{marker: rest[0], payload: rest[3 : 1+length]}
		rest = rest[1+length:]
		if next.marker == markerSOS {
			end := entropyLength(rest)
			next.entropy, rest = rest[:end], rest[end:]
		}
		found = append(found, next)
	}
}

// entropyLength returns the length of the entropy-coded data.
func entropyLength(data []byte) int {
	for i := 0; i+1 < len(data); i++ {
		if data[i] == 0xFF && data[i+1] != 0 && (data[i+1] < 0xD0 || data[i+1] > 0xD7) {
			return i
		}
	}
	return len(data)
}

// checkSegments wants a stored photo to have nothing but what its pixels and
// colours need.
func checkSegments(data []byte) error {
	all, err := segments(data)
	if err != nil {
		return err
	}
	named := map[byte]string{markerAPP0: nameJFIF, markerAPP2: nameICC, markerAPP14: nameAdobe}
	came := map[byte]int{}
	for _, s := range all {
		if s.marker < markerAPP0 || s.marker > markerCOM {
			continue
		}
		if name := named[s.marker]; name == "" || !bytes.HasPrefix(s.payload, []byte(name)) {
			return fmt.Errorf("kept a segment 0x%X %.12q", s.marker, s.payload)
		}
		if came[s.marker]++; came[s.marker] > 1 {
			return fmt.Errorf("kept %d segments 0x%X, want one", came[s.marker], s.marker) // a stored profile fits into one
		}
	}
	return nil
}

// checkStored checks what is promised of every photo. It returns the picture as
// the standard library decodes it.
func checkStored(got domain.Photo, limits photo.Limits) (image.Image, error) {
	if err := checkSegments(got.JPEG()); err != nil {
		return nil, err
	}
	picture, err := jpeg.Decode(bytes.NewReader(got.JPEG()))
	if err != nil {
		return nil, err
	}
	switch picture.(type) {
	case *image.Gray, *image.YCbCr:
	default:
		return nil, fmt.Errorf("got a JPEG that decodes to %T", picture)
	}
	info, size := got.Info(), picture.Bounds().Size()
	if (image.Point{X: info.Width, Y: info.Height}) != size {
		return nil, fmt.Errorf("described as %d × %d, decodes to %v", info.Width, info.Height, size)
	}
	if limits.MaxDimension > 0 && max(size.X, size.Y) > limits.MaxDimension {
		return nil, fmt.Errorf("got %v, want at most %d a side", size, limits.MaxDimension)
	}
	if described := photo.Describe(got.JPEG()); described != info {
		return nil, fmt.Errorf("Describe says %d × %d, %d bytes; Read said %d bytes", described.Width, described.Height, described.Size, info.Size)
	}
	return picture, nil
}

// checkRefused wants a Type Error with a sentence for the caller.
func checkRefused(err error) error {
	if !errors.Is(err, domain.TypeError) {
		return fmt.Errorf("got error %q, want a Type Error", fmt.Sprint(err))
	}
	return checkSentence(err)
}

// checkSentence wants the caller's message to begin with the field's name.
func checkSentence(err error) error {
	if sentence := domain.AsError(err).Public; !strings.HasPrefix(sentence, "photo_base64: ") {
		return fmt.Errorf("the sentence %q doesn't begin with the field's name", sentence)
	}
	return nil
}

// checkTooLarge wants Photo Too Large with a sentence for the caller.
func checkTooLarge(err error) error {
	if !errors.Is(err, domain.PhotoTooLarge) {
		return fmt.Errorf("got error %q, want Photo Too Large", fmt.Sprint(err))
	}
	return checkSentence(err)
}
