package photo_test

import (
	"bytes"
	"compress/bzip2"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	_ "image/gif"
	_ "image/jpeg"
	_ "image/png"
	"io"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rwcarlsen/goexif/exif"
	_ "golang.org/x/image/webp"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/photo"
)

// sample is a file of a corpus.
type sample struct {
	name string // corpus/file
	data []byte
}

// corpora are folders of files that other people made, by short names. The
// caller may change the map.
func corpora(t testing.TB) map[string]string {
	t.Helper()
	folders, err := corpusFolders()
	if err != nil {
		t.Fatal(err)
	}
	return maps.Clone(folders)
}

// corpusFolders asks the go command for the folders of the packages that the
// corpora belong to.
var corpusFolders = sync.OnceValues(func() (map[string]string, error) {
	listing, err := run(context.Background(), "go", "list", "-f", "{{.Dir}}",
		"image", "image/png", "golang.org/x/image/webp", "github.com/rwcarlsen/goexif/exif")
	if err != nil {
		return nil, err
	}
	folders := strings.Fields(listing)
	if len(folders) != 4 {
		return nil, fmt.Errorf("go list gives %q, want 4 folders", folders)
	}
	return map[string]string{
		"image":    filepath.Join(folders[0], "testdata"),
		"png":      filepath.Join(folders[1], "testdata"),
		"pngsuite": filepath.Join(folders[1], "testdata", "pngsuite"),
		"ximage":   filepath.Join(filepath.Dir(folders[2]), "testdata"),
		"goexif":   filepath.Join(folders[3], "samples"),
	}, nil
})

// corpusFile reads one file of a corpus.
func corpusFile(t testing.TB, corpus, name string) []byte {
	t.Helper()
	return readFile(t, corpora(t)[corpus], name)
}

func readFile(t testing.TB, folder, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// run runs a program and returns its output.
func run(ctx context.Context, program string, arguments ...string) (string, error) {
	var complaint bytes.Buffer
	command := exec.CommandContext(ctx, program, arguments...)
	command.Stderr = &complaint
	out, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("%v: %w: %s", command.Args, err, complaint.Bytes())
	}
	return string(out), nil
}

func mustRun(t testing.TB, program string, arguments ...string) {
	t.Helper()
	if _, err := run(t.Context(), program, arguments...); err != nil {
		t.Fatal(err)
	}
}

// samples reads all files of a corpus.
func samples(t testing.TB, corpus, folder string) []sample {
	t.Helper()
	files, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var all []sample
	for _, file := range files {
		if file.IsDir() {
			continue
		}
		data := readFile(t, folder, file.Name())
		if strings.HasSuffix(file.Name(), ".bz2") {
			if data, err = io.ReadAll(bzip2.NewReader(bytes.NewReader(data))); err != nil {
				t.Fatal(err)
			}
		}
		all = append(all, sample{corpus + "/" + file.Name(), data})
	}
	return all
}

// productLimits are the default limits of a server.
func productLimits() photo.Limits {
	return photo.Limits{MaxBytes: 10 << 20, MaxPixels: 50_000_000, MaxDimension: 1024, Verify: photo.VerifyDecode}
}

// withSide are the default limits with another MaxDimension.
func withSide(side int) photo.Limits {
	limits := productLimits()
	limits.MaxDimension = side
	return limits
}

// read reads a copy of data, as Read may change it.
func read(t testing.TB, limits photo.Limits, data []byte) (domain.Photo, error) {
	got, _, err := photo.NewReader(limits, runtime.GOMAXPROCS(0)).Read(t.Context(), 689, bytes.Clone(data))
	return got, err
}

// mustRead reads a file that must be accepted, and checks what is promised of
// every photo.
func mustRead(t testing.TB, limits photo.Limits, data []byte) (domain.Photo, image.Image) {
	t.Helper()
	got, err := read(t, limits, data)
	if err != nil {
		t.Fatal(err)
	}
	picture, err := checkStored(got, limits)
	if err != nil {
		t.Fatal(err)
	}
	return got, picture
}

