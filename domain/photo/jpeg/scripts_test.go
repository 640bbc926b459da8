package jpeg

import (
	"bytes"
	"errors"
	"reflect"
	"testing"
)

// TestScripts tells which scripts of scans are complete. Scans after the last
// needed coefficient are cut.
func TestScripts(t *testing.T) {
	t.Parallel()
	const grey, s444 = "\x11", "\x11\x11\x11"
	all := scanRecipe{end: 63}
	first := scanRecipe{low: 1}
	second := scanRecipe{high: 1}
	band := scanRecipe{start: 1, end: 63}
	for _, test := range []struct {
		name     string
		sampling string
		sof      byte
		script   []scanRecipe
		noEOI    bool
		kept     int // scans
		err      error
	}{
		{"a scan again when all came", grey, markerSOF0, []scanRecipe{all, all}, false, 1, nil},
		{"the same without EOI", grey, markerSOF0, []scanRecipe{all, all}, true, 1, nil},
		{"a component again", s444, markerSOF0, []scanRecipe{scriptOnePerComponent[0], all}, false, 0, errTwice},
		{"a component is missing", s444, markerSOF0, scriptOnePerComponent[:2], false, 0, errNoScan},
		{"the same without EOI", s444, markerSOF0, scriptOnePerComponent[:2], true, 0, errCutOff},
		{"all bits", grey, markerSOF2, []scanRecipe{first, second, band}, false, 3, nil},
		{"all bits without EOI", grey, markerSOF2, []scanRecipe{first, second, band}, true, 3, nil},
		{"a refinement again when all came", grey, markerSOF2, []scanRecipe{first, second, band, second}, false, 3, nil},
		{"a refinement is missing", grey, markerSOF2, []scanRecipe{first, band}, false, 2, nil},
		{"the same without EOI", grey, markerSOF2, []scanRecipe{first, band}, true, 0, errCutOff},
		{"the light alone", grey, markerSOF2, []scanRecipe{{}}, false, 1, nil},
		{"the same without EOI", grey, markerSOF2, []scanRecipe{{}}, true, 0, errCutOff},
		{"no light", grey, markerSOF2, []scanRecipe{band}, false, 0, errNoScan},
		{"light again", grey, markerSOF2, []scanRecipe{first, first, second, band}, false, 0, errTwice},
		{"a band again", grey, markerSOF2, []scanRecipe{first, band, band, second}, false, 0, errTwice},
		{"bands overlap", grey, markerSOF2, []scanRecipe{first, {start: 1, end: 9}, {start: 9, end: 63}, second}, false, 0, errTwice},
		{"a refinement first", grey, markerSOF2, []scanRecipe{second, first, band}, false, 0, errTwice},
		{"a refinement again", grey, markerSOF2, []scanRecipe{first, second, second, band}, false, 0, errTwice},
		{"a bit is left out", grey, markerSOF2, []scanRecipe{{low: 2}, second, band}, false, 0, errTwice},
		{"a step of two bits", grey, markerSOF2, []scanRecipe{{low: 2}, {high: 2}, band}, false, 0, errScan},
		{"light and more", grey, markerSOF2, []scanRecipe{all}, false, 0, errScan},
		{"18 blocks in a unit", "\x44\x11\x11", markerSOF0, []scanRecipe{all}, false, 0, errScan},
		{"a band of three", s444, markerSOF2, []scanRecipe{{}, band}, false, 0, errScan},
	} {
		o := recipe{width: 20, height: 20, sampling: []byte(test.sampling), sof: test.sof, script: test.script, noEOI: test.noEOI}
		f, err := cleanAndCheck(t, o.write().data)
		if !errors.Is(err, test.err) {
			t.Errorf("%s: got error %v, want %v", test.name, err, test.err)
		}
		if err != nil {
			continue
		}
		o.script, o.noEOI = test.script[:test.kept], false
		want, err := clean(o.write().data) // without unused tables
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(f.Bytes(), want.Bytes()) {
			t.Errorf("%s: want the first %d scans", test.name, test.kept)
		}
	}
}

// TestRestarts wants restart markers in order. Meaningless bytes may precede
// them, which Check removes.
func TestRestarts(t *testing.T) {
	t.Parallel()
	file := writeKinds(t, "restarts in each unit")["restarts in each unit"]
	_, want := mustDecode(t, file.data, 8)
	third := []byte{0xFF, markerRST0 + 2}
	for name, test := range map[string]struct {
		instead string
		err     error
	}{
		"junk before":   {"\x00\x12\xFF\x00\xFF\xFF\xD2", nil},
		"fill bytes":    {"\xFF\xFF\xD2", nil},
		"another":       {"\xFF\xD3", errRestart},
		"one before it": {"\xFF\xD1\xFF\xD2", errRestart},
		"twice":         {"\xFF\xD2\xFF\xD2", errShort},
		"not there":     {"", errRestart},
	} {
		data := bytes.Replace(file.data, third, []byte(test.instead), 1)
		f, err := cleanAndCheck(t, data)
		if !errors.Is(err, test.err) {
			t.Errorf("%s: got error %v, want %v", name, err, test.err)
		}
		if err != nil {
			continue
		}
		if _, got := mustDecode(t, data, 8); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: the picture has changed", name)
		}
		if !bytes.Equal(f.Bytes(), file.data) {
			t.Errorf("%s: the bytes are still there", name)
		}
	}
}

// TestJunkBeforeRestarts puts meaningless bytes before each restart marker of
// several scans. Between the scans are tables that must survive the removal of
// these bytes.
func TestJunkBeforeRestarts(t *testing.T) {
	t.Parallel()
	for name, file := range writeKinds(t, "restarts in each unit", "progressive, 4:4:4, restarts", "two scans, restarts", "restarts in one scan") {
		data := file.data
		for marker := byte(markerRST0); marker <= markerRST7; marker++ {
			data = bytes.ReplaceAll(data, []byte{0xFF, marker}, []byte{'J', 'a', 'n', 'e', 0xFF, 0, 0xFF, 0xFF, marker})
		}
		f, err := cleanAndCheck(t, data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if !bytes.Equal(f.Bytes(), file.data) {
			t.Errorf("%s: the checked file differs from that without the bytes", name)
		}
	}
}

// TestWrongTables refuses Huffman tables with more codes of a length than exist,
// and with impossible sizes of DC values.
func TestWrongTables(t *testing.T) {
	t.Parallel()
	data := writeKinds(t, "grey")["grey"].data
	at := bytes.Index(data, []byte{0xFF, markerDHT}) + 5 // the counts of the codes of DC
	for name, test := range map[string]struct {
		counts [16]byte // of 12 codes
		symbol byte     // the first one
	}{
		"too many codes of 1 bit":   {[16]byte{3, 15: 9}, 0},
		"too many codes of 10 bits": {[16]byte{1, 1, 1, 1, 1, 1, 1, 1, 1, 3}, 0},
		"a DC value of 16 bits":     {[16]byte(data[at:]), 16},
	} {
		wrong := bytes.Clone(data)
		copy(wrong[at:], test.counts[:])
		wrong[at+16] = test.symbol
		if _, err := cleanAndCheck(t, wrong); !errors.Is(err, errTables) {
			t.Errorf("%s: got error %v, want %v", name, err, errTables)
		}
	}
}
