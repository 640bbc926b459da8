package photo

import (
	"image"
	"testing"
)

// White stays white and black black, whatever the sizes are.
func TestScaleFlat(t *testing.T) {
	t.Parallel()
	for _, value := range []byte{0, 1, 127, 254, 255} {
		for _, size := range []image.Point{{1, 1}, {7, 5}, {100, 1}, {333, 1000}, {65535, 3}} {
			p := newPlane(size.X, size.Y)
			fillWith(p.pix, value)
			for _, to := range []image.Point{{1, 1}, {3, 2}, {5, 5}} {
				out := p.shrink(newGrid(p, to.X, to.Y))
				for _, got := range out.pix {
					if got != value {
						t.Fatalf("%v to %v: got %d, want %d", size, to, got, value)
					}
				}
			}
		}
	}
}