// decoded is a file as the standard library and golang.org/x/image decode it.
type decoded struct {
	picture image.Image
	upright *image.RGBA // on white, turned as goexif reads its EXIF
	isJPEG  bool
	turned  bool
}

// kept reports whether the file is stored with its own pixels.
func (d decoded) kept(limits photo.Limits) bool {
	size := d.picture.Bounds().Size()
	small := limits.MaxDimension == 0 || max(size.X, size.Y) <= limits.MaxDimension
	switch d.picture.(type) {
	case *image.Gray, *image.YCbCr:
		return d.isJPEG && small && !d.turned
	}
	return false
}

// scaled is the picture scaled as promised: JPEGs with the Lanczos filter,
// others by averaging.
func (d decoded) scaled(width, height int) *image.RGBA {
	if d.isJPEG {
		return lanczos(d.upright, width, height)
	}
	return averaged(d.upright, width, height)
}

// fullRange corrects the colours of a lossy WebP: golang.org/x/image/webp
// returns samples in ITU-R BT.601's studio range as image.YCbCr, which has
// JPEG's full range.
func fullRange(picture image.Image, format string) image.Image {
	if format != "webp" {
		return picture
	}
	switch m := picture.(type) {
	case *image.YCbCr:
		return coloured(m, func(int, int) uint8 { return 255 })
	case *image.NYCbCrA:
		return coloured(&m.YCbCr, func(x, y int) uint8 { return m.A[m.AOffset(x, y)] })
	}
	return picture
}

func coloured(m *image.YCbCr, alpha func(x, y int) uint8) image.Image {
	picture := image.NewNRGBA(m.Rect)
	fill(picture, func(x, y int) color.Color {
		at := m.COffset(x, y)
		light := 255.0 / 219 * (float64(m.Y[m.YOffset(x, y)]) - 16)
		blue, red := 255.0/224*(float64(m.Cb[at])-128), 255.0/224*(float64(m.Cr[at])-128)
		return color.NRGBA{toByte(light + 1.402*red), toByte(light - 0.344136*blue - 0.714136*red), toByte(light + 1.772*blue), alpha(x, y)}
	})
	return picture
}

// corrected converts a PNG to sRGB if its gAMA says that its samples are linear,
// as in many files of pngsuite.
func corrected(picture image.Image, data []byte) image.Image {
	const linear = "\x00\x00\x00\x04gAMA\x00\x01\x86\xa0"
	if !bytes.Contains(data, []byte(linear)) {
		return picture
	}
	encode := func(sample uint16) uint16 {
		light := float64(sample) / 0xFFFF
		if light <= 0.0031308 {
			return uint16(0xFFFF * 12.92 * light)
		}
		return uint16(0xFFFF * (1.055*math.Pow(light, 1/2.4) - 0.055))
	}
	size := picture.Bounds().Size()
	out := image.NewNRGBA64(image.Rectangle{Max: size})
	fill(out, func(x, y int) color.Color {
		c := color.NRGBA64Model.Convert(picture.At(x, y)).(color.NRGBA64)
		return color.NRGBA64{encode(c.R), encode(c.G), encode(c.B), c.A}
	})
	return out
}

func decodeByOthers(data []byte) (decoded, error) {
	picture, format, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return decoded{}, err
	}
	orientation := 1
	if found, err := exif.Decode(bytes.NewReader(data)); err == nil && format == "jpeg" {
		orientation = orientationOf(found)
	}
	return decoded{
		picture: picture,
		upright: turned(onWhite(corrected(fullRange(picture, format), data)), orientation),
		isJPEG:  format == "jpeg",
		turned:  orientation != 1,
	}, nil
}

// forgiven are files with all pixels that lack their end or have a wrong checksum
// after the pixels. Browsers show them, but the standard library doesn't.
var forgiven = []string{"png/invalid-noend.png", "png/invalid-trunc.png", "png/invalid-zlib.png"}

