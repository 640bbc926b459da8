package photo_test

import (
	"bytes"
	"encoding/binary"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"golang.org/x/image/draw"
	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"

	"github.com/fleetphoto/fleetphoto/domain"
)

var sheetFile = flag.String("sheet", "", "the PNG to which TestSheet draws what came and what is stored of every photo of the corpora")

// The measures of a sheet, in pixels.
const (
	thumbnail  = 128 // longest side of a photo on the sheet
	lineHeight = 13
	cellWidth  = 2*thumbnail + 12
	cellHeight = thumbnail + 3*lineHeight + 8
	letters    = (cellWidth - 6) / 7 // that fit into a line
	perRow     = 6
)

// cell is one photo on the sheet: the file, and the photo or why it was refused.
type cell struct {
	name          string
	before, after image.Image // nil: it can't be decoded, it was refused
	words         string
}

// TestSheet draws files and their photos side by side for a person to look at:
// all corpora with -sheet, a few photos without.
func TestSheet(t *testing.T) {
	t.Parallel()
	all := sheetSamples(t)
	if *sheetFile == "" {
		all = all[:8]
	}
	var cells []cell
	refused := map[string]bool{}
	for _, s := range all {
		drawn := sheetCell(t, s)
		why := path.Dir(s.name) + drawn.words
		if drawn.after == nil && refused[why] {
			continue // one of many similar files is enough
		}
		refused[why] = drawn.after == nil
		cells = append(cells, drawn)
	}
	drawn := encodedPNG(t, sheet(cells))
	if _, err := png.Decode(bytes.NewReader(drawn)); err != nil {
		t.Fatal(err)
	}
	if *sheetFile == "" {
		return
	}
	if err := os.WriteFile(*sheetFile, drawn, 0o644); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d photos in %s", len(cells), *sheetFile)
}

// sheetSamples are photos of a phone in every orientation, files of the encoders
// that are installed, and the corpora.
func sheetSamples(t *testing.T) []sample {
	t.Helper()
	var all []sample
	for orientation := 1; orientation <= 8; orientation++ {
		upright := scenery(160, 120)
		label(upright, image.Pt(8, 16), "upright", color.White)
		all = append(all, sample{fmt.Sprintf("phone/orientation %d", orientation), phonePhoto(t, upright, binary.BigEndian, orientation)})
	}
	if *sheetFile == "" {
		return all
	}
	for _, m := range accepted {
		t.Run(m.name, func(t *testing.T) { all = append(all, sample{"made/" + m.name, m.make(t)}) })
	}
	folders := corpora(t)
	for _, corpus := range slices.Sorted(maps.Keys(folders)) {
		for _, s := range samples(t, corpus, folders[corpus]) {
			if isPicture(s.name) {
				all = append(all, s)
			}
		}
	}
	return all
}

func isPicture(name string) bool {
	return slices.Contains([]string{".jpg", ".jpeg", ".png", ".gif", ".webp", ".tiff", ".bmp"}, path.Ext(name))
}

func sheetCell(t *testing.T, s sample) cell {
	t.Helper()
	drawn := cell{name: s.name}
	if before, format, err := image.Decode(bytes.NewReader(s.data)); err == nil {
		drawn.before = fullRange(before, format)
		drawn.words = fmt.Sprintf("%s %d×%d %dK", format, before.Bounds().Dx(), before.Bounds().Dy(), len(s.data)>>10)
	}
	got, err := read(t, withSide(thumbnail), s.data)
	if err != nil {
		drawn.words = strings.TrimPrefix(domain.AsError(err).Public, "photo_base64: ")
		return drawn
	}
	drawn.after = decodePhoto(t, got.JPEG())
	drawn.words += fmt.Sprintf(" > %d×%d %dK", got.Info().Width, got.Info().Height, got.Info().Size>>10)
	return drawn
}

func sheet(cells []cell) *image.RGBA {
	rows := (len(cells) + perRow - 1) / perRow
	whole := blank(perRow*cellWidth, rows*cellHeight, color.RGBA{236, 236, 232, 255})
	for i, c := range cells {
		c.draw(whole, image.Pt(i%perRow*cellWidth+4, i/perRow*cellHeight+4))
	}
	return whole
}

func (c cell) draw(whole *image.RGBA, corner image.Point) {
	label(whole, corner.Add(image.Pt(0, lineHeight-3)), c.name[:min(len(c.name), letters)], color.Black)
	ink := color.RGBA{70, 70, 70, 255}
	if c.after == nil {
		ink = color.RGBA{190, 0, 0, 255}
	}
	for line, words := 0, []rune(strings.ReplaceAll(c.words, "×", "x")); line < 2 && len(words) > 0; line++ {
		end := min(len(words), letters)
		label(whole, corner.Add(image.Pt(0, (line+2)*lineHeight-3)), string(words[:end]), ink)
		words = words[end:]
	}
	for i, picture := range []image.Image{c.before, c.after} {
		place := image.Rect(0, 0, thumbnail, thumbnail).Add(corner).Add(image.Pt(i*(thumbnail+4), 3*lineHeight))
		if picture == nil {
			draw.Draw(whole, place.Inset(thumbnail/2-4), image.NewUniform(color.RGBA{190, 0, 0, 255}), image.Point{}, draw.Src)
			continue
		}
		size := scaledSize(picture.Bounds().Size(), thumbnail)
		draw.CatmullRom.Scale(whole, image.Rectangle{Min: place.Min, Max: place.Min.Add(size)}, onWhite(picture), image.Rectangle{Max: picture.Bounds().Size()}, draw.Src, nil)
	}
}

// label writes a line of text at a place.
func label(picture *image.RGBA, at image.Point, words string, ink color.Color) {
	writer := font.Drawer{Dst: picture, Src: image.NewUniform(ink), Face: basicfont.Face7x13, Dot: fixed.P(at.X, at.Y)}
	writer.DrawString(words)
}
