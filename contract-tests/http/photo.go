package httpsuite

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"image"
	"image/color/palette"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"net/http"
	"strings"
	"sync"
	"text/template"
	"time"
)

// expand fills in a template of a case: the fields of target, {{jpeg}},
// {{png}}, {{gif}} and {{before}} for a photo's bytes, and what old clients do
// to texts.
func expand(text string, target Target) (string, error) {
	t, err := template.New("case").Funcs(template.FuncMap{
		"before":    func() string { return string(pictures()["before"]) },
		"jpeg":      func() string { return string(pictures()["jpeg"]) },
		"png":       func() string { return string(pictures()["png"]) },
		"gif":       func() string { return string(pictures()["gif"]) },
		"junk":      func(size int) string { return "\xff\xd8\xff" + strings.Repeat("x", size-3) },
		"widePNG":   widePNG,
		"half":      func(text string) string { return text[:len(text)/2] },
		"add":       func(a, b int) int { return a + b },
		"base64":    func(data string) string { return encodeBase64([]byte(data)) },
		"base64url": func(data string) string { return base64.RawURLEncoding.EncodeToString([]byte(data)) },
		"lines":     breakLines,
		"replace":   func(old, with, text string) string { return strings.ReplaceAll(text, old, with) },
	}).Option("missingkey=error").Parse(text)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	err = t.Execute(&out, target)
	return out.String(), err
}

func encodeBase64(data []byte) string { return base64.StdEncoding.EncodeToString(data) }

// breakLines breaks Base64 as MIME does, after 76 characters.
func breakLines(separator, text string) string {
	var out strings.Builder
	for len(text) > 76 {
		out.WriteString(text[:76] + separator)
		text = text[76:]
	}
	return out.String() + text
}

// pictures returns the photos of the cases by name, each different. The Base64
// of each has the digits "+" and "/".
var pictures = sync.OnceValue(func() map[string][]byte {
	made := map[string][]byte{}
	encoders := map[string]func(io.Writer, image.Image) error{
		"before": func(w io.Writer, i image.Image) error { return jpeg.Encode(w, i, nil) },
		"jpeg":   func(w io.Writer, i image.Image) error { return jpeg.Encode(w, i, nil) },
		"png":    png.Encode,
		"gif":    encodeGIF,
	}
	for name, encode := range encoders {
		made[name] = makePicture(name, encode)
	}
	return made
})

func makePicture(name string, encode func(io.Writer, image.Image) error) []byte {
	for seed := int(name[0]); ; seed++ {
		picture := image.NewRGBA(image.Rect(0, 0, 48, 32))
		for i := range 48 * 32 {
			x, y := i%48, i/48
			picture.Set(x, y, palette.WebSafe[(x/8+y/8*6+seed*7)%len(palette.WebSafe)])
		}
		var out bytes.Buffer
		if err := encode(&out, picture); err != nil {
			panic(fmt.Sprintf("encode a small picture into memory: %v", err))
		}
		if text := encodeBase64(out.Bytes()); strings.Contains(text, "+") && strings.Contains(text, "/") {
			return out.Bytes()
		}
	}
}

// encodeGIF keeps the colours as they are: they are all in the palette.
func encodeGIF(w io.Writer, picture image.Image) error {
	exact := image.NewPaletted(picture.Bounds(), palette.WebSafe)
	draw.Draw(exact, exact.Bounds(), picture, image.Point{}, draw.Src)
	return gif.Encode(w, exact, nil)
}

// widePNG makes a PNG whose header says one pixel more than most, in one row.
func widePNG(most int) (string, error) {
	var out bytes.Buffer
	err := png.Encode(&out, image.NewGray(image.Rect(0, 0, 1, most+1)))
	return out.String(), err
}

// checkPhoto looks at what is stored, for as long as the address may show what
// was there before.
func (t Target) checkPhoto(ctx context.Context, address string, want []byte) error {
	const interval = 100 * time.Millisecond
	for end := time.Now().Add(t.Patience); ; {
		err := checkStored(ctx, address, want)
		if err == nil || time.Now().After(end) {
			return err
		}
		select {
		case <-time.After(interval):
		case <-ctx.Done():
			return err
		}
	}
}

// checkStored fetches what is stored and compares it with the image want, or
// checks that there is nothing where want is empty.
func checkStored(ctx context.Context, address string, want []byte) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	got, err := send(request)
	if err != nil {
		return err
	}
	unsigned, _, _ := strings.Cut(address, "?")
	if len(want) == 0 {
		if got.status == http.StatusOK {
			return fmt.Errorf("the photo is still served at %s after its deletion", unsigned)
		}
		return nil
	}
	if got.status != http.StatusOK || got.header.Get("Content-Type") != "image/jpeg" {
		return fmt.Errorf("want the photo at %s, got %d %q", unsigned, got.status, got.header.Get("Content-Type"))
	}
	return samePicture(got.body, want)
}

// samePicture compares a stored JPEG with the image that was sent. A server
// may have encoded it again, so small differences are allowed.
func samePicture(stored, sent []byte) error {
	got, err := jpeg.Decode(bytes.NewReader(stored))
	if err != nil {
		return fmt.Errorf("what is stored is no JPEG: %w", err)
	}
	want, _, err := image.Decode(bytes.NewReader(sent))
	if err != nil {
		return err
	}
	if got.Bounds().Size() != want.Bounds().Size() {
		return fmt.Errorf("the stored photo has %v pixels, the one sent %v", got.Bounds().Size(), want.Bounds().Size())
	}
	const allowed = 12 // of 255, on average
	if difference := meanDifference(got, want); difference > allowed {
		return fmt.Errorf("the stored photo differs from the one sent by %d of 255 on average", difference)
	}
	return nil
}

func meanDifference(a, b image.Image) int {
	size := a.Bounds().Size()
	total := 0
	for i := range size.X * size.Y {
		x, y := i%size.X, i/size.X
		r1, g1, b1, _ := a.At(a.Bounds().Min.X+x, a.Bounds().Min.Y+y).RGBA()
		r2, g2, b2, _ := b.At(b.Bounds().Min.X+x, b.Bounds().Min.Y+y).RGBA()
		for _, d := range []int{int(r1) - int(r2), int(g1) - int(g2), int(b1) - int(b2)} {
			total += max(d, -d) >> 8
		}
	}
	return total / (3 * size.X * size.Y)
}
