package httpsuite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
)

const updatePath = "/update_customer_photo.json"

// Target is a server of the contract and, on it, a customer whose photo the
// suite changes and deletes. Without the fields from DisabledKey to MaxPixels,
// the cases that need them are skipped.
type Target struct {
	BaseURL string // without a path, for instance http://127.0.0.1:8080
	APIKey  string // of a fleet
	Phone   string // of a customer of that fleet, digits alone
	PIN     string // of that customer, without a leading zero

	DisabledKey   string // of a fleet that is switched off
	RequirePINKey string // of a fleet that requires the PIN and has a customer with Phone and PIN, whose photo is deleted
	OtherPhone    string // of a customer of another fleet
	LockPhone     string // of a customer of the fleet with PIN, whose PIN gets locked and whose photo is deleted
	NoPINPhone    string // of a customer of the fleet without a PIN
	MaxPhotoBytes int    // the server's limit
	MaxPixels     int    // the server's limit

	Patience time.Duration // how long the address of a photo may show what was before, as behind a CDN
}

// check fails, in a sentence, unless the cases can be tried on the target. It
// stops a wrong PIN from being sent until the customer's PIN is locked.
func (t Target) check(ctx context.Context) error {
	for _, field := range []struct{ name, value, pattern, want string }{
		{"base URL", t.BaseURL, `^https?://[^/?#@]+$`, "http:// or https:// and a host, without a path"},
		{"API key", t.APIKey, `^[0-9A-Za-z]{25}$`, "25 letters and digits"},
		{"phone number", t.Phone, `^[1-9][0-9]{7,14}$`, "8 to 15 digits, without + or 00"},
		{"PIN", t.PIN, `^[1-9][0-9]{3,10}$`, "4 to 11 digits, without a leading zero"},
	} {
		if !regexp.MustCompile(field.pattern).MatchString(field.value) {
			return fmt.Errorf("the %s is missing or can't be used: want %s", field.name, field.want)
		}
	}
	if t.LockPhone == t.Phone {
		return errors.New("the customer whose PIN gets locked must be another than the one whose photo changes")
	}
	if _, err := t.update(ctx, t.Phone, t.PIN, encodeBase64(pictures()["before"])); err != nil {
		return fmt.Errorf("an update with the API key, the phone number and the PIN must succeed: %w", err)
	}
	if t.LockPhone == "" {
		return nil
	}
	if _, err := t.update(ctx, t.LockPhone, t.PIN, "delete"); err != nil {
		return fmt.Errorf("the PIN of the customer for the lock must be right and not locked, as an earlier run leaves it: %w", err)
	}
	return nil
}

// update makes a call that must succeed, and returns the photo's address.
func (t Target) update(ctx context.Context, phone, pin, photo string) (string, error) {
	form := url.Values{"api_key": {t.APIKey}, "phone_number": {phone}, "photo_base64": {photo}}
	if pin != "" {
		form.Set("customer_pin", pin)
	}
	got, err := paced(ctx, func() (answer, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, t.BaseURL+updatePath, strings.NewReader(form.Encode()))
		if err != nil {
			return answer{}, err
		}
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		return send(request)
	})
	if err != nil {
		return "", err
	}
	var success struct{ Result string }
	_ = json.Unmarshal(got.body, &success) // what is no JSON has no result
	if got.status != http.StatusOK || success.Result != "valid" || (got.address() == "") != (photo == "delete") {
		return "", errors.New(got.String())
	}
	return got.address(), nil
}

// checkSecrets fails when an answer repeats what it never may.
func (t Target) checkSecrets(body string) error {
	for name, secret := range map[string]string{"API key": t.APIKey, "disabled fleet's API key": t.DisabledKey, "API key of the fleet that requires the PIN": t.RequirePINKey} {
		if secret != "" && strings.Contains(body, secret) {
			return fmt.Errorf("the answer repeats the %s", name)
		}
	}
	return nil
}
