package photo_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"os/exec"
	"strings"
	"testing"

	"github.com/rwcarlsen/goexif/exif"

	"github.com/fleetphoto/fleetphoto/domain/photo"
)

// quadrants is an upright picture with four corners that can't be confused.
func quadrants() *image.RGBA {
	colours := [2][2]color.RGBA{
		{{220, 30, 30, 255}, {30, 160, 30, 255}},
		{{30, 30, 220, 255}, {230, 220, 40, 255}},
	}
	return painted(96, 64, func(x, y int) color.RGBA { return colours[y/32][x/48] })
}

// encoded returns a picture as a baseline JPEG by the standard library.
func encoded(t testing.TB, picture image.Image) []byte {
	t.Helper()
	return encodedAt(t, picture, 95)
}

// phonePhoto is a JPEG whose EXIF says how to turn it and where it was taken.
func phonePhoto(t testing.TB, upright *image.RGBA, order binary.AppendByteOrder, orientation int) []byte {
	t.Helper()
	data := withSegments(encoded(t, turnedAway(upright, orientation)), app(markerAPP1, nameEXIF, phoneEXIF(order, orientation)))
	found, err := exif.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal("goexif doesn't read the test's EXIF:", err)
	}
	latitude, _, err := found.LatLong()
	if err != nil || latitude < 52.5 || latitude > 52.6 || orientationOf(found) != orientation {
		t.Fatalf("the test's EXIF is wrong: %v, latitude %v, orientation %d", err, latitude, orientationOf(found))
	}
	return data
}

// checkNoEXIF asks goexif whether there is no EXIF.
func checkNoEXIF(data []byte) error {
	if found, err := exif.Decode(bytes.NewReader(data)); err == nil {
		return fmt.Errorf("goexif still reads %v", found)
	}
	return nil
}

// TestOrientations turns a phone's photo upright from every orientation, and
// removes the place.
func TestOrientations(t *testing.T) {
	t.Parallel()
	outputs := t.TempDir()
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		for orientation := 1; orientation <= 8; orientation++ {
			for _, side := range []int{0, 48} {
				name := fmt.Sprintf("%v_%d_side_%d", order, orientation, side)
				t.Run(name, func(t *testing.T) {
					upright := quadrants()
					got, picture := mustRead(t, withSide(side), phonePhoto(t, upright, order, orientation))
					size := scaledSize(upright.Bounds().Size(), side)
					if err := checkFaithful(onWhite(picture), lanczos(upright, size.X, size.Y), scaledSlack); err != nil {
						t.Error(err)
					}
					if err := checkNoEXIF(got.JPEG()); err != nil {
						t.Error(err)
					}
					writeFile(t, outputs, name+".jpg", got.JPEG())
				})
			}
		}
	}
	t.Run("exiftool", func(t *testing.T) { checkByExiftool(t, outputs) })
}

// harmless are the groups of tags that a stored photo may have. Composite is
// what exiftool computes from the others.
var harmless = []string{"SourceFile", "ExifTool:", "System:", "File:", "JFIF:", "Adobe:", "ICC", "Composite:ImageSize", "Composite:Megapixels"}

// checkByExiftool wants no metadata in the photos of a folder.
func checkByExiftool(t *testing.T, folder string) {
	t.Helper()
	tool := program(t, "exiftool")
	listing, err := exec.CommandContext(t.Context(), tool, "-j", "-a", "-G1", "-u", folder).Output()
	if err != nil {
		t.Fatal(err)
	}
	var photos []map[string]any
	if err := json.Unmarshal(listing, &photos); err != nil {
		t.Fatal(err)
	}
	if len(photos) == 0 {
		t.Error("exiftool found no photo")
	}
	for _, tags := range photos {
		for tag, value := range tags {
			if !hasAnyPrefix(tag, harmless) || tag == "File:Comment" || tag == "ExifTool:Warning" {
				t.Errorf("%v: exiftool reads %s: %v", tags["SourceFile"], tag, value)
			}
		}
	}
}

func hasAnyPrefix(text string, prefixes []string) bool {
	for _, prefix := range prefixes {
		if strings.HasPrefix(text, prefix) {
			return true
		}
	}
	return false
}

