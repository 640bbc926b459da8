package httpapi

import (
	"bytes"
	"cmp"
	"strings"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
)

// The names of the parameters.
const (
	fieldAPIKey = "api_key"
	fieldPhone  = "phone_number"
	fieldPIN    = "customer_pin"
	fieldPhoto  = "photo_base64"
)

// deletePhoto is the word that stands in photo_base64 for a deletion.
const deletePhoto = "delete"

// field is the value of a parameter as a body's encoding gave it. Its text
// aliases the body.
type field struct {
	text []byte
	came bool
	// foreign names a value that is no text, for instance "a JSON object".
	foreign string
	// number marks a JSON number, which no key may be.
	number bool
	// file marks a file part: an image's own bytes, not Base64.
	file bool
}

// fields are the parameters of a call by their names. A parameter that the
// contract doesn't know isn't kept.
type fields struct{ apiKey, phone, pin, photo field }

// named returns the field for a parameter, or nil for one that is to be ignored.
func (f *fields) named(name string) *field {
	switch name {
	case fieldAPIKey:
		return &f.apiKey
	case fieldPhone:
		return &f.phone
	case fieldPIN:
		return &f.pin
	case fieldPhoto:
		return &f.photo
	}
	return nil
}

// set stores a value that came under name. It fails when one had come before.
func (f *field) set(name string, value field) error {
	if f.came {
		return domain.Errorf(domain.TypeError, "%s: it came twice; send it once", name)
	}
	*f = value
	f.came = true
	return nil
}

// request gives the parameters their types, all that can be, and returns the
// first failure. The photo is decoded in place.
func (f *fields) request() (request usecase.Request, err error) {
	var key, phone, pin, photo error
	request.APIKey, key = f.apiKey.parseAPIKey()
	request.Phone, phone = f.phone.parsePhone()
	request.PIN, pin = f.pin.parsePIN()
	request.Photo, request.Delete, photo = f.photo.parsePhoto()
	return request, cmp.Or(key, phone, pin, photo)
}

func (f *field) parseAPIKey() (domain.APIKey, error) {
	if got := f.noText(); got != "" {
		return domain.APIKey{}, unwanted(fieldAPIKey, "a string", got)
	}
	return domain.ParseAPIKey(strings.TrimSpace(string(f.text)))
}

func (f *field) parsePhone() (domain.PhoneNumber, error) {
	if f.foreign != "" {
		return 0, unwanted(fieldPhone, "digits", f.foreign)
	}
	return domain.ParsePhoneNumber(string(f.text))
}

func (f *field) parsePIN() (domain.PIN, error) {
	if f.foreign != "" {
		return domain.PIN{}, unwanted(fieldPIN, "digits or nothing", f.foreign)
	}
	return domain.ParsePIN(string(f.text))
}

func (f *field) parsePhoto() (photo []byte, isDelete bool, err error) {
	text := f.text
	if !f.file {
		text = bytes.TrimSpace(text)
	}
	switch {
	case f.noText() != "":
		return nil, false, unwanted(fieldPhoto, "Base64 or the word delete", f.noText())
	case len(text) == 0:
		return nil, false, domain.Errorf(domain.TypeError, "%s: it is missing; send the image in Base64, or the word delete", fieldPhoto)
	case f.file:
		return text, false, nil
	case string(text) == deletePhoto:
		return nil, true, nil
	}
	photo, err = decodeBase64(text)
	if err == nil && len(photo) == 0 {
		err = domain.Errorf(domain.TypeError, "%s: the Base64 holds no image; send the whole image, or the word delete", fieldPhoto)
	}
	return photo, false, err
}

// noText says what came instead of text; empty: text.
func (f *field) noText() string {
	if f.number {
		return describeJSON('0')
	}
	return f.foreign
}

func unwanted(name, want, got string) error {
	return domain.Errorf(domain.TypeError, "%s: want %s, got %s", name, want, got)
}
