package photo_test

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"
)

// TestPNGHidesOwner plants the name in every kind of chunk, at every place of a
// file, and in invisible pixels.
func TestPNGHidesOwner(t *testing.T) {
	t.Parallel()
	packed := deflated(t, rgbRows(quadrants()))
	header, end := pngHeader(96, 64, 8, pngRGB), pngChunk("IEND", nil)
	first, second := pngChunk("IDAT", packed[:20]), pngChunk("IDAT", packed[20:])
	var plants []plant
	for name, planted := range pngPlants(t) {
		plants = append(plants,
			plant{name + " before the pixels", pngOf(header, planted, first, second, end), nil, false},
			plant{name + " between the pixels", pngOf(header, first, planted, second, end), nil, false},
			plant{name + " behind the pixels", pngOf(header, first, second, planted, end), nil, false},
			plant{name + " behind IEND", pngOf(header, first, second, end, planted), nil, false})
	}
	behind := pngChunk("IDAT", append(bytes.Clone(packed), owner...))
	palette := slices.Concat([]byte{9, 9, 9, 200, 200, 200}, []byte(owner), []byte{0, 0})
	indexed := pngChunk("IDAT", deflated(t, make([]byte, 64*(1+96))))
	checkPlants(t, append(plants,
		plant{"no chunk, behind IEND", pngOf(header, first, second, end, []byte(owner)), nil, false},
		plant{"behind the packed pixels", pngOf(header, behind, end), nil, false},
		plant{"behind the pixels' rows", pngOf(header, pngChunk("IDAT", deflated(t, append(rgbRows(quadrants()), owner...))), end), nil, false},
		plant{"colours that no pixel has", pngOf(pngHeader(96, 64, 8, pngPalette), pngChunk("PLTE", palette), indexed, end), nil, false},
		plant{"transparency of these", pngOf(pngHeader(96, 64, 8, pngPalette), pngChunk("PLTE", append(palette, make([]byte, 30)...)), pngChunk("tRNS", []byte("\xFF"+owner)), indexed, end), nil, false},
		plant{"colours of glass", pngOf(pngHeader(96, 64, 8, pngPalette), pngChunk("PLTE", palette), pngChunk("tRNS", make([]byte, 7)), indexed, end), nil, false}))
}

// pngPlants are chunks with the owner's name.
func pngPlants(t testing.TB) map[string][]byte {
	t.Helper()
	packed := string(deflated(t, []byte(strings.Repeat(owner, 3))))
	profile := string(deflated(t, make([]byte, 200)))
	exif := string(phoneEXIF(binary.BigEndian, 1)) + owner
	plants := map[string][]byte{"unsound tEXt": unsound(pngChunk("tEXt", []byte("Author\x00"+owner)))}
	for name, content := range map[string]string{
		"tEXt": "Author\x00" + owner, "tEXt's keyword": owner + "\x00x", "zTXt": "Author\x00\x00" + packed,
		"iTXt": "Author\x00\x00\x00en\x00\x00" + owner, "iTXt, packed": "Author\x00\x01\x00\x00\x00" + packed,
		"iTXt's translation": "Author\x00\x00\x00en\x00" + owner + "\x00x", "eXIf": exif, "tIME": owner,
		"iCCP's name": owner + "\x00\x00" + profile, "iCCP, no profile": "x\x00\x00" + packed, "iCCP, not packed": "x\x00\x01" + owner,
		"sPLT": owner + "\x00\x08" + owner, "pHYs": owner, "sBIT": owner, "bKGD": owner, "hIST": owner, "gAMA": owner, "cHRM": owner,
		"sRGB": owner, "cICP": owner, "mDCV": owner, "cLLI": owner, "tRNS": owner, "oFFs": owner, "sCAL": owner, "pCAL": owner, "sTER": owner,
		"dSIG": owner, "acTL": owner, "fcTL": owner, "fdAT": owner, "vpAg": owner, "juMb": owner, "caBX": owner, "prVt": owner, "JaNe": owner,
		"PLTE": owner + "\x00\x00", "tEXt, raw profile": "Raw profile type exif\x00\nexif\n 26\n" + string(ownerForms()["hexadecimal"]),
	} {
		kind, _, _ := strings.Cut(name, ",")
		plants[name] = pngChunk(kind[:4], []byte(content))
	}
	return plants
}

