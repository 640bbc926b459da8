package photo_test

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"
)

// owner is planted wherever a file has room beside its pixels.
const owner = "Jane Q. Owner"

// ownerForms are the encodings of a name.
func ownerForms() map[string][]byte {
	forms := map[string][]byte{"ASCII": []byte(owner), "hexadecimal": []byte(hex.EncodeToString([]byte(owner)))}
	for name, order := range map[string]binary.AppendByteOrder{"UTF-16LE": binary.LittleEndian, "UTF-16BE": binary.BigEndian} {
		var text []byte
		for _, unit := range utf16.Encode([]rune(owner)) {
			text = order.AppendUint16(text, unit)
		}
		forms[name] = text
	}
	return forms
}

// ownerIn returns the form in which data has the owner's name, or "" if it
// hasn't. It also looks into compressed data at every offset.
func ownerIn(data []byte) string {
	plain := [][]byte{data}
	for at := range data {
		if data[at] == 0x78 { // zlib's usual window
			plain = append(plain, inflated(data[at:]))
		}
	}
	for form, text := range ownerForms() {
		for _, p := range plain {
			if bytes.Contains(p, text) {
				return form
			}
		}
	}
	return ""
}

// inflated returns what zlib decompresses up to an error.
func inflated(data []byte) []byte {
	r, err := zlib.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil
	}
	plain, _ := io.ReadAll(io.LimitReader(r, 1<<20)) // the part before an error may have the name
	return plain
}

func checkNoOwner(t testing.TB, stored []byte) {
	t.Helper()
	if form := ownerIn(stored); form != "" {
		t.Errorf("the stored photo has the owner's name in %s", form)
	}
}

// plant is a file with the owner's name.
type plant struct {
	name   string
	data   []byte
	of     []byte // the JPEG without the name; nil: another format
	inScan bool   // only decoding can tell the name from pixels
}

// checkPlants wants no photo to have the name that is in its file. Only
// VerifyStructure, which doesn't decode, leaves names between and after the
// blocks of a scan, as its documentation says.
func checkPlants(t *testing.T, plants []plant) {
	t.Helper()
	for _, p := range plants {
		if ownerIn(p.data) == "" {
			t.Errorf("%s: the file has no name in it", p.name)
		}
		for _, m := range modes() {
			t.Run(p.name+"/"+m.name, func(t *testing.T) {
				got, picture := mustRead(t, m.limits, p.data)
				if p.of != nil && m.limits.MaxDimension > 40 && !samePixels(picture, decodePhoto(t, p.of)) {
					t.Error("the photo is kept, but its pixels differ from those of the file")
				}
				form, left := ownerIn(got.JPEG()), p.inScan && m.name == structureMode
				if (form != "") != left {
					t.Errorf("got the owner's name in %q, want a name: %v", form, left)
				}
			})
		}
	}
}

// unusedTables are segments of tables that no scan uses, with the owner's name.
func unusedTables() map[string][]byte {
	name := []byte(strings.Repeat(owner, 10))
	codes := slices.Concat([]byte{0x13, 0, 0, 0, 0, 0, byte(len(owner))}, make([]byte, 10), []byte(owner))
	return map[string][]byte{
		"DQT":            segment{marker: markerDQT, payload: slices.Concat([]byte{3}, name[:64])}.bytes(),
		"DQT of 16 bits": segment{marker: markerDQT, payload: slices.Concat([]byte{0x13}, name[:128])}.bytes(),
		"DHT":            segment{marker: markerDHT, payload: codes}.bytes(),
	}
}

// jpegPlants are segments, and bytes between segments, with the owner's name.
func jpegPlants(t testing.TB) map[string][]byte {
	t.Helper()
	plants := unusedTables()
	for n := range 16 {
		plants[fmt.Sprintf("APP%d", n)] = app(markerAPP0+byte(n), "", []byte(owner)).bytes()
	}
	for form, text := range ownerForms() {
		plants["COM in "+form] = segment{marker: markerCOM, payload: text}.bytes()
	}
	thumbnail := append([]byte(owner), 0, 0) // 5 pixels
	for name, s := range map[string]segment{
		"JFIF's thumbnail": app(markerAPP0, nameJFIF, append([]byte{1, 2, 1, 0, 72, 0, 72, 5, 1}, thumbnail...)),
		"JFXX":             app(markerAPP0, "JFXX\x00\x13", append([]byte{5, 1}, thumbnail...)),
		"behind JFIF":      app(markerAPP0, nameJFIF, append([]byte{1, 2, 1, 0, 72, 0, 72, 0, 0}, owner...)),
		"a short JFIF":     app(markerAPP0, nameJFIF[:4], []byte(owner)),
		"behind Adobe":     app(markerAPP14, nameAdobe, append([]byte{0, 100, 0, 0, 0, 0, 1}, owner...)),
		"EXIF":             app(markerAPP1, nameEXIF, append(phoneEXIF(binary.BigEndian, 1), owner...)),
		"XMP":              app(markerAPP1, nameXMP, []byte(owner)),
		"extended XMP":     app(markerAPP1, "http://ns.adobe.com/xmp/extension/\x00", []byte(owner)),
		"several pictures": app(markerAPP2, "MPF\x00", []byte(owner)),
		"FlashPix":         app(markerAPP2, "FPXR\x00", []byte(owner)),
		"no profile":       app(markerAPP2, nameICC, []byte("\x01\x01"+owner)),
		"profile's part":   app(markerAPP2, nameICC, []byte("\x07\x09"+owner)),
		"Photoshop":        app(markerAPP13, "Photoshop 3.0\x00", []byte(owner)),
		"Ducky":            app(0xEC, "Ducky", []byte(owner)),
		"packed":           app(0xEB, "JP", deflated(t, []byte(strings.Repeat(owner, 3)))),
	} {
		plants[name] = s.bytes()
	}
	plants["JFIF twice"] = slices.Concat(jfif().bytes(), plants["JFIF's thumbnail"])
	plants["behind a length of 0"] = []byte("\xFF\xE1\x00\x00" + owner)
	plants["behind a length of 1"] = []byte("\xFF\xFE\x00\x01" + owner)
	plants["no segment"] = []byte(owner)
	return plants
}

