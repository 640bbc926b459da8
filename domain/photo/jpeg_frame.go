package photo

import (
	"encoding/binary"
	"errors"
	"fmt"
)

var (
	errFrame = errors.New("the frame header is wrong")
	errScan  = errors.New("a scan header is wrong")
)

// frame is the frame header of a JPEG (ITU-T T.81, B.2.2), and what its scans
// add up to.
type frame struct {
	progressive   bool
	width, height int
	components    []component // nil: no frame came yet
	space         [4]component

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
	f.components = f.space[:count]
	for i := range f.components {
		sampling := content[7+3*i]
		f.components[i] = component{id: content[6+3*i], h: int(sampling >> 4), v: int(sampling & 15)}
	}
	for _, c := range f.components {
		if c.h < 1 || c.h > 4 || c.v < 1 || c.v > 4 {
			return errFrame
		}
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
		index := f.find(content[1+2*i])
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

func (f *frame) find(id byte) int {
	for i, c := range f.components {
		if c.id == id {
			return i
		}
	}
	return -1
}