// TestGIFHidesOwner plants the name in every kind of block, at every place of a
// file.
func TestGIFHidesOwner(t *testing.T) {
	t.Parallel()
	blocks := string(subBlocks([]byte(owner))) + "\x00"
	var plants []plant
	for name, planted := range map[string]string{
		"a comment":              "!\xFE" + blocks,
		"plain text":             "!\x01\x0C" + strings.Repeat("\x00", 12) + blocks,
		"an application":         "!\xFF\x0BNETSCAPE2.0" + blocks,
		"XMP":                    "!\xFF\x0BXMP DataXMP" + blocks,
		"an application's name":  "!\xFF\x0B" + owner[:11] + "\x00" + "!\xFE" + blocks,
		"an unknown extension":   "!\xAA" + blocks,
		"a control's end":        "!\xF9\x04\x00\x00\x00\x00" + blocks,
		"no block, stray bytes":  owner,
		"a frame that isn't one": "!\xFE" + blocks + "!\xFE" + blocks,
	} {
		for place, put := range map[string]func(g *oddGIF){
			"before the frame":   func(g *oddGIF) { g.before = []byte(planted) },
			"behind the frame":   func(g *oddGIF) { g.behind = []byte(planted + ";") },
			"behind the trailer": func(g *oddGIF) { g.behind = []byte(";" + planted) },
		} {
			g := newOddGIF(t)
			put(&g)
			plants = append(plants, plant{name + " " + place, g.bytes(), nil, false})
		}
	}
	behind, second := newOddGIF(t), newOddGIF(t)
	behind.end = []byte(blocks)
	second.behind = slices.Concat([]byte{','}, little16(0, 0, 96, 64), []byte{0x83}, []byte(strings.Repeat(owner, 4)[:48]), []byte{2, 0, ';'})
	checkPlants(t, append(plants,
		plant{"behind the pixels", behind.bytes(), nil, false},
		plant{"another frame's colours", second.bytes(), nil, false}))
}

// TestWebPHidesOwner plants the name in every kind of chunk, at every place of a
// file.
func TestWebPHidesOwner(t *testing.T) {
	t.Parallel()
	lossy, lossless := corpusFile(t, "ximage", "video-001.lossy.webp")[12:], readFile(t, "testdata", "corners.lossless.webp")[12:]
	still := webpFile(lossy)
	plants := []plant{
		{"behind the file", append(bytes.Clone(still), owner...), nil, false},
		{"behind the pixels", webpFile(riffChunk("VP8 ", append(bytes.Clone(lossy[8:]), owner...))), nil, false},
		{"without VP8X", webpFile(lossy, riffChunk("XMP ", []byte(owner))), nil, false},
	}
	for name, planted := range map[string][]byte{
		"EXIF": riffChunk("EXIF", append(phoneEXIF(binary.LittleEndian, 1), owner...)), "XMP": riffChunk("XMP ", []byte(owner)),
		"ICCP": riffChunk("ICCP", []byte(owner)), "JANE": riffChunk("JANE", []byte(owner)), "packed": riffChunk("zlib", deflated(t, []byte(strings.Repeat(owner, 3)))),
	} {
		const profiled, located, described = 0x20, 0x08, 0x04
		header := webpHeader(profiled|located|described, 150, 103)
		animated := webpHeader(profiled|located|described|webpAnimated, 32, 32)
		frame := func(chunks ...[]byte) []byte { return animatedFrame(32, 32, slices.Concat(chunks...)) }
		anim := riffChunk("ANIM", make([]byte, 6))
		plants = append(plants,
			plant{name + " before the pixels", webpFile(header, planted, lossy), nil, false},
			plant{name + " behind the pixels", webpFile(header, lossy, planted), nil, false},
			plant{name + " in a frame", webpFile(animated, anim, frame(planted, lossless)), nil, false},
			plant{name + " behind a frame's pixels", webpFile(animated, anim, frame(lossless, planted)), nil, false},
			plant{name + " behind a frame", webpFile(animated, anim, frame(lossless), planted), nil, false},
			plant{name + " before ANIM", webpFile(animated, planted, anim, frame(lossless)), nil, false})
	}
	checkPlants(t, plants)
}
