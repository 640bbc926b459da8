package httpapi

import (
	"fmt"
	"math"

	"github.com/danielgtaylor/huma/v2"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/photo"
)

// requestBody describes the three encodings, each by its own schema: a form
// has nothing but texts, and a part may be a file. No schema is stricter than
// the server: who validates by it refuses no call that would succeed.
func (s *Server) requestBody() *huma.RequestBody {
	limits := fmt.Sprintf("%s, at most %d bytes and %d pixels.", photo.Accepted(), s.maxPhoto, s.Update.Reader.Limits().MaxPixels)
	text := &huma.Schema{
		Type: huma.TypeString, MinLength: ptr(1), MaxLength: ptr(int(s.maxBody)), Examples: []any{examplePhoto},
		Description: "The image in Base64, standard or URL-safe, padded or not, with line breaks or a data URI's prefix; or the word delete. " + limits,
	}
	file := &huma.Schema{
		Type: huma.TypeString, Format: "binary",
		Description: "The image file itself; or a part without a file name, that holds Base64 or the word delete. " + limits,
	}
	return &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		typeJSON:      {Schema: parameters(number(1, domain.MaxPhoneDigits, examplePhone, phoneText()), pinJSON(), text)},
		typeForm:      {Schema: parameters(phoneText(), pinText(), text)},
		typeMultipart: {Schema: parameters(phoneText(), pinText(), file)},
	}}
}

func parameters(phone, pin, photo *huma.Schema) *huma.Schema {
	phone.Description = fmt.Sprintf("The customer's mobile number, international, up to %d digits; without + or 00 at best, "+
		"but as a text it may carry these, spaces, dashes and parentheses.", domain.MaxPhoneDigits)
	pin.Description = fmt.Sprintf("The customer's PIN, %d to %d digits; leading zeros don't count. Left out or blank, it is not checked. "+
		"%d wrong ones in a row lock it for %.0f minutes.",
		domain.MinPINDigits, domain.MaxPINDigits, domain.MaxWrongPINs, domain.PINLockDuration.Minutes())
	return &huma.Schema{
		Type:     huma.TypeObject,
		Required: []string{fieldAPIKey, fieldPhone, fieldPhoto},
		Properties: map[string]*huma.Schema{
			fieldAPIKey: {
				Type: huma.TypeString, Pattern: fmt.Sprintf(`^\s*[0-9A-Za-z]{%d}\s*$`, domain.APIKeyLength), Examples: []any{exampleKey},
				Description: fmt.Sprintf("The key that the fleet gave out, %d letters and digits.", domain.APIKeyLength),
			},
			fieldPhone: phone,
			fieldPIN:   pin,
			fieldPhoto: photo,
		},
	}
}

// phoneText takes what people write between the digits, whose count it holds.
func phoneText() *huma.Schema {
	const between = `[^0-9A-Za-z]*`
	return &huma.Schema{
		Type:     huma.TypeString,
		Pattern:  fmt.Sprintf(`^%s(0%s)*[1-9](%[1]s[0-9]){0,%[3]d}%[1]s$`, between, between, domain.MaxPhoneDigits-1),
		Examples: []any{fmt.Sprint(examplePhone)},
	}
}

func pinText() *huma.Schema {
	return &huma.Schema{
		Type: huma.TypeString, Pattern: fmt.Sprintf(`^\s*[0-9]{0,%d}\s*$`, domain.MaxPINDigits), Examples: []any{fmt.Sprint(examplePIN)},
	}
}

// pinJSON may be null, which is blank.
func pinJSON() *huma.Schema {
	schema := number(0, domain.MaxPINDigits, examplePIN, pinText())
	schema.AnyOf[0].Nullable = true
	return schema
}

// number describes a JSON number of at most so many digits, or a text. A
// generator of Go makes it the integer that the contract names, and no union.
func number(least float64, digits int, example int64, text *huma.Schema) *huma.Schema {
	text.Examples = nil
	integer := &huma.Schema{Type: huma.TypeInteger, Format: "int64", Minimum: &least, Maximum: ptr(math.Pow10(digits) - 1)}
	return &huma.Schema{
		AnyOf: []*huma.Schema{integer, text}, Examples: []any{example}, Extensions: map[string]any{"x-go-type": "int64"},
	}
}

func ptr[T any](value T) *T { return &value }
