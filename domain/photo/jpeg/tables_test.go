package jpeg

import (
	"bytes"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// Unused tables with an owner's name. Their slots are the last ones, which ordinary
// files don't use.
var (
	owner          = "Jane Q. Owner "
	namedQuantizer = "\x03" + strings.Repeat(owner, 5)[:64]
	wideQuantizer  = "\x12" + strings.Repeat(owner, 10)[:128]
	namedHuffman   = "\x13" + "\x00\x00\x00\x00\x00\x0E\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" + owner
)

// TestCleanDropsTables plants unused tables at every place where tables may be,
// and wants the file without them.
func TestCleanDropsTables(t *testing.T) {
	t.Parallel()
	for name, unused := range map[string]string{
		"a quantizer":            segmentOf(markerDQT, namedQuantizer),
		"a quantizer of 16 bits": segmentOf(markerDQT, wideQuantizer),
		"several":                segmentOf(markerDQT, namedQuantizer+wideQuantizer+namedQuantizer),
		"codes":                  segmentOf(markerDHT, namedHuffman),
		"codes twice":            segmentOf(markerDHT, namedHuffman+namedHuffman) + segmentOf(markerDHT, namedHuffman),
		"nothing":                segmentOf(markerDHT, "") + segmentOf(markerDQT, "") + segmentOf(markerDRI, ""),
		"many":                   strings.Repeat(segmentOf(markerDQT, wideQuantizer), 40),
	} {
		for kind, file := range writeKinds(t, "4:2:0", "three scans", "progressive, 4:2:0", "restarts") {
			o := file.recipe
			o.between = unused
			f, err := clean(o.write().data)
			if err != nil {
				t.Errorf("%s, %s: %v", kind, name, err)
			} else if !bytes.Equal(f.Bytes(), file.data) {
				t.Errorf("%s, %s: got %d bytes, want %d, as without the tables", kind, name, len(f.Bytes()), len(file.data))
			}
		}
	}
}

// TestCleanKeepsOfSegment keeps only the used tables of a segment. Of two tables for
// one slot it keeps the one that a scan uses, and of several intervals the last.
func TestCleanKeepsOfSegment(t *testing.T) {
	t.Parallel()
	file := writeKinds(t, "restarts")["restarts"]
	data, interval := file.data, segmentOf(markerDRI, "\x00\x02")
	at := bytes.Index(data, []byte{0xFF, markerDQT}) + 4
	first := string(data[at : at+65])
	together := func(parts ...string) []byte {
		return bytes.Replace(data, []byte(segmentOf(markerDQT, first)), []byte(segmentOf(markerDQT, strings.Join(parts, ""))), 1)
	}
	replaced := "\x00" + namedQuantizer[1:]
	for name, came := range map[string][]byte{
		"before":    together(namedQuantizer, first),
		"behind":    together(first, wideQuantizer),
		"both":      together(namedQuantizer, first, namedQuantizer, wideQuantizer),
		"replaced":  together(replaced, replaced, first),
		"intervals": bytes.Replace(data, []byte(interval), []byte(segmentOf(markerDRI, "Ja")+segmentOf(markerDRI, "ne")+interval), 1),
	} {
		f, err := clean(came)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !bytes.Equal(f.Bytes(), data) {
			t.Errorf("%s: got\n%.300q, want\n%.300q", name, f.Bytes(), data)
		}
	}
}

// TestRedefined keeps the tables that replace each other in one slot between
// scans, and the picture. A quantizer that comes after the first scan of its
// component isn't used.
func TestRedefined(t *testing.T) {
	t.Parallel()
	for name, file := range writeKinds(t, "one quantization table, redefined", "one quantization table, redefined, progressive") {
		_, want := mustDecode(t, file.data, 8)
		last := bytes.LastIndex(file.data, []byte{0xFF, markerSOS})
		laced := slices.Concat(file.data[:last], []byte(segmentOf(markerDQT, namedQuantizer)), file.data[last:])
		f, err := clean(laced)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(f.Bytes(), []byte(owner)) {
			t.Errorf("%s: the owner's name is still there", name)
		}
		if _, got := mustDecode(t, f.Bytes(), 8); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: the picture has changed", name)
		}
	}
}

