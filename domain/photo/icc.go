package photo

import (
	"encoding/binary"
	"slices"
)

// longestProfile bounds the profile that a photo keeps, in bytes. It fits into
// one segment of a JPEG.
const longestProfile = 65_000

// Offsets in a profile (ICC.1:2010, 7.2 and 7.3).
const (
	iccVersion = 8
	iccClass   = 12
	iccSpace   = 16
	iccPCS     = 20 // the profile connection space: XYZ or Lab
	iccDate    = 24
	iccMagic   = 36
	iccIntent  = 64
	iccWhite   = 68
	iccHeader  = 128 // length of the header; the number of tags follows
	iccTable   = iccHeader + 4
	iccEntry   = 12 // length of an entry of the tag table: name, offset and length of a tag
)

// colorModel names the tags that define the colours of a picture.
type colorModel struct {
	space             string   // as in the header of a profile
	colorants, curves []string // all are required
	tables            []string // each takes precedence over colorants and curves
}

// colorModels are the models by number of components. There is none for four:
// such a picture is converted, and its profile doesn't describe the result.
var colorModels = map[int]colorModel{
	1: {space: "GRAY", curves: []string{"kTRC"}},
	3: {
		space:     "RGB ",
		colorants: []string{"rXYZ", "gXYZ", "bXYZ"},
		curves:    []string{"rTRC", "gTRC", "bTRC"},
		tables:    []string{"A2B0", "A2B1"},
	},
}

// neutralProfile rewrites an ICC profile with only what colours need, so that it
// doesn't reveal its origin: the version, the rendering intent, the white point,
// the chromatic adaptation, the colorants, the curves and those tables that
// longestProfile leaves room for. The description, the copyright and the date
// are always the same.
//
// components is the number of components of the stored picture. neutralProfile
// returns nil if the colours are those of sRGB, so that no profile is needed, and if
// no profile can be kept: it is for other pictures, lacks a tag, has a malformed one
// or is too long. A profile that neutralProfile returned is returned unchanged.
//
// This removes what programs write. A person can still hide a message in the
// numbers: almost longestProfile bytes in a table, up to 8 KiB in a curve.
func neutralProfile(profile []byte, components int) []byte {
	model, known := colorModels[components]
	if !known || !model.describedBy(profile) {
		return nil
	}
	names := []string{"wtpt", "chad"}
	tags, ok := readTags(profile, slices.Concat(names, model.colorants, model.curves, model.tables))
	if !ok {
		return nil
	}
	tags["desc"], tags["cprt"] = neutralTexts(profile[iccVersion] == 4)
	names = append(names, "desc", "cprt")
	var best []byte
	if model.completeIn(tags) {
		names = slices.Concat(names, model.colorants, model.curves)
		best = model.withoutTables(profile, tags, names)
	}
	for _, table := range model.tables {
		more := append(slices.Clone(names), table)
		if out := withTables(profile, tags, more); tags[table] != nil && len(out) <= longestProfile {
			best, names = out, more
		}
	}
	return best
}

// describedBy reports whether a profile is for pictures of model m. Version 5
// and later have other tags (ICC.2).
func (m colorModel) describedBy(profile []byte) bool {
	field := func(at int) string { return string(profile[at : at+4]) }
	return len(profile) >= iccTable && field(iccMagic) == "acsp" && profile[iccVersion] < 5 && field(iccSpace) == m.space &&
		slices.Contains([]string{"mntr", "scnr", "spac", "prtr"}, field(iccClass)) &&
		slices.Contains([]string{"XYZ ", "Lab "}, field(iccPCS))
}

func (m colorModel) completeIn(tags map[string][]byte) bool {
	missing := func(name string) bool { return tags[name] == nil }
	return !slices.ContainsFunc(slices.Concat(m.colorants, m.curves), missing)
}

// withoutTables writes a profile of colorants and curves. It returns nil if they
// are those of sRGB.
func (m colorModel) withoutTables(profile []byte, tags map[string][]byte, names []string) []byte {
	header := neutralHeader(profile)
	if len(m.colorants) > 0 { // colorants yield XYZ, even if the tables yield Lab
		copy(header[iccPCS:], "XYZ ")
	}
	if m.isSRGB(header, tags) {
		return nil
	}
	return writeProfile(header, tags, names)
}

// withTables writes a profile with tables to the connection space. Its class is
// scanner, the one that needs no tables back (ICC.1:2010, 8.3.2).
func withTables(profile []byte, tags map[string][]byte, names []string) []byte {
	header := neutralHeader(profile)
	copy(header[iccClass:], "scnr")
	return writeProfile(header, tags, names)
}

// neutralHeader keeps the fields that the tags are read by. All others are zero,
// which means unknown, but for the date, which must be valid.
func neutralHeader(profile []byte) []byte {
	header := make([]byte, iccHeader)
	copy(header[iccVersion:], "\x02\x40")
	if profile[iccVersion] == 4 {
		copy(header[iccVersion:], "\x04\x30")
	}
	copy(header[iccClass:iccDate], profile[iccClass:iccDate])
	copy(header[iccDate:], "\x07\xD0\x00\x01\x00\x01") // 2000-01-01
	copy(header[iccMagic:], "acsp")
	if intent := profile[iccIntent+3]; intent <= 3 {
		header[iccIntent+3] = intent
	}
	copy(header[iccWhite:], "\x00\x00\xF6\xD6\x00\x01\x00\x00\x00\x00\xD3\x2D") // D50
	return header
}

// writeProfile writes a profile of a header and the named tags, as far as they
// are in tags. Equal tags share their content, as curves often do.
func writeProfile(header []byte, tags map[string][]byte, names []string) []byte {
	names = slices.DeleteFunc(slices.Clone(names), func(name string) bool { return tags[name] == nil })
	table := binary.BigEndian.AppendUint32(nil, uint32(len(names)))
	start := iccTable + len(names)*iccEntry
	var contents []byte
	offsets := map[string]int{}
	for _, name := range names {
		tag := tags[name]
		offset, shared := offsets[string(tag)]
		if !shared {
			offset = start + len(contents)
			offsets[string(tag)] = offset
			contents = padded(append(contents, tag...))
		}
		table = append(table, name...)
		table = binary.BigEndian.AppendUint32(table, uint32(offset))
		table = binary.BigEndian.AppendUint32(table, uint32(len(tag)))
	}
	out := slices.Concat(header, table, contents)
	binary.BigEndian.PutUint32(out, uint32(len(out)))
	return out
}

// padded appends zeros up to a multiple of four bytes.
func padded(data []byte) []byte { return append(data, make([]byte, -len(data)&3)...) }

// neutralTexts returns the description and the copyright, which every profile
// must have, in the form of version 2 or the localized form of version 4.
func neutralTexts(localized bool) (description, copyright []byte) {
	const about, rights = "Colour profile", "Not stated"
	if localized {
		return localizedText(about), localizedText(rights)
	}
	// The length and the ASCII text are followed by empty texts in other scripts.
	description = append([]byte("desc\x00\x00\x00\x00\x00\x00\x00"), byte(len(about)+1))
	description = slices.Concat(description, []byte(about), make([]byte, 1+78))
	return description, []byte("text\x00\x00\x00\x00" + rights + "\x00")
}

// localizedText returns a tag with one English text, given in ASCII (ICC.1:2010,
// 10.13).
func localizedText(text string) []byte {
	out := []byte("mluc\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x0CenUS\x00\x00\x00\x00\x00\x00\x00\x1C")
	out[23] = byte(2 * len(text)) // from offset 28 on
	for _, letter := range []byte(text) {
		out = append(out, 0, letter)
	}
	return out
}
