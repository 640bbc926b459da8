package httpapi

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"math"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/fleetphoto/fleetphoto/domain"
)

// parseJSON reads the parameters from a JSON object (RFC 8259). Their texts
// are unescaped in place, so body's content is lost.
func parseJSON(body []byte) (fields, error) {
	var f fields
	// It reads the buffer in place. A set of all names would cost many times the
	// body, and set refuses a parameter that comes twice.
	decoder := jsontext.NewDecoder(bytes.NewBuffer(body), jsontext.AllowDuplicateNames(true))
	if decoder.PeekKind() != '{' {
		return f, domain.Errorf(domain.TypeError, "body: want a JSON object, got %s", describeJSON(decoder.PeekKind()))
	}
	if err := readObject(decoder, body, &f); err != nil {
		return f, syntaxError(decoder, err)
	}
	// Only now, as the decoder must not see a changed body.
	for _, value := range []*field{&f.apiKey, &f.phone, &f.pin, &f.photo} {
		if err := value.decodeJSON(); err != nil {
			return f, err
		}
	}
	return f, nil
}

// readObject fills f with the raw JSON values of the parameters.
func readObject(decoder *jsontext.Decoder, body []byte, f *fields) error {
	if _, err := decoder.ReadToken(); err != nil {
		return err
	}
	for decoder.PeekKind() != '}' {
		name, err := decoder.ReadToken()
		if err != nil {
			return err
		}
		parameter := name.String()
		value, err := decoder.ReadValue()
		if err != nil {
			return err
		}
		if wanted := f.named(parameter); wanted != nil {
			end := decoder.InputOffset()
			if err := wanted.set(parameter, field{text: body[end-int64(len(value)) : end]}); err != nil {
				return err
			}
		}
	}
	if _, err := decoder.ReadToken(); err != nil {
		return err
	}
	if _, err := decoder.ReadToken(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the JSON object")
	}
	return nil
}

// syntaxError says where the JSON is broken. The decoder's own text stays out,
// as it may repeat what came.
func syntaxError(decoder *jsontext.Decoder, err error) error {
	if known := (*domain.Error)(nil); errors.As(err, &known) {
		return err
	}
	return domain.Errorf(domain.TypeError, "body: want one JSON object in UTF-8; it is broken near byte %d", decoder.InputOffset()+1)
}

// decodeJSON turns a raw JSON value into text.
func (f *field) decodeJSON() (err error) {
	if !f.came {
		return nil
	}
	switch kind := jsontext.Value(f.text).Kind(); kind {
	case 'n':
		*f = field{}
		return nil
	case '"':
		// What is written never overtakes what is read: an escape is longer than what it stands for.
		f.text, err = jsontext.AppendUnquote(f.text[:0], f.text)
		return err
	case '0':
		f.number = true
		f.text = integerText(f.text)
		return nil
	default:
		f.foreign = describeJSON(kind)
		return nil
	}
}

// integerText writes a JSON number that is an integer, such as 4.2e1 or 42.0,
// as digits. It leaves others as they are, and a number with a sign gets a
// text that is no number.
func integerText(number []byte) []byte {
	if number[0] == '-' {
		return []byte("negative")
	}
	if !bytes.ContainsAny(number, ".eE") {
		return number
	}
	const exact = 1 << 53 // from here on, not every integer is a float64
	value, err := strconv.ParseFloat(string(number), 64)
	if err != nil || value != math.Trunc(value) || value >= exact {
		return number
	}
	return strconv.AppendFloat(nil, value, 'f', 0, 64)
}

// jsonKinds says what a JSON value is.
var jsonKinds = map[jsontext.Kind]string{
	'{': "a JSON object", '[': "a JSON array", 't': "a JSON boolean", 'f': "a JSON boolean", 'n': "a JSON null",
	'"': "a JSON string", '0': "a JSON number",
}

func describeJSON(kind jsontext.Kind) string { return cmp.Or(jsonKinds[kind], "no JSON") }
