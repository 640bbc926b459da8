package jpeg

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	stdjpeg "image/jpeg"
	"math"
	"math/rand/v2"
	"testing"
)

// pictureKinds are the kinds of pictures, with the bits by which the size of the
// chroma planes is shifted; -1: there are none.
var pictureKinds = map[string]int{"grey": -1, "4:4:4": 0, "4:2:0": 1}

// newPicture makes a picture of a kind. at returns the sample of a component at
// a place, where x and y go from 0 to 1.
func newPicture(kind, width, height int, at func(component int, x, y float64) float64) Picture {
	plane := func(component, width, height int) Plane {
		p := Plane{Pix: make([]byte, width*height), Stride: width, Width: width, Height: height}
		for i := range p.Pix {
			x, y := float64(i%width)/float64(width), float64(i/width)/float64(height)
			p.Pix[i] = byte(min(max(at(component, x, y), 0), 255))
		}
		return p
	}
	p := Picture{Y: plane(0, width, height)}
	if kind >= 0 {
		width, height = ceilDiv(width, 1<<kind), ceilDiv(height, 1<<kind)
		p.Cb, p.Cr = plane(1, width, height), plane(2, width, height)
	}
	return p
}

// photoLike makes samples like those of photos: soft light, edges and some noise.
func photoLike() func(component int, x, y float64) float64 {
	random := rand.New(rand.NewPCG(1, 2))
	return func(component int, x, y float64) float64 {
		noise, phase := 14.0, float64(component)
		if component > 0 {
			noise = 5
		}
		light := 120 + 50*math.Sin(28*x+8*y+phase) + 30*math.Sin(90*x*y) + noise*random.Float64()
		if (int(11*x)+int(9*y)+component)%3 == 0 {
			light -= 25
		}
		return light
	}
}

// pictureOf returns the planes of a 4:2:0, 4:4:4 or grey picture. They alias it.
func pictureOf(m image.Image) Picture {
	width, height := m.Bounds().Dx(), m.Bounds().Dy()
	switch m := m.(type) {
	case *image.Gray:
		return Picture{Y: Plane{m.Pix, m.Stride, width, height}}
	case *image.YCbCr:
		cb := Plane{m.Cb, m.CStride, width, height}
		if m.SubsampleRatio == image.YCbCrSubsampleRatio420 {
			cb.Width, cb.Height = ceilDiv(width, 2), ceilDiv(height, 2)
		}
		cr := cb
		cr.Pix = m.Cr
		return Picture{Plane{m.Y, m.YStride, width, height}, cb, cr}
	}
	panic(fmt.Sprintf("a picture is %T", m))
}

// asImage is the inverse of pictureOf, for 4:2:0 and grey.
func (p Picture) asImage() image.Image {
	size := image.Rect(0, 0, p.Y.Width, p.Y.Height)
	if p.grey() {
		return &image.Gray{Pix: p.Y.Pix, Stride: p.Y.Stride, Rect: size}
	}
	return &image.YCbCr{Y: p.Y.Pix, Cb: p.Cb.Pix, Cr: p.Cr.Pix, YStride: p.Y.Stride, CStride: p.Cb.Stride,
		SubsampleRatio: image.YCbCrSubsampleRatio420, Rect: size}
}

func (p Picture) planes() []Plane {
	if p.grey() {
		return []Plane{p.Y}
	}
	return []Plane{p.Y, p.Cb, p.Cr}
}

