package photo_test

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/png"
	"math/rand/v2"
	"slices"
	"testing"
)

// colourProfile is an ICC profile of so many bytes for a space, "RGB ", "GRAY"
// or "CMYK": a true header, and noise where its tables would be.
func colourProfile(size int, space string) []byte {
	profile := make([]byte, size)
	random := rand.New(rand.NewPCG(1, uint64(size)))
	for i := range profile {
		profile[i] = byte(random.Uint32())
	}
	clear(profile[:132]) // no tags
	binary.BigEndian.PutUint32(profile, uint32(size))
	copy(profile[8:], "\x02\x10\x00\x00mntr"+space+"XYZ ")
	copy(profile[36:], "acsp")
	return profile
}

// iccSegments cuts a profile into as many segments as it needs.
func iccSegments(profile []byte) []segment {
	const most = 65533 - len(nameICC) - 2
	var parts []segment
	count := (len(profile) + most - 1) / most
	for part := range slices.Chunk(profile, most) {
		parts = append(parts, app(markerAPP2, nameICC, append([]byte{byte(len(parts) + 1), byte(count)}, part...)))
	}
	return parts
}

// iccOf puts the profile of a JPEG together; nil where it has none.
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
			t.Errorf("part %d of the profile came where %d belongs", part[0], next)
		}
		next++
		profile = append(profile, part[2:]...)
	}
	return profile
}

// TestProfileOfJPEG wants the profile kept, whether the pixels are or not.
func TestProfileOfJPEG(t *testing.T) {
	t.Parallel()
	for name, size := range map[string]int{"sRGB's size": 3144, "one segment": 65519, "two segments": 65520, "four segments": 200_000} {
		profile := colourProfile(size, "RGB ")
		came := withSegments(encoded(t, quadrants()), iccSegments(profile)...)
		for _, m := range modes() {
			t.Run(name+"/"+m.name, func(t *testing.T) {
				got, _ := mustRead(t, m.limits, came)
				if !bytes.Equal(iccOf(t, got.JPEG()), profile) {
					t.Error("the profile isn't the one that came")
				}
				if m.limits.MaxDimension > 40 && !bytes.Equal(got.JPEG(), came) {
					t.Error("the photo isn't what came")
				}
			})
		}
	}
}

// TestProfileOutOfOrder puts a profile together whose parts came in disorder.
func TestProfileOutOfOrder(t *testing.T) {
	t.Parallel()
	profile := colourProfile(150_000, "RGB ")
	parts := iccSegments(profile)
	slices.Reverse(parts)
	got, _ := mustRead(t, withSide(40), withSegments(encoded(t, quadrants()), parts...))
	if !bytes.Equal(iccOf(t, got.JPEG()), profile) {
		t.Error("the profile isn't the one that came")
	}
}

// TestProfileNoLongerApplies wants no profile where the colours were converted.
func TestProfileNoLongerApplies(t *testing.T) {
	t.Parallel()
	grey := image.NewGray(image.Rect(0, 0, 96, 64))
	incomplete := iccSegments(colourProfile(150_000, "RGB "))[1:]
	cases := map[string][]byte{
		"CMYK":              withSegments(corpusFile(t, "image", "video-001.cmyk.jpeg"), iccSegments(colourProfile(5000, "CMYK"))...),
		"grey in three":     withSegments(encoded(t, quadrants()), iccSegments(colourProfile(5000, "GRAY"))...),
		"a missing part":    withSegments(encoded(t, quadrants()), incomplete...),
		"a part that is 0":  withSegments(encoded(t, quadrants()), app(markerAPP2, nameICC, append([]byte{0, 0}, colourProfile(500, "RGB ")...))),
		"an empty part":     withSegments(encoded(t, quadrants()), app(markerAPP2, nameICC, nil)),
		"three in grey":     withSegments(encoded(t, grey), iccSegments(colourProfile(5000, "RGB "))...),
		"PNG's CMYK":        pngWithProfile(t, colourProfile(5000, "CMYK")),
		"PNG's broken zlib": pngWithChunk(t, "iCCP", []byte("x\x00\x00broken")),
	}
	for name, data := range cases {
		t.Run(name, func(t *testing.T) {
			got, _ := mustRead(t, withSide(40), data)
			if len(iccOf(t, got.JPEG())) > 0 {
				t.Error("the photo has a profile that doesn't apply to it")
			}
		})
	}
}

// TestProfileOfOthers wants the profile of a PNG and a WebP in the JPEG made of them.
func TestProfileOfOthers(t *testing.T) {
	t.Parallel()
	for _, size := range []int{3144, 100_000} {
		profile := colourProfile(size, "RGB ")
		for name, data := range map[string][]byte{
			"PNG":  pngWithProfile(t, profile),
			"WebP": webpWithProfile(t, profile),
		} {
			t.Run(name, func(t *testing.T) {
				got, _ := mustRead(t, productLimits(), data)
				if !bytes.Equal(iccOf(t, got.JPEG()), profile) {
					t.Error("the profile isn't the one that came")
				}
			})
		}
	}
}