// TestCorpora reads files that other people made to test decoders. Those that
// the standard library can't decode must be refused, except forgiven. The others
// must be stored unchanged, or as closely as a JPEG allows.
func TestCorpora(t *testing.T) {
	t.Parallel()
	refused := map[string]int{"png": 4, "pngsuite": 30, "ximage": 20, "goexif": 40} // at least
	for corpus, folder := range corpora(t) {
		t.Run(corpus, func(t *testing.T) {
			t.Parallel()
			broken := 0
			for _, s := range samples(t, corpus, folder) {
				want, err := decodeByOthers(s.data)
				if err != nil {
					broken++
					_, refusal := read(t, productLimits(), s.data)
					if slices.Contains(forgiven, s.name) && refusal == nil {
						continue
					}
					if refusal := checkRefused(refusal); refusal != nil || slices.Contains(forgiven, s.name) {
						t.Errorf("%s, which a decoder refuses with %v: %v", s.name, err, refusal)
					}
					continue
				}
				t.Run(filepath.Base(s.name), func(t *testing.T) { checkSample(t, s, want) })
			}
			if broken < refused[corpus] {
				t.Errorf("found %d broken or foreign files, want at least %d: the corpus has changed", broken, refused[corpus])
			}
		})
	}
}

// checkSample reads a good file at the default size and very small. A file that
// is larger than the default size is also read at its own.
func checkSample(t *testing.T, s sample, want decoded) {
	t.Helper()
	sides := []int{1024, 40}
	if size := want.upright.Bounds().Size(); max(size.X, size.Y) > 1024 {
		sides = append(sides, 0)
	}
	for _, side := range sides {
		limits := withSide(side)
		got, picture := mustRead(t, limits, s.data)
		size := scaledSize(want.upright.Bounds().Size(), side)
		if err := checkScaledSize(picture.Bounds().Size(), size); err != nil {
			t.Errorf("at most %d: %v", side, err)
			continue
		}
		if want.kept(limits) {
			if !samePixels(picture, want.picture) {
				t.Errorf("at most %d: the photo is kept, but its pixels differ from those of the file", side)
			}
			continue
		}
		reference, slack := want.upright, sameSizeSlack
		if size != want.upright.Bounds().Size() {
			size = picture.Bounds().Size()
			reference, slack = want.scaled(size.X, size.Y), scaledSlack
		}
		if err := checkFaithful(onWhite(picture), reference, slack); err != nil {
			t.Errorf("at most %d: %v (%d bytes)", side, err, len(got.JPEG()))
		}
	}
}

// How many dB a photo may be worse than image/jpeg's output of the same
// reference: for rounding alone, and for another filter.
const (
	sameSizeSlack = 1.0
	scaledSlack   = 4.0
)

// scaledSize is size with its longest side at most side, the other in proportion.
func scaledSize(size image.Point, side int) image.Point {
	longest := max(size.X, size.Y)
	if side == 0 || longest <= side {
		return size
	}
	scale := func(length int) int {
		return max(1, int(math.Round(float64(length)*float64(side)/float64(longest))))
	}
	return image.Pt(scale(size.X), scale(size.Y))
}

// checkScaledSize wants the longest side to be exact, and the other within a pixel.
func checkScaledSize(got, want image.Point) error {
	apart := max(got.X-want.X, want.X-got.X, got.Y-want.Y, want.Y-got.Y)
	if max(got.X, got.Y) != max(want.X, want.Y) || apart > 1 {
		return errors.New("got " + got.String() + ", want " + want.String())
	}
	return nil
}

func samePixels(a, b image.Image) bool {
	switch a := a.(type) {
	case *image.Gray:
		b, ok := b.(*image.Gray)
		return ok && a.Rect == b.Rect && bytes.Equal(a.Pix, b.Pix)
	case *image.YCbCr:
		b, ok := b.(*image.YCbCr)
		return ok && a.Rect == b.Rect && a.SubsampleRatio == b.SubsampleRatio &&
			bytes.Equal(a.Y, b.Y) && bytes.Equal(a.Cb, b.Cb) && bytes.Equal(a.Cr, b.Cr)
	}
	return false
}
