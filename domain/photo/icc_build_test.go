package photo

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// iccBuild is a profile to build. Its tags are written one after the other.
type iccBuild struct {
	version           byte
	class, space, pcs string
	tags              []profileTag
	owner             string // written wherever colours don't need the bytes
}

type profileTag struct {
	name string
	data []byte
}

// with returns b with more tags. They replace tags of the same name.
func (b iccBuild) with(tags ...profileTag) iccBuild {
	b.tags = slices.Clone(b.tags)
	for _, tag := range tags {
		same := func(t profileTag) bool { return t.name == tag.name }
		if i := slices.IndexFunc(b.tags, same); i >= 0 {
			b.tags[i] = tag
		} else {
			b.tags = append(b.tags, tag)
		}
	}
	return b
}

func (b iccBuild) without(name string) iccBuild {
	b.tags = slices.DeleteFunc(slices.Clone(b.tags), func(t profileTag) bool { return t.name == name })
	return b
}

// ownedBy writes an owner's name wherever colours don't need the bytes.
func (b iccBuild) ownedBy(owner string) iccBuild {
	b.owner = owner
	b.tags = slices.Clone(b.tags)
	for i, tag := range b.tags {
		b.tags[i].data = slices.Concat(tag.data[:4], []byte(owner[:4]), tag.data[8:], []byte(owner))
	}
	text := typed("text", []byte(owner+"\x00"))
	for _, name := range []string{"desc", "cprt", "dmnd", "dmdd", "mmod", "vcgt", "meta", "dscm", "calt", "targ", "chrm", "A2B2", "B2A0", "Jane"} {
		b = b.with(profileTag{name, text})
	}
	b.tags = append(b.tags, profileTag{b.tags[0].name, text}) // again: the first counts
	return b
}

// ownedProfile returns a profile by its name, with its owner if that is not empty.
func ownedProfile(name, owner string) iccBuild {
	b, known := map[string]iccBuild{
		"sRGB":         matrixProfile(2, hpColorants, curv(1024, linear)),
		"Adobe RGB":    matrixProfile(2, adobeColorants, gammaCurv(2.2)),
		"Display P3":   matrixProfile(4, p3Colorants, sRGBFunction).with(profileTag{"chad", bradford}),
		"table":        tableProfile(2, lut8(9)),
		"long table":   tableProfile(4, lut16(21, 256)),
		"longer table": tableProfile(4, lut16(23, 256)),
		"grey":         greyProfile("XYZ ", gammaCurv(2.2)),
		"CMYK":         {version: 2, class: "prtr", space: "CMYK", pcs: "Lab ", tags: []profileTag{{"A2B0", lut8(9)}}},
	}[name]
	if !known {
		panic(name)
	}
	if owner != "" {
		b = b.ownedBy(owner)
	}
	return b
}

// bytes lays the profile out: header, table, tags.
func (b iccBuild) bytes() []byte {
	header := make([]byte, 128)
	for at := 0; at < len(header) && b.owner != ""; at += copy(header[at:], b.owner) {
	}
	if b.owner == "" {
		copy(header[68:], fixeds(0.9642, 1, 0.8249))
	}
	copy(header[8:], []byte{b.version, 0x20, 0, 0})
	copy(header[12:], b.class+b.space+b.pcs)
	copy(header[36:], "acsp")
	binary.BigEndian.PutUint32(header[64:], 1)
	table := binary.BigEndian.AppendUint32(nil, uint32(len(b.tags)))
	contents := []byte(b.owner)
	for _, tag := range b.tags {
		table = append(table, tag.name...)
		table = binary.BigEndian.AppendUint32(table, uint32(132+12*len(b.tags)+len(contents)))
		table = binary.BigEndian.AppendUint32(table, uint32(len(tag.data)))
		contents = slices.Concat(contents, tag.data, []byte(b.owner))
	}
	binary.BigEndian.PutUint32(header, uint32(len(header)+len(table)+len(contents)))
	return slices.Concat(header, table, contents)
}

