package photo

import "math"

// primaries are the chromaticities x and y of white, red, green and blue, in
// the order of cHRM.
type primaries [4][2]float64

// sRGBPrimaries are those of IEC 61966-2-1.
func sRGBPrimaries() *primaries {
	return &primaries{{0.3127, 0.3290}, {0.64, 0.33}, {0.30, 0.60}, {0.15, 0.06}}
}

// matrix is a 3 × 3 matrix, by rows.
type matrix [3][3]float32

// toCones returns the Bradford matrix from XYZ to the space in which white
// points are adapted (ICC.1:2010, annex E).
func toCones() matrix {
	return matrix{{0.8951, 0.2664, -0.1614}, {-0.7502, 1.7135, 0.0367}, {0.0389, -0.0685, 1.0296}}
}

// toSRGB returns the matrix from linear light of the primaries to that of
// sRGB's, with white mapped to white. It is the identity if p is nil or the
// primaries span no colours.
func (p *primaries) toSRGB() matrix {
	same := matrix{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}
	if p == nil {
		return same
	}
	srgb, cone := sRGBPrimaries(), toCones()
	from, to := cone.of(p.color(0)), cone.of(srgb.color(0))
	adapt := matrix{{to[0] / from[0], 0, 0}, {0, to[1] / from[1], 0}, {0, 0, to[2] / from[2]}}
	m := srgb.toXYZ().inverse().times(cone.inverse()).times(adapt).times(cone).times(p.toXYZ())
	for _, row := range m {
		for _, factor := range row {
			if math.IsNaN(float64(factor)) || math.IsInf(float64(factor), 0) {
				return same
			}
		}
	}
	return m
}

// color returns the XYZ of one of the four at full luminance.
func (p *primaries) color(i int) [3]float32 {
	x, y := p[i][0], p[i][1]
	return [3]float32{float32(x / y), 1, float32((1 - x - y) / y)}
}

// toXYZ returns the matrix from linear light of the primaries to XYZ.
func (p *primaries) toXYZ() matrix {
	var m matrix
	for i := range 3 {
		for row, value := range p.color(i + 1) {
			m[row][i] = value
		}
	}
	scale := m.inverse().of(p.color(0))
	return m.times(matrix{{scale[0], 0, 0}, {0, scale[1], 0}, {0, 0, scale[2]}})
}

func (m matrix) of(v [3]float32) (out [3]float32) {
	for i, row := range m {
		out[i] = row[0]*v[0] + row[1]*v[1] + row[2]*v[2]
	}
	return out
}

func (m matrix) times(n matrix) (out matrix) {
	for i, row := range m {
		for j := range 3 {
			out[i][j] = row[0]*n[0][j] + row[1]*n[1][j] + row[2]*n[2][j]
		}
	}
	return out
}

// inverse returns the inverse of m. Its factors are infinite or NaN if there is
// none.
func (m matrix) inverse() (out matrix) {
	cofactor := func(i, j int) float32 {
		a, b, c, d := (i+1)%3, (i+2)%3, (j+1)%3, (j+2)%3
		return m[a][c]*m[b][d] - m[a][d]*m[b][c]
	}
	whole := m[0][0]*cofactor(0, 0) + m[0][1]*cofactor(0, 1) + m[0][2]*cofactor(0, 2)
	for i := range 3 {
		for j := range 3 {
			out[j][i] = cofactor(i, j) / whole
		}
	}
	return out
}
