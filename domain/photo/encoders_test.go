package photo_test

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/image/draw"

	"github.com/fleetphoto/fleetphoto/domain"
)

// made is a picture that another program makes of shot.
type made struct {
	name    string
	program string
	options string  // {in.png}, {alpha.png}, {in.ppm}, {in.gif} are the source, {out.jpg} the result
	kept    bool    // the photo is stored with the pixels of the file
	least   float64 // dB from the source, at least
}

// How close a photo is at least to its source after another encoder, in dB.
const (
	loses     = 32 // quality 90, 4:2:0
	losesMore = 26 // less chroma, few colours, or colours that CMYK doesn't have
	dithered  = 20 // few colours in a pattern, which 4:4:4 shows too
	loseIt    = 20 // no colours
)

// accepted are files of other encoders that must be read.
var accepted = []made{
	{"convert, 4:4:4", "convert", "{in.png} -quality 90 -sampling-factor 1x1 {out.jpg}", true, loses},
	{"convert, 4:2:2", "convert", "{in.png} -quality 90 -sampling-factor 2x1 {out.jpg}", true, loses},
	{"convert, 4:2:0", "convert", "{in.png} -quality 90 -sampling-factor 2x2 {out.jpg}", true, loses},
	{"convert, 4:4:0", "convert", "{in.png} -quality 90 -sampling-factor 1x2 {out.jpg}", true, loses},
	{"convert, 4:1:1", "convert", "{in.png} -quality 90 -sampling-factor 4x1 {out.jpg}", true, losesMore},
	{"convert, 4:1:0", "convert", "{in.png} -quality 90 -sampling-factor 4x2 {out.jpg}", true, losesMore},
	{"convert, progressive", "convert", "{in.png} -quality 90 -interlace JPEG {out.jpg}", true, loses},
	{"convert, progressive, 4:4:0", "convert", "{in.png} -quality 90 -sampling-factor 1x2 -interlace JPEG {out.jpg}", true, loses},
	{"convert, grey", "convert", "{in.png} -colorspace Gray -quality 90 {out.jpg}", true, loseIt},
	{"convert, CMYK", "convert", "{in.png} -colorspace CMYK -quality 90 {out.jpg}", false, losesMore},
	{"convert, CMYK, progressive", "convert", "{in.png} -colorspace CMYK -interlace JPEG -quality 90 {out.jpg}", false, losesMore},
	{"convert, PNG, 16 bits", "convert", "{in.png} -depth 16 -define png:bit-depth=16 {out.png}", false, loses},
	{"convert, PNG, interlaced", "convert", "{in.png} -interlace PNG {out.png}", false, loses},
	{"convert, PNG, palette", "convert", "{in.png} -colors 64 PNG8:{out.png}", false, losesMore},
	{"convert, PNG, grey and alpha", "convert", "{alpha.png} -colorspace Gray {out.png}", false, loseIt},
	{"convert, GIF", "convert", "{in.png} {out.gif}", false, losesMore},
	{"convert, GIF, interlaced", "convert", "{in.png} -interlace GIF {out.gif}", false, losesMore},
	{"convert, GIF, animated", "convert", "-delay 10 {in.png} ( {in.png} -negate ) ( {in.png} -flip ) -loop 0 -layers optimize {out.gif}", false, losesMore},
	{"cjpeg", "cjpeg", "-quality 90 -outfile {out.jpg} {in.ppm}", true, loses},
	{"cjpeg, progressive", "cjpeg", "-quality 90 -progressive -outfile {out.jpg} {in.ppm}", true, loses},
	{"cjpeg, optimised", "cjpeg", "-quality 90 -optimize -outfile {out.jpg} {in.ppm}", true, loses},
	{"cjpeg, grey", "cjpeg", "-quality 90 -grayscale -outfile {out.jpg} {in.ppm}", true, loseIt},
	{"cjpeg, RGB", "cjpeg", "-quality 90 -rgb -outfile {out.jpg} {in.ppm}", false, loses},
	{"cjpeg, restarts", "cjpeg", "-quality 90 -restart 2B -outfile {out.jpg} {in.ppm}", true, loses},
	{"cjpeg, restarts by the row", "cjpeg", "-quality 90 -restart 1 -outfile {out.jpg} {in.ppm}", true, loses},
	{"cjpeg, restarts, progressive", "cjpeg", "-quality 90 -restart 1 -progressive -sample 1x1 -outfile {out.jpg} {in.ppm}", true, loses},
	{"cjpeg, 4x1", "cjpeg", "-quality 90 -sample 4x1 -outfile {out.jpg} {in.ppm}", true, losesMore},
	{"cjpeg, 1x2, progressive", "cjpeg", "-quality 90 -sample 1x2 -progressive -outfile {out.jpg} {in.ppm}", true, loses},
	{"cjpeg, coarse", "cjpeg", "-quality 10 -baseline -outfile {out.jpg} {in.ppm}", true, losesMore},
	{"cwebp", "cwebp", "-quiet -q 90 {in.png} -o {out.webp}", false, loses},
	{"cwebp, lossless", "cwebp", "-quiet -lossless {in.png} -o {out.webp}", false, loses},
	{"cwebp, alpha", "cwebp", "-quiet -q 90 {alpha.png} -o {out.webp}", false, loses},
	{"cwebp, alpha, lossless", "cwebp", "-quiet -lossless {alpha.png} -o {out.webp}", false, loses},
	{"cwebp, alpha, uncompressed", "cwebp", "-quiet -q 90 -alpha_method 0 {alpha.png} -o {out.webp}", false, loses},
	{"img2webp, animated", "img2webp", "-loop 0 -lossy -q 90 -d 100 {in.png} -lossless {alpha.png} -o {out.webp}", false, loses},
	{"img2webp, animated, lossless", "img2webp", "-loop 0 -lossless -d 100 {in.png} -lossy -q 20 {alpha.png} -o {out.webp}", false, loses},
	{"img2webp, animated, alpha", "img2webp", "-loop 0 -lossy -q 90 -d 100 {alpha.png} {in.png} -o {out.webp}", false, loses},
	{"gif2webp", "gif2webp", "-quiet -q 90 {in.gif} -o {out.webp}", false, dithered},
}

