package parameters

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/fleetphoto/fleetphoto/domain"
)

// ParseJSON parses a JSON object (RFC 8259) in UTF-8. The fields alias text, and
// overwrite it where they are unescaped.
func ParseJSON(text []byte) (Fields, error) {
	text, err := withoutMark(text)
	if err != nil {
		return Fields{}, err
	}
	return parseJSON(text)
}

func parseJSON(body []byte) (Fields, error) {
	f, err := cutPhoto(body).read()
	if err != nil { // its byte number is one of the shortened text
		f, err = jsonText{text: body}.read()
	}
	if err != nil {
		return f, err
	}
	// Only after decoding, as it changes the body.
	for _, value := range []*field{&f.apiKey, &f.phone, &f.pin, &f.photo} {
		if err := value.decodeJSON(); err != nil {
			return f, err
		}
	}
	return f, nil
}

// read returns the raw JSON values of the parameters.
func (j jsonText) read() (f Fields, err error) {
	// The decoder reads a bytes.Buffer without copying. Its own check for duplicate
	// names would take many times the body's memory; set refuses duplicate parameters.
	decoder := jsontext.NewDecoder(bytes.NewBuffer(j.text), jsontext.AllowDuplicateNames(true))
	if decoder.PeekKind() != '{' {
		return f, domain.Errorf(domain.TypeError, "body: want a JSON object, got %s", describeJSON(decoder.PeekKind()))
	}
	if err := j.readObject(decoder, &f); err != nil {
		return f, syntaxError(decoder, err)
	}
	return f, nil
}

// readObject reads one JSON object, and nothing after it, into f.
func (j jsonText) readObject(decoder *jsontext.Decoder, f *Fields) error {
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
			if err := wanted.set(parameter, field{text: j.value(decoder.InputOffset(), len(value))}); err != nil {
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

// value returns the raw value of that length that ends at offset end of the text,
// or the photo if it was cut out there.
func (j jsonText) value(end int64, length int) []byte {
	start := end - int64(length)
	if j.photo != nil && start == j.at {
		return j.photo
	}
	return j.text[start:end]
}

// syntaxError says where the JSON is broken. It leaves out the decoder's own
// message, which may quote the body.
func syntaxError(decoder *jsontext.Decoder, err error) error {
	if known := (*domain.Error)(nil); errors.As(err, &known) {
		return err
	}
	return domain.Errorf(domain.TypeError, "body: want one JSON object in UTF-8; it is broken near byte %d", decoder.InputOffset()+1)
}

// decodeJSON turns the field's raw JSON value into text.
func (f *field) decodeJSON() (err error) {
	if !f.came {
		return nil
	}
	switch kind := jsontext.Value(f.text).Kind(); kind {
	case 'n':
		*f = field{}
		return nil
	case '"':
		f.text, err = unquote(f.text)
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

// unquote decodes a valid JSON string in place, which is possible as an escape is
// longer than its character. It has a fast path for escaped slashes, as a photo
// from PHP has thousands.
func unquote(text []byte) ([]byte, error) {
	if bytes.IndexByte(text, '\\') < 0 {
		return text[1 : len(text)-1], nil
	}
	out := text[:0]
	for at := 1; ; at++ {
		escape := bytes.IndexByte(text[at:], '\\')
		if escape < 0 {
			return append(out, text[at:len(text)-1]...), nil
		}
		out = append(out, text[at:at+escape]...)
		at += escape
		if text[at+1] != '/' {
			text[at-1] = '"' // this byte has been copied, and out ends before it
			return jsontext.AppendUnquote(out, text[at-1:])
		}
	}
}

// integerText returns a JSON number that is an integer, such as 4.2e1 or 42.0, as
// digits. For other numbers it returns a word, as the phone's parser would skip a
// dot or sign.
func integerText(number []byte) []byte {
	if number[0] == '-' {
		return []byte("negative")
	}
	if !bytes.ContainsAny(number, ".eE") {
		return number
	}
	const exact = 1 << 53 // a float64 is exact only for integers below
	value, err := strconv.ParseFloat(string(number), 64)
	if err != nil || value != math.Trunc(value) || value >= exact {
		return []byte("inexact")
	}
	return strconv.AppendFloat(nil, value, 'f', 0, 64)
}

// jsonKinds names the types of JSON values for error sentences.
var jsonKinds = map[jsontext.Kind]string{
	'{': "a JSON object", '[': "a JSON array", 't': "a JSON boolean", 'f': "a JSON boolean", 'n': "a JSON null",
	'"': "a JSON string", '0': "a JSON number",
}

func describeJSON(kind jsontext.Kind) string { return cmp.Or(jsonKinds[kind], "no JSON") }

// mostBesidePhoto is the most bytes beside the photo that cutPhoto copies.
const mostBesidePhoto = 4 << 10

// jsonText is the JSON text given to the decoder. As the decoder looks at each byte
// and nearly all of them are the photo's, a plain photo string is cut out and
// replaced by an empty string.
type jsonText struct {
	text  []byte
	photo []byte // the string that was cut out, with its quotes; nil: none
	at    int64  // the offset in text of the empty string in its place
}

// cutPhoto cuts out the value after the first "photo_base64" in quotes if it is a
// plain string. That name may also be one inside an unknown field: only the decoder
// can tell.
//
// Whatever comes before it, the decoder either reads the value that was cut out as a
// string too, or refuses the body. For suppose that its opening quote were inside
// another string. Then the colon before it would be too, so that string would begin
// at the name's closing quote. The name's letters would then be outside any string,
// which the decoder refuses.
func cutPhoto(body []byte) jsonText {
	_, after, _ := bytes.Cut(body, []byte(`"`+Photo+`"`))
	value := bytes.TrimLeft(after, ": \t\r\n")
	length := plainString(value)
	beside := len(body) - length
	if length == 0 || beside > mostBesidePhoto {
		return jsonText{text: body}
	}
	at := len(body) - len(value)
	text := make([]byte, 0, beside+len(`""`))
	text = append(append(append(text, body[:at]...), `""`...), value[length:]...)
	return jsonText{text, value[:length], int64(at)}
}

// plainString returns the length, with its quotes, of the JSON string that text
// begins with. It returns 0 if that isn't printable ASCII or has escapes other than
// those of slashes, which PHP writes.
func plainString(text []byte) int {
	content, is := bytes.CutPrefix(text, []byte{'"'})
	end := bytes.IndexByte(content, '"')
	if !is || end < 0 || !isPrintable(content[:end]) || !escapesOnlySlashes(content[:end]) {
		return 0
	}
	return end + len(`""`)
}

// isPrintable reports whether text is ASCII without control characters, which JSON
// forbids in strings. It looks at eight bytes at a time. The highest bit is set in
// a byte from 0x80 on, and in a byte below a space after a space's code is
// subtracted. A borrow can only come from such a lower byte, so it does no harm.
func isPrintable(text []byte) bool {
	const spaces, highest = 0x2020202020202020, 0x8080808080808080
	var bits uint64
	for ; len(text) >= 8; text = text[8:] {
		word := binary.LittleEndian.Uint64(text)
		bits |= word | (word - spaces)
	}
	for _, c := range text {
		bits |= uint64(c | (c - ' '))
	}
	return bits&highest == 0
}

// escapesOnlySlashes reports whether every backslash of content escapes a slash.
func escapesOnlySlashes(content []byte) bool {
	for {
		escape := bytes.IndexByte(content, '\\')
		if escape < 0 {
			return true
		}
		if !bytes.HasPrefix(content[escape:], []byte(`\/`)) {
			return false
		}
		content = content[escape+len(`\/`):]
	}
}
