package jpeg

import "context"

// encoder writes a picture. It has no pointers to itself, so that it stays on the stack.
type encoder struct {
	bitWriter
	quantizers [2][64]byte // in rows, for light and for colour
	divisors   [2]reciprocals
	all        [3]channel
	count      int // channels in use: one or three

	// The current block:
	edge         [64]byte
	coefficients [32]pair
	quotients    [64]int16
}

// channel is a component that is encoded.
type channel struct {
	plane  Plane
	factor int   // the sampling factor, both horizontal and vertical
	table  int   // index of its quantizer and divisors, and of its Huffman tables
	dc     int32 // of the last block
}

func (e *encoder) begin(p Picture, quality int) {
	e.all = [3]channel{{plane: p.Y, factor: 1}, {plane: p.Cb, factor: 1, table: 1}, {plane: p.Cr, factor: 1, table: 1}}
	switch e.count = 3; {
	case p.grey():
		e.count = 1
	case !p.full():
		e.all[0].factor = 2
	}
	for i := range e.quantizers {
		e.quantizers[i] = scaled(&standardQuantizers[i], quality)
		e.divisors[i] = newReciprocals(&e.quantizers[i])
	}
}

func (e *encoder) channels() []channel { return e.all[:e.count] }

// scan writes the entropy-coded data.
func (e *encoder) scan(ctx context.Context) error {
	y := e.all[0].plane
	size := 8 * e.all[0].factor
	for row := range ceilDiv(y.Height, size) {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		for column := range ceilDiv(y.Width, size) {
			e.unit(column, row)
		}
	}
	e.end()
	return nil
}

// unit writes a minimum coded unit (T.81, A.2.3).
func (e *encoder) unit(column, row int) {
	for i := range e.channels() {
		c := &e.all[i]
		for v := range c.factor {
			for h := range c.factor {
				e.encodeBlock(c, 8*(column*c.factor+h), 8*(row*c.factor+v))
			}
		}
	}
}

// encodeBlock writes the block of c whose first sample is in column x and row y.
func (e *encoder) encodeBlock(c *channel, x, y int) {
	samples, stride := c.plane.block(x, y, &e.edge)
	forward(samples, stride, &e.coefficients)
	nonzero := e.divisors[c.table].quantize(&e.coefficients, &e.quotients)
	dc := int32(e.quotients[0])
	e.block(dc-c.dc, &e.quotients, nonzero, &standardCodewords[2*c.table], &standardCodewords[2*c.table+1])
	c.dc = dc
}

// block returns the samples of a block from (x, y) on, and their stride. A block
// that exceeds the plane is completed in edge.
func (p Plane) block(x, y int, edge *[64]byte) (samples []byte, stride int) {
	if x+8 <= p.Width && y+8 <= p.Height {
		return p.Pix[y*p.Stride+x:], p.Stride
	}
	for i := range edge {
		column, row := min(x+i%8, p.Width-1), min(y+i/8, p.Height-1)
		edge[i] = p.Pix[row*p.Stride+column]
	}
	return edge[:], 8
}
