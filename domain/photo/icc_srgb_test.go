package photo

import "testing"

// sRGB is recognised by its numbers, not by its text.
func TestNeutralProfileOfSRGB(t *testing.T) {
	t.Parallel()
	swapped := [3][]byte{hpColorants[1], hpColorants[0], hpColorants[2]}
	for name, c := range map[string]struct {
		components int
		build      iccBuild
		dropped    bool
	}{
		"HP":                  {3, matrixProfile(2, hpColorants, curv(1024, linear)), true},
		"Adobe's name":        {3, matrixProfile(2, hpColorants, curv(1024, linear)).with(profileTag{"desc", typed("text", []byte("Adobe RGB (1998)\x00"))}), true},
		"long curve":          {3, matrixProfile(2, argyllColorants, curv(4096, linear)), true},
		"c2":                  {3, matrixProfile(2, hpColorants, curv(26, linear)), true},
		"20 entries":          {3, matrixProfile(2, argyllColorants, curv(20, linear)), true},
		"42 entries":          {3, matrixProfile(2, argyllColorants, curv(42, linear)), true},
		"function":            {3, matrixProfile(4, argyllColorants, sRGBFunction).with(profileTag{"chad", bradford}), true},
		"function by Skia":    {3, matrixProfile(4, hpColorants, sRGBLongFunction), true},
		"grey":                {1, greyProfile("XYZ ", curv(1024, linear)), true},
		"grey of lightness":   {1, greyProfile("Lab ", curv(1024, linear)), false},
		"10 entries":          {3, matrixProfile(2, hpColorants, curv(10, linear)), false},
		"gamma of 2.2":        {3, matrixProfile(2, hpColorants, gammaCurv(2.2)), false},
		"sampled gamma":       {3, matrixProfile(2, hpColorants, curv(1024, power(2.2))), false},
		"function of a gamma": {3, matrixProfile(4, hpColorants, para(0, 2.2)), false},
		"linear":              {3, matrixProfile(2, hpColorants, unchanged), false},
		"television":          {3, matrixProfile(2, hpColorants, curv(1024, rec709)), false},
		"one other curve":     {3, matrixProfile(2, hpColorants, curv(1024, linear)).with(profileTag{"bTRC", gammaCurv(2.2)}), false},
		"no number":           {3, matrixProfile(4, hpColorants, para(3, 0.5, -1, 0, 1, 0)), false},
		"offsets":             {3, matrixProfile(4, hpColorants, para(4, 2.4, 1/1.055, 0.055/1.055, 1/12.92, 0.04045, 0.1, 0.1)), false},
		"Adobe RGB":           {3, matrixProfile(2, adobeColorants, curv(1024, linear)), false},
		"Display P3":          {3, matrixProfile(4, p3Colorants, sRGBFunction), false},
		"red as green":        {3, matrixProfile(2, swapped, curv(1024, linear)), false},
		"table":               {3, matrixProfile(2, hpColorants, curv(1024, linear)).with(profileTag{"A2B0", lut8(3)}), false},
		"overlong table":      {3, matrixProfile(2, hpColorants, curv(1024, linear)).with(profileTag{"A2B0", lut16(33, 2)}), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := neutralProfile(c.build.bytes(), c.components); (got == nil) != c.dropped {
				t.Errorf("got %d bytes, dropped: %t", len(got), c.dropped)
			}
		})
	}
}
