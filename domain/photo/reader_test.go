package photo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/gif"
	"image/png"
	"maps"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/photo/jpeg"
)

func TestFit(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ limit, width, height, wantWidth, wantHeight int }{
		{0, 9000, 10, 9000, 10},
		{1024, 1024, 1024, 1024, 1024},
		{1024, 1025, 1025, 1024, 1024},
		{1024, 4032, 3024, 1024, 768},
		{1024, 3024, 4032, 768, 1024},
		{1024, 65000, 3, 1024, 1},
		{1, 65000, 65000, 1, 1},
		{100, 201, 99, 100, 49},
	} {
		from, want := image.Pt(test.width, test.height), image.Pt(test.wantWidth, test.wantHeight)
		if got := (Limits{MaxDimension: test.limit}).fit(from); got != want {
			t.Errorf("%v within %d: got %v, want %v", from, test.limit, got, want)
		}
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// refused checks the kind and a part of the message.
func refused(t *testing.T, err error, kind domain.Kind, part string) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Fatalf("got %v, want a %s", err, kind)
	}
	public := domain.AsError(err).Public
	if !strings.HasPrefix(public, "photo_base64: ") || !strings.Contains(public, part) {
		t.Errorf("got %q, want %q in it", public, part)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	box := func(brands string) string { return string([]byte{0, 0, 0, byte(8 + len(brands))}) + "ftyp" + brands }
	for _, test := range []struct{ name, data, part string }{
		{"nothing", "", "got nothing"},
		{"heic", box("heic\x00\x00\x00\x00mif1heic"), "got HEIC;"},
		{"what to do about heic", box("heic\x00\x00\x00\x00mif1heic"), "on an iPhone: Settings, Camera, Formats, Most Compatible; or have the app send JPEG"},
		{"heic sequence", box("hevc\x00\x00\x00\x00msf1hevcmp41"), "got HEIC;"},
		{"heic of another major brand", box("MiHB\x00\x00\x00\x00mif1MiHBheix"), "got HEIC;"},
		{"heic, low overhead", box("mif3heic"), "got HEIC;"},
		{"avif, low overhead", box("mif3avif"), "got AVIF;"},
		{"mif3", box("mif3\x00\x00\x00\x00"), "got HEIF;"},
		{"avif by a compatible brand", box("mif1\x00\x00\x00\x00mif1avifmiaf"), "got AVIF;"},
		{"avif of key frames", box("mif1\x00\x00\x00\x00mif1avioavif"), "got AVIF;"},
		{"avif sequence", box("msf1\x00\x00\x00\x00msf1avismiaf"), "got AVIF;"},
		{"avif that is heic to some", box("avif\x00\x00\x00\x00heicmif1"), "got AVIF;"},
		{"a box of a wrong length", "\x00\x00\x00\x00ftypavif", "got AVIF;"},
		{"a box longer than the file", "\xff\xff\xff\xffftypmif1\x00\x00\x00\x00hei", "got HEIF;"},
		{"iphone video", box("qt  \x00\x00\x00\x00qt  "), "got a QuickTime video;"},
		{"old quicktime", "\x00\x00\x03\x11moov\x00\x00\x00\x6cmvhd", "got a QuickTime video;"},
		{"quicktime, data first", "\x00\x00\x00\x08wide\x00\x01\x00\x00mdat", "got a QuickTime video;"},
		{"3gp", box("3gp5\x00\x00\x01\x003gp4isom"), "got a 3GP video;"},
		{"m4v", box("M4V \x00\x00\x00\x01M4V M4A mp42"), "got an MP4 video;"},
		{"webm", "\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01", "got a Matroska or WebM video;"},
		{"transport stream", packets(0, 188), "got an MPEG video;"},
		{"one packet and a bit", packets(0, 188)[:200], "got an MPEG video;"},
		{"camcorder's stream", packets(4, 192), "got an MPEG video;"},
		{"program stream", "\x00\x00\x01\xba\x44\x00", "got an MPEG video;"},
		{"flv", "FLV\x01\x05", "got a Flash video;"},
		{"wmv", "\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9", "got a Windows Media video;"},
		{"ogg", "OggS\x00\x02", "got an Ogg video;"},
		{"jpeg xl in boxes", "\x00\x00\x00\x0cJXL \r\n\x87\n\x00\x00\x00\x14ftypjxl ", "got JPEG XL;"},
		{"big tiff", "MM\x00+\x00\x08\x00\x00", "got TIFF;"},
		{"pdf behind other bytes", "\x00\x00\n%PDF-1.4\n", "got PDF;"},
		{"svg of illustrator", "<?xml version='1.0'?><!DOCTYPE svg PUBLIC 'x' [" + strings.Repeat("<!ENTITY a 'b'>", 90) + "]><svg/>", "got SVG;"},
		{"svg with a script", "<svg><script/></svg>", "got SVG;"},
		{"html with svg", "<!doctype html><p><svg/>", "got HTML;"},
		{"heic by a compatible brand", box("mif1\x00\x00\x00\x00mif1heic"), "got HEIC;"},
		{"avif", box("avif\x00\x00\x00\x00mif1miaf"), "got AVIF;"},
		{"heif", box("mif1\x00\x00\x00\x00miaf"), "got HEIF;"},
		{"mp4", box("isom\x00\x00\x02\x00mp41"), "got an MP4 video;"},
		{"jpeg xl", "\xff\x0a1234", "got JPEG XL;"},
		{"jpeg 2000", "\x00\x00\x00\x0cjP  \r\n\x87\n\x00\x00", "got JPEG 2000;"},
		{"tiff", "II*\x00\x08\x00\x00\x00", "got TIFF;"},
		{"bmp", "BM\x00\x00", "got BMP;"},
		{"ico", "\x00\x00\x01\x00\x01\x00", "got ICO;"},
		{"psd", "8BPS\x00\x01", "got PSD;"},
		{"pdf", "%PDF-1.7\n", "got PDF;"},
		{"svg", "\xef\xbb\xbf<?xml version='1.0'?>\n<!-- x -->\n<svg xmlns='http://www.w3.org/2000/svg'/>", "got SVG;"},
		{"html", "\n<!DOCTYPE html><html>", "got HTML;"},
		{"zip", "PK\x03\x04\x14\x00", "got a ZIP archive;"},
		{"twice encoded", "/9j/4AAQSkZJRgABAQ", "Base64 once more"},
		{"text", "héllo, this is a photo", "got plain text;"},
		{"damaged png", "\x89PNG\n\x1a\n", "line ends"},
		{"video in riff", "RIFF\x00\x00\x00\x00AVI LIST", "AVI"},
		{"garbage", "\x00\x01\x02\x03\x04", "got 5 bytes of something else"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := read(t, generous(), []byte(test.data))
			refused(t, err, domain.TypeError, test.part)
		})
	}
}

