package jpeg_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	stdjpeg "image/jpeg"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fleetphoto/fleetphoto/domain/photo/jpeg"
)

// grey is a picture of float samples, by rows.
type grey struct {
	width, height int
	pix           []float64
}

// drawn is the picture whose pixels at returns.
func drawn(width, height int, at func(x, y float64) float64) *image.Gray {
	out := image.NewGray(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			out.SetGray(x, y, color.Gray{Y: uint8(rounded(at(float64(x), float64(y))))})
		}
	}
	return out
}

func rounded(sample float64) float64 { return math.Round(min(max(sample, 0), 255)) }

// encoded returns a picture as a JPEG.
func encoded(t testing.TB, picture image.Image, quality int) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := stdjpeg.Encode(&out, picture, &stdjpeg.Options{Quality: quality}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// decoded returns the first component of a JPEG at a scale, and the size of the
// whole picture.
func decoded(t testing.TB, data []byte, scale jpeg.Scale) (plane grey, width, height int) {
	t.Helper()
	file, err := jpeg.Clean(bytes.Clone(data), nil)
	if err != nil {
		t.Fatal(err)
	}
	plane.width, plane.height = file.PlaneSize(0, scale)
	err = file.Decode(t.Context(), scale, func(component, _ int, rows jpeg.Plane) error {
		for y := range rows.Height {
			if component == 0 {
				for _, sample := range rows.Row(y) {
					plane.pix = append(plane.pix, float64(sample))
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return plane, file.Width, file.Height
}

// tap is the weight of a sample in a sample of the result.
type tap struct {
	index  int
	weight float64
}

// boxTaps average over step samples.
func boxTaps(samples, count int, step float64) [][]tap {
	return taps(samples, count, func(i int) (from, to float64) { return float64(i) * step, float64(i+1) * step },
		func(i, index int) float64 {
			return min(float64(i+1)*step, float64(index+1)) - max(float64(i)*step, float64(index))
		})
}

// lanczosTaps are those of the Lanczos filter with three lobes.
func lanczosTaps(samples, count int, step float64) [][]tap {
	centre := func(i int) float64 { return (float64(i) + 0.5) * step }
	return taps(samples, count, func(i int) (from, to float64) { return centre(i) - 3*step, centre(i) + 3*step },
		func(i, index int) float64 {
			x := math.Pi * (float64(index) + 0.5 - centre(i)) / step
			if x == 0 {
				return 1
			}
			if math.Abs(x) >= 3*math.Pi {
				return 0
			}
			return 3 * math.Sin(x) * math.Sin(x/3) / (x * x)
		})
}

func taps(samples, count int, span func(i int) (from, to float64), weigh func(i, index int) float64) [][]tap {
	out := make([][]tap, count)
	for i := range out {
		from, to := span(i)
		sum := 0.0
		for index := max(int(math.Floor(from)), 0); index < min(int(math.Ceil(to)), samples); index++ {
			out[i] = append(out[i], tap{index, weigh(i, index)})
			sum += weigh(i, index)
		}
		for n := range out[i] {
			out[i][n].weight /= sum
		}
	}
	return out
}

// apply scales a picture by horizontal and vertical taps.
func (g grey) apply(across, down [][]tap) grey {
	lines := make([]float64, g.height*len(across))
	for y := range g.height {
		for x, all := range across {
			for _, tap := range all {
				lines[y*len(across)+x] += tap.weight * g.pix[y*g.width+tap.index]
			}
		}
	}
	out := grey{len(across), len(down), make([]float64, len(across)*len(down))}
	for y, all := range down {
		for x := range across {
			sum := 0.0
			for _, tap := range all {
				sum += tap.weight * lines[tap.index*len(across)+x]
			}
			out.pix[y*out.width+x] = rounded(sum)
		}
	}
	return out
}

// psnr returns the PSNR in dB.
func (g grey) psnr(other grey) float64 {
	sum := 0.0
	for i, sample := range g.pix {
		sum += (sample - other.pix[i]) * (sample - other.pix[i])
	}
	return 10 * math.Log10(255*255*float64(len(g.pix))/sum)
}

// steps returns how many samples of a plane at a scale become one of count samples.
func steps(pixels, count int, scale jpeg.Scale) float64 {
	return float64(pixels) * float64(scale) / 8 / float64(count)
}

// finished scales a JPEG's first component down by ratio: decoded at a scale,
// then filtered.
func finished(t testing.TB, data []byte, scale jpeg.Scale, ratio float64, filter func(samples, count int, step float64) [][]tap) grey {
	t.Helper()
	plane, width, height := decoded(t, data, scale)
	columns, rows := int(math.Round(float64(width)/ratio)), int(math.Round(float64(height)/ratio))
	return plane.apply(filter(plane.width, columns, steps(width, columns, scale)), filter(plane.height, rows, steps(height, rows, scale)))
}

// TestScaledPhotos compares photos that are decoded at a smaller scale and then
// filtered by Lanczos with photos that are decoded whole and filtered.
func TestScaledPhotos(t *testing.T) {
	t.Parallel()
	cases := []struct {
		scale jpeg.Scale
		ratio float64
		least float64 // dB
	}{{4, 3, 41}, {4, 3.9, 44}, {4, 6, 48}, {2, 8, 40}, {2, 12, 42}}
	for name, data := range photos(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, c := range cases {
				want := finished(t, data, 8, c.ratio, lanczosTaps)
				if min(want.width, want.height) < 8 {
					continue
				}
				if got := finished(t, data, c.scale, c.ratio, lanczosTaps).psnr(want); got < c.least {
					t.Errorf("%d/8, then 1:%v: %.1f dB, want %v", c.scale, c.ratio, got, c.least)
				}
			}
		})
	}
}

// photos are the photos of the standard library and goexif, without those that
// are cut off on purpose, and a larger one.
func photos(t *testing.T) map[string][]byte {
	t.Helper()
	folders, err := exec.CommandContext(t.Context(), "go", "list", "-f", "{{.Dir}}", "image", "github.com/rwcarlsen/goexif/exif").Output()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]byte{"scenery": encoded(t, scenery(800, 600), 90)}
	for i, folder := range strings.Fields(string(folders)) {
		names, err := filepath.Glob(filepath.Join(folder, []string{"testdata/*.jpeg", "samples/*.jpg"}[i]))
		if err != nil || len(names) < 20 {
			t.Fatalf("%d photos in %s, want at least 20; %v", len(names), folder, err)
		}
		for _, name := range names {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := stdjpeg.Decode(bytes.NewReader(data)); err == nil {
				all[filepath.Base(name)] = data
			}
		}
	}
	return all
}

// scenery is a picture like those of phones: smooth light, the noise of a
// sensor, fine texture, and edges.
func scenery(width, height int) *image.Gray {
	random := rand.New(rand.NewPCG(7, 11))
	return drawn(width, height, func(x, y float64) float64 {
		light := 150 + 70*math.Sin(5*x/float64(width)+3*y/float64(height)) + 6*math.Sin(x/5)*math.Sin(y/7) + 4*random.NormFloat64()
		if upright, leaning := math.Mod(x, 70) < 9, math.Mod(x+y/3, 40) < 6; int(y)/120%3 == 1 && (upright || leaning) {
			light *= 0.4
		}
		return light
	})
}

// TestScaledStripes compares stripes and zone plates, decoded at a smaller scale
// and filtered by Lanczos, with area averages of the whole pictures. Each must
// be good, or at most 1 dB worse than the filtered whole picture.
func TestScaledStripes(t *testing.T) {
	t.Parallel()
	const good = 34 // dB
	ratios := map[jpeg.Scale][]float64{4: {3.5, 3.9, 4.5, 6}, 2: {14}}
	for name, light := range stripes() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := encoded(t, drawn(stripesSide, stripesSide, light), 92)
			for scale, ratios := range ratios {
				for _, ratio := range ratios {
					want := finished(t, data, 8, ratio, lanczosTaps)
					least := min(good, finished(t, data, 8, ratio, boxTaps).psnr(want)-1)
					if got := finished(t, data, scale, ratio, lanczosTaps).psnr(want); got < least {
						t.Errorf("%d/8, then 1:%v: %.1f dB, want %.1f", scale, ratio, got, least)
					}
				}
			}
		})
	}
}

