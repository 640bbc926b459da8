package parameters

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"unsafe"

	"github.com/fleetphoto/fleetphoto/domain"
)

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func text(s string) field { return field{text: []byte(s), came: true} }

func TestParseJSON(t *testing.T) {
	tests := []struct {
		name, body string
		want       Fields
		broken     string // a part of the error; empty: none
	}{
		{name: "all", body: `{"api_key":"k","phone_number":44,"customer_pin":"12","photo_base64":"a\/b"}`,
			want: Fields{text("k"), field{text: []byte("44"), came: true, number: true}, text("12"), text("a/b")}},
		{name: "escapes", body: `{"photo_base64":"\u002B\u00e9\r\n\ud83d\ude00\"\\"}`, want: Fields{photo: text("+é\r\n😀\"\\")}},
		{name: "null is missing", body: `{"api_key":null,"photo_base64":null}`},
		{name: "a name with an escape", body: `{"api\u005fkey":"k"}`, want: Fields{apiKey: text("k")}},
		{name: "unknown names", body: `{"x":{"api_key":[1,2,{"y":null}]},"api_key":"k","Api_Key":"z"}`, want: Fields{apiKey: text("k")}},
		{name: "an object", body: `{"phone_number":{}}`, want: Fields{phone: field{text: []byte("{}"), came: true, foreign: "a JSON object"}}},
		{name: "white space", body: " \r\n{ \"api_key\" : \"k\" }\n", want: Fields{apiKey: text("k")}},
		{name: "twice", body: `{"api_key":"a","api_key":"b"}`, broken: "api_key: it came twice"},
		{name: "twice, null first", body: `{"api_key":null,"api_key":"b"}`, broken: "api_key: it came twice"},
		{name: "twice where nobody looks", body: `{"x":{"a":1,"a":2},"y":1,"y":2,"api_key":"k"}`, want: Fields{apiKey: text("k")}},
		{name: "empty", body: "", broken: "no JSON"},
		{name: "an array", body: "[]", broken: "a JSON array"},
		{name: "cut off", body: `{"api_key":"a"`, broken: "byte 15"},
		{name: "trailing", body: `{} {}`, broken: "broken"},
		{name: "invalid UTF-8", body: "{\"api_key\":\"\xff\"}", broken: "UTF-8"},
		{name: "single quotes", body: `{'api_key':'a'}`, broken: "broken"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := parseJSON([]byte(test.body))
			checkParsed(t, got, err, test.want, test.broken)
		})
	}
}

func checkParsed(t *testing.T, got Fields, err error, want Fields, broken string) {
	t.Helper()
	if broken != "" {
		if !errors.Is(err, domain.TypeError) || !strings.Contains(err.Error(), broken) {
			t.Errorf("got %v, want a Type Error with %q", err, broken)
		}
		return
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
}

// Many unknown names take no more memory than the body.
func TestParseJSONOfManyNames(t *testing.T) {
	var text strings.Builder
	text.WriteString(`{"api_key":"k"`)
	for i := range 100_000 {
		fmt.Fprintf(&text, `,"%d":0`, i)
	}
	text.WriteString("}")
	body := []byte(text.String())
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	got, err := parseJSON(body)
	runtime.ReadMemStats(&after)
	if err != nil || string(got.apiKey.text) != "k" {
		t.Fatalf("got %q, %v", got.apiKey.text, err)
	}
	if allocated := after.TotalAlloc - before.TotalAlloc; allocated > uint64(3*len(body)) {
		t.Errorf("%d bytes are allocated for a body of %d", allocated, len(body))
	}
}

func TestIntegerText(t *testing.T) {
	for number, want := range map[string]string{
		"42": "42", "42.0": "42", "4.2e1": "42", "447700900123.000": "447700900123", "42.5": "inexact", "-42": "negative",
		"1e400": "inexact", "9007199254740993.0": "inexact", "0": "0", "0.0": "0", "0e1": "0",
	} {
		if got := string(integerText([]byte(number))); got != want {
			t.Errorf("integerText(%s) = %s, want %s", number, got, want)
		}
	}
}

func TestParseForm(t *testing.T) {
	tests := []struct {
		name, body string
		want       Fields
		broken     string
	}{
		{name: "all", body: "api_key=k&phone_number=%2B44&customer_pin=&photo_base64=a+b%2Bc%3d", want: Fields{text("k"), text("+44"), text(""), text("a b+c=")}},
		{name: "an escaped name", body: "api%5Fkey=k", want: Fields{apiKey: text("k")}},
		{name: "without a value", body: "api_key&&=&x", want: Fields{apiKey: field{came: true}}},
		{name: "an equals sign in the value", body: "photo_base64=QQ==", want: Fields{photo: text("QQ==")}},
		{name: "unknown and broken", body: "%zz=1&a=%zz&" + strings.Repeat("n", 100) + "=1&api_key=k", want: Fields{apiKey: text("k")}},
		{name: "empty", body: ""},
		{name: "twice", body: "api_key=a&api_key=b", broken: "api_key: it came twice"},
		{name: "a broken escape", body: "api_key=%4", broken: "api_key: want two hexadecimal digits"},
		{name: "an escape that is no hex", body: "phone_number=1%4g", broken: "phone_number: want two hexadecimal digits"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := parseForm([]byte(test.body))
			checkParsed(t, got, err, test.want, test.broken)
		})
	}
}

