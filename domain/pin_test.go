package domain_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
)

var (
	someone = domain.CustomerRef{Fleet: 689, Customer: 452733}
	secret  = []byte("0123456789abcdef0123456789abcdef")
	pinKey  = must(domain.NewPINKey(secret))
)

// pinResults are what both parsers make of a text, but for short PINs.
func pinResults() map[string]parsed[domain.PIN] {
	refused := parsed[domain.PIN]{kind: domain.TypeError}
	return map[string]parsed[domain.PIN]{
		"":                     {},
		" \t\r\n":              {},
		"0042":                 {value: pin("42")},
		" 0042\n":              {value: pin("42")},
		"4711":                 {value: pin("000000004711")},
		"0000":                 {value: pin("0")},
		"999999999999":         {value: pin("999999999999")},
		"9999999999999":        refused,
		"0000000000042":        refused,
		"18446744073709551658": refused, // 42 modulo 2⁶⁴
		"-4711":                refused,
		"+4711":                refused,
		"47 11":                refused,
		"47.11":                refused,
		"0x2A":                 refused,
		"4e10":                 refused,
		"abcd":                 refused,
		"٤٧١١":                 refused,
		"{\"a\":1}":            refused,
		"null":                 refused,
		"4711\x00":             refused,
	}
}

func pin(digits string) domain.PIN { return must(domain.ParsePIN(digits)) }

func TestParsePIN(t *testing.T) {
	t.Parallel()
	want := pinResults()
	want["7"] = parsed[domain.PIN]{value: pin("0007")}
	want["042"] = parsed[domain.PIN]{value: pin("0042")}
	checkParse(t, domain.ParsePIN, want)
}

func TestParseNewPIN(t *testing.T) {
	t.Parallel()
	want := pinResults()
	for _, short := range []string{"7", "042", " 042 ", "0", "abc"} {
		want[short] = parsed[domain.PIN]{kind: domain.TypeError}
	}
	checkParse(t, domain.ParseNewPIN, want)
}

func TestBlankPIN(t *testing.T) {
	t.Parallel()
	for text, blank := range map[string]bool{"": true, "  ": true, "0": false, "0000": false, "4711": false} {
		if got := pin(text).IsBlank(); got != blank {
			t.Errorf("%q: IsBlank is %v, want %v", text, got, blank)
		}
	}
}

func TestPINRefusalRepeatsNoPIN(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"4711081547110": "customer_pin: want 4 to 12 digits or nothing, got 13 digits",
		"4711x":         "customer_pin: want 4 to 12 digits or nothing, got another character",
		"471":           "customer_pin: want 4 to 12 digits or nothing, got 3 digits",
		"47x":           "customer_pin: want 4 to 12 digits or nothing, got another character",
		"٤٧١١":          "customer_pin: want 4 to 12 digits or nothing, got Arabic-Indic digits",
		"４７１１":          "customer_pin: want 4 to 12 digits or nothing, got full-width digits",
	} {
		_, err := domain.ParseNewPIN(text)
		if got := domain.AsError(err).Public; got != want {
			t.Errorf("%q: the caller is told %q, want %q", text, got, want)
		}
	}
}

func TestNewPINKey(t *testing.T) {
	t.Parallel()
	for length, accepted := range map[int]bool{0: false, 31: false, 32: true, 33: true, 64: true} {
		if _, err := domain.NewPINKey(make([]byte, length)); (err == nil) != accepted {
			t.Errorf("%d bytes: got %v, want accepted: %v", length, err, accepted)
		}
	}
}

func TestPINKeyKeepsACopy(t *testing.T) {
	t.Parallel()
	given := bytes.Clone(secret)
	key := must(domain.NewPINKey(given))
	clear(given)
	if key.Hash(someone, pin("4711")) != pinKey.Hash(someone, pin("4711")) {
		t.Error("the key changed with the slice that it was made from")
	}
}

// The stored form outlives the process: another form would refuse every PIN that is stored.
func TestPINHashForm(t *testing.T) {
	t.Parallel()
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("689/452733/42"))
	if got, want := pinKey.Hash(someone, pin("0042")), domain.PINHash(mac.Sum(nil)); got != want {
		t.Errorf("got %x, want %x", got, want)
	}
}

