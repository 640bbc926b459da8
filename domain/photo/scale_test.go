package photo

import (
	"bytes"
	"fmt"
	"image"
	"math"
	"math/rand/v2"
	"testing"
)

// White stays white and black stays black at all sizes.
func TestScaleFlat(t *testing.T) {
	t.Parallel()
	for _, value := range []byte{0, 1, 127, 254, 255} {
		for _, size := range []image.Point{{1, 1}, {7, 5}, {100, 1}, {333, 1000}, {65535, 3}} {
			row := bytes.Repeat([]byte{value}, size.X)
			for _, to := range []image.Point{{1, 1}, {3, 2}, {5, 5}} {
				for _, k := range []kernel{area(), lanczos()} {
					a := target{size, to, upright}.scaler(k, grid{size, ratio{1, 1}, ratio{1, 1}}, 1)
					for range size.Y {
						a.push(row)
					}
					if want := bytes.Repeat([]byte{value}, to.X*to.Y); !bytes.Equal(a.out.Pix, want) {
						t.Fatalf("%v to %v: got %d, want %d", size, to, a.out.Pix, value)
					}
				}
			}
		}
	}
}

// Each sample of a scaled and turned plane is the mean of the area that it covers,
// for planes of every density and samples of 1 × 1 and 2 × 2 pixels.
func TestScaleArea(t *testing.T) {
	t.Parallel()
	from, random := image.Pt(74, 46), rand.New(rand.NewPCG(1, 2))
	for _, density := range []ratio{{1, 1}, {1, 2}, {3, 8}} {
		g := grid{image.Pt(ceil(from.X, density), ceil(from.Y, density)), density, density}
		samples := make([]byte, g.samples.X*g.samples.Y)
		for i := range samples {
			samples[i] = byte(random.Uint32())
		}
		for _, to := range []image.Point{from, {37, 23}, {20, 13}, {9, 90}} {
			for per := 1; per <= 2; per++ {
				for o := upright; o <= turnedLeft; o++ {
					t.Run(fmt.Sprint(density, to, per, o), func(t *testing.T) {
						a := target{from, to, o}.scaler(area(), g, per)
						for y := range g.samples.Y {
							a.push(samples[y*g.samples.X:][:g.samples.X])
						}
						checkAverages(t, a, target{from, to, o}, g, per, samples)
					})
				}
			}
		}
	}
}

func ceil(length int, r ratio) int { return (length*r.num + r.den - 1) / r.den }

// checkAverages goes from each sample back to the area that it covers.
func checkAverages(t *testing.T, a *scaler, made target, g grid, per int, samples []byte) {
	t.Helper()
	size := made.to
	if made.orientation.swapsSides() {
		size = image.Pt(size.Y, size.X)
	}
	if a.out.Width != (size.X+per-1)/per || a.out.Height != (size.Y+per-1)/per {
		t.Fatalf("got %d × %d of %v", a.out.Width, a.out.Height, size)
	}
	columns, rows := made.orientation.reverses()
	for y := range a.out.Height {
		for x, got := range a.out.Row(y) {
			area := image.Rect(x*per, y*per, min((x+1)*per, size.X), min((y+1)*per, size.Y))
			if made.orientation.swapsSides() {
				area = image.Rect(area.Min.Y, area.Min.X, area.Max.Y, area.Max.X)
			}
			if columns {
				area.Min.X, area.Max.X = made.to.X-area.Max.X, made.to.X-area.Min.X
			}
			if rows {
				area.Min.Y, area.Max.Y = made.to.Y-area.Max.Y, made.to.Y-area.Min.Y
			}
			if want := mean(area, made, g, samples); math.Abs(float64(got)-want) > 0.51 {
				t.Fatalf("at %d, %d: got %d, want %.2f", x, y, got, want)
			}
		}
	}
}

// mean is the mean of the samples in an area of the scaled picture.
func mean(area image.Rectangle, made target, g grid, samples []byte) float64 {
	left, right := sideOf(area.Min.X, area.Max.X, float64(made.from.X)/float64(made.to.X), g.x, g.samples.X)
	top, bottom := sideOf(area.Min.Y, area.Max.Y, float64(made.from.Y)/float64(made.to.Y), g.y, g.samples.Y)
	covered := func(i int, from, to float64) float64 {
		return max(0, min(to, float64(i+1))-max(from, float64(i)))
	}
	sum, weights := 0.0, 0.0
	for y := int(top); float64(y) < bottom; y++ {
		for x := int(left); float64(x) < right; x++ {
			weight := covered(x, left, right) * covered(y, top, bottom)
			sum += weight * float64(samples[y*g.samples.X+x])
			weights += weight
		}
	}
	return sum / weights
}

// sideOf returns a side of an area, in samples.
func sideOf(from, to int, step float64, density ratio, samples int) (float64, float64) {
	step *= float64(density.num) / float64(density.den)
	return float64(from) * step, min(float64(to)*step, float64(samples))
}
