package photo_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"math"
	"testing"
)

// onWhite returns picture blended over white, with its corner at the origin.
func onWhite(picture image.Image) *image.RGBA {
	whole := blank(picture.Bounds().Dx(), picture.Bounds().Dy(), color.White)
	draw.Draw(whole, whole.Bounds(), picture, picture.Bounds().Min, draw.Over)
	return whole
}

func blank(width, height int, c color.Color) *image.RGBA {
	picture := image.NewRGBA(image.Rect(0, 0, width, height))
	draw.Draw(picture, picture.Bounds(), image.NewUniform(c), image.Point{}, draw.Src)
	return picture
}

// painted is a picture whose colours a function of the place gives.
func painted(width, height int, at func(x, y int) color.RGBA) *image.RGBA {
	picture := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			picture.SetRGBA(x, y, at(x, y))
		}
	}
	return picture
}

// distance is the difference between two pictures of one size.
type distance struct {
	psnr float64 // dB over red, green and blue; +Inf: identical
	mean float64 // of the absolute differences, in 255ths
}

func (d distance) String() string { return fmt.Sprintf("%.1f dB, mean %.2f", d.psnr, d.mean) }

func distanceBetween(a, b *image.RGBA) distance {
	var squares, sum, count float64
	for y := range a.Rect.Dy() {
		rowA, rowB := a.Pix[y*a.Stride:][:4*a.Rect.Dx()], b.Pix[y*b.Stride:][:4*a.Rect.Dx()]
		for i := range rowA {
			if i%4 == 3 {
				continue // both are opaque
			}
			difference := math.Abs(float64(rowA[i]) - float64(rowB[i]))
			squares += difference * difference
			sum += difference
			count++
		}
	}
	return distance{psnr: 10 * math.Log10(255*255*count/squares), mean: sum / count}
}

// Above this PSNR, only rounding makes a JPEG differ from its source.
const indistinguishable = 42 // dB

// checkFaithful wants got to be nearly as close to want as what image/jpeg makes
// of want at quality 85: at most slack dB worse, and half as much in 255ths.
func checkFaithful(got, want *image.RGBA, slack float64) error {
	if got.Bounds() != want.Bounds() {
		return fmt.Errorf("got %v, want %v", got.Bounds().Max, want.Bounds().Max)
	}
	var encoded bytes.Buffer
	if err := jpeg.Encode(&encoded, want, &jpeg.Options{Quality: 85}); err != nil {
		return err
	}
	plain, err := jpeg.Decode(&encoded)
	if err != nil {
		return err
	}
	best, reached := distanceBetween(onWhite(plain), want), distanceBetween(got, want)
	if reached.psnr < min(best.psnr, indistinguishable)-slack || reached.mean > best.mean+slack/2 {
		return fmt.Errorf("%v from the reference; image/jpeg reaches %v", reached, best)
	}
	return nil
}

// averaged scales picture down, each pixel the mean of the area it covers.
func averaged(picture *image.RGBA, width, height int) *image.RGBA {
	size := picture.Bounds().Size()
	across, down := coverage(size.X, width), coverage(size.Y, height)
	return painted(width, height, func(x, y int) color.RGBA {
		var sum [3]float64
		for _, row := range down[y] {
			for _, column := range across[x] {
				at := picture.PixOffset(column.index, row.index)
				for c := range sum {
					sum[c] += row.weight * column.weight * float64(picture.Pix[at+c])
				}
			}
		}
		return color.RGBA{toByte(sum[0]), toByte(sum[1]), toByte(sum[2]), 255}
	})
}

// tap is the weight of a source pixel in a pixel of the result.
type tap struct {
	index  int
	weight float64
}

// coverage returns, for each pixel of the result, the source pixels that it
// covers. Their weights add up to 1.
func coverage(from, to int) [][]tap {
	scale := float64(from) / float64(to)
	return taps(to, func(i int) (first, last float64) { return float64(i) * scale, float64(i+1) * scale },
		func(i, index int) float64 {
			left, right := math.Max(float64(i)*scale, float64(index)), math.Min(float64(i+1)*scale, float64(index+1))
			return math.Max(0, right-left)
		}, from)
}

// taps returns, for each of count pixels, the source pixels in its span with
// their weights.
func taps(count int, span func(i int) (first, last float64), weigh func(i, index int) float64, from int) [][]tap {
	all := make([][]tap, count)
	for i := range all {
		first, last := span(i)
		var sum float64
		for index := max(0, int(math.Floor(first))); index < min(from, int(math.Ceil(last))); index++ {
			weight := weigh(i, index)
			all[i] = append(all[i], tap{index, weight})
			sum += weight
		}
		for n := range all[i] {
			all[i][n].weight /= sum
		}
	}
	return all
}

func toByte(value float64) uint8 { return uint8(math.Round(min(255, max(0, value)))) }

// decodePhoto decodes with the standard library, or fails the test.
func decodePhoto(t testing.TB, data []byte) image.Image {
	t.Helper()
	picture, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal("image/jpeg refuses the JPEG:", err)
	}
	return picture
}
