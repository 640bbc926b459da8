package jpeg

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestKinds decodes every kind of file. At each scale the planes must be those
// of the float64 reference, and at full size those of image/jpeg if it supports
// the file.
func TestKinds(t *testing.T) {
	t.Parallel()
	for _, c := range kinds() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			file := c.recipe.write()
			for _, scale := range scales {
				f, got := mustDecode(t, file.data, scale)
				for i := range got {
					if err := checkClose(got[i], file.reference(i, int(scale))); err != nil {
						t.Errorf("scale %d, component %d: %v", scale, i, err)
					}
				}
				if scale < 8 {
					continue
				}
				picture, err := standardDecode(file.data)
				if c.standard != (err == nil) {
					t.Fatalf("image/jpeg says %v", err)
				}
				if err == nil {
					err = checkLikeStandard(f, got, picture, false)
				}
				if err != nil && c.standard {
					t.Error(err)
				}
			}
		})
	}
}

// corpus reads the JPEGs of the image package and of goexif.
func corpus(t testing.TB) map[string][]byte {
	t.Helper()
	listing, err := exec.CommandContext(t.Context(), "go", "list", "-f", "{{.Dir}}", "image", "github.com/rwcarlsen/goexif/exif").Output()
	if err != nil {
		t.Fatal(err)
	}
	folders := strings.Fields(string(listing))
	files := map[string][]byte{}
	for _, pattern := range []string{filepath.Join(folders[0], "testdata", "*.jpeg"), filepath.Join(folders[1], "samples", "*.jpg")} {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) < 20 {
			t.Fatalf("found %d files %s: %v", len(names), pattern, err)
		}
		for _, name := range names {
			if files[filepath.Base(name)], err = os.ReadFile(name); err != nil {
				t.Fatal(err)
			}
		}
	}
	return files
}

// TestCorpus reads the files of other encoders as image/jpeg does, and refuses
// those that image/jpeg refuses.
func TestCorpus(t *testing.T) {
	t.Parallel()
	for name, data := range corpus(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			picture, err := standardDecode(data)
			if err != nil {
				if _, mine := cleanAndCheck(t, data); mine == nil {
					t.Errorf("it is accepted; image/jpeg says %v", err)
				}
				return
			}
			f, got := mustDecode(t, data, 8)
			if err := checkLikeStandard(f, got, picture, false); err != nil {
				t.Error(err)
			}
			if err := f.Check(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// djpeg decodes a file with libjpeg. Without djpeg the test is skipped, or fails
// if the environment requires encoders.
func djpeg(t *testing.T, data []byte, options ...string) Plane {
	t.Helper()
	path, err := exec.LookPath("djpeg")
	if errors.Is(err, exec.ErrNotFound) {
		if slices.Contains(strings.Split(os.Getenv("FLEETPHOTO_REQUIRE"), ","), "encoders") {
			t.Fatal("FLEETPHOTO_REQUIRE requires encoders, and djpeg is not installed")
		}
		t.Skip("djpeg is not installed: what it reads was not compared")
	}
	command := exec.CommandContext(t.Context(), path, append(options, "-dct", "int", "-nosmooth", "-pnm")...)
	command.Stdin = bytes.NewReader(data)
	out, err := command.Output()
	const warned = 2 // for example, of junk between segments
	if err != nil && command.ProcessState.ExitCode() != warned {
		t.Fatalf("%v: %v", command.Args, err)
	}
	var kind byte
	var p Plane
	if _, err := fmt.Sscanf(string(out), "P%c\n%d %d\n255\n", &kind, &p.Width, &p.Height); err != nil {
		t.Fatal(err)
	}
	if kind == '6' {
		p.Width *= 3
	}
	p.Stride, p.Pix = p.Width, out[len(out)-p.Width*p.Height:]
	return p
}

// TestLikeLibjpeg compares with libjpeg, which reads nearly everything: the luma
// of YCbCr, and the colours of RGB.
func TestLikeLibjpeg(t *testing.T) {
	t.Parallel()
	for _, c := range kinds() {
		if len(c.recipe.sampling) == 4 || c.recipe.dnl || c.fractional() || c.recipe.noEOI && c.recipe.trailer != "" {
			continue // djpeg writes no CMYK; libjpeg supports neither DNL nor ratios such as 3:2, and reads on to EOI
		}
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			data := c.recipe.write().data
			f, got := mustDecode(t, data, 8)
			options, samples := []string{"-grayscale"}, 1
			if f.Model == RGB {
				options, samples = nil, 3
			}
			want := djpeg(t, data, options...)
			mine := Plane{Stride: want.Width, Width: want.Width, Height: f.Height}
			for i := range f.Width * f.Height {
				mine.Pix = append(mine.Pix, got.pixel(f, i%f.Width, i/f.Width)[:samples]...)
			}
			if err := checkClose(mine, want); err != nil {
				t.Error(err)
			}
		})
	}
}

// fractional reports whether a component's factors don't divide the largest ones
// of the frame.
func (c kind) fractional() bool {
	file := written{recipe: c.recipe}
	for i := range c.recipe.sampling {
		if h, v, hMax, vMax := file.factors(i); hMax%h != 0 || vMax%v != 0 {
			return true
		}
	}
	return false
}
