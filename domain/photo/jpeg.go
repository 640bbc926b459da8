package photo

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"slices"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
)

// maxScans bounds the scans of a JPEG. Encoders make about ten; each costs a
// walk over all blocks, which a few bytes can ask for.
const maxScans = 64

// What decoding a JPEG takes at most.
const (
	jpegByte          = 35 * time.Nanosecond
	jpegBlock         = 260 * time.Nanosecond // a sequential block, or an inverse transform
	progressiveVisit  = 30 * time.Nanosecond  // a block in a scan
	progressiveRefine = 80 * time.Nanosecond  // a block in a scan that refines its coefficients
	jpegPacked        = 8 * time.Nanosecond   // a pixel converted to RGB or CMYK
)

var (
	errFrame = errors.New("the frame header is wrong")
	errScan  = errors.New("a scan header is wrong")
)

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
		return domain.Errorf(domain.TypeError, "photo_base64: want a baseline or progressive JPEG of 8 bits per sample, got one that is %s; save it again", string(process)).WithCause(err)
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

// frame is the frame header of a JPEG (ITU-T T.81, B.2.2), and what its scans
// add up to.
type frame struct {
	progressive   bool
	width, height int
	components    []component // nil: no frame came yet

	visits  int64 // blocks that the scans visit, each as often as it is
	refines int64 // of these, blocks whose coefficients get one more bit
}

// component is a colour component: its identifier and its sampling factors.
type component struct {
	id   byte
	h, v int
}

func (f *frame) parse(marker byte, content []byte) error {
	if f.components != nil || len(content) < 6 {
		return errFrame
	}
	if precision := content[0]; precision != 8 {
		return unsupportedError(fmt.Sprintf("of %d bits per sample", precision))
	}
	f.progressive = marker == markerSOF2
	f.height = int(binary.BigEndian.Uint16(content[1:]))
	f.width = int(binary.BigEndian.Uint16(content[3:]))
	count := int(content[5])
	if count != 1 && count != 3 && count != 4 {
		return unsupportedError(fmt.Sprintf("of %d components", count))
	}
	if len(content) != 6+3*count {
		return errFrame
	}
	if f.height == 0 && f.width != 0 {
		return unsupported(markerDNL)
	}
	for c := range slices.Chunk(content[6:], 3) {
		h, v := int(c[1]>>4), int(c[1]&15)
		if h < 1 || h > 4 || v < 1 || v > 4 {
			return errFrame
		}
		f.components = append(f.components, component{id: c[0], h: h, v: v})
	}
	if count == 1 {
		f.components[0].h, f.components[0].v = 1, 1 // T.81, A.2.2: the factors don't matter
	}
	return nil
}

// units returns the numbers of minimum coded units across and down.
func (f *frame) units() (across, down int64) {
	h, v := 8*f.components[0].h, 8*f.components[0].v
	return int64((f.width + h - 1) / h), int64((f.height + v - 1) / v)
}

// blocks returns the number of 8 × 8 blocks of the components.
func (f *frame) blocks() int64 {
	across, down := f.units()
	sum := 0
	for _, c := range f.components {
		sum += c.h * c.v
	}
	return across * down * int64(sum)
}

// scan reads a scan header (T.81, B.2.3) and returns the set of its components.
func (f *frame) scan(content []byte) (set int, err error) {
	if f.components == nil || len(content) < 1 {
		return 0, errScan
	}
	count := int(content[0])
	if count < 1 || count > len(f.components) || len(content) != 4+2*count {
		return 0, errScan
	}
	blocks := 0
	for i := range count {
		index := slices.IndexFunc(f.components, func(c component) bool { return c.id == content[1+2*i] })
		if index < 0 || set&(1<<index) != 0 {
			return 0, errScan
		}
		set |= 1 << index
		blocks += f.components[index].h * f.components[index].v
	}
	across, down := f.units()
	visits := across * down * int64(blocks)
	f.visits += visits
	if parameters := content[1+2*count:]; f.progressive && parameters[0] > 0 && parameters[2]>>4 > 0 {
		f.refines += visits
	}
	return set, nil
}

// unsupportedError says in a sentence why a whole JPEG can't be decoded.
type unsupportedError string

func (e unsupportedError) Error() string { return string(e) }

// unsupported names the JPEG process that a marker stands for (T.81, table B.1).
func unsupported(marker byte) error {
	switch marker {
	case 0xC3:
		return unsupportedError("lossless")
	case 0xC5, 0xC6, 0xC7, 0xDE, 0xDF:
		return unsupportedError("hierarchical")
	case 0xC9, 0xCA, 0xCB, 0xCC:
		return unsupportedError("arithmetic-coded")
	case 0xCD, 0xCE, 0xCF:
		return unsupportedError("hierarchical and arithmetic-coded")
	case 0xF7, 0xF8:
		return unsupportedError("a JPEG-LS")
	case markerDNL:
		return unsupportedError("of a height that only its end tells")
	}
	return fmt.Errorf("marker 0x%02X where none may be", marker)
}