func TestPINHashMatches(t *testing.T) {
	t.Parallel()
	otherKey := must(domain.NewPINKey(append([]byte("x"), secret...)))
	stored := pinKey.Hash(someone, pin("0042"))
	blank := pinKey.Hash(someone, domain.PIN{})
	for _, test := range []struct {
		name         string
		stored, sent domain.PINHash
		want         bool
	}{
		{"the same digits", stored, pinKey.Hash(someone, pin("0042")), true},
		{"the same integer", stored, pinKey.Hash(someone, pin("42")), true},
		{"more zeros", stored, pinKey.Hash(someone, pin("000000000042")), true},
		{"another PIN", stored, pinKey.Hash(someone, pin("4200")), false},
		{"another customer", stored, pinKey.Hash(domain.CustomerRef{Fleet: 689, Customer: 452734}, pin("0042")), false},
		{"another fleet", stored, pinKey.Hash(domain.CustomerRef{Fleet: 690, Customer: 452733}, pin("0042")), false},
		{"the same digits split otherwise", stored, pinKey.Hash(domain.CustomerRef{Fleet: 6894, Customer: 52733}, pin("0042")), false},
		{"another key", stored, otherKey.Hash(someone, pin("0042")), false},
		{"a blank PIN sent", stored, blank, false},
		{"no PIN set", blank, stored, false},
		{"no PIN set, PIN 0 sent", blank, pinKey.Hash(someone, pin("0000")), false},
		{"no PIN set, a blank one sent", blank, blank, false},
		{"PIN 0 is a PIN", pinKey.Hash(someone, pin("0000")), pinKey.Hash(someone, pin("0")), true},
	} {
		if got := test.stored.Matches(test.sent); got != test.want {
			t.Errorf("%s: Matches is %v, want %v", test.name, got, test.want)
		}
	}
	if (blank != domain.PINHash{}) {
		t.Errorf("a blank PIN hashes to %x, want zero", blank)
	}
}

func TestPINLockTry(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	until := now.Add(domain.PINLockDuration)
	someone := domain.CustomerRef{Fleet: 689, Customer: 452733}
	newKey := must(domain.NewPINKey(append([]byte("new"), secret...)))
	keys, rotating := domain.PINKeys{Current: pinKey}, domain.PINKeys{Current: newKey, Old: pinKey}
	stored, anew := pinKey.Hash(someone, pin("4711")), newKey.Hash(someone, pin("4711"))
	right, wrong := keys.Offer(someone, pin("4711")), keys.Offer(someone, pin("4712"))
	invalid := domain.Error{Kind: domain.InvalidPIN, Public: "customer_pin: it does not match; after 5 wrong ones in a row the PIN is locked for 15 minutes"}
	locked := func(wait time.Duration) domain.Error {
		return domain.Error{Kind: domain.PINLocked, RetryAfter: wait, Public: "customer_pin: 5 wrong PINs in a row; wait until the lock ends"}
	}
	forGood := domain.Error{Kind: domain.PINLocked, Public: "customer_pin: 100 wrong PINs since the last right one; the PIN stays locked until the fleet has it unlocked, so ask the fleet"}
	four, five := domain.PINLock{Attempts: 4, Wrong: 4}, domain.PINLock{Attempts: 5, LockedUntil: until, Wrong: 5}
	for _, test := range []struct {
		name    string
		lock    domain.PINLock
		stored  domain.PINHash
		offered domain.OfferedPIN
		at      time.Time
		after   domain.PINLock
		keeps   domain.PINHash
		err     domain.Error
	}{
		{"a right one", domain.PINLock{}, stored, right, now, domain.PINLock{}, stored, domain.Error{}},
		{"a right one after four wrong", four, stored, right, now, domain.PINLock{}, stored, domain.Error{}},
		{"the first wrong one", domain.PINLock{}, stored, wrong, now, domain.PINLock{Attempts: 1, Wrong: 1}, stored, invalid},
		{"the fifth wrong one locks", four, stored, wrong, now, five, stored, invalid},
		{"a right one while locked", five, stored, right, now, five, stored, locked(15 * time.Minute)},
		{"an instant before the end", five, stored, right, until.Add(-1), five, stored, locked(1)},
		{"a right one at the end", five, stored, right, until, domain.PINLock{}, stored, domain.Error{}},
		{"a wrong one at the end", five, stored, wrong, until, domain.PINLock{Attempts: 1, Wrong: 6}, stored, invalid},
		{"a lock stored without its end", domain.PINLock{Attempts: 7}, stored, wrong, now, domain.PINLock{Attempts: 8, LockedUntil: until, Wrong: 1}, stored, invalid},
		{"the hundredth wrong one", domain.PINLock{Attempts: 1, Wrong: 99}, stored, wrong, now, domain.PINLock{Attempts: 2, Wrong: 100}, stored, invalid},
		{"a right one after a hundred", domain.PINLock{Attempts: 2, Wrong: 100}, stored, right, until, domain.PINLock{Attempts: 2, Wrong: 100}, stored, forGood},
		{"no PIN is set", domain.PINLock{}, domain.PINHash{}, right, now, domain.PINLock{Attempts: 1, Wrong: 1}, domain.PINHash{}, invalid},
		{"none is set and none offered", domain.PINLock{}, domain.PINHash{}, domain.OfferedPIN{}, now, domain.PINLock{Attempts: 1, Wrong: 1}, domain.PINHash{}, invalid},
		{"under the old key", four, stored, rotating.Offer(someone, pin("4711")), now, domain.PINLock{}, anew, domain.Error{}},
		{"under the new key", four, anew, rotating.Offer(someone, pin("4711")), now, domain.PINLock{}, anew, domain.Error{}},
		{"wrong under both", domain.PINLock{}, stored, rotating.Offer(someone, pin("4712")), now, domain.PINLock{Attempts: 1, Wrong: 1}, stored, invalid},
		{"under another key alone", domain.PINLock{}, stored, domain.PINKeys{Current: newKey}.Offer(someone, pin("4711")), now, domain.PINLock{Attempts: 1, Wrong: 1}, stored, invalid},
	} {
		after, keeps, err := test.lock.Try(test.stored, test.offered, test.at)
		var got domain.Error
		if err != nil {
			got = *domain.AsError(err)
		}
		if after != test.after || keeps != test.keeps || got != test.err {
			t.Errorf("%s: got %+v, %x, %+v; want %+v, %x, %+v", test.name, after, keeps, got, test.after, test.keeps, test.err)
		}
	}
}

