package parameters

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/fleetphoto/fleetphoto/domain"
)

// parseByDecoder is parseJSON without its fast paths. It overwrites body too.
func parseByDecoder(body []byte) (Fields, error) {
	f, err := jsonText{text: body}.read()
	if err != nil {
		return f, err
	}
	for _, value := range []*field{&f.apiKey, &f.phone, &f.pin, &f.photo} {
		if jsontext.Value(value.text).Kind() != '"' {
			err = errors.Join(err, value.decodeJSON())
			continue
		}
		unquoted, unquoteErr := jsontext.AppendUnquote(value.text[:0], value.text)
		value.text, err = unquoted, errors.Join(err, unquoteErr)
	}
	return f, err
}

// jsonBodies returns bodies that a wrong fast path would read differently from the
// decoder.
func jsonBodies() []string {
	bodies := []string{
		`{"api_key":"k","phone_number":44,"customer_pin":null,"photo_base64":"QUJD"}`,
		"\xef\xbb\xbf" + `{"photo_base64":"QUJD"}`,
		`{"photo_base64":"QUJD"`, `{"photo_base64":"QUJD`, `{"photo_base64":"`, `{"photo_base64":`, `{"photo_base64"`,
		`{"photo_base64":"QUJD"} x`, `{"photo_base64":"QUJD"}{}`, `{"photo_base64":"QUJD",}`, `{"photo_base64":"QUJD"]`,
		`{"photo_base64"::"QUJD"}`, `{"photo_base64" "QUJD"}`, `{"photo_base64","QUJD"}`, `"photo_base64":"QUJD"`, `["photo_base64":"QUJD"]`,
		`{"photo_base64":"QUJD","photo_base64":"QUJE"}`, `{"photo_base64":"QUJD","photo\u005fbase64":"QUJE"}`,
		`{"x":{"photo_base64":"QUJD"},"photo_base64":"QUJE"}`, `{"x":{"photo_base64":"QUJD"},"photo\u005fbase64":""}`, `{"x":{"photo_base64":"QUJD"}}`,
		`{"x":["photo_base64","QUJD"],"photo_base64":"QUJE"}`, `{"x":"photo_base64","photo_base64":"QUJD"}`,
		`{"\"photo_base64":"QUJD","photo_base64":"QUJE"}`, `{"x":"\"photo_base64\":\"QUJD\"","photo_base64":"QUJE"}`, `{"x":"\\"photo_base64":"QUJD"}`,
		`{"x""photo_base64":"QUJD","y":1}`, `{"x":"y"photo_base64":"QUJD"}`,
		`{"photo_base64":{"photo_base64":"QUJD"}}`, `{"photo_base64":-1.5e3,"phone_number":01}`, `{"photo_base64":[[[1]]],"x":+1}`,
		`{"x":1e,"photo_base64":"QUJD"}`, `{"photo_base64":"QUJD","x":tru}`, "{\"photo_base64\":\"QUJD\",\"x\":\"\xff\"}",
	}
	for _, photo := range []string{
		"", `\/`, `a\/b\/`, `\\/`, `\\\/`, `\`, `a\`, `\"`, `a\"b`, `\u002b`, `\u002B\/`, `\ud83d\ude00`, `\ud83d`, `\u00`, `\x`, `\n`,
		"a\nb", "a\r\n", "\t", "\x00", "0123456\x1f", "01234567\x1f", "\x7f", "é", "0123456é", "\xff", "\x80", "\xc3", "data:image/png;base64,QUJD", "delete", " QUJD ",
	} {
		bodies = append(bodies, fmt.Sprintf("{\r\n\t\"photo_base64\" : \"%s\" , \"api_key\":\"a\\/b\"}", photo))
	}
	for _, beside := range []int{mostBesidePhoto - 20, mostBesidePhoto} {
		bodies = append(bodies, fmt.Sprintf(`{"x":%q,"photo_base64":"QUJD\/"}`, strings.Repeat("x", beside)))
	}
	return bodies
}

// FuzzJSON compares the fields and the errors with those of the decoder alone.
func FuzzJSON(f *testing.F) {
	for _, body := range jsonBodies() {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		want, wantErr := parseByDecoder(bytes.Clone(body))
		got, err := parseJSON(bytes.Clone(body))
		if fmt.Sprint(err) != fmt.Sprint(wantErr) || err != nil && !errors.Is(err, domain.TypeError) {
			t.Fatalf("got the error %v, want %v", err, wantErr)
		}
		if err == nil && !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})
}

// photoBody returns a call with a photo of size bytes, with PHP's escapes or without.
func photoBody(size int, php bool) []byte {
	photo := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{}).Read(photo)
	text := base64.StdEncoding.EncodeToString(photo)
	if php {
		text = strings.ReplaceAll(text, "/", `\/`)
	}
	return fmt.Appendf(nil, `{"api_key":%q,"phone_number":%s,"photo_base64":"%s"}`, "DEMO0DEMO0DEMO0DEMO0DEMO0", "447700900123", text)
}

func TestParseJSONAllocatesTheSameForAnyBody(t *testing.T) {
	const slack = 1 << 10 // bytes
	small := parsingAllocates(t, photoBody(50_000, false))
	filler := fmt.Appendf(nil, `{"filler":%q,`, strings.Repeat("x", 3_000_000))
	for name, body := range map[string][]byte{
		"a large photo": photoBody(3_000_000, false), "a large photo from PHP": photoBody(3_000_000, true),
		"a large unknown field": append(filler, photoBody(50_000, false)[1:]...),
	} {
		if got := parsingAllocates(t, body); got > small+slack {
			t.Errorf("%s: %d bytes are allocated, and %d for a photo of 50 KB", name, got, small)
		}
	}
}

// parsingAllocates returns how many bytes parsing a body allocates.
func parsingAllocates(t *testing.T, body []byte) uint64 {
	t.Helper()
	const runs = 10
	bodies := [runs][]byte{}
	for i := range bodies {
		bodies[i] = bytes.Clone(body)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for _, body := range bodies {
		f, err := parseJSON(body)
		check(t, err)
		_, err = f.Request()
		check(t, err)
	}
	runtime.ReadMemStats(&after)
	return (after.TotalAlloc - before.TotalAlloc) / runs
}

func BenchmarkParseJSON(b *testing.B) {
	parsers := []struct {
		name  string
		parse func([]byte) (Fields, error)
	}{{"parseJSON", parseJSON}, {"decoder", parseByDecoder}}
	for _, size := range []int{50_000, 300_000, 3_000_000} {
		for _, php := range []bool{false, true} {
			original := photoBody(size, php)
			for _, p := range parsers {
				b.Run(fmt.Sprintf("%dKB/php=%v/%s", size/1000, php, p.name), func(b *testing.B) {
					benchmarkParse(b, original, p.parse)
				})
			}
		}
	}
}

func benchmarkParse(b *testing.B, original []byte, parse func([]byte) (Fields, error)) {
	body := make([]byte, len(original))
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		copy(body, original) // parsing overwrites it
		if _, err := parse(body); err != nil {
			b.Fatal(err)
		}
	}
}