// TestParsePhoto: a file part holds the image itself or its Base64, a text Base64
// alone.
func TestParsePhoto(t *testing.T) {
	const gif = "GIF89a\x01\x00\x01\x00 an image's own bytes"
	encoded := base64.StdEncoding.EncodeToString([]byte(gif))
	const anImage = "give the part a filename"
	for _, test := range []struct {
		name, text string
		file       bool
		want       string // the image
		refused    string // a part of the error; empty: none
	}{
		{name: "text", text: encoded, want: gif},
		{name: "text after a byte order mark", text: "\ufeff" + encoded, want: gif},
		{name: "file", text: gif, file: true, want: gif},
		{name: "file that ends in white space", text: gif + " \r\n", file: true, want: gif + " \r\n"},
		{name: "file of Base64", text: encoded, file: true, want: gif},
		{name: "file of Base64 in lines", text: "\ufeff\r\n" + encoded[:8] + "\r\n" + encoded[8:] + "==\r\n", file: true, want: gif},
		{name: "file of a data URI", text: "data:image/gif;base64," + encoded, file: true, want: gif},
		{name: "file of plain text", text: "This is no image", file: true, want: "This is no image"},
		{name: "file of markup", text: "<svg/>", file: true, want: "<svg/>"},
		{name: "file of broken Base64", text: strings.Repeat("QUJD", 30) + "!", file: true, refused: "byte 121"},
		{name: "empty file", file: true, refused: "it is missing"},
		{name: "bytes", text: gif, refused: anImage},
		{name: "bytes as characters", text: "\u00ff\u00d8\u00ff\u00e0\x00\x10JFIF", refused: anImage},
		{name: "bytes that were lost", text: "\ufffd\ufffd\ufffd\ufffd\x00\x10JFIF", refused: anImage},
		{name: "capitals", text: "DELETE", refused: "lower case"},
		{name: "capitals and white space", text: " Delete\n", refused: "lower case"},
		{name: "capitals in a file", text: "Delete", file: true, refused: "lower case"},
	} {
		f := field{text: []byte(test.text), came: true, file: test.file}
		photo, isDelete, err := f.parsePhoto()
		refused := err != nil && test.refused != "" && strings.Contains(err.Error(), test.refused)
		if string(photo) != test.want || isDelete || refused != (err != nil) || refused != (test.refused != "") {
			t.Errorf("%s: got %q, %v, %v; want %q, %q", test.name, photo, isDelete, err, test.want, test.refused)
		}
	}
}

// TestUnusableTexts: a word for an unset value is named and refused in every parameter.
func TestUnusableTexts(t *testing.T) {
	const unset, quoted = "a value that is not set", "quotation marks"
	for text, want := range map[string]string{
		"null": unset, "NULL": unset, " undefined\r\n": unset, "None": unset, "nil": unset, "NaN": unset, "[object Object]": unset,
		`"447700900123"`: quoted, `"DEMO0DEMO0DEMO0DEMO0DEMO0"`: quoted, ` "delete" `: quoted, `""`: quoted,
	} {
		for name := range map[string]bool{APIKey: true, Phone: true, PIN: true, Photo: true} {
			var f Fields
			check(t, f.named(APIKey).set(APIKey, field{text: []byte("DEMO0DEMO0DEMO0DEMO0DEMO0")}))
			check(t, f.named(Phone).set(Phone, field{text: []byte("447700900123")}))
			check(t, f.named(Photo).set(Photo, field{text: []byte(Delete)}))
			*f.named(name) = field{text: []byte(text), came: true}
			_, err := f.Request()
			if !errors.Is(err, domain.TypeError) || !strings.Contains(err.Error(), name+": ") || !strings.Contains(err.Error(), want) {
				t.Errorf("%s %q: got %v, want a Type Error of %s", name, text, err, want)
			}
		}
	}
}

