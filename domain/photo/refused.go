package photo

import (
	"bytes"
	"cmp"
	"unicode/utf8"

	"github.com/fleetphoto/fleetphoto/domain"
)

// refusal is a kind of file that callers send by mistake.
type refusal struct {
	name   string
	begins func(data []byte) bool
	advice string // empty: the general one
}

const convert = "convert it before sending it"

// refusals lists what is recognised to be refused by its name; the first that
// matches counts.
func refusals() []refusal {
	return []refusal{
		{"HEIC", brand("heic", "heix", "heim", "heis", "hevc", "hevx", "hevm", "hevs"), "convert it to JPEG before sending it, or set the camera to its most compatible format"},
		{"AVIF", brand("avif", "avis"), ""},
		{"HEIF", brand("mif1", "msf1"), ""},
		{"Canon raw", brand("crx "), ""},
		{"a QuickTime video", brand("qt  "), "send a photo"},
		{"an MP4 video", brand(""), "send a photo"},
		{"JPEG XL", prefix("\xff\x0a", "\x00\x00\x00\x0cJXL \r\n\x87\n"), ""},
		{"JPEG 2000", prefix("\x00\x00\x00\x0cjP  \r\n\x87\n", "\xff\x4f\xff\x51"), ""},
		{"JPEG XR", prefix("II\xbc\x01"), ""},
		{"TIFF", prefix("II*\x00", "MM\x00*", "II+\x00", "MM\x00+"), ""},
		{"BMP", prefix("BM"), ""},
		{"ICO", prefix("\x00\x00\x01\x00", "\x00\x00\x02\x00"), ""},
		{"PSD", prefix("8BPS"), ""},
		{"PDF", prefix("%PDF"), "send the photo itself"},
		{"PostScript", prefix("%!PS", "\xc5\xd0\xd3\xc6"), "send the photo itself"},
		{"MNG", prefix("\x8aMNG", "\x8bJNG"), ""},
		{"a PNG whose line ends were changed on the way", prefix("\x89PNG"), "send its bytes unchanged"},
		{"QOI", prefix("qoif"), ""},
		{"OpenEXR", prefix("\x76\x2f\x31\x01"), ""},
		{"an AVI video", riff("AVI "), "send a photo"},
		{"a sound", riff("WAVE"), "send a photo"},
		{"a Matroska or WebM video", prefix("\x1a\x45\xdf\xa3"), "send a photo"},
		{"a ZIP archive", prefix("PK\x03\x04", "PK\x05\x06"), "send the photo itself"},
		{"a compressed archive", prefix("\x1f\x8b", "7z\xbc\xaf\x27\x1c", "Rar!", "BZh", "\xfd7zXZ", "\x28\xb5\x2f\xfd"), "send the photo itself"},
		{"SVG", tag("<svg"), ""},
		{"HTML", tag("<!doctype html", "<html", "<head", "<body", "<script"), "send the photo itself, not a page"},
		{"XML", tag("<?xml"), "send the photo itself"},
		{"Base64 once more", prefix("/9j/", "iVBORw0KGgo", "R0lGOD", "UklGR", "data:image/"), "encode the photo once"},
		{"plain text", isText, "send the photo itself"},
	}
}

// refuse names what came instead of an accepted format.
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

// brand matches an ISO base media file (ISO/IEC 14496-12, 4.3) with one of the
// brands, the major one or a compatible one. "" matches any.
func brand(brands ...string) func([]byte) bool {
	return func(data []byte) bool {
		if len(data) < 12 || string(data[4:8]) != "ftyp" {
			return false
		}
		box := data[8:min(len(data), 128, max(12, int(data[2])<<8|int(data[3])))]
		for at := 0; at+4 <= len(box); at += 4 {
			// The second word is the minor version, not a brand.
			if at != 4 && prefix(brands...)(box[at:]) {
				return true
			}
		}
		return false
	}
}

// tag matches markup that has one of the tags, in lower case, near its start.
func tag(tags ...string) func([]byte) bool {
	return func(data []byte) bool {
		head := bytes.TrimPrefix(data[:min(len(data), 1024)], []byte("\xef\xbb\xbf"))
		head = bytes.ToLower(bytes.TrimSpace(head))
		if !bytes.HasPrefix(head, []byte("<")) {
			return false
		}
		for _, t := range tags {
			if bytes.Contains(head, []byte(t)) {
				return true
			}
		}
		return false
	}
}

// isText matches UTF-8 without control characters.
func isText(data []byte) bool {
	head := data[:min(len(data), 512)]
	for len(head) > 0 {
		r, size := utf8.DecodeRune(head)
		cut := len(head) < utf8.UTFMax && len(data) > 512 // the last character may go on
		if r == utf8.RuneError && size <= 1 && !cut || r < ' ' && r != '\n' && r != '\r' && r != '\t' {
			return false
		}
		head = head[size:]
	}
	return true
}