// packets are the start of an MPEG transport stream.
func packets(first, length int) string {
	stream := make([]byte, first+3*length)
	for at := first; at < len(stream); at += length {
		stream[at] = 'G'
	}
	return string(stream)
}

func TestLimits(t *testing.T) {
	t.Parallel()
	small := encodeJPEG(corners(), 90)
	limits := generous()
	limits.MaxBytes = int64(len(small)) - 1
	_, err := read(t, limits, small)
	refused(t, err, domain.PhotoTooLarge, fmt.Sprintf("at most %d bytes, got %d", len(small)-1, len(small)))
	limits = generous()
	limits.MaxPixels = 32*16 - 1
	_, err = read(t, limits, small)
	refused(t, err, domain.PhotoTooLarge, "at most 511 pixels, got 32 × 16")

	header := func(width, height uint32, depth, colors, interlaced byte) []byte {
		return pngFile(width, height, depth, colors, interlaced, nil)
	}
	_, err = read(t, generous(), header(40000, 40000, 8, 2, 0))
	refused(t, err, domain.PhotoTooLarge, "at most 50000000 pixels, got 40000 × 40000")
	_, err = read(t, generous(), header(1<<31-1, 1<<31-1, 16, 6, 0))
	refused(t, err, domain.PhotoTooLarge, "at most 50000000 pixels, got 2147483647 × 2147483647")
	_, err = read(t, generous(), header(7000, 7000, 16, 6, 1))
	refused(t, err, domain.PhotoTooLarge, "of an image of this kind, interlaced 16-bit PNG")
	_, err = read(t, generous(), header(0, 7, 8, 2, 0))
	refused(t, err, domain.TypeError, "at least one pixel")
	limits = generous()
	limits.MaxDimension = 0
	_, err = read(t, limits, header(70000, 1, 8, 0, 0))
	refused(t, err, domain.PhotoTooLarge, "at most 65535 pixels a side")
}

