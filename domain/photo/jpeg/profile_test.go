package jpeg

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

// partsOf returns the segments of a profile.
func partsOf(profile string) string { return string(appendProfile(nil, []byte(profile))) }

// TestSetProfile sets profiles of files that have the same, another or none, and
// compares the whole file: JFIF first, then the profile, and everything else
// unchanged.
func TestSetProfile(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("profile ", 70_000/8)
	profiles := map[string]string{"none": "", "short": "a profile", "as long": "one thing", "one segment": long[:mostOfPart], "two segments": long}
	plain := string(plainJPEG(t, 40, 30))
	progressive := string(writeKinds(t, "progressive, 4:2:0")["progressive, 4:2:0"].data)
	for kind, rest := range map[string]string{"baseline": plain[2:], "progressive": progressive[2:]} {
		for where, first := range map[string]string{"JFIF": segmentJFIF, "no JFIF": ""} {
			for had, old := range profiles {
				for name, profile := range profiles {
					came := "\xFF\xD8" + first + partsOf(old) + adobeYCC + rest
					f, err := Clean([]byte(came), nil)
					if err != nil {
						t.Fatal(err)
					}
					f.SetProfile([]byte(profile))
					if want := "\xFF\xD8" + first + partsOf(profile) + adobeYCC + rest; string(f.Bytes()) != want {
						t.Errorf("%s, %s, %s in place of %s: got %d bytes, want %d", kind, where, name, had, len(f.Bytes()), len(want))
					}
					checkProfile(t, f, profile)
				}
			}
		}
	}
}

// checkProfile wants a file to have a profile, and to be unchanged when cleaned
// and when the profile is set again.
func checkProfile(t *testing.T, f *File, want string) {
	t.Helper()
	again, err := clean(f.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(again.Bytes(), f.Bytes()) {
		t.Error("Clean changes the file")
	}
	if got := again.Profile(len(want)); string(got) != want || string(f.Profile(len(want))) != want {
		t.Errorf("got a profile of %d bytes, want %d", len(got), len(want))
	}
	again.SetProfile([]byte(want))
	if !bytes.Equal(again.Bytes(), f.Bytes()) {
		t.Error("setting the same profile changes the file")
	}
}

// TestSetProfileMended sets a profile of files that Clean and Check changed.
func TestSetProfileMended(t *testing.T) {
	t.Parallel()
	for name, file := range writeKinds(t, "no DHT", "DNL", "progressive, no EOI", "restarts", "trailer: Samsung", "junk between") {
		unused := segmentOf(markerDQT, namedQuantizer)
		came := slices.Concat(file.data[:2], []byte(unused+partsOf("an old profile")+unused), file.data[2:])
		want, err := cleanAndCheck(t, file.data)
		if err != nil {
			t.Fatal(err)
		}
		f, err := cleanAndCheck(t, came)
		if err != nil {
			t.Fatal(err)
		}
		checkProfile(t, f, "an old profile")
		for _, profile := range []string{"a", strings.Repeat("profile ", 9000), ""} {
			f.SetProfile([]byte(profile))
			checkProfile(t, f, profile)
		}
		if !bytes.Equal(f.Bytes(), want.Bytes()) {
			t.Errorf("%s: without its profile the file differs from what it was before", name)
		}
	}
}

// TestProfileParts joins the parts of a profile, and ignores a profile that
// lacks one.
func TestProfileParts(t *testing.T) {
	t.Parallel()
	plain := plainJPEG(t, 8, 8)
	part := func(number, count byte, content string) string {
		return marked(markerAPP2, iccTag+string([]byte{number, count})+content)
	}
	for name, c := range map[string]struct{ parts, want string }{
		"in order":             {part(1, 2, "one ") + part(2, 2, "two"), "one two"},
		"out of order":         {part(3, 3, "three") + part(1, 3, "one ") + part(2, 3, "two "), "one two three"},
		"a part is missing":    {part(1, 3, "one ") + part(3, 3, "three"), ""},
		"the first is missing": {part(2, 2, "two"), ""},
		"the last is missing":  {part(1, 2, "one"), ""},
		"a part twice":         {part(1, 2, "one ") + part(1, 2, "one ") + part(2, 2, "two"), ""},
		"part 0":               {part(0, 0, "zero"), ""},
		"two profiles":         {part(1, 1, "one") + part(1, 1, "another"), ""},
		"too long":             {part(1, 1, "one two three four"), ""},
		"no numbers":           {marked(markerAPP2, iccTag), ""},
	} {
		f, err := Clean(slices.Concat(plain[:2], []byte(c.parts), plain[2:]), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := f.Profile(13); string(got) != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
		f.SetProfile(nil)
		if !bytes.Equal(f.Bytes(), plain) {
			t.Errorf("%s: the profile isn't removed", name)
		}
	}
}
