package photo

import (
	"bytes"
	"errors"
	"image"
	"image/jpeg"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
)

// maxScans bounds the scans of a JPEG. Encoders make about ten; each costs a
// walk over all blocks, which a few bytes can ask for.
const maxScans = 64

// inspectJPEG cleans a JPEG in place and reads its header.
func inspectJPEG(data []byte) (file, error) {
	s := segments{orientation: upright}
	if err := s.filter(data); err != nil {
		return file{}, refuseJPEG(err)
	}
	if s.scans > maxScans {
		return file{}, domain.Errorf(domain.TypeError, "photo_base64: want a JPEG of at most %d scans, got %d; save it as a baseline JPEG", maxScans, s.scans)
	}
	if err := s.checkDecodable(); err != nil {
		return file{}, refuseJPEG(err)
	}
	f := file{
		kind: s.kind(), width: s.frame.width, height: s.frame.height, orientation: s.orientation, cost: s.cost(),
		decode: func() (image.Image, error) { return jpeg.Decode(bytes.NewReader(s.clean)) },
	}
	if len(s.frame.components) < 4 {
		f.profile = func() []byte { return joinProfile(s.profile) }
		if !s.isRGB() {
			f.jpeg, f.planar = s.clean, true
		}
	}
	return f, nil
}

// checkDecodable refuses what the standard library doesn't decode, as far as
// the headers tell.
func (s *segments) checkDecodable() error {
	if len(s.frame.components) == 4 && !s.adobe {
		return unsupportedError("of four components without Adobe's word on what they are")
	}
	_, err := jpeg.DecodeConfig(bytes.NewReader(s.clean))
	if _, known := errors.AsType[jpeg.UnsupportedError](err); known {
		return unsupportedError("of unusual chroma subsampling")
	}
	return err
}

func (s *segments) kind() string {
	kind := "JPEG"
	if s.frame.progressive {
		kind = "progressive JPEG"
	}
	switch {
	case len(s.frame.components) == 4:
		return "CMYK " + kind
	case s.isRGB():
		return "RGB " + kind
	}
	return kind
}

func refuseJPEG(err error) error {
	if process, known := errors.AsType[unsupportedError](err); known {
		return domain.Errorf(domain.TypeError, "photo_base64: want a baseline or progressive JPEG of 8 bits per sample, got one that is %s; save it anew", string(process)).WithCause(err)
	}
	return broken("JPEG", err)
}

// cost estimates what decoding takes. The decoder keeps a byte a sample, for a
// progressive image also its coefficients, four bytes each, and makes four
// bytes a pixel of CMYK and RGB.
func (s *segments) cost() cost {
	samples := 64 * s.frame.blocks()
	pixels := int64(s.frame.width) * int64(s.frame.height)
	c := cost{pixelBytes: samples, fixedTime: time.Duration(len(s.clean)) * jpegByte}
	if s.frame.progressive {
		c.pixelBytes += 4 * samples
		c.pixelTime = time.Duration(s.frame.visits-s.frame.refines)*progressiveVisit +
			time.Duration(s.frame.refines)*progressiveRefine + time.Duration(s.frame.blocks())*jpegBlock
	} else {
		c.pixelTime = time.Duration(s.frame.visits) * jpegBlock
	}
	if len(s.frame.components) == 4 || s.isRGB() {
		c.pixelBytes += 4 * pixels
		c.pixelTime += time.Duration(pixels) * jpegPacked
	}
	return c
}