// A call without a slot waits until its context ends.
func TestBusy(t *testing.T) {
	t.Parallel()
	reader := NewReader(generous(), 1)
	check(t, reader.fast.take(t.Context(), 1, ask{}))
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	_, _, err := reader.Read(ctx, 689, encodeJPEG(corners(), 90))
	refused(t, err, domain.Unavailable, "busy")
	reader.fast.leave(1)
	if _, _, err := reader.Read(context.Background(), 689, encodeJPEG(corners(), 90)); err != nil {
		t.Error(err)
	}
	if reader.fast.free != 1 {
		t.Error("the slot is not given back")
	}
}

// A fleet with too much waiting is told when to try again; other fleets wait.
func TestTooManyRequests(t *testing.T) {
	t.Parallel()
	reader := NewReader(generous(), 1)
	for range 2 {
		must(reader.fast.join(1, ask{work: fastQueue}))
	}
	data := encodeJPEG(corners(), 90)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, _, err := reader.Read(ctx, 1, bytes.Clone(data))
	refused(t, err, domain.TooManyRequests, "want fewer images of one fleet at once")
	if after := domain.AsError(err).RetryAfter; after != 5*time.Second {
		t.Errorf("got a RetryAfter of %v, want 5s", after)
	}
	_, _, err = reader.Read(ctx, 2, bytes.Clone(data))
	refused(t, err, domain.Unavailable, "busy")

	batch := NewBatchReader(generous(), 1)
	for range 2 {
		must(batch.fast.join(1, ask{work: 24 * time.Hour}))
	}
	_, _, err = batch.Read(ctx, 1, data)
	refused(t, err, domain.Unavailable, "busy")
}

// An image that takes too long is too large, unless the call ends first.
func TestPatience(t *testing.T) {
	t.Parallel()
	slow := file{
		kind: "PNG", size: image.Pt(8, 9),
		load: func(target, bool) load { return load{} },
		draw: func(ctx context.Context, _ target) (jpeg.Picture, error) {
			<-ctx.Done()
			return jpeg.Picture{}, context.Cause(ctx)
		},
	}
	reader := NewReader(generous(), 1)
	reader.fast.patience = time.Millisecond
	_, err := reader.clean(t.Context(), 689, slow)
	refused(t, err, domain.PhotoTooLarge, "got a PNG of 8 × 9 that took 1ms; send it smaller or as a baseline JPEG")

	reader.fast.patience = time.Hour
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	_, err = reader.clean(ctx, 689, slow)
	refused(t, err, domain.Unavailable, "nothing was changed")
	if reader.fast.free != 1 {
		t.Error("the slot is not given back")
	}
}

