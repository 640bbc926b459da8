package photo

// orientation says how a picture's rows and columns are shown, as EXIF counts
// it (Exif 2.32, 4.6.4 A, Orientation).
type orientation uint8

// The orientations, by what has to be done to see the picture upright.
const (
	upright     orientation = 1 + iota // nothing
	mirrored                           // swap left and right
	upsideDown                         // turn by 180°
	flipped                            // swap top and bottom
	transposed                         // swap rows and columns
	turnedRight                        // turn by 90° clockwise
	transversed                        // swap rows and columns, then turn by 180°
	turnedLeft                         // turn by 90° counterclockwise
)

// swapsSides says that rows become columns.
func (o orientation) swapsSides() bool { return o >= transposed }

// reverses says whether the columns and the rows of the stored picture are
// shown in the reverse order.
func (o orientation) reverses() (columns, rows bool) {
	switch o {
	case mirrored:
		return true, false
	case upsideDown, transversed:
		return true, true
	case flipped, turnedRight:
		return false, true
	case turnedLeft:
		return true, false
	default:
		return false, false
	}
}

// plane is one component of a picture.
type plane struct {
	pix           []byte
	stride        int
	width, height int
}

func newPlane(width, height int) plane {
	return plane{pix: make([]byte, width*height), stride: width, width: width, height: height}
}

func (p plane) row(y int) []byte { return p.pix[y*p.stride:][:p.width] }

// turn returns p as it is seen upright.
func (p plane) turn(o orientation) plane {
	switch {
	case o == upright:
		return p
	case o.swapsSides():
		return p.transpose(o)
	}
	columns, rows := o.reverses()
	out := newPlane(p.width, p.height)
	for y := range p.height {
		from := y
		if rows {
			from = p.height - 1 - y
		}
		row := out.row(y)
		copy(row, p.row(from))
		if columns {
			reverse(row)
		}
	}
	return out
}

// transpose makes columns of rows, a tile at a time, so that both stay in the cache.
func (p plane) transpose(o orientation) plane {
	const tile = 32
	columns, rows := o.reverses()
	out := newPlane(p.height, p.width)
	for top := 0; top < out.height; top += tile {
		for left := 0; left < out.width; left += tile {
			for y := top; y < min(top+tile, out.height); y++ {
				x, row := y, out.row(y)
				if columns {
					x = p.width - 1 - y
				}
				for i := left; i < min(left+tile, out.width); i++ {
					from := i
					if rows {
						from = p.height - 1 - i
					}
					row[i] = p.pix[from*p.stride+x]
				}
			}
		}
	}
	return out
}

func reverse(row []byte) {
	for i, j := 0, len(row)-1; i < j; i, j = i+1, j-1 {
		row[i], row[j] = row[j], row[i]
	}
}