const stripesSide = 192

// stripes return the light of pixels: zone plates, and waves and bars of many
// periods and directions.
func stripes() map[string]func(x, y float64) float64 {
	zone := func(finest float64) func(x, y float64) float64 {
		return func(x, y float64) float64 {
			x, y = x-stripesSide/2, y-stripesSide/2
			return 127.5 + 127.5*math.Cos(2*math.Pi*(x*x+y*y)/stripesSide/finest)
		}
	}
	all := map[string]func(x, y float64) float64{"zone plate to 2": zone(2), "zone plate to 4": zone(4)}
	for _, period := range []float64{2, 2.5, 3, 4, 5, 6, 8, 10, 16} {
		for _, degrees := range []float64{0, 10, 45} {
			sin, cos := math.Sincos(degrees * math.Pi / 180)
			phase := func(x, y float64) float64 { return math.Mod((cos*x+sin*y)/period, 1) }
			all[fmt.Sprintf("waves of %v at %v°", period, degrees)] = func(x, y float64) float64 {
				return 127.5 + 100*math.Cos(2*math.Pi*phase(x, y))
			}
			all[fmt.Sprintf("bars of %v at %v°", period, degrees)] = func(x, y float64) float64 {
				return 30 + 195*math.Round(phase(x, y))
			}
		}
	}
	return all
}