// TestPINOfZero: the number 0 counts as an integer that was never set, the string as
// a PIN.
func TestPINOfZero(t *testing.T) {
	for value, refused := range map[string]bool{"0": true, "0.0": true, "0e3": true, "7": false, `"0"`: false, `"0000"`: false, `""`: false, "null": false} {
		f, err := parseJSON([]byte(`{"customer_pin":` + value + `}`))
		check(t, err)
		_, err = f.pin.parsePIN()
		if (err != nil) != refused || refused && !strings.Contains(err.Error(), "never set") {
			t.Errorf("%s: got %v, want refused %v", value, err, refused)
		}
	}
}

// The photo is decoded where it was read: no second copy is made.
func TestPhotosAliasTheBody(t *testing.T) {
	encoded := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("photo"), 1000))
	parsers := map[string]struct {
		body  string
		parse func([]byte) (Fields, error)
	}{
		"JSON": {`{"photo_base64":"` + strings.ReplaceAll(encoded, "/", `\/`) + `"}`, parseJSON},
		"form": {"photo_base64=" + url.QueryEscape(encoded), parseForm},
	}
	for name, p := range parsers {
		body := []byte(p.body)
		got, err := p.parse(body)
		check(t, err)
		photo, _, err := got.photo.parsePhoto()
		check(t, err)
		if !aliases(photo, body) {
			t.Errorf("%s: the photo was copied out of the body", name)
		}
	}
}

func aliases(part, whole []byte) bool {
	at := uintptr(unsafe.Pointer(unsafe.SliceData(part)))
	begin := uintptr(unsafe.Pointer(unsafe.SliceData(whole)))
	return at >= begin && at < begin+uintptr(len(whole))
}

// fuzzParser checks that parsing the fields never fails with Internal. It overwrites
// the photo's text.
func fuzzParser(t *testing.T, got *Fields, err error) {
	t.Helper()
	if err != nil {
		return
	}
	if _, err := got.Request(); err != nil && domain.AsError(err).Kind == domain.Internal {
		t.Errorf("a bad parameter causes an Internal Error: %v", err)
	}
}

func FuzzParseJSON(f *testing.F) {
	f.Add([]byte(`{"api_key":"DEMO0DEMO0DEMO0DEMO0DEMO0","phone_number":447700900123,"customer_pin":"0042","photo_base64":"a\/\u002B="}`))
	f.Add([]byte(`{"phone_number":1e2,"x":[{}],"customer_pin":null}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var standard map[string]any
		standardErr := json.Unmarshal(body, &standard)
		got, err := parseJSON(bytes.Clone(body))
		defer fuzzParser(t, &got, err)
		if err != nil {
			if !errors.Is(err, domain.TypeError) {
				t.Errorf("want a Type Error, got %v", err)
			}
			return
		}
		if standardErr != nil {
			t.Fatalf("encoding/json refuses the body: %v", standardErr)
		}
		for name, value := range map[string]field{APIKey: got.apiKey, Photo: got.photo} {
			if want, ok := standard[name].(string); ok && want != string(value.text) {
				t.Errorf("%s: got %q, encoding/json says %q", name, value.text, want)
			}
		}
	})
}

func FuzzParseForm(f *testing.F) {
	f.Add("api_key=DEMO0DEMO0DEMO0DEMO0DEMO0&phone_number=%2B44&customer_pin=1&photo_base64=a+b%3D")
	f.Add("api_key&&=&x=%zz&photo_base64")
	f.Fuzz(func(t *testing.T, body string) {
		got, err := parseForm([]byte(body))
		defer fuzzParser(t, &got, err)
		standard, standardErr := url.ParseQuery(body)
		if err != nil || standardErr != nil || strings.Contains(body, ";") {
			return
		}
		for name, value := range map[string]field{APIKey: got.apiKey, Phone: got.phone, PIN: got.pin, Photo: got.photo} {
			if want := standard.Get(name); want != string(value.text) {
				t.Errorf("%s: got %q, net/url says %q", name, value.text, want)
			}
		}
	})
}

func TestParseText(t *testing.T) {
	const utf16 = "body: want UTF-8, got UTF-16"
	want := Fields{apiKey: text("k")}
	for _, test := range []struct {
		parse        func([]byte) (Fields, error)
		body, broken string
	}{
		{ParseJSON, "\ufeff{\"api_key\":\"k\"}", ""},
		{ParseForm, "\ufeff\r\n {\"api_key\":\"k\"}", ""},
		{ParseForm, "\ufeffapi_key=k", ""},
		{ParseForm, "api_key=k", ""},
		{ParseJSON, "api_key=k", "no JSON"},
		{ParseForm, "{api_key=k", "broken"},
		{ParseJSON, "\xff\xfe{\x00", utf16},
		{ParseJSON, "\xfe\xff\x00{", utf16},
		{ParseForm, "{\x00\"\x00", utf16},
		{ParseForm, "\x00{", utf16},
	} {
		got, err := test.parse([]byte(test.body))
		checkParsed(t, got, err, want, test.broken)
	}
}
