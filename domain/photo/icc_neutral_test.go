package photo

import (
	"bytes"
	"encoding/binary"
	"maps"
	"slices"
	"testing"
)

// unchanged is a curve that changes nothing.
var unchanged = curv(0, nil)

// keptProfiles are profiles of each form of which all colour tags are kept.
var keptProfiles = map[string]struct {
	components int
	class      string // of what is kept
	build      iccBuild
}{
	"Adobe RGB":                 {3, "mntr", matrixProfile(2, adobeColorants, gammaCurv(2.2))},
	"Display P3":                {3, "mntr", matrixProfile(4, p3Colorants, sRGBFunction).with(profileTag{"chad", bradford})},
	"a curve a channel":         {3, "mntr", matrixProfile(2, hpColorants, curv(4096, power(1.8))).with(profileTag{"gTRC", curv(255, power(1.9))}, profileTag{"bTRC", unchanged})},
	"grey":                      {1, "prtr", greyProfile("XYZ ", gammaCurv(2.2))},
	"grey of lightness":         {1, "prtr", greyProfile("Lab ", curv(256, linear))},
	"8-bit table":               {3, "scnr", tableProfile(2, lut8(9))},
	"16-bit table":              {3, "scnr", tableProfile(4, lut16(9, 255))},
	"two tables":                {3, "scnr", tableProfile(2, lut16(9, 2)).with(profileTag{"A2B1", lut8(5)})},
	"curves alone":              {3, "scnr", tableProfile(4, lutAToB(wholeWords(unchanged, sRGBFunction, para(0, 2.2))))},
	"curves and matrix":         {3, "scnr", tableProfile(4, lutAToB(wholeWords(unchanged, unchanged, unchanged), fixeds(1, 0, 0, 0, 1, 0, 0, 0, 1, 0.5, 0, -0.5), wholeWords(curv(3, power(2)), gammaCurv(2), unchanged)))},
	"curves and 8-bit cube":     {3, "scnr", tableProfile(4, lutAToB(wholeWords(unchanged, unchanged, unchanged), nil, nil, cubeElement(5, 1), wholeWords(curv(5, power(2)), para(1, 2, 1, 0), para(2, 2, 1, 0, 0))))},
	"all elements":              {3, "scnr", tableProfile(4, lutAToB(wholeWords(unchanged, unchanged, unchanged), fixeds(1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0), wholeWords(unchanged, unchanged, unchanged), cubeElement(5, 2), wholeWords(unchanged, unchanged, unchanged)))},
	"sRGB colorants and tables": {3, "scnr", matrixProfile(2, hpColorants, curv(1024, linear)).with(profileTag{"A2B0", lut8(5)})},
}

// Numbers that colours need are unchanged. Everything else is the same in all profiles.
func TestNeutralProfile(t *testing.T) {
	t.Parallel()
	for name, c := range keptProfiles {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := neutralProfile(c.build.bytes(), c.components)
			if got == nil {
				t.Fatal("the profile is dropped")
			}
			if want := neutralHeaderOf(c.build, c.class, len(got)); !bytes.Equal(got[:128], want) {
				t.Errorf("got the header\n%q, want\n%q", got[:128], want)
			}
			want := map[string][]byte{}
			for _, tag := range c.build.tags {
				want[tag.name] = tag.data
			}
			want["desc"], want["cprt"] = neutralTextsOf(c.build.version)
			if tags := tagsOf(got); !maps.EqualFunc(tags, want, bytes.Equal) {
				t.Errorf("got the tags\n%q, want\n%q", tags, want)
			}
			if again := neutralProfile(got, c.components); !bytes.Equal(again, got) {
				t.Errorf("got\n%q from the result, want\n%q", again, got)
			}
		})
	}
}

// neutralHeaderOf is the header that a profile of the class has, written out.
func neutralHeaderOf(b iccBuild, class string, length int) []byte {
	version := map[byte]string{2: "\x02\x40\x00\x00", 4: "\x04\x30\x00\x00"}[b.version]
	none := func(count int) string { return string(make([]byte, count)) }
	return []byte(string(binary.BigEndian.AppendUint32(nil, uint32(length))) +
		none(4) + version + class + b.space + b.pcs + "\x07\xD0\x00\x01\x00\x01" + none(6) + "acsp" + none(24) +
		"\x00\x00\x00\x01" + string(fixeds(0.9642, 1, 0.8249)) + none(48))
}

func neutralTextsOf(version byte) (description, copyright []byte) {
	if version == 4 {
		return []byte("mluc\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x0CenUS\x00\x00\x00\x1C\x00\x00\x00\x1C\x00C\x00o\x00l\x00o\x00u\x00r\x00 \x00p\x00r\x00o\x00f\x00i\x00l\x00e"),
			[]byte("mluc\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x0CenUS\x00\x00\x00\x14\x00\x00\x00\x1C\x00N\x00o\x00t\x00 \x00s\x00t\x00a\x00t\x00e\x00d")
	}
	return typed("desc", []byte("\x00\x00\x00\x0FColour profile\x00"), make([]byte, 78)), typed("text", []byte("Not stated\x00"))
}

// What is kept doesn't depend on an owner's name, wherever it is.
func TestNeutralProfileHidesOwner(t *testing.T) {
	t.Parallel()
	const owner = "Jane Doe, serial 0123456789"
	for name, c := range keptProfiles {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			planted := c.build.ownedBy(owner)
			want, got := neutralProfile(c.build.bytes(), c.components), neutralProfile(planted.bytes(), c.components)
			if !bytes.Equal(got, want) || bytes.Contains(got, []byte("Jane")) {
				t.Errorf("got\n%q, want\n%q", got, want)
			}
		})
	}
}

