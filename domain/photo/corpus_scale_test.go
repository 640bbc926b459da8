package photo_test

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"math/rand/v2"
	"testing"
)

// scenery is a picture like those of phones: smooth light, the noise of a
// sensor, fine texture, and edges as sharp as those of letters.
func scenery(width, height int) *image.RGBA {
	random := rand.New(rand.NewPCG(7, 11))
	return painted(width, height, func(x, y int) color.RGBA {
		across, down := float64(x)/float64(width), float64(y)/float64(height)
		light := 150 + 70*math.Sin(5*across+3*down)*math.Cos(4*down)
		light += 6 * math.Sin(float64(x)/5) * math.Sin(float64(y)/7+10*across) // fabric
		light += 4 * random.NormFloat64()
		if letter(x, y) {
			light *= 0.4
		}
		return color.RGBA{toByte(light), toByte(0.8*light + 30*across), toByte(0.6*light + 60*down), 255}
	})
}

// letter reports whether a pixel is part of a stroke. Upright and leaning
// strokes stand in rows over the middle of a scenery.
func letter(x, y int) bool {
	const row, column, stroke = 120, 70, 9
	inRow, inColumn := y%row, x%column
	if y/row%3 != 1 || inRow < 30 || inRow > 90 {
		return false
	}
	leaning := (inColumn + inRow/3) % 40
	return inColumn < stroke || leaning < stroke-3 || inRow < 30+stroke && inColumn < 45
}

// lanczos3 is the weight of the filter at a distance of x pixels of the result.
func lanczos3(x float64) float64 {
	if x == 0 {
		return 1
	}
	if math.Abs(x) >= 3 {
		return 0
	}
	return 3 * math.Sin(math.Pi*x) * math.Sin(math.Pi*x/3) / (math.Pi * math.Pi * x * x)
}

// lanczos scales a picture down straight by the definition of the filter: first
// each row, then each column.
func lanczos(picture image.Image, width, height int) *image.RGBA {
	size := picture.Bounds().Size()
	across, down := lanczosTaps(size.X, width), lanczosTaps(size.Y, height)
	rows := make([][][3]float64, size.Y)
	for y := range rows {
		rows[y] = acrossRow(picture, y, across)
	}
	return painted(width, height, func(x, y int) color.RGBA {
		var sum [3]float64
		for _, tap := range down[y] {
			for c, value := range rows[tap.index][x] {
				sum[c] += tap.weight * value
			}
		}
		return color.RGBA{toByte(sum[0]), toByte(sum[1]), toByte(sum[2]), 255}
	})
}

func acrossRow(picture image.Image, y int, across [][]tap) [][3]float64 {
	line := make([][3]float64, picture.Bounds().Dx())
	for x := range line {
		r, g, b, _ := picture.At(x, y).RGBA()
		line[x] = [3]float64{float64(r >> 8), float64(g >> 8), float64(b >> 8)}
	}
	row := make([][3]float64, len(across))
	for x, weights := range across {
		for _, tap := range weights {
			for c := range row[x] {
				row[x][c] += tap.weight * line[tap.index][c]
			}
		}
	}
	return row
}

func lanczosTaps(from, to int) [][]tap {
	scale := float64(from) / float64(to)
	centre := func(i int) float64 { return (float64(i) + 0.5) * scale }
	return taps(to, func(i int) (first, last float64) { return centre(i) - 3*scale, centre(i) + 3*scale },
		func(i, index int) float64 { return lanczos3((float64(index) + 0.5 - centre(i)) / scale) }, from)
}

// TestScalingQuality compares a photo with the Lanczos filter, in its colours,
// its luma and its chroma. It is scaled by the factor by which one of 12
// megapixels is, 4000 columns to 1024.
func TestScalingQuality(t *testing.T) {
	t.Parallel()
	if raceDetector {
		t.Skip("arithmetic on one goroutine: run without -race")
	}
	came := encodedAt(t, scenery(1000, 750), 90)
	_, picture := mustRead(t, withSide(256), came)
	if size := picture.Bounds().Size(); size != image.Pt(256, 192) {
		t.Fatalf("got %v, want 256 × 192", size)
	}
	checkNearLanczos(t, "colours", picture, decodePhoto(t, came))
	stored, source := planesOf(t, picture), planesOf(t, decodePhoto(t, came))
	for i, name := range []string{"Y", "Cb", "Cr"} {
		checkNearLanczos(t, name, stored[i], source[i])
	}
}

func checkNearLanczos(t *testing.T, name string, got, source image.Image) {
	t.Helper()
	const good = 38 // dB
	size := got.Bounds().Size()
	reference := lanczos(source, size.X, size.Y)
	apart := distanceBetween(onWhite(got), reference)
	best := distanceBetween(onWhite(decodePhoto(t, encodedAt(t, reference, 85))), reference)
	t.Logf("%s: %v from Lanczos 3; image/jpeg's encoding of the reference: %v", name, apart, best)
	if least := min(good, best.psnr-1); apart.psnr < least {
		t.Errorf("%s: %v from a Lanczos reference, want at least %.1f dB", name, apart, least)
	}
}

// planesOf returns Y, Cb and Cr of a 4:2:0 JPEG as grey pictures.
func planesOf(t *testing.T, picture image.Image) [3]image.Image {
	t.Helper()
	m, ok := picture.(*image.YCbCr)
	if !ok || m.SubsampleRatio != image.YCbCrSubsampleRatio420 {
		t.Fatalf("got %T, want YCbCr 4:2:0", picture)
	}
	half := image.Rect(0, 0, (m.Rect.Dx()+1)/2, (m.Rect.Dy()+1)/2)
	return [3]image.Image{
		&image.Gray{Pix: m.Y, Stride: m.YStride, Rect: m.Rect},
		&image.Gray{Pix: m.Cb, Stride: m.CStride, Rect: half},
		&image.Gray{Pix: m.Cr, Stride: m.CStride, Rect: half},
	}
}

// TestNoAliasing scales stripes one pixel wide, of which only the mean may be left.
func TestNoAliasing(t *testing.T) {
	t.Parallel()
	cases := map[string]func(x, y int) bool{
		"upright":   func(x, _ int) bool { return x%2 == 0 },
		"lying":     func(_, y int) bool { return y%2 == 0 },
		"chequered": func(x, y int) bool { return (x+y)%2 == 0 },
	}
	for name, bright := range cases {
		t.Run(name, func(t *testing.T) {
			stripes := painted(600, 400, func(x, y int) color.RGBA {
				if bright(x, y) {
					return color.RGBA{255, 255, 255, 255}
				}
				return color.RGBA{0, 0, 0, 255}
			})
			for kind, data := range map[string][]byte{"JPEG": encodedAt(t, stripes, 100), "PNG": encodedPNG(t, stripes)} {
				_, picture := mustRead(t, withSide(80), data)
				size := picture.Bounds().Size()
				if apart := distanceBetween(onWhite(picture), blank(size.X, size.Y, color.Gray{127})); apart.mean > 12 {
					t.Errorf("%s: %v from grey", kind, apart)
				}
			}
		})
	}
}

func encodedAt(t testing.TB, picture image.Image, quality int) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := jpeg.Encode(&out, picture, &jpeg.Options{Quality: quality}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
