package photo

import (
	"encoding/binary"
	"image"
	"image/color"
	"math"
)

// pngSpace is what the chunks of a PNG say about its colours, iCCP aside (W3C
// PNG, third edition, 11.3.2). It is applied as in Chromium.
type pngSpace struct {
	gamma     float64 // of gAMA; 0: none
	primaries *primaries
	named     bool        // sRGB came, which takes precedence over gAMA and cHRM
	coded     *codedSpace // of cICP, which takes precedence over all others
}

// take reads a chunk. Only chunks before the pixels count.
func (s *pngSpace) take(name string, content []byte) {
	const unit = 100_000
	switch {
	case name == "gAMA" && len(content) == 4 && s.gamma == 0:
		s.gamma = float64(binary.BigEndian.Uint32(content)) / unit
	case name == "cHRM" && len(content) == 32:
		var p primaries
		for i := range 8 {
			p[i/2][i%2] = float64(binary.BigEndian.Uint32(content[4*i:])) / unit
		}
		s.primaries = &p
	case name == "sRGB" && len(content) == 1:
		s.named = true
	case name == "cICP" && len(content) == 4 && s.coded == nil:
		s.coded = newCodedSpace([4]byte(content))
	}
}

// differs reports whether the samples are not those of sRGB. gAMA alone doesn't
// count if it is about that of a screen, and cHRM alone never counts.
func (s *pngSpace) differs() bool {
	const screen, threshold = 2.2, 0.05
	if s.coded != nil {
		return !s.coded.isSRGB
	}
	return s.gamma > 0 && !s.named && (s.primaries != nil || math.Abs(s.gamma*screen-1) >= threshold)
}

// light returns the linear light of a sample. Both go from 0 to 1.
func (s *pngSpace) light(sample float64) float64 {
	if s.coded != nil {
		return s.coded.light(sample)
	}
	return math.Pow(sample, 1/s.gamma)
}

func (s *pngSpace) toSRGB() matrix {
	if s.coded != nil {
		return s.coded.primaries.toSRGB()
	}
	return s.primaries.toSRGB()
}

// iccProfile returns the profile that says what the colours are, or nil.
func (h *pngHeader) iccProfile() []byte {
	if h.space.coded != nil {
		return nil
	}
	return inflateProfile(h.profile)
}

// correct converts the samples of a decoded PNG to sRGB. A profile takes
// precedence over gAMA.
func (h *pngHeader) correct(img image.Image) {
	if !h.space.differs() || h.iccProfile() != nil {
		return
	}
	c := newCorrection(h.space, h.depth == 16)
	switch m := img.(type) {
	case *image.Gray:
		c.apply(m.Pix, 1, 1)
	case *image.Gray16:
		c.apply(m.Pix, 2, 1)
	case *image.RGBA:
		c.apply(m.Pix, 4, 3)
	case *image.NRGBA:
		c.apply(m.Pix, 4, 3)
	case *image.RGBA64:
		c.apply(m.Pix, 8, 3)
	case *image.NRGBA64:
		c.apply(m.Pix, 8, 3)
	case *image.Paletted:
		for i, entry := range m.Palette {
			n := color.NRGBAModel.Convert(entry).(color.NRGBA)
			rgb := []byte{n.R, n.G, n.B}
			c.apply(rgb, 3, 3)
			m.Palette[i] = color.NRGBA{rgb[0], rgb[1], rgb[2], n.A}
		}
	}
}

// correction converts samples to sRGB.
type correction struct {
	linear []float32             // linear light, by sample
	matrix matrix                // from linear light to that of sRGB's primaries
	srgb   [lightSteps + 1]uint8 // sRGB samples, by linear light
}

const lightSteps = 1 << 12

func newCorrection(s pngSpace, wide bool) *correction {
	c := &correction{linear: make([]float32, 256), matrix: s.toSRGB()}
	if wide {
		c.linear = make([]float32, 1<<16)
	}
	for i := range c.linear {
		c.linear[i] = float32(s.light(float64(i) / float64(len(c.linear)-1)))
	}
	for i := range c.srgb {
		c.srgb[i] = uint8(math.Round(255 * sRGBLevel(float64(i)/lightSteps)))
	}
	return c
}

// apply corrects the first samples, one or three, of each pixel of pixel bytes. Of a
// 16-bit sample it sets only the high byte, as the low one is not read later.
func (c *correction) apply(pix []byte, pixel, samples int) {
	width := 1
	if len(c.linear) > 256 {
		width = 2
	}
	light := func(at int) float32 {
		if width == 2 {
			return c.linear[int(pix[at])<<8|int(pix[at+1])]
		}
		return c.linear[pix[at]]
	}
	m := &c.matrix
	for at := 0; at+pixel <= len(pix); at += pixel {
		if samples == 1 {
			pix[at] = c.sample(light(at))
			continue
		}
		r, g, b := light(at), light(at+width), light(at+2*width)
		pix[at] = c.sample(m[0][0]*r + m[0][1]*g + m[0][2]*b)
		pix[at+width] = c.sample(m[1][0]*r + m[1][1]*g + m[1][2]*b)
		pix[at+2*width] = c.sample(m[2][0]*r + m[2][1]*g + m[2][2]*b)
	}
}

func (c *correction) sample(light float32) uint8 {
	return c.srgb[int(min(max(light, 0), 1)*lightSteps+0.5)]
}