// Images that take much memory or time are decoded one at a time, beside the others.
func TestSlowLane(t *testing.T) {
	t.Parallel()
	reader := NewReader(generous(), 1)
	drawn := map[string]int{}
	image := func(name string, takes load, draw func()) file {
		return file{
			kind: "PNG", size: image.Pt(8, 9),
			load: func(target, bool) load { return takes },
			draw: func(context.Context, target) (jpeg.Picture, error) {
				drawn[name]++
				draw()
				return jpeg.Picture{}, errors.New("drawn")
			},
		}
	}
	large, long, small := load{memory: laneMemory + 1}, load{caps: caps{1000, 100}, packed: 51}, load{caps: caps{1000, 100}, memory: laneMemory / 2, packed: 20}
	for name, first := range map[string]load{"large": large, "long": long} {
		_, err := reader.clean(t.Context(), 1, image(name, first, func() {
			for name, second := range map[string]load{"large second": large, "long second": long} {
				ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
				defer cancel()
				_, err := reader.clean(ctx, 2, image(name, second, func() {}))
				refused(t, err, domain.Unavailable, "busy")
			}
			_, err := reader.clean(t.Context(), 2, image("small", small, func() {}))
			refused(t, err, domain.TypeError, "broken or cut off")
		}))
		refused(t, err, domain.TypeError, "broken or cut off")
	}
	if want := map[string]int{"large": 1, "long": 1, "small": 2}; !maps.Equal(drawn, want) {
		t.Errorf("drawn were %v, want %v", drawn, want)
	}
	if reader.slow.free != 1 || reader.fast.free != 1 {
		t.Error("the slot is not given back")
	}
}

// Each decoder stops when its context ends.
func TestDecodersEnd(t *testing.T) {
	t.Parallel()
	ended := errors.New("ended")
	ctx, end := context.WithCancelCause(t.Context())
	end(ended)
	var gifFile bytes.Buffer
	check(t, gif.Encode(&gifFile, corners(), nil))
	for name, data := range map[string][]byte{
		"JPEG":             encodeJPEG(corners(), 75),
		"progressive JPEG": must(os.ReadFile("testdata/corners.progressive.jpeg")),
		"PNG":              encodePNG(corners()),
		"GIF":              gifFile.Bytes(),
		"WebP":             must(os.ReadFile("testdata/corners.lossy.webp")),
		"lossless WebP":    must(os.ReadFile("testdata/corners.lossless.webp")),
	} {
		t.Run(name, func(t *testing.T) {
			f, err := inspect(bytes.Clone(data))
			check(t, err)
			for _, keep := range []bool{f.jpeg != nil, false} {
				if _, err := f.make(ctx, target{f.size, f.size, upright}, keep); err == nil || !strings.Contains(fmt.Sprint(errors.Unwrap(err), domain.AsError(err).Cause), ended.Error()) {
					t.Errorf("kept %v: got %v", keep, err)
				}
			}
		})
	}
}

// A PNG of nearly MaxBytes is read if it isn't made to take long: here, of pixels
// that don't compress, as in a noisy photo.
func TestLargePNG(t *testing.T) {
	t.Parallel()
	noise := image.NewNRGBA(image.Rect(0, 0, 1800, 1800))
	random := rand.New(rand.NewPCG(1, 2))
	for i := range noise.Pix {
		noise.Pix[i] = byte(random.Uint32())
		if i%4 == 3 {
			noise.Pix[i] = 0xFF
		}
	}
	var out bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.NoCompression} // no level makes it smaller
	check(t, encoder.Encode(&out, noise))
	limits := Limits{MaxBytes: 10 << 20, MaxPixels: 50_000_000, MaxDimension: 1024}
	reader := NewReader(limits, 1)
	reader.Wait(time.Hour) // whatever runs beside it
	photo, _, err := reader.Read(t.Context(), 689, out.Bytes())
	if info := photo.Info(); err != nil || out.Len() < 9<<20 || info.Width != 1024 || info.Height != 1024 {
		t.Errorf("of %d bytes: got %+v, %v", out.Len(), info, err)
	}
}
