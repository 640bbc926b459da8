package photo

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
	"unicode/utf8"

	"github.com/fleetphoto/fleetphoto/domain"
)

// refusal is a kind of file that callers send by mistake.
type refusal struct {
	name   string
	begins func(data []byte) bool
	advice string // empty: convert
}

const (
	convert   = "convert it before sending it"
	sendPhoto = "send a photo"
	sendFile  = "send the photo itself"
	appleCgBI = "\x89PNG\r\n\x1a\n\x00\x00\x00\x04CgBI"
)

// The brands that tell the codec of a picture.
var (
	hevc = []string{"heic", "heix", "heim", "heis", "hevc", "hevx", "hevm", "hevs"}
	av1  = []string{"avif", "avis"}
)

// appleOptimised matches the PNG variant that Xcode writes for apps. Other
// programs don't read it.
func appleOptimised(data []byte) bool { return prefix(appleCgBI)(data) }

// refusals lists the kinds of files that are refused by name. The first match
// counts.
func refusals() []refusal {
	return []refusal{
		{"HEIC", brand(hevc...), "on an iPhone: Settings, Camera, Formats, Most Compatible; or have the app send JPEG"},
		{"AVIF", brand(av1...), ""},
		{"HEIF", brand("mif1", "msf1", "mif2", "mif3", "heif"), ""},
		{"JPEG XL", brand("jxl "), ""},
		{"JPEG 2000", brand("jp2 ", "jpx ", "jpm "), ""},
		{"Canon raw", brand("crx "), ""},
		{"a QuickTime video", brand("qt  "), sendPhoto},
		{"a 3GP video", brand("3gp", "3g2", "3ge", "3gg", "3gr", "3gs"), sendPhoto},
		{"a sound", brand("M4A ", "M4B "), sendPhoto},
		{"an MP4 video", brand(""), sendPhoto},
		{"a QuickTime video", box("moov", "mdat", "wide", "free", "skip", "pnot"), sendPhoto},
		{"JPEG XL", prefix("\xff\x0a", "\x00\x00\x00\x0cJXL \r\n\x87\n"), ""},
		{"JPEG 2000", prefix("\x00\x00\x00\x0cjP  \r\n\x87\n", "\xff\x4f\xff\x51"), ""},
		{"JPEG XR", prefix("II\xbc\x01"), ""},
		{"TIFF", prefix("II*\x00", "MM\x00*", "II+\x00", "MM\x00+"), ""},
		{"BMP", prefix("BM"), ""},
		{"ICO", prefix("\x00\x00\x01\x00", "\x00\x00\x02\x00"), ""},
		{"PSD", prefix("8BPS"), ""},
		{"PDF", isPDF, sendFile},
		{"PostScript", prefix("%!PS", "\xc5\xd0\xd3\xc6"), sendFile},
		{"MNG", prefix("\x8aMNG", "\x8bJNG"), ""},
		{"an Apple-optimised PNG (CgBI), which Xcode makes for apps", appleOptimised, "send the PNG that it was made of, or a JPEG"},
		{"a PNG whose line ends were changed on the way", prefix("\x89PNG"), "send its bytes unchanged"},
		{"QOI", prefix("qoif"), ""},
		{"OpenEXR", prefix("\x76\x2f\x31\x01"), ""},
		{"an AVI video", riff("AVI "), sendPhoto},
		{"a sound", riff("WAVE"), sendPhoto},
		{"a Matroska or WebM video", prefix("\x1a\x45\xdf\xa3"), sendPhoto},
		{"an MPEG video", isMPEG, sendPhoto},
		{"a Flash video", prefix("FLV", "FWS", "CWS", "ZWS"), sendPhoto},
		{"a Windows Media video", prefix("\x30\x26\xb2\x75\x8e\x66\xcf\x11"), sendPhoto},
		{"an Ogg video", prefix("OggS"), sendPhoto},
		{"a RealMedia video", prefix(".RMF"), sendPhoto},
		{"a ZIP archive", prefix("PK\x03\x04", "PK\x05\x06"), sendFile},
		{"a compressed archive", prefix("\x1f\x8b", "7z\xbc\xaf\x27\x1c", "Rar!", "BZh", "\xfd7zXZ", "\x28\xb5\x2f\xfd"), sendFile},
		{"HTML", tag("<!doctype html", "<html"), "send the photo itself, not a page"},
		{"SVG", tag("<svg", "<!doctype svg"), ""},
		{"HTML", tag("<head", "<body", "<script"), "send the photo itself, not a page"},
		{"XML", tag("<?xml"), sendFile},
		{"Base64 once more", prefix("/9j/", "iVBORw0KGgo", "R0lGOD", "UklGR", "data:image/"), "encode the photo once"},
		{"plain text", isText, sendFile},
	}
}

