package photo

import (
	"bytes"
	"compress/zlib"
	"io"
)

// iccTag begins an APP2 segment with a part of an ICC profile; the part's
// number, from 1, and the number of parts follow (ICC.1:2010, B.4).
const iccTag = "ICC_PROFILE\x00"

// maxProfile bounds a profile that is put back. Those of cameras and screens
// have a few KB, of printers up to 2 MB, but these are for CMYK.
const maxProfile = 1 << 20

// joinProfile puts the parts of a profile, the segments' contents, together.
// It returns nil where a part is missing or the whole is too long.
func joinProfile(segments [][]byte) []byte {
	var profile []byte
	for number := 1; number <= len(segments); number++ {
		part := findPart(segments, number)
		if part == nil || len(profile)+len(part) > maxProfile {
			return nil
		}
		profile = append(profile, part...)
	}
	return profile
}

func findPart(segments [][]byte, number int) []byte {
	for _, s := range segments {
		if rest := s[len(iccTag):]; int(rest[0]) == number && int(rest[1]) == len(segments) {
			return rest[2:]
		}
	}
	return nil
}

// inflateProfile unpacks the profile of a PNG or nothing.
func inflateProfile(compressed []byte) []byte {
	r, err := zlib.NewReader(bytes.NewReader(compressed))
	if err != nil {
		return nil
	}
	profile, err := io.ReadAll(io.LimitReader(r, maxProfile+1))
	if err != nil || len(profile) > maxProfile {
		return nil
	}
	return profile
}

// profileSegments writes profile as APP2 segments. It writes nothing where the
// profile is for another colour space than the JPEG's, as a CMYK profile is
// once the picture was converted.
func profileSegments(profile []byte, grey bool) []byte {
	const (
		header    = 128 // ICC.1:2010, 7.2
		spaceAt   = 16
		magicAt   = 36
		mostOfOne = 0xFFFF - 2 - len(iccTag) - 2
	)
	space := "RGB "
	if grey {
		space = "GRAY"
	}
	if len(profile) < header || len(profile) > maxProfile || string(profile[spaceAt:spaceAt+4]) != space || string(profile[magicAt:magicAt+4]) != "acsp" {
		return nil
	}
	var out []byte
	count := (len(profile) + mostOfOne - 1) / mostOfOne
	for i := range count {
		part := profile[i*mostOfOne : min((i+1)*mostOfOne, len(profile))]
		length := 2 + len(iccTag) + 2 + len(part)
		out = append(out, 0xFF, markerAPP2, byte(length>>8), byte(length))
		out = append(out, iccTag...)
		out = append(out, byte(i+1), byte(count))
		out = append(out, part...)
	}
	return out
}