func mustEncode(t testing.TB, p Picture, o Options) []byte {
	t.Helper()
	data, err := Encode(context.Background(), nil, p, o)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// checkPicture decodes data and checks that each block is as close to that of p
// as quantization allows. An orthonormal transform keeps the length of the error
// (Parseval), and no coefficient is off by more than half a divisor. The integer
// arithmetic of encoder and decoder adds at most one per sample.
//
// Clean and Check must find nothing to repair.
func checkPicture(data []byte, p Picture, quality int) error {
	m, err := stdjpeg.Decode(bytes.NewReader(data))
	if err != nil {
		return err
	}
	f, err := Clean(bytes.Clone(data), nil)
	if err != nil {
		return err
	}
	if err := f.Check(context.Background()); err != nil {
		return err
	}
	if !bytes.Equal(f.Bytes(), data) {
		return errors.New("the file isn't clean")
	}
	got := pictureOf(m)
	for c, want := range p.planes() {
		plane := got.planes()[c]
		if plane.Width != want.Width || plane.Height != want.Height {
			return fmt.Errorf("plane %d is %d×%d, want %d×%d", c, plane.Width, plane.Height, want.Width, want.Height)
		}
		sum := 0.0
		for _, q := range scaled(&standardQuantizers[min(c, 1)], quality) {
			sum += float64(q) * float64(q) / 4
		}
		for y := 0; y < want.Height; y += 8 {
			for x := 0; x < want.Width; x += 8 {
				squares, count := blockError(plane, want, x, y)
				if off, most := math.Sqrt(squares), math.Sqrt(sum)+math.Sqrt(count); off > most {
					return fmt.Errorf("plane %d, block at (%d, %d): error %.2f, want at most %.2f", c, x, y, off, most)
				}
			}
		}
	}
	return nil
}

// blockError sums the squared differences of a block, and counts its samples.
func blockError(a, b Plane, left, top int) (squares, count float64) {
	for y := top; y < min(top+8, a.Height); y++ {
		for x := left; x < min(left+8, a.Width); x++ {
			d := float64(a.Row(y)[x]) - float64(b.Row(y)[x])
			squares += d * d
			count++
		}
	}
	return squares, count
}

// TestEncodeSizes encodes pictures of all small sizes, and the same pictures
// completed to whole units by repeating the last column and row. Both have the
// same scans.
func TestEncodeSizes(t *testing.T) {
	t.Parallel()
	for name, kind := range pictureKinds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for size := range 17 * 17 {
				width, height := size%17+1, size/17+1
				p := newPicture(kind, width, height, photoLike())
				data := mustEncode(t, p, Options{Quality: 90})
				if err := checkPicture(data, p, 90); err != nil {
					t.Fatalf("%d×%d: %v", width, height, err)
				}
				unit := 8 << max(kind, 0)
				if width == 1 && height == 1 {
					unit = 8 // chroma of one sample isn't subsampled
				}
				whole := mustEncode(t, p.completed(unit), Options{Quality: 90})
				if !bytes.Equal(scanOf(data), scanOf(whole)) {
					t.Fatalf("%d×%d: the scan differs from that of the completed picture", width, height)
				}
			}
		})
	}
}

// TestEncodeLongest encodes the widest and the highest picture.
func TestEncodeLongest(t *testing.T) {
	t.Parallel()
	for _, size := range [][2]int{{65535, 1}, {1, 65535}} {
		p := newPicture(1, size[0], size[1], photoLike())
		if err := checkPicture(mustEncode(t, p, Options{Quality: 90}), p, 90); err != nil {
			t.Errorf("%d×%d: %v", size[0], size[1], err)
		}
	}
}

// completed returns the picture completed to multiples of unit columns and rows.
func (p Picture) completed(unit int) Picture {
	plane := func(p Plane, unit int) Plane {
		out := Plane{Width: ceilDiv(p.Width, unit) * unit, Height: ceilDiv(p.Height, unit) * unit}
		out.Stride = out.Width
		for y := range out.Height {
			for x := range out.Width {
				out.Pix = append(out.Pix, p.Row(min(y, p.Height-1))[min(x, p.Width-1)])
			}
		}
		return out
	}
	out := Picture{Y: plane(p.Y, unit)}
	if !p.grey() {
		out.Cb, out.Cr = plane(p.Cb, 8), plane(p.Cr, 8)
	}
	return out
}

// scanOf returns the data from the scan header on.
func scanOf(data []byte) []byte { return data[bytes.LastIndex(data, []byte{0xFF, markerSOS}):] }

