package photo

import (
	"bytes"
	"image"
	"image/jpeg"
	"math"
	"testing"
)

// A 12 MP photo scaled down is as close to a Lanczos reference as other
// averaging filters are.
func TestScaleQuality(t *testing.T) {
	t.Parallel()
	const width, height = 4000, 3000
	data := encodeJPEG(landscape(width, height), 95)
	img := must(jpeg.Decode(bytes.NewReader(mustRead(t, generous(), data).JPEG()))).(*image.YCbCr)
	source := must(jpeg.Decode(bytes.NewReader(data))).(*image.YCbCr)
	luma := psnr(lanczos(plane{source.Y, source.YStride, width, height}, 1024, 768), plane{img.Y, img.YStride, 1024, 768})
	blue := psnr(lanczos(plane{source.Cb, source.CStride, width / 2, height / 2}, 512, 384), plane{img.Cb, img.CStride, 512, 384})
	t.Logf("PSNR: luma %.1f dB, chroma %.1f dB", luma, blue)
	if luma < 34 || blue < 34 {
		t.Errorf("got %.1f dB and %.1f dB, want at least 34", luma, blue)
	}
}

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

func psnr(want []float64, got plane) float64 {
	sum := 0.0
	for y := range got.height {
		for x, value := range got.row(y) {
			difference := min(max(want[y*got.width+x], 0), 255) - float64(value)
			sum += difference * difference
		}
	}
	return 10 * math.Log10(255*255*float64(len(want))/sum)
}

// lanczos is the reference: a separable windowed sinc of three lobes.
func lanczos(p plane, width, height int) []float64 {
	across, down := lanczosWeights(p.width, width), lanczosWeights(p.height, height)
	rows := make([]float64, width*p.height)
	for y := range p.height {
		row := p.row(y)
		for x, k := range across {
			for i, weight := range k.weights {
				rows[y*width+x] += weight * float64(row[k.first+i])
			}
		}
	}
	out := make([]float64, width*height)
	for y, k := range down {
		for i, weight := range k.weights {
			for x := range width {
				out[y*width+x] += weight * rows[(k.first+i)*width+x]
			}
		}
	}
	return out
}

type kernel struct {
	first   int
	weights []float64
}

func lanczosWeights(from, to int) []kernel {
	sinc := func(x float64) float64 {
		if x == 0 {
			return 1
		}
		return math.Sin(math.Pi*x) / (math.Pi * x)
	}
	scale := float64(from) / float64(to)
	kernels := make([]kernel, to)
	for i := range kernels {
		center := (float64(i) + 0.5) * scale
		first, last := max(int(center-3*scale), 0), min(int(center+3*scale)+1, from)
		k := kernel{first, make([]float64, last-first)}
		sum := 0.0
		for j := range k.weights {
			if x := (float64(first+j) + 0.5 - center) / scale; math.Abs(x) < 3 {
				k.weights[j] = sinc(x) * sinc(x/3)
			}
			sum += k.weights[j]
		}
		for j := range k.weights {
			k.weights[j] /= sum
		}
		kernels[i] = k
	}
	return kernels
}