// TestEncodersAccepted reads what the encoders of cameras and scripts write.
func TestEncodersAccepted(t *testing.T) {
	t.Parallel()
	for _, m := range accepted {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			source := shot()
			if m.transparent() {
				source = onWhite(rounded(source))
			}
			came := m.make(t)
			_, picture := mustRead(t, productLimits(), came)
			if m.kept && !samePixels(picture, decodePhoto(t, came)) {
				t.Error("the photo is kept, but its pixels differ from those of the file")
			}
			apart := distanceBetween(onWhite(picture), source)
			t.Log(apart)
			if apart.psnr < m.least {
				t.Errorf("%v from its source, want %.0f dB", apart, m.least)
			}
			_, small := mustRead(t, withSide(80), came)
			if err := checkFaithful(onWhite(small), averaged(onWhite(picture), 80, 60), scaledSlack); err != nil {
				t.Errorf("at most 80: %v", err)
			}
		})
	}
}

// TestEncodersRestarts reads a valid JPEG that image/jpeg can't decode: in a
// scan of one component, image/jpeg counts units of all components between
// restarts, instead of blocks.
func TestEncodersRestarts(t *testing.T) {
	t.Parallel()
	m := made{program: "cjpeg", options: "-quality 90 -restart 1 -progressive -sample 2x2 -outfile {out.jpg} {in.ppm}"}
	came := m.make(t)
	if _, err := jpeg.Decode(bytes.NewReader(came)); err == nil {
		t.Fatal("image/jpeg can decode it: move it to accepted")
	}
	got, err := read(t, productLimits(), came)
	if err != nil || !bytes.Equal(got.JPEG(), came) {
		t.Errorf("got %d bytes and %v, want the %d that came", len(got.JPEG()), err, len(came))
	}
	_, small := mustRead(t, withSide(80), came)
	if err := checkFaithful(onWhite(small), averaged(shot(), 80, 60), scaledSlack); err != nil {
		t.Errorf("at most 80: %v", err)
	}
}

// rounded cuts the corners off a picture, softly.
func rounded(picture *image.RGBA) *image.NRGBA {
	size := picture.Bounds().Size()
	cut := image.NewNRGBA(picture.Rect)
	fill(cut, func(x, y int) color.Color {
		c := picture.RGBAAt(x, y)
		fromCorner := min(x, size.X-1-x) + min(y, size.Y-1-y)
		return color.NRGBA{c.R, c.G, c.B, uint8(min(255, 4*fromCorner))}
	})
	return cut
}

