package photo_test

import (
	"bytes"
	"fmt"
	"image"
	"slices"
	"testing"

	"github.com/fleetphoto/fleetphoto/domain/photo"
)

// iccSegments splits a profile into segments with at most most bytes of it.
func iccSegments(profile []byte, most int) []segment {
	var parts []segment
	count := (len(profile) + most - 1) / most
	for part := range slices.Chunk(profile, most) {
		parts = append(parts, app(markerAPP2, nameICC, append([]byte{byte(len(parts) + 1), byte(count)}, part...)))
	}
	return parts
}

// longestPart is what one segment has room for.
const longestPart = 65533 - len(nameICC) - 2

// iccOf returns the profile of a JPEG, or nil if it has none.
func iccOf(t testing.TB, data []byte) []byte {
	t.Helper()
	all, err := segments(data)
	if err != nil {
		t.Fatal(err)
	}
	var profile []byte
	next := byte(1)
	for _, s := range all {
		if s.marker != markerAPP2 {
			continue
		}
		part := bytes.TrimPrefix(s.payload, []byte(nameICC))
		if part[0] != next {
			t.Errorf("got part %d of the profile, want %d", part[0], next)
		}
		next++
		profile = append(profile, part[2:]...)
	}
	return profile
}

// carriers are files of every format with a profile, in colour or in grey.
func carriers(t testing.TB, profile []byte, components int) map[string][]byte {
	t.Helper()
	if components == 1 {
		grey := image.NewGray(image.Rect(0, 0, 96, 64))
		return map[string][]byte{
			"JPEG": withSegments(encoded(t, grey), iccSegments(profile, longestPart)...),
			"PNG":  withPNGProfile(t, encodedPNG(t, grey), profile),
		}
	}
	plain := encoded(t, quadrants())
	backwards := iccSegments(profile, len(profile)/7+1)
	slices.Reverse(backwards)
	return map[string][]byte{
		"JPEG":                 withSegments(plain, iccSegments(profile, longestPart)...),
		"JPEG, parts backward": withSegments(plain, backwards...),
		"PNG":                  withPNGProfile(t, encodedPNG(t, quadrants()), profile),
		"WebP":                 webpWithProfile(t, profile),
		"progressive JPEG":     withSegments(corpusFile(t, "image", "video-001.progressive.jpeg"), iccSegments(profile, longestPart)...),
	}
}

// withPNGProfile inserts a chunk with a profile after the header of a PNG.
func withPNGProfile(t testing.TB, data, profile []byte) []byte {
	t.Helper()
	const header = 8 + 12 + 13
	chunk := pngChunk("iCCP", append([]byte("a profile\x00\x00"), deflated(t, profile)...))
	return slices.Concat(data[:header], chunk, data[header:])
}

// webpWithProfile puts a profile into a WebP of golang.org/x/image.
func webpWithProfile(t testing.TB, profile []byte) []byte {
	t.Helper()
	const profiled = 0x20
	plain := corpusFile(t, "ximage", "video-001.lossy.webp")[12:]
	return webpFile(webpHeader(profiled, 150, 103), riffChunk("ICCP", profile), plain)
}

// TestProfile wants the neutral profile, and no owner, in every photo, whether
// its pixels are kept or not.
func TestProfile(t *testing.T) {
	t.Parallel()
	for name, components := range map[string]int{"Adobe RGB": 3, "Display P3": 3, "table": 3, "long table": 3, "grey": 1} {
		profile := photo.Profile(name, owner)
		want := photo.NeutralProfile(profile, components)
		if want == nil {
			t.Errorf("the profile %s isn't one to be kept", name)
		}
		for carrier, data := range carriers(t, profile, components) {
			for _, m := range modes() {
				t.Run(fmt.Sprintf("%s/%s/%s", name, carrier, m.name), func(t *testing.T) {
					got, _ := mustRead(t, m.limits, data)
					if !bytes.Equal(iccOf(t, got.JPEG()), want) {
						t.Errorf("got a profile of %d bytes, want one of %d", len(iccOf(t, got.JPEG())), len(want))
					}
					checkNoOwner(t, got.JPEG())
				})
			}
		}
	}
}

// TestProfileIsAllThatChanges wants a kept JPEG to be unchanged, except that the
// neutral profile replaces its own.
func TestProfileIsAllThatChanges(t *testing.T) {
	t.Parallel()
	plain := encoded(t, quadrants())
	profile := photo.Profile("Adobe RGB", owner)
	came := withSegments(plain, append([]segment{jfif()}, iccSegments(profile, 100)...)...)
	want := withSegments(plain, append([]segment{jfif()}, iccSegments(photo.NeutralProfile(profile, 3), longestPart)...)...)
	for _, m := range modes()[:2] {
		for _, data := range [][]byte{came, want} {
			got, _ := mustRead(t, m.limits, data)
			if !bytes.Equal(got.JPEG(), want) {
				t.Errorf("%s: got %d bytes, want %d", m.name, len(got.JPEG()), len(want))
			}
		}
	}
}

// TestProfileDropped wants no profile if the colours are those of sRGB or were
// converted, or if the profile is for other pictures.
func TestProfileDropped(t *testing.T) {
	t.Parallel()
	good := photo.Profile("Adobe RGB", owner)
	noMagic := bytes.Clone(good)
	noMagic[36] = 'A'
	jpegWith := func(parts ...segment) []byte { return withSegments(encoded(t, quadrants()), parts...) }
	part := func(numbers string, content []byte) segment {
		return app(markerAPP2, nameICC, append([]byte(numbers), content...))
	}
	cases := map[string][]byte{
		"CMYK":              withSegments(corpusFile(t, "image", "video-001.cmyk.jpeg"), iccSegments(photo.Profile("CMYK", owner), longestPart)...),
		"RGB in CMYK":       withSegments(corpusFile(t, "image", "video-001.cmyk.jpeg"), iccSegments(good, longestPart)...),
		"a missing part":    jpegWith(iccSegments(good, 500)[1:]...),
		"a part twice":      jpegWith(append(iccSegments(good, 500), iccSegments(good, 500)[0])...),
		"a part that is 0":  jpegWith(part("\x00\x00", good)),
		"an empty part":     jpegWith(part("", nil)),
		"PNG's broken zlib": pngWithChunk(t, "iCCP", []byte("x\x00\x00broken")),
		"PNG's zlib bomb":   withPNGProfile(t, encodedPNG(t, quadrants()), append(bytes.Clone(good), make([]byte, 1<<20)...)),
	}
	for name, c := range map[string]struct {
		profile    []byte
		components int
	}{
		"sRGB":          {photo.Profile("sRGB", owner), 3},
		"grey in three": {photo.Profile("grey", owner), 3},
		"three in grey": {good, 1},
		"CMYK in three": {photo.Profile("CMYK", owner), 3},
		"no acsp":       {noMagic, 3},
		"over the cap":  {photo.Profile("longer table", owner), 3},
		"rubbish":       {bytes.Repeat([]byte(owner), 100), 3},
	} {
		for carrier, data := range carriers(t, c.profile, c.components) {
			cases[name+", "+carrier] = data
		}
	}
	for name, data := range cases {
		for _, m := range modes() {
			t.Run(name+"/"+m.name, func(t *testing.T) {
				got, _ := mustRead(t, m.limits, data)
				if profile := iccOf(t, got.JPEG()); profile != nil {
					t.Errorf("got a profile of %d bytes", len(profile))
				}
				checkNoOwner(t, got.JPEG())
			})
		}
	}
}
