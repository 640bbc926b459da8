package domain_test

import (
	"crypto/sha256"
	"encoding/json"
	"strings"
	"testing"

	"github.com/fleetphoto/fleetphoto/domain"
)

func TestDigestForm(t *testing.T) {
	t.Parallel()
	const ofNothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	digest := domain.Digest(sha256.Sum256(nil))
	if got := digest.String(); got != ofNothing {
		t.Errorf("String is %q, want %q", got, ofNothing)
	}
	checkForm(t, map[string]domain.Digest{
		`"` + ofNothing + `"`:                digest,
		`"` + strings.Repeat("00", 32) + `"`: {},
		`"` + strings.Repeat("ff", 32) + `"`: domain.Digest([]byte(strings.Repeat("\xff", 32))),
	})
	var upper domain.Digest
	if err := upper.UnmarshalText([]byte(strings.ToUpper(ofNothing))); err != nil || upper != digest {
		t.Errorf("upper case: got %v, %v; want %v", upper, err, digest)
	}
}

func TestDigestRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "00", strings.Repeat("0", 63), strings.Repeat("0", 65), strings.Repeat("00", 33), strings.Repeat("0g", 32), strings.Repeat("é", 32)} {
		var digest domain.Digest
		if err := digest.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q: got %v and no error", text, digest)
		}
	}
	for _, text := range []string{`1`, `[]`, `{}`, `true`} {
		var digest domain.Digest
		if err := json.Unmarshal([]byte(text), &digest); err == nil {
			t.Errorf("%s: got %v and no error", text, digest)
		}
	}
}

func checkForm[T comparable](t *testing.T, forms map[string]T) {
	t.Helper()
	for form, value := range forms {
		text, err := json.Marshal(value)
		if err != nil || string(text) != form {
			t.Errorf("%+v is written as %s, %v; want %s", value, text, err, form)
		}
		var read T
		if err := json.Unmarshal([]byte(form), &read); err != nil || read != value {
			t.Errorf("%s is read as %+v, %v; want %+v", form, read, err, value)
		}
	}
}