// transparent reports whether the source's first picture is transparent.
func (m made) transparent() bool {
	before, _, found := strings.Cut(m.options, "{alpha.png}")
	return found && !strings.Contains(before, "{in.png}")
}

// requireVariable lists, separated by commas, what must be installed. If it has
// "encoders", tests fail instead of being skipped without the programs that make
// photos.
const requireVariable = "FLEETPHOTO_REQUIRE"

// program finds a program by another maker. Without it the test is skipped, or
// fails if the environment requires encoders.
func program(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if slices.Contains(strings.Split(os.Getenv(requireVariable), ","), "encoders") {
		t.Fatalf("%s requires encoders, and %s is not installed", requireVariable, name)
	}
	t.Skipf("%s is not installed: its files are not tested", name)
	return ""
}

// make runs the program on shot and returns its result.
func (m made) make(t *testing.T) []byte {
	t.Helper()
	path := program(t, m.program)
	folder := t.TempDir()
	files, err := sources()
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range files {
		if strings.Contains(m.options, "{"+name+"}") {
			writeFile(t, folder, name, data)
		}
	}
	names := placeholder.FindAllString(m.options, -1)
	result := names[slices.IndexFunc(names, func(name string) bool { return strings.HasPrefix(name, "{out.") })]
	var arguments []string
	for _, option := range strings.Fields(m.options) {
		arguments = append(arguments, placeholder.ReplaceAllStringFunc(option, func(name string) string {
			return filepath.Join(folder, strings.Trim(name, "{}"))
		}))
	}
	mustRun(t, path, arguments...)
	return readFile(t, folder, strings.Trim(result, "{}"))
}

var placeholder = regexp.MustCompile(`\{[a-z0-9.]+\}`)

// shot is the source picture of the programs.
var shot = sync.OnceValue(func() *image.RGBA { return scenery(240, 180) })

// sources are the files with shot that a program may read, by name.
var sources = sync.OnceValues(func() (map[string][]byte, error) {
	var opaque, cut, indexed bytes.Buffer
	err := errors.Join(
		png.Encode(&opaque, shot()),
		png.Encode(&cut, rounded(shot())),
		gif.Encode(&indexed, shot(), &gif.Options{NumColors: 256, Drawer: draw.FloydSteinberg}),
	)
	return map[string][]byte{
		"in.png": opaque.Bytes(), "alpha.png": cut.Bytes(), "in.ppm": encodedPPM(shot()), "in.gif": indexed.Bytes(),
	}, err
})