// TestCleanWrongTables refuses broken tables, and more tables than any file needs,
// before the first scan. After a scan, Check finds out whether they matter.
func TestCleanWrongTables(t *testing.T) {
	t.Parallel()
	plain := plainJPEG(t, 24, 16)
	for name, c := range map[string]struct {
		segments string
		want     error
	}{
		"a short quantizer":        {segmentOf(markerDQT, namedQuantizer[:64]), errTables},
		"a short wide quantizer":   {segmentOf(markerDQT, wideQuantizer[:65]), errTables},
		"a quantizer of 24 bits":   {segmentOf(markerDQT, "\x20"+strings.Repeat("x", 192)), errTables},
		"a fifth quantizer":        {segmentOf(markerDQT, "\x04"+namedQuantizer[1:]), errTables},
		"short counts":             {segmentOf(markerDHT, namedHuffman[:16]), errTables},
		"short codes":              {segmentOf(markerDHT, namedHuffman[:20]), errTables},
		"a third class":            {segmentOf(markerDHT, "\x20"+namedHuffman[1:]), errTables},
		"a fifth of codes":         {segmentOf(markerDHT, "\x14"+namedHuffman[1:]), errTables},
		"more codes than symbols":  {segmentOf(markerDHT, "\x03\xFF\x02"+strings.Repeat("\x00", 14+257)), errTables},
		"something behind":         {segmentOf(markerDHT, namedHuffman+"x"), errTables},
		"an interval of one byte":  {segmentOf(markerDRI, "\x00"), errSegment},
		"an interval of a name":    {segmentOf(markerDRI, owner), errSegment},
		"300 KB of quantizers":     {strings.Repeat(segmentOf(markerDQT, namedQuantizer), 4400), errManyTables},
		"300 KB of codes":          {strings.Repeat(segmentOf(markerDHT, "\x03"+strings.Repeat("\x00", 16)), 15_000), errManyTables},
		"300 KB of intervals":      {strings.Repeat(segmentOf(markerDRI, "\x00\x00"), 50_000), errManyTables},
		"100 segments of the same": {strings.Repeat(segmentOf(markerDHT, strings.Repeat("\x03"+strings.Repeat("\x00", 16), 3000)), 100), errManyTables},
	} {
		if _, err := clean(slices.Concat(plain[:2], []byte(c.segments), plain[2:])); !errors.Is(err, c.want) {
			t.Errorf("%s: got error %v, want %v", name, err, c.want)
		}
		end := len(plain) - 2
		f, err := cleanAndCheck(t, slices.Concat(plain[:end], []byte(c.segments), plain[end:]))
		if err != nil || !bytes.Equal(f.Bytes(), plain) {
			t.Errorf("%s after the scan: got %v, want the file without it", name, err)
		}
	}
}

// TestCleanMissingTables refuses a scan that uses a missing table while there
// are others. Otherwise Clean would drop these as unused, and would then read
// its own result as a file without tables. A scan that the picture doesn't need
// is dropped instead.
func TestCleanMissingTables(t *testing.T) {
	t.Parallel()
	for name, file := range writeKinds(t, "grey", "progressive, grey, restarts", "4:2:0", "three scans", "progressive, 4:2:0", "no DHT") {
		frame, scan := segmentBehind(t, file.data, 0xC0, 0xC1, 0xC2), segmentBehind(t, file.data, markerSOS)
		for what, change := range map[string]func(data []byte){
			"quantizer":   func(data []byte) { data[frame+8] = 2 },
			"table of DC": func(data []byte) { data[scan+2] |= 0x20 },
			"table of AC": func(data []byte) { data[scan+2] |= 0x02 },
			"two tables":  func(data []byte) { data[scan+2] |= 0x33 },
		} {
			data := bytes.Clone(file.data)
			change(data)
			f, err := clean(data)
			if err == nil {
				again, err := clean(f.Bytes())
				if err != nil || !bytes.Equal(again.Bytes(), f.Bytes()) {
					t.Errorf("%s, another %s: Clean accepts it, and then: %v", name, what, err)
				}
			} else if !errors.Is(err, errNoTables) {
				t.Errorf("%s, another %s: got error %v, want %v", name, what, err, errNoTables)
			}
		}
	}
}

// segmentBehind returns where the content of the first segment with a marker begins.
func segmentBehind(t *testing.T, data []byte, markers ...byte) int {
	t.Helper()
	for at := 2; ; {
		_, code, err := nextMarker(data, at)
		if err != nil {
			t.Fatal(err)
		}
		if slices.Contains(markers, data[code]) {
			return code + 3
		}
		if at, err = segmentEnd(data, code+1); err != nil {
			t.Fatal(err)
		}
	}
}
