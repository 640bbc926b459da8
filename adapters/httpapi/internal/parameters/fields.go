// Package parameters reads the parameters of a call from the text of its body:
// JSON, or the values of a form. Only adapters/httpapi may import it.
package parameters

import (
	"bytes"
	"cmp"
	"strings"
	"unicode"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
)

// The names of the parameters.
const (
	APIKey = "api_key"
	Phone  = "phone_number"
	PIN    = "customer_pin"
	Photo  = "photo_base64"
)

// Delete is the value of Photo that asks for a deletion.
const Delete = "delete"

// field is a parameter's value as read from the body, which text aliases.
type field struct {
	text []byte
	came bool
	// foreign names the type of a JSON value that is neither a string nor a
	// number, for instance "a JSON object".
	foreign string
	// number marks a JSON number, which a key or photo may not be.
	number bool
	// file marks a file part, which may hold the image itself.
	file bool
}

// Fields are the parameters of a call as they came.
type Fields struct{ apiKey, phone, pin, photo field }

// Part is the content of a part of a multipart form.
type Part struct {
	Content []byte
	IsFile  bool // it may hold the image itself instead of its Base64
}

// IsKnown reports whether a call has a parameter of that name.
func IsKnown(name string) bool { return new(Fields).named(name) != nil }

// SetPart sets the parameter of that name, which must be known, to a part, which it
// keeps. It fails with a Type Error if the parameter came before.
func (f *Fields) SetPart(name string, part Part) error {
	return f.named(name).set(name, field{text: part.Content, file: part.IsFile})
}

// named returns the field for a parameter, or nil for an unknown parameter, which
// is ignored.
func (f *Fields) named(name string) *field {
	switch name {
	case APIKey:
		return &f.apiKey
	case Phone:
		return &f.phone
	case PIN:
		return &f.pin
	case Photo:
		return &f.photo
	}
	return nil
}

// set stores the parameter's value. It fails if there already is one.
func (f *field) set(name string, value field) error {
	if f.came {
		return domain.Errorf(domain.TypeError, "%s: it came twice; send it once", name)
	}
	*f = value
	f.came = true
	return nil
}

// Request parses the parameters and returns the first failure, a Type Error. The
// parameters that could be parsed are set even then. The photo is decoded in
// place, so it aliases the body's text.
func (f *Fields) Request() (request usecase.Request, err error) {
	var key, phone, pin, photo error
	request.APIKey, key = f.apiKey.parseAPIKey()
	request.Phone, phone = f.phone.parsePhone()
	request.PIN, pin = f.pin.parsePIN()
	request.Photo, request.Delete, photo = f.photo.parsePhoto()
	return request, cmp.Or(key, phone, pin, photo)
}

func (f *field) parseAPIKey() (domain.APIKey, error) {
	if got := f.unusable(); got != "" || f.number {
		return domain.APIKey{}, unwanted(APIKey, "a string", cmp.Or(got, describeJSON('0')))
	}
	return domain.ParseAPIKey(strings.TrimSpace(string(f.text)))
}

func (f *field) parsePhone() (domain.DialledPhone, error) {
	if got := f.unusable(); got != "" {
		return domain.DialledPhone{}, unwanted(Phone, "digits", got)
	}
	return domain.ParseDialledPhone(string(f.text))
}

func (f *field) parsePIN() (domain.PIN, error) {
	if got := f.unusable(); got != "" {
		return domain.PIN{}, unwanted(PIN, "digits or nothing", got)
	}
	if f.number && string(f.text) == "0" { // or each such call would count as a wrong PIN
		return domain.PIN{}, domain.Errorf(domain.TypeError, `%s: got the JSON number 0, which mostly is an integer that was never set; leave the field out, or send the PIN's digits as a string, such as "0000"`, PIN)
	}
	return domain.ParsePIN(string(f.text))
}

func (f *field) parsePhoto() (photo []byte, isDelete bool, err error) {
	const want = "Base64 or the word " + Delete
	text := trimText(f.text)
	switch got := f.unusable(); {
	case got != "" || f.number:
		return nil, false, unwanted(Photo, want, cmp.Or(got, describeJSON('0')))
	case len(text) == 0:
		return nil, false, domain.Errorf(domain.TypeError, "%s: it is missing; send the image in Base64, or the word delete", Photo)
	case string(text) == Delete:
		return nil, true, nil
	case bytes.EqualFold(text, []byte(Delete)):
		return nil, false, domain.Errorf(domain.TypeError, "%s: want the word delete in lower case letters", Photo)
	case f.file && !beginsBase64(text):
		return f.text, false, nil
	case isBinary(text):
		return nil, false, unwanted(Photo, want, "bytes, as of an image file; encode them in Base64, or in a multipart form give the part a filename or the Content-Type image/jpeg")
	}
	photo, err = decodeBase64(text)
	if err == nil && len(photo) == 0 {
		err = domain.Errorf(domain.TypeError, "%s: the Base64 holds no image; send the whole image, or the word delete", Photo)
	}
	return photo, false, err
}

// isBinary reports whether text is an image's own bytes, even if they were
// converted to UTF-8: every format has control characters near its beginning.
func isBinary(text []byte) bool {
	const head = 64
	return bytes.ContainsFunc(text[:min(len(text), head)], func(c rune) bool {
		return unicode.IsControl(c) && !unicode.IsSpace(c)
	})
}

// unusable describes a value that no parameter can have; empty: it is usable.
func (f *field) unusable() string {
	text := bytes.TrimSpace(f.text)
	unset := unsetWord(text)
	switch {
	case f.foreign != "":
		return f.foreign
	case unset != "":
		return unset + ", as programs write it for a value that is not set; send the value"
	case len(text) > 1 && text[0] == '"' && text[len(text)-1] == '"':
		return "a text in quotation marks, as JSON has them; send it without"
	}
	return ""
}

// unsetWord returns the word for an unset value in JavaScript, Python, Ruby, Go or
// C that text equals, ignoring case; empty: none.
func unsetWord(text []byte) string {
	for _, word := range []string{"null", "undefined", "None", "nil", "<nil>", "(null)", "NaN", "[object Object]", "[object File]", "[object Blob]"} {
		if bytes.EqualFold(text, []byte(word)) {
			return word
		}
	}
	return ""
}

func unwanted(name, want, got string) error {
	return domain.Errorf(domain.TypeError, "%s: want %s, got %s", name, want, got)
}