// TestJPEGHidesOwner plants the name in every kind of segment, before every
// segment of a file, before its end and after it.
func TestJPEGHidesOwner(t *testing.T) {
	t.Parallel()
	baseline := encoded(t, quadrants())
	start := withSegments(baseline[:2], jfif())
	var plants []plant
	for name, planted := range jpegPlants(t) {
		plants = append(plants,
			plant{name + " behind JFIF", slices.Concat(start, planted, baseline[2:]), baseline, false},
			plant{name + " behind EOI", slices.Concat(baseline, planted), baseline, false})
	}
	for kind, data := range map[string][]byte{"baseline": baseline, "progressive": corpusFile(t, "image", "video-001.progressive.jpeg"), "restarts": corpusFile(t, "image", "video-001.restart2.jpeg")} {
		for name, planted := range map[string][]byte{
			"no segment": []byte(owner), "COM": segment{marker: markerCOM, payload: []byte(owner)}.bytes(), "APP1": app(markerAPP1, nameXMP, []byte(owner)).bytes(),
			"JFIF": app(markerAPP0, nameJFIF, append([]byte{1, 2, 1, 0, 72, 0, 72, 0, 0}, owner...)).bytes(), "profile": app(markerAPP2, nameICC, []byte("\x01\x01"+owner)).bytes(),
			"DQT": unusedTables()["DQT"], "DHT": unusedTables()["DHT"],
		} {
			for place, laced := range everywhere(t, data, planted) {
				plants = append(plants, plant{kind + ", " + name + " " + place, laced, data, name == "no segment" && strings.Contains(place, "behind a scan")})
			}
		}
	}
	checkPlants(t, plants)
}

// everywhere inserts planted before each segment of a JPEG, one at a time, and
// before its end.
func everywhere(t testing.TB, data, planted []byte) map[string][]byte {
	t.Helper()
	all, err := segments(data)
	if err != nil {
		t.Fatal(err)
	}
	laced := map[string][]byte{}
	at, behind := 2, ""
	for i, s := range append(all, segment{marker: markerEOI}) {
		if at == 2 && planted[0] != 0xFF {
			at += len(s.bytes())
			continue // it wouldn't be a JPEG
		}
		laced[fmt.Sprintf("before segment %d, 0x%X%s", i, s.marker, behind)] = slices.Concat(data[:at], planted, data[at:])
		at, behind = at+len(s.bytes()), ""
		if s.marker == markerSOS {
			behind = ", behind a scan"
		}
	}
	return laced
}

// TestRestartsHideOwner plants the name before restart markers, where decoders
// skip it.
func TestRestartsHideOwner(t *testing.T) {
	t.Parallel()
	plain := corpusFile(t, "image", "video-001.restart2.jpeg")
	data := plain
	for marker := byte(0xD0); marker <= 0xD7; marker++ {
		data = bytes.ReplaceAll(data, []byte{0xFF, marker}, append([]byte(owner), 0xFF, marker))
	}
	checkPlants(t, []plant{{"before restart markers", data, plain, true}})
}

// TestStoredSize wants no kept photo to be much larger than its pixels need,
// whatever fills the file. Only VerifyStructure leaves what fills the data of a
// scan.
func TestStoredSize(t *testing.T) {
	t.Parallel()
	const most = 64 << 10
	plants := jpegPlants(t)
	delete(plants, "no profile")     // a profile may have 255 parts,
	delete(plants, "profile's part") // which are all joined
	plants["empty COM"] = segment{marker: markerCOM}.bytes()
	plants["empty DHT"] = segment{marker: markerDHT}.bytes()
	plants["DRI"] = segment{marker: markerDRI, payload: []byte{0, 0}}.bytes()
	plants["FF"] = []byte{0xFF}
	plants["stuffed FF"] = []byte{0xFF, 0}
	plants["RST"] = []byte{0xFF, 0xD3}
	for kind, data := range map[string][]byte{"baseline": encoded(t, quadrants()), "progressive": corpusFile(t, "image", "video-001.progressive.jpeg")} {
		for name, planted := range plants {
			flood := bytes.Repeat(planted, 300<<10/len(planted))
			places := everywhere(t, data, flood)
			places["behind EOI"] = append(bytes.Clone(data), flood...)
			for place, laced := range places {
				for _, m := range modes()[:2] {
					got, err := read(t, m.limits, laced)
					inScan := strings.HasSuffix(place, "behind a scan") && m.name == structureMode
					switch {
					case err != nil:
						if err := checkRefused(err); err != nil {
							t.Errorf("%s, %s %s, %s: %v", kind, name, place, m.name, err)
						}
					case len(got.JPEG()) > len(data)+most && !inScan:
						t.Errorf("%s, %s %s, %s: stored %d bytes of %d", kind, name, place, m.name, len(got.JPEG()), len(data))
					}
				}
			}
		}
	}
}