func writeFile(t testing.TB, folder, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(folder, name), data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func encodedPPM(picture *image.RGBA) []byte {
	out := fmt.Appendf(nil, "P6 %d %d 255\n", picture.Rect.Dx(), picture.Rect.Dy())
	for i := 0; i < len(picture.Pix); i += 4 {
		out = append(out, picture.Pix[i:i+3]...)
	}
	return out
}

// TestEncodersRefused refuses what other encoders write. The message names the
// format.
func TestEncodersRefused(t *testing.T) {
	t.Parallel()
	cases := []struct {
		made
		names string // what the message must contain
	}{
		{made{program: "heif-enc", options: "-q 60 {in.png} -o {out.heic}"}, "HEIC"},
		{made{program: "heif-enc", options: "-A -q 60 {in.png} -o {out.avif}"}, "AVIF"},
		{made{program: "convert", options: "{in.png} {out.tiff}"}, "TIFF"},
		{made{program: "convert", options: "{in.png} -endian MSB {out.tif}"}, "TIFF"},
		{made{program: "convert", options: "{in.png} {out.bmp}"}, "BMP"},
		{made{program: "convert", options: "{in.png} {out.psd}"}, ""},
		{made{program: "convert", options: "{in.png} {out.jp2}"}, ""},
		{made{program: "convert", options: "{in.png} -resize 48x48 {out.ico}"}, ""},
		{made{program: "convert", options: "{in.png} {out.pcx}"}, ""},
		{made{program: "cjpeg", options: "-arithmetic -outfile {out.jpg} {in.ppm}"}, "arithmetic"},
		{made{program: "cjpeg", options: "-arithmetic -progressive -outfile {out.jpg} {in.ppm}"}, "arithmetic"},
	}
	for _, c := range cases {
		t.Run(c.program+" "+c.options, func(t *testing.T) {
			t.Parallel()
			_, err := read(t, productLimits(), c.make(t))
			checkNamed(t, err, c.names)
		})
	}
}

// TestForeignFormats refuses other formats that need no encoder.
func TestForeignFormats(t *testing.T) {
	t.Parallel()
	jpegs := encoded(t, quadrants())
	frame := bytes.Index(jpegs, []byte{0xFF, markerSOF0})
	deep, lossless := bytes.Clone(jpegs), bytes.Clone(jpegs)
	deep[frame+1], deep[frame+4] = markerSOF1, 12
	lossless[frame+1] = 0xC3
	cases := []struct{ name, data, names string }{
		{"SVG", `<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>`, "SVG"},
		{"SVG behind a declaration", "\xef\xbb\xbf<?xml version=\"1.0\"?>\n<!-- drawn -->\n<svg xmlns=\"http://www.w3.org/2000/svg\"/>", "SVG"},
		{"PDF", "%PDF-1.7\n1 0 obj\n<<>>\nendobj\n", "PDF"},
		{"JPEG of 12 bits", string(deep), "12"},
		{"lossless JPEG", string(lossless), "lossless"},
		{"HTML", "<!DOCTYPE html><html></html>", ""},
		{"ZIP", "PK\x03\x04\x14\x00", ""},
		{"text", "photo", ""},
		{"Base64 twice", "/9j/4AAQSkZJRgABAQAAAQABAAD", ""},
		{"nothing", "", ""},
		{"one byte", "\xff", ""},
		{"JPEG's first bytes", "\xff\xd8\xff", "JPEG"},
		{"PNG's first bytes", pngMagic, "PNG"},
		{"GIF's first bytes", "GIF89a", "GIF"},
		{"WebP's first bytes", "RIFF\x04\x00\x00\x00WEBP", "WebP"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := read(t, productLimits(), []byte(c.data))
			checkNamed(t, err, c.names)
		})
	}
}

// checkNamed wants a refusal that names what was sent.
func checkNamed(t *testing.T, err error, names string) {
	t.Helper()
	if err := checkRefused(err); err != nil {
		t.Fatal(err)
	}
	sentence := domain.AsError(err).Public
	t.Log(sentence)
	if !strings.Contains(strings.ToLower(sentence), strings.ToLower(names)) {
		t.Errorf("%q doesn't say %q", sentence, names)
	}
}

// TestEncodersOrientation marks photos with exiftool, and compares them with
// ImageMagick's reading of the mark.
func TestEncodersOrientation(t *testing.T) {
	t.Parallel()
	tagger, turner := program(t, "exiftool"), program(t, "convert")
	folder := t.TempDir()
	came := func(orientation int) string { return fmt.Sprintf("came%d.jpg", orientation) }
	var arguments []string
	for orientation := 1; orientation <= 8; orientation++ {
		writeFile(t, folder, came(orientation), encoded(t, scenery(120, 90)))
		arguments = append(arguments, fmt.Sprintf("-Orientation=%d", orientation), filepath.Join(folder, came(orientation)), "-execute")
	}
	mustRun(t, tagger, append(arguments[:len(arguments)-1], "-common_args", "-q", "-overwrite_original", "-n",
		"-GPSLatitude=52.5", "-GPSLatitudeRef=N", "-XMP-dc:Creator="+owner, "-IPTC:City="+owner, "-Comment="+owner)...)
	for orientation := 1; orientation <= 8; orientation++ {
		t.Run(fmt.Sprint(orientation), func(t *testing.T) {
			t.Parallel()
			marked, upright := readFile(t, folder, came(orientation)), fmt.Sprintf("upright%d.png", orientation)
			if !bytes.Contains(marked, []byte(owner)) {
				t.Fatal("exiftool wrote nothing")
			}
			mustRun(t, turner, filepath.Join(folder, came(orientation)), "-auto-orient", filepath.Join(folder, upright))
			got, picture := mustRead(t, productLimits(), marked)
			reference, err := png.Decode(bytes.NewReader(readFile(t, folder, upright)))
			if err != nil {
				t.Fatal(err)
			}
			if err := checkFaithful(onWhite(picture), onWhite(reference), scaledSlack); err != nil {
				t.Error(err)
			}
			if bytes.Contains(got.JPEG(), []byte(owner)) {
				t.Error("the photo still has what exiftool wrote")
			}
		})
	}
}