// typed joins the type, the reserved bytes and the contents of a tag.
func typed(kind string, contents ...[]byte) []byte {
	return slices.Concat([]byte(kind), make([]byte, 4), slices.Concat(contents...))
}

// fixeds are s15Fixed16 numbers.
func fixeds(values ...float64) []byte {
	var out []byte
	for _, v := range values {
		out = binary.BigEndian.AppendUint32(out, uint32(int32(math.Round(v*65536))))
	}
	return out
}

func xyz(x, y, z float64) []byte { return typed("XYZ ", fixeds(x, y, z)) }

// curv is a curve of count entries of f, from 0 to 1.
func curv(count int, f func(x float64) float64) []byte {
	out := binary.BigEndian.AppendUint32(nil, uint32(count))
	for i := range count {
		out = binary.BigEndian.AppendUint16(out, uint16(math.Round(0xFFFF*f(float64(i)/float64(max(count-1, 1))))))
	}
	return typed("curv", out)
}

// gammaCurv is a curve of a single exponent.
func gammaCurv(exponent float64) []byte {
	return typed("curv", []byte{0, 0, 0, 1}, binary.BigEndian.AppendUint16(nil, uint16(math.Round(256*exponent))))
}

func para(function byte, parameters ...float64) []byte {
	return typed("para", []byte{0, function, 0, 0}, fixeds(parameters...))
}

func power(exponent float64) func(float64) float64 {
	return func(x float64) float64 { return math.Pow(x, exponent) }
}

// linear is the light of a level of sRGB (IEC 61966-2-1, 5.2).
func linear(level float64) float64 {
	if level <= 0.04045 {
		return level / 12.92
	}
	return math.Pow((level+0.055)/1.055, 2.4)
}

// rec709 is the light of a level of a television camera (ITU-R BT.709, 1.2).
func rec709(level float64) float64 {
	if level < 0.081 {
		return level / 4.5
	}
	return math.Pow((level+0.099)/1.099, 1/0.45)
}

// matrixProfile is the profile of a screen, with colorants and the same curve
// for all channels.
func matrixProfile(version byte, colorants [3][]byte, curve []byte) iccBuild {
	return iccBuild{version: version, class: "mntr", space: "RGB ", pcs: "XYZ ", tags: []profileTag{
		{"desc", typed("text", []byte("sRGB IEC61966-2.1\x00"))},
		{"wtpt", xyz(0.9505, 1, 1.0891)},
		{"rXYZ", colorants[0]},
		{"gXYZ", colorants[1]},
		{"bXYZ", colorants[2]},
		{"rTRC", curve},
		{"gTRC", curve},
		{"bTRC", curve},
	}}
}

func greyProfile(pcs string, curve []byte) iccBuild {
	return iccBuild{version: 2, class: "prtr", space: "GRAY", pcs: pcs, tags: []profileTag{{"wtpt", xyz(0.9642, 1, 0.8249)}, {"kTRC", curve}}}
}

func tableProfile(version byte, table []byte) iccBuild {
	return iccBuild{version: version, class: "prtr", space: "RGB ", pcs: "Lab ", tags: []profileTag{{"wtpt", xyz(0.9642, 1, 0.8249)}, {"A2B0", table}}}
}

var (
	hpColorants      = [3][]byte{xyz(0.43607, 0.22249, 0.01392), xyz(0.38515, 0.71687, 0.09708), xyz(0.14307, 0.06061, 0.7141)}
	argyllColorants  = [3][]byte{xyz(0.43585, 0.22238, 0.01392), xyz(0.38533, 0.71704, 0.09714), xyz(0.14302, 0.06059, 0.71384)}
	p3Colorants      = [3][]byte{xyz(0.51512, 0.24120, -0.00105), xyz(0.29198, 0.69225, 0.04189), xyz(0.15710, 0.06657, 0.78407)}
	adobeColorants   = [3][]byte{xyz(0.60974, 0.31111, 0.01947), xyz(0.20528, 0.62567, 0.06087), xyz(0.14919, 0.06322, 0.74457)}
	bradford         = typed("sf32", fixeds(1.04788, 0.02292, -0.0502, 0.02959, 0.99048, -0.01706, -0.00923, 0.01508, 0.75168))
	sRGBFunction     = para(3, 2.4, 1/1.055, 0.055/1.055, 1/12.92, 0.04045)
	sRGBLongFunction = para(4, 2.4, 1/1.055, 0.055/1.055, 1/12.92, 0.04045, 0, 0)
)