// TestEncodeLikeStandard compares size and quality with those of image/jpeg.
func TestEncodeLikeStandard(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"grey", "4:2:0"} {
		p := newPicture(pictureKinds[name], 640, 480, photoLike())
		for _, quality := range []int{1, 20, 50, 75, 85, 95, 100} {
			t.Run(fmt.Sprintf("%s %d", name, quality), func(t *testing.T) {
				t.Parallel()
				var theirs bytes.Buffer
				if err := stdjpeg.Encode(&theirs, p.asImage(), &stdjpeg.Options{Quality: quality}); err != nil {
					t.Fatal(err)
				}
				ours := mustEncode(t, p, Options{Quality: quality})
				if ratio := float64(len(ours)) / float64(theirs.Len()); ratio > 1.01 {
					t.Errorf("%d bytes, image/jpeg has %d", len(ours), theirs.Len())
				}
				got, want := psnr(t, ours, p), psnr(t, theirs.Bytes(), p)
				t.Logf("%d / %d bytes; %.3f / %.3f dB", len(ours), theirs.Len(), got, want)
				if got < want-0.1 {
					t.Errorf("%.2f dB, image/jpeg has %.2f", got, want)
				}
				if err := checkPicture(ours, p, quality); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// psnr returns the PSNR between a file and p over the samples of all planes, in dB.
func psnr(t *testing.T, data []byte, p Picture) float64 {
	t.Helper()
	m, err := stdjpeg.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	sum, samples := 0.0, 0.0
	for c, plane := range pictureOf(m).planes() {
		for y := 0; y < plane.Height; y += 8 {
			for x := 0; x < plane.Width; x += 8 {
				squares, count := blockError(plane, p.planes()[c], x, y)
				sum, samples = sum+squares, samples+count
			}
		}
	}
	return 10 * math.Log10(255*255*samples/sum)
}

// TestEncodeStride encodes parts of larger planes, which end with their last sample.
func TestEncodeStride(t *testing.T) {
	t.Parallel()
	for name, kind := range pictureKinds {
		p := newPicture(kind, 40, 33, photoLike())
		want := mustEncode(t, p, Options{Quality: 80})
		for _, plane := range []*Plane{&p.Y, &p.Cb, &p.Cr} {
			wide := bytes.Repeat([]byte{99}, max(0, (plane.Height-1)*(plane.Stride+13)+plane.Width))
			for y := range plane.Height {
				copy(wide[y*(plane.Stride+13):], plane.Row(y))
			}
			plane.Pix, plane.Stride = wide, plane.Stride+13
		}
		if got := mustEncode(t, p, Options{Quality: 80}); !bytes.Equal(got, want) {
			t.Errorf("%s: bytes between the rows are encoded", name)
		}
	}
}

func TestEncodeProfile(t *testing.T) {
	t.Parallel()
	p := newPicture(-1, 8, 8, photoLike())
	bare := mustEncode(t, p, Options{Quality: 80})
	for _, length := range []int{0, 1, mostOfPart, mostOfPart + 1, 200_000, MaxProfile} {
		profile := make([]byte, length)
		for i := range profile {
			profile[i] = byte(i ^ i>>8 ^ i>>16)
		}
		data := mustEncode(t, p, Options{Quality: 80, Profile: profile})
		const head = 18 // bytes of a segment before its part
		if got, want := len(data), len(bare)+length+ceilDiv(length, mostOfPart)*head; got != want {
			t.Errorf("%d bytes: the file has %d, want %d", length, got, want)
		}
		if _, err := stdjpeg.Decode(bytes.NewReader(data)); err != nil {
			t.Errorf("%d bytes: %v", length, err)
		}
		f, err := Clean(data, func(marker byte, _ []byte) { t.Errorf("%d bytes: segment 0x%X is dropped", length, marker) })
		if err != nil {
			t.Fatal(err)
		}
		if got := f.Profile(MaxProfile); !bytes.Equal(got, profile) {
			t.Errorf("%d bytes: the profile has %d, or others", length, len(got))
		}
	}
}

// TestEncodeAppends keeps the bytes before the picture.
func TestEncodeAppends(t *testing.T) {
	t.Parallel()
	p := newPicture(1, 30, 20, photoLike())
	want := append([]byte("before"), mustEncode(t, p, Options{Quality: 80})...)
	got, err := Encode(context.Background(), []byte("before"), p, Options{Quality: 80})
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("got %q and %v, want %q", got, err, want)
	}
}

func TestEncodeCancelled(t *testing.T) {
	t.Parallel()
	cause := errors.New("the cause")
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(cause)
	got, err := Encode(ctx, nil, newPicture(1, 30, 20, photoLike()), Options{Quality: 80})
	if got != nil || !errors.Is(err, cause) {
		t.Errorf("got %q and %v, want the cause", got, err)
	}
}

func TestEncodeRefuses(t *testing.T) {
	t.Parallel()
	const huge = math.MaxInt
	tests := map[string]struct {
		spoil func(p *Picture, o *Options)
		want  string
	}{
		"no size":       {func(p *Picture, _ *Options) { *p = Picture{} }, "jpeg: want a width and a height from 1 to 65535, got 0×0"},
		"wide":          {func(p *Picture, _ *Options) { p.Y.Width = 65536 }, "jpeg: want a width and a height from 1 to 65535, got 65536×20"},
		"high":          {func(p *Picture, _ *Options) { p.Y.Height = 65536 }, "jpeg: want a width and a height from 1 to 65535, got 31×65536"},
		"negative":      {func(p *Picture, _ *Options) { p.Y.Height = -1 }, "jpeg: want a width and a height from 1 to 65535, got 31×-1"},
		"small colour":  {func(p *Picture, _ *Options) { p.Cb.Width, p.Cr.Width = 15, 15 }, "jpeg: planes of 31×20, 15×10 and 15×10 don't go together"},
		"4:2:2":         {func(p *Picture, _ *Options) { p.Cb.Height, p.Cr.Height = 20, 20 }, "jpeg: planes of 31×20, 16×20 and 16×20 don't go together"},
		"two planes":    {func(p *Picture, _ *Options) { p.Cr = Plane{} }, "jpeg: planes of 31×20, 16×10 and 0×0 don't go together"},
		"low red":       {func(p *Picture, _ *Options) { p.Cr.Height = 9 }, "jpeg: planes of 31×20, 16×10 and 16×9 don't go together"},
		"short light":   {func(p *Picture, _ *Options) { p.Y.Pix = p.Y.Pix[1:] }, "jpeg: a plane has fewer samples than its size and stride say"},
		"short blue":    {func(p *Picture, _ *Options) { p.Cb.Pix = p.Cb.Pix[1:] }, "jpeg: a plane has fewer samples than its size and stride say"},
		"no red":        {func(p *Picture, _ *Options) { p.Cr.Pix = nil }, "jpeg: a plane has fewer samples than its size and stride say"},
		"narrow stride": {func(p *Picture, _ *Options) { p.Cr.Stride = 15 }, "jpeg: a plane has fewer samples than its size and stride say"},
		"wide stride":   {func(p *Picture, _ *Options) { p.Y.Stride = huge }, "jpeg: a plane has fewer samples than its size and stride say"},
		"quality 0":     {func(_ *Picture, o *Options) { o.Quality = 0 }, "jpeg: want a quality from 1 to 100, got 0"},
		"quality 101":   {func(_ *Picture, o *Options) { o.Quality = 101 }, "jpeg: want a quality from 1 to 100, got 101"},
		"long profile":  {func(_ *Picture, o *Options) { o.Profile = make([]byte, MaxProfile+1) }, "jpeg: want a profile of at most 16707345 bytes, got 16707346"},
	}
	for name, test := range tests {
		p, o := newPicture(1, 31, 20, photoLike()), Options{Quality: 80}
		test.spoil(&p, &o)
		if got, err := Encode(context.Background(), nil, p, o); got != nil || err == nil || err.Error() != test.want {
			t.Errorf("%s: got %q and %v, want %q", name, got, err, test.want)
		}
	}
}

// FuzzEncode encodes pictures of arbitrary samples.
func FuzzEncode(f *testing.F) {
	for _, seed := range []string{"\x00\xFF", "\xFF\xFE\x01", "a photo's noise"} {
		for kind := range byte(3) {
			f.Add(kind, byte(16), byte(9), byte(100), []byte(seed))
			f.Add(kind, byte(1), byte(33), byte(1), []byte(seed))
		}
	}
	f.Fuzz(func(t *testing.T, kind, width, height, quality byte, noise []byte) {
		o := Options{Quality: int(quality)%100 + 1, Profile: noise}
		at := 0
		p := newPicture(int(kind)%3-1, int(width)%80+1, int(height)%80+1, func(int, float64, float64) float64 {
			at++
			if len(noise) == 0 {
				return 0
			}
			return float64(noise[at%len(noise)])
		})
		if err := checkPicture(mustEncode(t, p, o), p, o.Quality); err != nil {
			t.Error(err)
		}
	})
}

// BenchmarkEncode encodes a picture as large as the service stores them.
func BenchmarkEncode(b *testing.B) {
	p, quality := newPicture(pictureKinds["4:2:0"], 1024, 768, photoLike()), 85
	b.Run("ours", func(b *testing.B) {
		b.ReportAllocs()
		var dst []byte
		for b.Loop() {
			var err error
			if dst, err = Encode(context.Background(), dst[:0], p, Options{Quality: quality}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("stdlib", func(b *testing.B) {
		b.ReportAllocs()
		var dst bytes.Buffer
		for b.Loop() {
			dst.Reset()
			if err := stdjpeg.Encode(&dst, p.asImage(), &stdjpeg.Options{Quality: quality}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