// TestOddEXIF reads photos whose EXIF has no valid orientation, in ways of
// phones, editors and attackers.
func TestOddEXIF(t *testing.T) {
	t.Parallel()
	w := tiff{binary.BigEndian}
	folder := func(next uint32, entries ...entry) []byte { return append(w.header(), w.ifd(8, next, entries...)...) }
	whole := phoneEXIF(binary.BigEndian, 1)
	cases := map[string][]byte{
		"no orientation":               folder(0, w.text(tagMake, "A phone maker")),
		"orientation 0":                folder(0, w.short(tagOrientation, 0)),
		"orientation 9":                folder(0, w.short(tagOrientation, 9)),
		"orientation as text":          folder(0, w.text(tagOrientation, "6")),
		"values beyond the end":        folder(0, entry{tagOrientation, typeShort, 1 << 31, []byte{0xFF, 0xFF, 0xFF, 0xF0}}),
		"a folder that follows itself": folder(8, w.text(tagMake, "A phone maker")),
		"a folder beyond the end":      {'M', 'M', 0, 42, 0xFF, 0xFF, 0xFF, 0xFF},
		"more entries than bytes":      append(w.header(), 0xFF, 0xFF),
		"cut off in the folder":        whole[:20],
		"neither byte order":           append([]byte("XX"), whole[2:]...),
		"nothing":                      {},
	}
	for name, raw := range cases {
		t.Run(name, func(t *testing.T) {
			upright := quadrants()
			came := encoded(t, upright)
			got, picture := mustRead(t, productLimits(), withSegments(came, app(markerAPP1, nameEXIF, raw)))
			if !samePixels(picture, decodePhoto(t, came)) {
				t.Errorf("the photo was changed; it is upright: %v", picture.Bounds().Size())
			}
			if err := checkNoEXIF(got.JPEG()); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestOrientationIsFound puts the EXIF where a reader could miss it.
func TestOrientationIsFound(t *testing.T) {
	t.Parallel()
	w := tiff{binary.LittleEndian}
	turn := app(markerAPP1, nameEXIF, phoneEXIF(binary.LittleEndian, 6))
	long := append(w.header(), w.ifd(8, 0, w.long(tagOrientation, 6))...)
	cases := map[string][]segment{
		"behind JFIF":       {jfif(), turn},
		"behind XMP":        {app(markerAPP1, nameXMP, []byte("<x:xmpmeta/>")), turn},
		"behind a comment":  {{marker: markerCOM, payload: []byte("a comment")}, turn},
		"a long, not short": {app(markerAPP1, nameEXIF, long)},
	}
	for name, added := range cases {
		t.Run(name, func(t *testing.T) {
			upright := quadrants()
			_, picture := mustRead(t, productLimits(), withSegments(encoded(t, turnedAway(upright, 6)), added...))
			if err := checkFaithful(onWhite(picture), upright, scaledSlack); err != nil {
				t.Error(err)
			}
		})
	}
}

// mode is a way in which Read handles a JPEG.
type mode struct {
	name   string
	limits photo.Limits
}

// modes are: kept, with either verification, and normalised.
func modes() []mode {
	structure := productLimits()
	structure.Verify = photo.VerifyStructure
	return []mode{{"kept", productLimits()}, {structureMode, structure}, {"normalised", withSide(40)}}
}

const structureMode = "kept, structure"

// jfif is the segment that most JPEGs begin with.
func jfif() segment {
	return app(markerAPP0, nameJFIF, []byte{1, 2, 1, 0, 72, 0, 72, 0, 0})
}

// TestKeptSegments wants the segments that decide how a photo looks to be kept
// byte for byte.
func TestKeptSegments(t *testing.T) {
	t.Parallel()
	adobe := app(markerAPP14, nameAdobe, []byte{0, 100, 0, 0, 0, 0, 1}) // transform 1: YCbCr
	came := withSegments(encoded(t, quadrants()), jfif(), adobe)
	for _, m := range modes()[:2] {
		t.Run(m.name, func(t *testing.T) {
			got, _ := mustRead(t, m.limits, came)
			if !bytes.Equal(got.JPEG(), came) {
				t.Error("the photo differs from the file")
			}
		})
	}
}
