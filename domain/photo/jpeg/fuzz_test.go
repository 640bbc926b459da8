package jpeg

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// addSeeds adds small files of every kind.
func addSeeds(f *testing.F) {
	f.Helper()
	for _, c := range kinds() {
		o := c.recipe
		o.width, o.height = min(o.width, 19), min(o.height, 17)
		f.Add(o.write().data)
	}
	names, err := filepath.Glob("testdata/*.jpg")
	if err != nil || len(names) == 0 {
		f.Fatalf("found no files: %v", err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
}

// checkRefusal wants an error that says what is wrong with a file.
func checkRefusal(t *testing.T, err error) {
	t.Helper()
	if !errors.As(err, new(FormatError)) && !errors.As(err, new(UnsupportedError)) {
		t.Fatalf("refused with %v", err)
	}
}

// quick reports whether a file is small enough to be tried often.
func quick(f *File) bool { return f.Width*f.Height <= 64*64 && f.Scans <= 64 }

// FuzzClean checks that a file is refused with a reason, or becomes one that
// Clean leaves unchanged and that has the size that Size returns.
func FuzzClean(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		first, err := Clean(bytes.Clone(data), nil)
		if err != nil {
			checkRefusal(t, err)
			return
		}
		again, err := Clean(bytes.Clone(first.Bytes()), func(marker byte, _ []byte) {
			t.Fatalf("a segment 0x%02X is left", marker)
		})
		if err != nil || !bytes.Equal(again.Bytes(), first.Bytes()) {
			t.Fatalf("Clean changes a clean file: %v", err)
		}
		width, height, err := Size(first.Bytes())
		if err != nil || width != first.Width || height != first.Height {
			t.Fatalf("got %d × %d, %v; want %d × %d", width, height, err, first.Width, first.Height)
		}
	})
}

// FuzzCheck checks that a file is refused with a reason, or becomes complete, so
// that it is decoded at every scale, to the picture of image/jpeg if that
// supports the file.
func FuzzCheck(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := Clean(bytes.Clone(data), nil)
		if err != nil || !quick(file) {
			return
		}
		if err := file.Check(t.Context()); err != nil {
			checkRefusal(t, err)
			return
		}
		if err := checkMended(t, file); err != nil {
			t.Fatal(err)
		}
		for _, scale := range scales {
			if _, err := decode(t, file, scale); err != nil {
				t.Fatalf("it is complete, and Decode at scale %d says %v", scale, err)
			}
		}
		if _, err := checkTaken(t, file, file.Bytes()); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzDecode checks that Decode yields whole planes, or fails as Check does.
func FuzzDecode(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := Clean(data, nil)
		if err != nil || !quick(file) {
			return
		}
		for _, scale := range scales {
			_, decoded := decode(t, file, scale)
			if decoded != nil {
				checkRefusal(t, decoded)
			}
			err = errors.Join(err, decoded)
		}
		if checked := file.Check(t.Context()); (checked == nil) != (err == nil) {
			t.Fatalf("Check says %v, and Decode %v", checked, err)
		}
	})
}
