package jpeg

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestCases reads files that people sent.
func TestCases(t *testing.T) {
	t.Parallel()
	const (
		red, green, blue, yellow, white = 0xCF4030, 0x32A03F, 0x3050BF, 0xDFC041, 0xFBFFFF
	)
	flag := [5]int{red, green, blue, yellow, white}
	for name, want := range map[string]struct {
		err     error
		colours [5]int
	}{
		"no_eoi.jpg":               {nil, flag},
		"progressive_no_eoi.jpg":   {nil, flag},
		"progressive_restart.jpg":  {nil, flag},
		"mjpeg_no_dht.jpg":         {nil, flag},
		"sampling_1x1_2x2_2x2.jpg": {nil, flag},
		"sampling_2x2_1x1_2x1.jpg": {nil, flag},
		"trunc_90pct.jpg":          {errShort, [5]int{}},
		// The colours that Chromium shows: inverted CMYK, though the file once was YCCK.
		"cmyk_no_adobe.jpg": {nil, [5]int{0x66881E, 0x2C6D80, 0x6D2279, 0x24B556, 0x007D82}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(filepath.Join("testdata", name))
			if err != nil {
				t.Fatal(err)
			}
			f, err := cleanAndCheck(t, data)
			if !errors.Is(err, want.err) {
				t.Fatalf("got error %v, want %v", err, want.err)
			}
			if err != nil {
				return
			}
			if err := checkMended(t, f); err != nil {
				t.Error(err)
			}
			_, got := mustDecode(t, data, 8)
			var colours [5]int
			for i, at := range [5][2]int{{10, 10}, {80, 10}, {10, 50}, {80, 50}, {37, 30}} {
				colours[i] = got.colour(f, at[0], at[1])
			}
			for i, colour := range colours {
				if distance(colour, want.colours[i]) > 8 {
					t.Errorf("got the colours %06X, want %06X", colours, want.colours)
					break
				}
			}
		})
	}
}

// distance returns the difference between two colours.
func distance(a, b int) (most int) {
	for range 3 {
		difference := a&0xFF - b&0xFF
		most = max(most, difference, -difference)
		a, b = a>>8, b>>8
	}
	return most
}
