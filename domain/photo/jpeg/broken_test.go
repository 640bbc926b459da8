package jpeg

import (
	"bytes"
	"context"
	"errors"
	"reflect"
	"slices"
	"testing"
)

// writeKinds writes the named kinds of files.
func writeKinds(t testing.TB, names ...string) map[string]written {
	t.Helper()
	files := map[string]written{}
	for _, c := range kinds() {
		if slices.Contains(names, c.name) {
			files[c.name] = c.recipe.write()
		}
	}
	if len(files) != len(names) {
		t.Fatalf("found %d of the files %q", len(files), names)
	}
	return files
}

// TestCheckKinds checks every kind of file. The result is complete, repaired if
// necessary, and Clean and Check leave it unchanged.
func TestCheckKinds(t *testing.T) {
	t.Parallel()
	for _, c := range kinds() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f, err := cleanAndCheck(t, c.recipe.write().data)
			if err != nil {
				t.Fatal(err)
			}
			if err := checkMended(t, f); err != nil {
				t.Error(err)
			}
		})
	}
}

// checkMended wants a checked file to be complete and to stay unchanged.
func checkMended(t testing.TB, f *File) error {
	if !f.Whole() || !bytes.HasSuffix(f.Bytes(), []byte{0xFF, markerEOI}) {
		return errors.New("a checked file isn't whole")
	}
	again, err := cleanAndCheck(t, f.Bytes())
	if err != nil {
		return err
	}
	if !bytes.Equal(again.Bytes(), f.Bytes()) {
		return errors.New("what was checked is changed when it comes again")
	}
	return nil
}

// TestCheckCutsJunk wants a checked file to have no bytes after the last block
// of a scan.
func TestCheckCutsJunk(t *testing.T) {
	t.Parallel()
	for name, file := range writeKinds(t, "4:2:0", "three scans", "progressive, 4:2:0", "restarts", "DNL", "no DHT") {
		want, err := cleanAndCheck(t, file.data)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, junk := range []string{"\x00", "junk", "\xFF\x00", "\xFF\xFF\xFF", "\x12\xFF\x00\xFF\xFF", "\xFF\xD0", "\x00\xFF\xD7\x00"} {
			o := file.recipe
			o.between = junk
			f, err := cleanAndCheck(t, o.write().data)
			if err != nil {
				t.Errorf("%s with %q: %v", name, junk, err)
			} else if !bytes.Equal(f.Bytes(), want.Bytes()) {
				t.Errorf("%s: %q is left", name, junk)
			}
		}
	}
}

// TestTruncated cuts files off at every length. They are refused unless every
// coefficient is there. Then they are repaired, and show the whole picture.
func TestTruncated(t *testing.T) {
	t.Parallel()
	for name, file := range writeKinds(t, "grey", "4:2:0", "2x2 1x1 2x1", "three scans, reversed, restarts", "two scans", "restarts",
		"DNL", "DNL, three scans, restarts", "no DHT", "CMYK", "YCCK", "progressive, 4:2:0", "progressive, 4:2:0, restarts",
		"progressive, grey, restarts", "progressive, long runs", "trailer: another picture", "fill bytes") {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, whole := mustDecode(t, file.data, 8)
			standard, standardErr := standardDecode(file.data)
			for length := range file.data {
				f, err := cleanAndCheck(t, file.data[:length])
				if length < file.complete {
					if !errors.As(err, new(FormatError)) {
						t.Fatalf("%d of %d bytes, the last coefficient ends at %d: got error %v", length, len(file.data), file.complete, err)
					}
					continue
				}
				if err != nil {
					t.Fatalf("%d bytes, the last coefficient ends at %d: %v", length, file.complete, err)
				}
				if err := checkMended(t, f); err != nil {
					t.Fatalf("%d bytes: %v", length, err)
				}
				if _, mended := mustDecode(t, f.Bytes(), 8); !reflect.DeepEqual(mended, whole) {
					t.Fatalf("%d bytes: the repaired file has another picture", length)
				}
				if standardErr != nil {
					continue
				}
				if mended, err := standardDecode(f.Bytes()); err != nil || !reflect.DeepEqual(mended, standard) {
					t.Fatalf("%d bytes: image/jpeg decodes the repaired file to another picture: %v", length, err)
				}
			}
		})
	}
}

// TestDecodeTruncated wants Decode to fail as Check does.
func TestDecodeTruncated(t *testing.T) {
	t.Parallel()
	for name, file := range writeKinds(t, "4:2:0", "three scans, reversed, restarts", "progressive, 4:2:0, restarts", "DNL") {
		for length := range file.data {
			f, err := clean(file.data[:length])
			if err != nil {
				continue
			}
			scale := scales[length%len(scales)]
			_, err = decode(t, f, scale)
			if length < file.complete && !errors.As(err, new(FormatError)) || length >= file.complete && err != nil {
				t.Fatalf("%s at scale %d, %d of %d bytes, the last coefficient ends at %d: got error %v",
					name, scale, length, len(file.data), file.complete, err)
			}
		}
	}
}

// TestEnds wants Check and Decode to stop with the cause of their context, and
// Decode to return the error of band.
func TestEnds(t *testing.T) {
	t.Parallel()
	cause := errors.New("enough")
	for name, o := range map[string]recipe{
		"baseline":    {width: 16, height: 2048, sampling: []byte("\x11\x11\x11")},
		"progressive": {width: 16, height: 2048, sampling: []byte("\x11\x11\x11"), sof: markerSOF2, script: scriptProgressive},
	} {
		file := o.write()
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(cause)
		f, err := clean(file.data)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Check(ctx); !errors.Is(err, cause) {
			t.Errorf("%s: Check says %v", name, err)
		}
		ignore := func(int, int, Plane) error { return nil }
		if err := f.Decode(ctx, 8, ignore); !errors.Is(err, cause) {
			t.Errorf("%s: Decode says %v", name, err)
		}
		calls := 0
		err = f.Decode(t.Context(), 8, func(int, int, Plane) error { calls++; return cause })
		if !errors.Is(err, cause) || calls != 1 {
			t.Errorf("%s: Decode says %v after %d calls", name, err, calls)
		}
	}
}