// However slowly somebody guesses, a hundred PINs are compared and no more.
func TestPINLockBound(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	stored, wrong := domain.PINHash{1}, domain.OfferedPIN{Current: domain.PINHash{2}}
	var lock domain.PINLock
	compared := 0
	for range 500 {
		var err error
		lock, _, err = lock.Try(stored, wrong, now)
		if kindOf(err) == domain.InvalidPIN {
			compared++
		}
		now = now.Add(domain.PINLockDuration / 2)
	}
	if compared != domain.MaxWrongPINsInAll {
		t.Errorf("%d were compared, want %d", compared, domain.MaxWrongPINsInAll)
	}
}

func ExampleParsePIN() {
	short, err := domain.ParsePIN("42")
	fmt.Println(short, short == must(domain.ParsePIN("0042")), err)
	blank, err := domain.ParsePIN("")
	fmt.Println(blank.IsBlank(), err)
	// Output:
	// [PIN] true <nil>
	// true <nil>
}

var twelveDigits = regexp.MustCompile(`^[0-9]{1,12}$`)

func FuzzParsePIN(f *testing.F) {
	for _, seed := range []string{"", " ", "0042", "42", "999999999999", "9999999999999", "-1", "٤٧١١", "{}", "4711\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := domain.ParsePIN(text)
		digits := strings.TrimSpace(text)
		if accepted := digits == "" || twelveDigits.MatchString(digits); accepted != (err == nil) {
			t.Fatalf("got %v, want accepted: %v", err, accepted)
		}
		if err != nil {
			if got != (domain.PIN{}) || kindOf(err) != domain.TypeError {
				t.Fatalf("got %#v and %v, want a blank PIN and a Type Error", got, err)
			}
			return
		}
		if got.IsBlank() != (digits == "") {
			t.Fatalf("IsBlank is %v", got.IsBlank())
		}
		if got.IsBlank() {
			return
		}
		number := must(strconv.ParseInt(digits, 10, 64))
		if again := pin(fmt.Sprintf("%012d", number)); again != got {
			t.Fatal("the same integer is another PIN")
		}
		set, err := domain.ParseNewPIN(text)
		if long := len(digits) >= domain.MinPINDigits; long != (err == nil) || long && set != got {
			t.Fatalf("as a new PIN: got %v", err)
		}
	})
}

func TestFingerprintTellsKeysApart(t *testing.T) {
	t.Parallel()
	same, other := must(domain.NewPINKey(secret)), must(domain.NewPINKey(append([]byte("1"), secret[1:]...)))
	got := pinKey.Fingerprint()
	if got != same.Fingerprint() || got == other.Fingerprint() || got == (domain.PINKeyFingerprint{}) {
		t.Errorf("got %x, %x of the same key, %x of another", got, same.Fingerprint(), other.Fingerprint())
	}
}