// refuse returns the error for data of no accepted format. It names what was sent.
func refuse(data []byte) error {
	if len(data) == 0 {
		return domain.Errorf(domain.TypeError, "photo_base64: want an image in %s format, got nothing", Accepted())
	}
	for _, r := range refusals() {
		if r.begins(data) {
			return domain.Errorf(domain.TypeError, "photo_base64: want an image in %s format, got %s; %s", Accepted(), r.name, cmp.Or(r.advice, convert))
		}
	}
	return domain.Errorf(domain.TypeError, "photo_base64: want an image in %s format, got %d bytes of something else; send the photo's file as it is", Accepted(), len(data))
}

// brand matches an ISO base media file (ISO/IEC 14496-12, 4.3) by the first of
// its brands that tells a codec or, without one, by its major brand. It compares
// prefixes; "" matches any brand.
func brand(brands ...string) func([]byte) bool {
	return func(data []byte) bool {
		if len(data) < 12 || !box("ftyp")(data) {
			return false
		}
		found := data[8:]
		end := min(uint64(len(data)), 512, max(12, uint64(binary.BigEndian.Uint32(data))))
		for rest := data[8:end]; len(rest) >= 4; rest = rest[4:] {
			// The second is the minor version, where mif3 files have a codec's brand.
			if prefix(hevc...)(rest) || prefix(av1...)(rest) {
				found = rest
				break
			}
		}
		return prefix(brands...)(found)
	}
}

// box matches an ISO base media or QuickTime file that begins with a box of one
// of the types.
func box(types ...string) func([]byte) bool {
	return func(data []byte) bool { return len(data) >= 8 && prefix(types...)(data[4:]) }
}

// isMPEG matches a program stream, a video elementary stream, and a transport
// stream of 188-byte packets with or without a timestamp before each.
func isMPEG(data []byte) bool {
	packets := func(first, length int) bool {
		return len(data) > first+length && data[first] == 'G' && data[first+length] == 'G' &&
			(len(data) <= first+2*length || data[first+2*length] == 'G')
	}
	return prefix("\x00\x00\x01\xba", "\x00\x00\x01\xb3")(data) || packets(0, 188) || packets(4, 192)
}

// isPDF matches a PDF. Some programs write other bytes before its header.
func isPDF(data []byte) bool { return bytes.Contains(data[:min(len(data), 1024)], []byte("%PDF-")) }

// tag matches markup that has one of the tags, in lower case, near its start.
func tag(tags ...string) func([]byte) bool {
	return func(data []byte) bool {
		head := bytes.TrimPrefix(data[:min(len(data), 4096)], []byte("\xef\xbb\xbf"))
		head = bytes.ToLower(bytes.TrimSpace(head))
		return bytes.HasPrefix(head, []byte("<")) &&
			slices.ContainsFunc(tags, func(tag string) bool { return bytes.Contains(head, []byte(tag)) })
	}
}

// isText matches UTF-8 without control characters.
func isText(data []byte) bool {
	head := data[:min(len(data), 512)]
	for len(head) > 0 {
		r, size := utf8.DecodeRune(head)
		cut := len(head) < utf8.UTFMax && len(data) > 512 // the last character may be cut
		if r == utf8.RuneError && size <= 1 && !cut || r < ' ' && r != '\n' && r != '\r' && r != '\t' {
			return false
		}
		head = head[size:]
	}
	return true
}