// Header fields with several forms are written in one.
func TestNeutralProfileHeader(t *testing.T) {
	t.Parallel()
	profile := matrixProfile(2, adobeColorants, gammaCurv(2.2)).bytes()
	for _, c := range []struct {
		at        int
		old, want string
	}{
		{8, "\x00\x00\x00\x00", "\x02\x40\x00\x00"}, // version
		{8, "\x03\x50\x00\x00", "\x02\x40\x00\x00"},
		{8, "\x04\x00\x00\x00", "\x04\x30\x00\x00"},
		{12, "scnr", "scnr"}, // class
		{12, "spac", "spac"},
		{20, "Lab ", "XYZ "},                // connection space, of missing tables
		{64, "Jan\x00", "\x00\x00\x00\x00"}, // intent
		{64, "\x00\x00\x00\x03", "\x00\x00\x00\x03"},
		{64, "\x00\x00\x00\x04", "\x00\x00\x00\x00"},
	} {
		data := bytes.Clone(profile)
		copy(data[c.at:], c.old)
		if got := neutralProfile(data, 3)[c.at : c.at+4]; string(got) != c.want {
			t.Errorf("%q at %d: got %q, want %q", c.old, c.at, got, c.want)
		}
	}
}

// Reserved bytes inside a tag are cleared too.
func TestNeutralProfileClearsPadding(t *testing.T) {
	t.Parallel()
	curves := wholeWords(gammaCurv(2.2), gammaCurv(2.2), gammaCurv(2.2))
	table := lutAToB(curves, nil, nil, cubeElement(3, 1), curves)
	for name, c := range map[string]struct {
		tag string
		at  []int // offsets of unused bytes
		in  iccBuild
	}{
		"function":     {"rTRC", []int{10, 11}, matrixProfile(4, p3Colorants, sRGBFunction)},
		"8-bit table":  {"A2B0", []int{11}, tableProfile(2, lut8(3))},
		"16-bit table": {"A2B0", []int{11}, tableProfile(2, lut16(3, 2))},
		// After two bytes of the header, the reserved words and ends of curves, and sides and padding of the cube.
		"elements": {"A2B0", []int{10, 11, 36, 46, 47, 52, 62, 80 + 3, 80 + 15, 80 + 17, 80 + 19, len(table) - len(curves) - 1}, tableProfile(4, table)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := bytes.Clone(tagsOf(neutralProfile(c.in.bytes(), 3))[c.tag])
			for _, at := range c.at {
				if data[at] != 0 {
					t.Fatalf("byte %d is %d, want one that is unused", at, data[at])
				}
				data[at] = 'J'
			}
			want, got := neutralProfile(c.in.bytes(), 3), neutralProfile(c.in.with(profileTag{c.tag, data}).bytes(), 3)
			if !bytes.Equal(got, want) {
				t.Errorf("got\n%q, want\n%q", got, want)
			}
		})
	}
}

// Tables are kept while there is room, and equal tags are written once.
func TestNeutralProfileRoom(t *testing.T) {
	t.Parallel()
	screen := matrixProfile(2, adobeColorants, curv(4096, power(2.2)))
	tables := func(first, second []byte) iccBuild {
		return screen.with(profileTag{"A2B0", first}, profileTag{"A2B1", second})
	}
	matrix := []string{"bTRC", "bXYZ", "cprt", "desc", "gTRC", "gXYZ", "rTRC", "rXYZ", "wtpt"}
	for name, c := range map[string]struct {
		build iccBuild
		want  []string
	}{
		"both":          {tables(lut16(16, 2), lut16(17, 178)), append([]string{"A2B0", "A2B1"}, matrix...)},
		"first":         {tables(lut16(16, 2), lut16(17, 180)), append([]string{"A2B0"}, matrix...)},
		"both the same": {tables(lut16(20, 2), lut16(20, 2)), append([]string{"A2B0", "A2B1"}, matrix...)},
		"second":        {tables(lut16(33, 2), lut16(9, 2)), append([]string{"A2B1"}, matrix...)},
		"none":          {tables(lut16(33, 2), lut16(33, 3)), matrix},
		"none is read":  {tables(typed("mft2", make([]byte, 70_000)), lut16(33, 3)), matrix},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := neutralProfile(c.build.bytes(), 3)
			names := slices.Sorted(maps.Keys(tagsOf(got)))
			if len(got) > longestProfile || !slices.Equal(names, c.want) {
				t.Errorf("got %d bytes with %v, want %v", len(got), names, c.want)
			}
		})
	}
}

// Three tags with the same curve take the room of one.
func TestNeutralProfileSharesCurves(t *testing.T) {
	t.Parallel()
	for count, want := range map[int]int{2: 464, 4096: 464 + 2*4094} {
		profile := matrixProfile(2, adobeColorants, curv(count, power(2.2)))
		if got := len(neutralProfile(profile.bytes(), 3)); got != want {
			t.Errorf("curves of %d entries: got %d bytes, want %d", count, got, want)
		}
	}
}

// FuzzProfile checks that the result is short, and unchanged when passed in again.
func FuzzProfile(f *testing.F) {
	for _, c := range keptProfiles {
		f.Add(c.build.bytes(), c.components == 1)
	}
	f.Fuzz(func(t *testing.T, profile []byte, grey bool) {
		components := map[bool]int{false: 3, true: 1}[grey]
		got := neutralProfile(profile, components)
		if got == nil {
			return
		}
		if len(got) > longestProfile {
			t.Errorf("got %d bytes", len(got))
		}
		if again := neutralProfile(got, components); !bytes.Equal(again, got) {
			t.Errorf("got\n%q from the result, want\n%q", again, got)
		}
		tagsOf(got)
	})
}
