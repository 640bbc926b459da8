package jpeg

import (
	"image"
	"math"
)

// sampleAt returns a sample of the picture: waves, a grid of edges and some
// noise, different in each component.
func sampleAt(c, x, y int) float64 {
	fx, fy := float64(x), float64(y)
	value := 120 + 50*math.Sin(fx/(5+float64(c))+float64(c)) + 40*math.Cos(fy/7-fx/(9+3*float64(c)))
	if (x/13+y/11+c)%4 == 0 {
		value += 70
	}
	noise := uint32(x*73856093) ^ uint32(y*19349663) ^ uint32(c*83492791)
	return min(max(value+float64(noise*2654435761>>28), 0), 255)
}

// zigzagOrder tells the column and row of each coefficient (T.81, figure A.6).
var zigzagOrder = func() (order []image.Point) {
	for diagonal := range 15 {
		for i := range diagonal + 1 {
			at := image.Pt(i, diagonal-i)
			if diagonal%2 == 1 {
				at = image.Pt(diagonal-i, i)
			}
			if at.In(image.Rect(0, 0, 8, 8)) {
				order = append(order, at)
			}
		}
	}
	return order
}()

// transform makes the quantized coefficients of all blocks, padding included.
func (f *written) transform() {
	across, down := f.units()
	for c := range f.sampling {
		h, v, _, _ := f.factors(c)
		f.across = append(f.across, across*h)
		blocks := make([][64]int, across*h*down*v)
		for i := range blocks {
			left, top := 8*(i%(across*h)), 8*(i/(across*h))
			for k, at := range zigzagOrder {
				sum := 0.
				for p := range 64 {
					sum += (sampleAt(c, left+p%8, top+p/8) - 128) * cosines[8][p%8][at.X] * cosines[8][p/8][at.Y]
				}
				blocks[i][k] = int(math.Round(sum / float64(f.quantum(c, k))))
			}
		}
		f.blocks = append(f.blocks, blocks)
	}
}

// reference returns a component's plane at n eighths of its size, by a float64
// inverse transform of each block's n×n lowest frequencies.
func (f *written) reference(c, n int) Plane {
	width, height := f.planeSize(c)
	width, height = (width*n+7)/8, (height*n+7)/8
	plane := Plane{Pix: make([]byte, width*height), Stride: width, Width: width, Height: height}
	for y := range height {
		for x := range width {
			block := f.blocks[c][y/n*f.across[c]+x/n]
			sum := 128.
			for k, at := range zigzagOrder {
				if at.X < n && at.Y < n {
					sum += float64(block[k]*f.quantum(c, k)) * cosines[n][x%n][at.X] * cosines[n][y%n][at.Y] * float64(n) / 8
				}
			}
			plane.Pix[y*width+x] = byte(math.Round(min(max(sum, 0), 255)))
		}
	}
	return plane
}
