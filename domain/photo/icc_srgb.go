package photo

import (
	"encoding/binary"
	"math"
)

// sRGBColorants are X, Y and Z of red, green and blue (IEC 61966-2-1), adapted to
// D50, as most profiles of sRGB have them.
var sRGBColorants = [3][3]float64{
	{0.4361, 0.2225, 0.0139},
	{0.3851, 0.7169, 0.0971},
	{0.1431, 0.0606, 0.7141},
}

// isSRGB reports whether the tags describe sRGB, within the rounding differences
// between sRGB profiles. For a grey profile, it compares the curve.
func (m colorModel) isSRGB(header []byte, tags map[string][]byte) bool {
	for i, name := range m.colorants {
		for j, want := range sRGBColorants[i] {
			if math.Abs(fixed(tags[name], 8+4*j)-want) > 0.002 {
				return false
			}
		}
	}
	for _, name := range m.curves {
		if !isSRGBCurve(tags[name]) {
			return false
		}
	}
	return string(header[iccPCS:iccPCS+4]) == "XYZ "
}

// isSRGBCurve reports whether a curve is within 1.5 of 255 levels of that of
// sRGB. Curves of 20 entries, as in very short profiles, are 1 level off; a
// gamma of 2.2 is 8 levels off.
func isSRGBCurve(curve []byte) bool {
	for level := range 256 {
		off := math.Abs(255*sRGBLevel(curveAt(curve, float64(level)/255)) - float64(level))
		if off > 1.5 || math.IsNaN(off) {
			return false
		}
	}
	return true
}

// sRGBLevel encodes linear light as sRGB, both from 0 to 1 (IEC 61966-2-1, 5.2).
func sRGBLevel(light float64) float64 {
	if light <= 0.0031308 {
		return 12.92 * light
	}
	return 1.055*math.Pow(light, 1/2.4) - 0.055
}

// sRGBLight is the inverse of sRGBLevel.
func sRGBLight(level float64) float64 {
	if level <= 0.04045 {
		return level / 12.92
	}
	return math.Pow((level+0.055)/1.055, 2.4)
}

// curveAt returns the value of a curve at x, from 0 to 1 (ICC.1:2010, 10.5 and
// 10.15). It returns NaN for a pure gamma, which is not sRGB.
func curveAt(curve []byte, x float64) float64 {
	if string(curve[:4]) == "para" {
		return parametricAt(curve, x)
	}
	last := int(binary.BigEndian.Uint32(curve[8:])) - 1
	if last < 1 {
		return math.NaN()
	}
	entry := func(i int) float64 { return float64(binary.BigEndian.Uint16(curve[12+2*i:])) / math.MaxUint16 }
	at := x * float64(last)
	below := min(int(at), last-1)
	return entry(below) + (at-float64(below))*(entry(below+1)-entry(below))
}

// parametricAt returns the value at x of a parametric curve with a linear part,
// which functions 3 and 4 have. It returns NaN for the others.
func parametricAt(curve []byte, x float64) float64 {
	const first, size = 12, 4
	function := curve[9]
	if function < 3 {
		return math.NaN()
	}
	parameter := func(i int) float64 { return fixed(curve, first+size*i) }
	g, a, b, c, d, e, f := parameter(0), parameter(1), parameter(2), parameter(3), parameter(4), 0.0, 0.0
	if function == 4 {
		e, f = parameter(5), parameter(6)
	}
	if x < d {
		return c*x + f
	}
	return math.Pow(a*x+b, g) + e
}

// fixed returns the s15Fixed16 number at an offset of data.
func fixed(data []byte, at int) float64 {
	return float64(int32(binary.BigEndian.Uint32(data[at:]))) / (1 << 16)
}
