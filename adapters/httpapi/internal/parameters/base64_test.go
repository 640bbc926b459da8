package parameters

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/fleetphoto/fleetphoto/domain"
)

func TestDecodeBase64(t *testing.T) {
	binary := make([]byte, 256*3)
	for i := range binary {
		binary[i] = byte(i * 7)
	}
	standard := base64.StdEncoding.EncodeToString(binary)
	tests := []struct {
		name, text string
		want       string
		broken     bool
	}{
		{name: "standard", text: standard, want: string(binary)},
		{name: "URL-safe", text: base64.URLEncoding.EncodeToString(binary), want: string(binary)},
		{name: "mixed alphabets", text: "-_+/", want: "\xfb\xff\xbf"},
		{name: "one byte padded", text: "QQ==", want: "A"},
		{name: "one byte unpadded", text: "QQ", want: "A"},
		{name: "two bytes padded", text: "QUI=", want: "AB"},
		{name: "two bytes unpadded", text: "QUI", want: "AB"},
		{name: "padding short", text: "QQ=", want: "A"},
		{name: "padding after a line break", text: "QQ\r\n==\r\n", want: "A"},
		{name: "line breaks within a group", text: "Q\nU\rJ\tD", want: "ABC"},
		{name: "a space is a plus", text: "a b ", want: "\x6b\xe6"},
		{name: "two spaces are two pluses", text: "a  b", want: "\x6b\xef\x9b"},
		{name: "a space before a line break is nothing", text: "QU \r\nJD", want: "ABC"},
		{name: "spaces after a line break are nothing", text: "QU\n  JD", want: "ABC"},
		{name: "a line break between spaces", text: "QU  \n  JD", want: "ABC"},
		{name: "spaces at the ends are nothing", text: "  QUJD  ", want: "ABC"},
		{name: "a space before padding is a plus", text: "QUI =", want: "AB>"},
		{name: "data URI", text: "data:image/jpeg;base64,QUJD", want: "ABC"},
		{name: "data URI with parameters and case", text: "DATA:image/svg+xml;charset=utf-8;BASE64, QUJD", want: "ABC"},
		{name: "data URI without base64", text: "data:image/jpeg,QUJD", broken: true},
		{name: "data URI without a comma", text: "data:" + strings.Repeat("x", 2000), broken: true},
		{name: "empty", text: "", want: ""},
		{name: "one digit left over", text: "QUJDQ", broken: true},
		{name: "surplus padding", text: "QUJD====", want: "ABC"},
		{name: "surplus padding after one byte", text: "QQ=====", want: "A"},
		{name: "surplus padding in lines", text: "QUJD\r\n=\r\n=\r\n", want: "ABC"},
		{name: "a group after surplus padding", text: "QUJD=QUJD", broken: true},
		{name: "padding in the middle", text: "QQ==QQ==", broken: true},
		{name: "padding first", text: "====", broken: true},
		{name: "padding after one digit", text: "QUJDQ===", broken: true},
		{name: "another character", text: "QU!D", broken: true},
		{name: "a NUL", text: "QU\x00D", broken: true},
		{name: "a high byte", text: "QU\xc3\xa9", broken: true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := decodeBase64([]byte(test.text))
			if (err != nil) != test.broken || err == nil && string(got) != test.want {
				t.Errorf("got %q, %v; want %q, broken %v", got, err, test.want, test.broken)
			}
			if err != nil && !errors.Is(err, domain.TypeError) {
				t.Errorf("want a Type Error, got %v", err)
			}
		})
	}
}

// A run of spaces must not be read again for each of its spaces.
func TestDecodeBase64IsLinear(t *testing.T) {
	text := append(bytes.Repeat([]byte(" "), 20<<20), 'A', 'A')
	text[0], text[1] = 'A', 'A'
	if _, err := decodeBase64(text); err != nil {
		t.Error(err)
	}
}

func FuzzDecodeBase64(f *testing.F) {
	for _, seed := range []string{"QUJD", "QQ==", "data:image/png;base64,QQ", "a b\n c=", " ", "-_+/", "====", "A"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		original := bytes.Clone(text)
		got, err := decodeBase64(text)
		if err != nil {
			if !errors.Is(err, domain.TypeError) {
				t.Errorf("want a Type Error, got %v", err)
			}
			return
		}
		want, strictErr := base64.StdEncoding.DecodeString(string(original))
		if strictErr == nil && !bytes.Equal(got, want) {
			t.Errorf("%q decodes to %q, the standard decoder says %q", original, got, want)
		}
		again, err := decodeBase64([]byte(base64.RawURLEncoding.EncodeToString(got)))
		if err != nil || !bytes.Equal(again, got) {
			t.Errorf("encoding and decoding again gives %q, %v, want %q", again, err, got)
		}
	})
}

func BenchmarkDecodeBase64(b *testing.B) {
	text := []byte(base64.StdEncoding.EncodeToString(make([]byte, 3<<20)))
	scratch := make([]byte, len(text))
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		copy(scratch, text)
		if _, err := decodeBase64(scratch); err != nil {
			b.Fatal(err)
		}
	}
}