func pngWithProfile(t testing.TB, profile []byte) []byte {
	t.Helper()
	payload := bytes.NewBufferString("a profile\x00\x00")
	w := zlib.NewWriter(payload)
	if _, err := w.Write(profile); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return pngWithChunk(t, "iCCP", payload.Bytes())
}

// pngWithChunk is a small PNG with a chunk behind its header.
func pngWithChunk(t testing.TB, kind string, payload []byte) []byte {
	t.Helper()
	const header = 8 + 12 + 13
	data := encodedPNG(t, quadrants())
	return slices.Concat(data[:header], pngChunk(kind, payload), data[header:])
}

func encodedPNG(t testing.TB, picture image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, picture); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func pngChunk(kind string, payload []byte) []byte {
	chunk := binary.BigEndian.AppendUint32(nil, uint32(len(payload)))
	chunk = append(append(chunk, kind...), payload...)
	return binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(chunk[4:]))
}

// webpWithProfile puts a profile into a WebP of golang.org/x/image's.
func webpWithProfile(t testing.TB, profile []byte) []byte {
	t.Helper()
	const profiled = 0x20
	plain := corpusFile(t, "ximage", "video-001.lossy.webp")[12:]
	return webpFile(webpHeader(profiled, 150, 103), riffChunk("ICCP", profile), plain)
}

func webpFile(chunks ...[]byte) []byte {
	return riffChunk("RIFF", append([]byte("WEBP"), slices.Concat(chunks...)...))
}

// webpHeader is a VP8X chunk: flags and the canvas.
func webpHeader(flags byte, width, height int) []byte {
	return riffChunk("VP8X", slices.Concat([]byte{flags, 0, 0, 0}, little24(width-1), little24(height-1)))
}

func little24(value int) []byte { return []byte{byte(value), byte(value >> 8), byte(value >> 16)} }

func riffChunk(kind string, payload []byte) []byte {
	chunk := append(binary.LittleEndian.AppendUint32([]byte(kind), uint32(len(payload))), payload...)
	if len(payload)%2 == 1 {
		chunk = append(chunk, 0)
	}
	return chunk
}

// TestAlphaOnWhite lays transparent pixels on white, before scaling mixes them.
func TestAlphaOnWhite(t *testing.T) {
	t.Parallel()
	glass := color.NRGBA{200, 0, 0, 0}
	half := color.NRGBA{200, 0, 0, 128}
	deep := func(c color.NRGBA) image.Image {
		picture := image.NewNRGBA64(image.Rect(0, 0, 200, 100))
		fill(picture, func(int, int) color.Color { return c })
		return picture
	}
	flat := func(at func(x, y int) color.Color) image.Image {
		picture := image.NewNRGBA(image.Rect(0, 0, 200, 100))
		fill(picture, at)
		return picture
	}
	chequered := func(x, y int) color.Color {
		if (x+y)%2 == 0 {
			return color.NRGBA{0, 0, 0, 0}
		}
		return color.White
	}
	palette := image.NewPaletted(image.Rect(0, 0, 200, 100), color.Palette{glass, half})
	var animated bytes.Buffer
	if err := gif.Encode(&animated, image.NewPaletted(palette.Rect, color.Palette{color.NRGBA{}, color.Black}), nil); err != nil {
		t.Fatal(err)
	}
	white, pink := color.RGBA{255, 255, 255, 255}, color.RGBA{227, 127, 127, 255}
	cases := map[string]struct {
		data []byte
		want color.RGBA
	}{
		"glass":             {encodedPNG(t, flat(func(int, int) color.Color { return glass })), white},
		"half":              {encodedPNG(t, flat(func(int, int) color.Color { return half })), pink},
		"glass, 16 bits":    {encodedPNG(t, deep(glass)), white},
		"half, 16 bits":     {encodedPNG(t, deep(half)), pink},
		"a palette":         {encodedPNG(t, palette), white},
		"a GIF":             {animated.Bytes(), white},
		"glass among white": {encodedPNG(t, flat(chequered)), white},
	}
	for name, c := range cases {
		for _, side := range []int{0, 40} {
			t.Run(name, func(t *testing.T) {
				_, picture := mustRead(t, withSide(side), c.data)
				size := picture.Bounds().Size()
				if apart := distanceBetween(onWhite(picture), blank(size.X, size.Y, c.want)); apart.mean > 2 {
					t.Errorf("at most %d: got %v where %v belongs", side, picture.At(size.X/2, size.Y/2), c.want)
				}
			})
		}
	}
}

func fill(picture interface {
	image.Image
	Set(x, y int, c color.Color)
}, at func(x, y int) color.Color) {
	for y := range picture.Bounds().Dy() {
		for x := range picture.Bounds().Dx() {
			picture.Set(x, y, at(x, y))
		}
	}
}
