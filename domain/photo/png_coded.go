package photo

import "math"

// codedSpace is a colour space that cICP names by code points of ITU-T H.273.
type codedSpace struct {
	primaries *primaries
	light     func(sample float64) float64 // linear light; both go from 0 to 1
	isSRGB    bool
}

// newCodedSpace returns the space that the content of cICP names, or nil if it
// isn't applied: code points that Chromium doesn't apply to PNG, XYZ, and PQ and
// HLG, whose light would have to be reduced to a screen's.
func newCodedSpace(content [4]byte) *codedSpace {
	const bt709, srgb, rgb, fullRange = 1, 13, 0, 1
	s := &codedSpace{codedPrimaries(content[0]), codedLight(content[1]), content[0] == bt709 && content[1] == srgb}
	if s.primaries == nil || s.light == nil || content[2] != rgb || content[3] != fullRange {
		return nil
	}
	return s
}

// codedPrimaries are those of H.273, table 2.
func codedPrimaries(code byte) *primaries {
	d65, c := [2]float64{0.3127, 0.3290}, [2]float64{0.310, 0.316}
	switch code {
	case 1:
		return sRGBPrimaries()
	case 4: // BT.470 System M
		return &primaries{c, {0.67, 0.33}, {0.21, 0.71}, {0.14, 0.08}}
	case 5: // BT.601, 625 lines
		return &primaries{d65, {0.64, 0.33}, {0.29, 0.60}, {0.15, 0.06}}
	case 6, 7: // BT.601, 525 lines
		return &primaries{d65, {0.630, 0.340}, {0.310, 0.595}, {0.155, 0.070}}
	case 8: // film
		return &primaries{c, {0.681, 0.319}, {0.243, 0.692}, {0.145, 0.049}}
	case 9: // BT.2020
		return &primaries{d65, {0.708, 0.292}, {0.170, 0.797}, {0.131, 0.046}}
	case 11: // DCI-P3
		return &primaries{{0.314, 0.351}, {0.680, 0.320}, {0.265, 0.690}, {0.150, 0.060}}
	case 12: // Display P3
		return &primaries{d65, {0.680, 0.320}, {0.265, 0.690}, {0.150, 0.060}}
	case 22: // EBU Tech 3213
		return &primaries{d65, {0.630, 0.340}, {0.295, 0.605}, {0.155, 0.077}}
	}
	return nil
}

// codedLight returns the function from samples to linear light of H.273, table
// 3. For the curves of video cameras it is that of the screens that they were
// made for (BT.1886).
func codedLight(code byte) func(float64) float64 {
	power := func(gamma float64) func(float64) float64 {
		return func(v float64) float64 { return math.Pow(v, gamma) }
	}
	switch code {
	case 1, 6, 11, 14, 15: // BT.709, BT.601, xvYCC, BT.2020
		return power(2.4)
	case 4: // BT.470 System M
		return power(2.2)
	case 5: // BT.470 System B, G
		return power(2.8)
	case 7: // SMPTE 240
		return func(v float64) float64 {
			if v < 0.0913 {
				return v / 4
			}
			return math.Pow((v+0.1115)/1.1115, 1/0.45)
		}
	case 8:
		return power(1)
	case 13:
		return sRGBLight
	case 17: // SMPTE 428
		return func(v float64) float64 { return 52.37 / 48 * math.Pow(v, 2.6) }
	}
	return nil
}