// lut8 is a lut8Type with side points per side of its cube.
func lut8(side int) []byte {
	out := []byte{3, 3, byte(side), 0}
	out = append(out, fixeds(1, 0, 0, 0, 1, 0, 0, 0, 1)...)
	return typed("mft1", out, ramps(256, 1), cube(side, 1), ramps(256, 1))
}

// lut16 is a lut16Type whose curves have so many entries.
func lut16(side, entries int) []byte {
	out := []byte{3, 3, byte(side), 0}
	out = append(out, fixeds(1, 0, 0, 0, 1, 0, 0, 0, 1)...)
	out = append(out, byte(entries>>8), byte(entries), byte(entries>>8), byte(entries))
	return typed("mft2", out, ramps(entries, 2), cube(side, 2), ramps(entries, 2))
}

// ramps are three curves from 0 to the most that width bytes hold.
func ramps(entries, width int) []byte {
	var out []byte
	for i := range 3 * entries {
		out = appendNumber(out, width, float64(i%entries)/float64(entries-1))
	}
	return out
}

// cube has lightness by all channels, and two differences of channels.
func cube(side, width int) []byte {
	var out []byte
	at := func(i int) float64 { return float64(i) / float64(side-1) }
	for r := range side {
		for g := range side {
			for b := range side {
				out = appendNumber(out, width, 0.3*at(r)+0.6*at(g)+0.1*at(b))
				out = appendNumber(out, width, 0.5+0.4*(at(r)-at(g)))
				out = appendNumber(out, width, 0.5+0.4*(at(g)-at(b)))
			}
		}
	}
	return out
}

func appendNumber(out []byte, width int, value float64) []byte {
	if width == 1 {
		return append(out, byte(math.Round(0xFF*value)))
	}
	return binary.BigEndian.AppendUint16(out, uint16(math.Round(0xFFFF*value)))
}

// lutAToB is a lutAToBType of elements in the order of their offsets. nil stands
// for a missing one.
func lutAToB(elements ...[]byte) []byte {
	offsets, contents := make([]byte, 20), []byte(nil)
	for i, element := range elements {
		if element != nil {
			binary.BigEndian.PutUint32(offsets[4*i:], uint32(32+len(contents)))
			contents = append(contents, element...)
		}
	}
	return typed("mAB ", []byte{3, 3, 0, 0}, offsets, contents)
}

// wholeWords joins curves, each padded to whole words.
func wholeWords(curves ...[]byte) []byte {
	var out []byte
	for _, curve := range curves {
		out = append(out, curve...)
		out = append(out, make([]byte, (4-len(out)%4)%4)...)
	}
	return out
}

// cubeElement is the cube of a lutAToB, with numbers of width bytes.
func cubeElement(side, width int) []byte {
	header := append([]byte{byte(side), byte(side), byte(side)}, make([]byte, 13)...)
	return wholeWords(slices.Concat(header, []byte{byte(width), 0, 0, 0}, cube(side, width)))
}

// tagsOf reads the tags of a profile by its table.
func tagsOf(profile []byte) map[string][]byte {
	out := map[string][]byte{}
	for i := range binary.BigEndian.Uint32(profile[128:]) {
		entry := profile[132+12*i:]
		name, at, length := string(entry[:4]), binary.BigEndian.Uint32(entry[4:]), binary.BigEndian.Uint32(entry[8:])
		if out[name] != nil || at%4 != 0 {
			panic(fmt.Sprintf("tag %q is there twice or at the odd offset %d", name, at))
		}
		out[name] = profile[at : at+length]
	}
	return out
}
