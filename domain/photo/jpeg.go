package photo

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/photo/jpeg"
)

// maxScans bounds the scans of a JPEG. Encoders write about ten. A scan costs a
// pass over all blocks, however few bytes it has.
const maxScans = 64

// jpegFile is a JPEG whose segments were read.
type jpegFile struct{ *jpeg.File }

// inspectJPEG cleans a JPEG in place and reads its headers.
func inspectJPEG(data []byte) (file, error) {
	turn := upright
	clean, err := jpeg.Clean(data, func(marker byte, content []byte) {
		const app1 = 0xE1
		if marker == app1 && bytes.HasPrefix(content, []byte(exifName)) && turn == upright {
			turn = exifOrientation(content)
		}
	})
	if err != nil {
		return file{}, refuseJPEG(err)
	}
	if clean.Scans > maxScans {
		return file{}, domain.Errorf(domain.TypeError, "photo_base64: want a JPEG of at most %d scans, got %d; save it as a baseline JPEG", maxScans, clean.Scans)
	}
	j := jpegFile{clean}
	f := file{kind: j.kind(), size: image.Pt(clean.Width, clean.Height), orientation: turn, load: j.load, draw: j.draw}
	switch clean.Model {
	case jpeg.Gray, jpeg.YCbCr:
		f.jpeg = clean
		fallthrough
	case jpeg.RGB:
		f.profile = func() []byte { return clean.Profile(maxProfile) }
	case jpeg.CMYK, jpeg.YCCK: // their profile isn't for what is drawn
	}
	return f, nil
}

func (j jpegFile) kind() string {
	kind := "JPEG"
	if j.Progressive {
		kind = "progressive JPEG"
	}
	switch j.Model {
	case jpeg.CMYK, jpeg.YCCK:
		return "CMYK " + kind
	case jpeg.RGB:
		return "RGB " + kind
	default:
		return kind
	}
}

func refuseJPEG(err error) error {
	if process, known := errors.AsType[jpeg.UnsupportedError](err); known {
		return domain.Errorf(domain.TypeError, "photo_base64: want a baseline or progressive JPEG of 8 bits per sample, got one that is %s; save it again", string(process)).WithCause(err)
	}
	return broken("JPEG", err)
}

// scaleOf returns the scale at which the picture is decoded, such that enough
// samples are left to filter. Below these ratios, some stripes and zone plates
// come out more than 1 dB worse than from a full-size picture.
func (t target) scaleOf() jpeg.Scale {
	smaller := func(times float64) bool {
		return float64(t.from.X) >= times*float64(t.to.X) && float64(t.from.Y) >= times*float64(t.to.Y)
	}
	switch {
	case smaller(32):
		return 1
	case smaller(14):
		return 2
	case smaller(3.5):
		return 4
	}
	return 8
}

// load counts the memory that a progressive JPEG takes for its coefficients. The
// bytes per block depend on the scale, which is 0 if the file is only checked.
func (j jpegFile) load(t target, keep bool) load {
	if !j.Progressive {
		return load{}
	}
	blocks := 0
	for c := range j.Components {
		width, height := j.PlaneSize(c, 1)
		blocks += width * height
	}
	scale := t.scaleOf()
	if keep {
		scale = 0
	}
	blockBytes := map[jpeg.Scale]int{8: 136, 4: 40, 2: 16, 1: 10, 0: 8}
	return load{caps: progressiveCaps, memory: blocks * blockBytes[scale], pixels: 64 * blocks, packed: len(j.Bytes())}
}

// draw decodes the picture in strips and scales each at once. The result is
// 4:2:0, as most JPEGs are; that of RGB and CMYK is 4:4:4.
func (j jpegFile) draw(ctx context.Context, t target) (jpeg.Picture, error) {
	scale := t.scaleOf()
	planes := make([]*scaler, j.Components)
	for c := range planes {
		per := 1
		if c > 0 && j.Model == jpeg.YCbCr {
			per = 2
		}
		planes[c] = t.scaler(lanczos(), j.grid(c, scale), per)
	}
	err := j.Decode(ctx, scale, func(component, _ int, rows jpeg.Plane) error {
		for y := range rows.Height {
			planes[component].push(rows.Row(y))
		}
		return nil
	})
	if err != nil {
		return jpeg.Picture{}, err
	}
	switch j.Model {
	case jpeg.CMYK, jpeg.YCCK:
		inksToRGB(j.Model, planes)
		fallthrough
	case jpeg.RGB:
		rgbToYCbCr(planes)
	case jpeg.Gray, jpeg.YCbCr: // as they are stored
	}
	return pictureOf(planes), nil
}

// grid returns how the samples of a component lie on the picture.
func (j jpegFile) grid(component int, scale jpeg.Scale) grid {
	width, height := j.PlaneSize(component, scale)
	h, hMax, v, vMax := j.Sampling(component)
	return grid{image.Pt(width, height), ratio{h * int(scale), hMax * 8}, ratio{v * int(scale), vMax * 8}}
}

// inksToRGB converts cyan, magenta, yellow and black to red, green and blue in
// place. The samples are inverted: each tells how much light the ink lets through.
func inksToRGB(model jpeg.Model, planes []*scaler) {
	k := planes[3].out.Pix
	c, m, y := planes[0].out.Pix[:len(k)], planes[1].out.Pix[:len(k)], planes[2].out.Pix[:len(k)]
	for i, light := range k {
		if model == jpeg.YCCK {
			r, g, b := color.YCbCrToRGB(c[i], m[i], y[i])
			c[i], m[i], y[i] = 255-r, 255-g, 255-b
		}
		c[i], m[i], y[i] = dimmed(c[i], light), dimmed(m[i], light), dimmed(y[i], light)
	}
}

// dimmed returns what is left of a sample under black ink that lets light through.
func dimmed(sample, light byte) byte { return byte((uint32(sample)*uint32(light) + 127) / 255) }
