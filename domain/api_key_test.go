package domain_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/fleetphoto/fleetphoto/domain"
)

const alphanumeric = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// counter reads 0, 1, … 255, 0, 1, …: every byte as often as every other.
type counter byte

func (c *counter) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(*c)
		*c++
	}
	return len(p), nil
}

func TestNewAPIKeyIsUniform(t *testing.T) {
	t.Parallel()
	// 248 keys of 25 characters are 6,200: each of the 62 a hundred times.
	random := new(counter)
	var all strings.Builder
	for range 248 {
		key := must(domain.NewAPIKey(random)).Reveal()
		if len(key) != domain.APIKeyLength {
			t.Fatalf("a key has %d characters", len(key))
		}
		all.WriteString(key)
	}
	for _, character := range alphanumeric {
		if n := strings.Count(all.String(), string(character)); n != 100 {
			t.Errorf("%q came %d times, want 100", character, n)
		}
	}
}

func TestNewAPIKeyNeedsItsRandomness(t *testing.T) {
	t.Parallel()
	broken := errors.New("no entropy")
	for _, test := range []struct {
		name   string
		random io.Reader
		want   error
	}{
		{"a failing source", iotest.ErrReader(broken), broken},
		{"a source that fails at the last character", io.MultiReader(strings.NewReader(strings.Repeat("x", 24)), iotest.ErrReader(broken)), broken},
		{"a source that ends", strings.NewReader(strings.Repeat("x", 24)), io.EOF},
	} {
		key, err := domain.NewAPIKey(test.random)
		if !errors.Is(err, test.want) || key != (domain.APIKey{}) {
			t.Errorf("%s: got %v, want no key and %v", test.name, err, test.want)
		}
	}
}

func TestNewAPIKeyParses(t *testing.T) {
	t.Parallel()
	made := must(domain.NewAPIKey(new(counter)))
	parsed, err := domain.ParseAPIKey(made.Reveal())
	if err != nil || parsed != made {
		t.Errorf("a key that was made doesn't parse back: %v", err)
	}
	if want := domain.APIKeyHash(sha256.Sum256([]byte(made.Reveal()))); parsed.Hash() != want {
		t.Errorf("got the hash %x, want SHA-256, %x", parsed.Hash(), want)
	}
}

func TestParseAPIKey(t *testing.T) {
	t.Parallel()
	const right = "abcdefghijklmNOPQRSTUVW89"
	for text, want := range map[string]domain.Kind{
		right:                       "",
		strings.Repeat("0", 25):     "",
		"":                          domain.TypeError,
		right[:24]:                  domain.InvalidHashID,
		right + "0":                 domain.InvalidHashID,
		" " + right:                 domain.InvalidHashID,
		right[:24] + "-":            domain.InvalidHashID,
		right[:24] + "\n":           domain.InvalidHashID,
		right[:24] + "\x00":         domain.InvalidHashID,
		"/" + right[:24]:            domain.InvalidHashID,
		":" + right[:24]:            domain.InvalidHashID,
		"@" + right[:24]:            domain.InvalidHashID,
		"[" + right[:24]:            domain.InvalidHashID,
		"`" + right[:24]:            domain.InvalidHashID,
		"{" + right[:24]:            domain.InvalidHashID,
		right[:23] + "é":            domain.InvalidHashID, // 25 bytes
		right[:24] + "é":            domain.InvalidHashID, // 25 characters
		strings.Repeat("x", 1<<20):  domain.InvalidHashID,
		"{\"key\":\"abcdefghijklmn": domain.InvalidHashID,
	} {
		key, err := domain.ParseAPIKey(text)
		if kindOf(err) != want {
			t.Errorf("%.40q: got %v, want %q", text, err, want)
		}
		if revealed := key.Reveal(); err == nil && revealed != text || err != nil && revealed != "" {
			t.Errorf("%.40q: the key is %.40q", text, revealed)
		}
		if err != nil && text != "" && strings.Contains(err.Error(), strings.Trim(text, " \n")) {
			t.Errorf("%.40q: the error repeats the key: %.200v", text, err)
		}
	}
}

func TestSecretsAreNotPrinted(t *testing.T) {
	t.Parallel()
	apiKey := must(domain.ParseAPIKey("abcdefghijklmNOPQRSTUVW89"))
	number := pin("471108154711")
	leaks := []string{apiKey.Reveal(), "471108154711", "0x6db03bf557", string(secret)}
	for _, verb := range []string{"%v", "%x", "%#v", "%d"} {
		leaks = append(leaks, fmt.Sprintf(verb, secret))
	}
	type request struct {
		APIKey domain.APIKey
		PIN    domain.PIN
		PINKey domain.PINKey
	}
	whole := request{apiKey, number, pinKey}
	for name, value := range map[string]any{
		"API key": apiKey, "PIN": number, "PIN key": pinKey,
		"pointer to API key": &apiKey, "pointer to PIN": &number, "pointer to PIN key": &pinKey,
		"struct": whole, "pointer to struct": &whole, "slice": []request{whole}, "map": map[domain.APIKey]request{apiKey: whole},
		"interfaces": []any{apiKey, number, pinKey},
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			text := fmt.Sprintf(verb, value)
			for _, leak := range leaks {
				if strings.Contains(text, leak) {
					t.Errorf("%s printed with %s: %s", name, verb, text)
				}
			}
		}
	}
	if got, want := fmt.Sprint(apiKey, number, pinKey), "[API key] [PIN] [PIN key]"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func ExampleNewAPIKey() {
	// A program passes crypto/rand.Reader.
	key, err := domain.NewAPIKey(strings.NewReader("a source of randomness of a fixed content"))
	fmt.Println(key, len(key.Reveal()), err)
	// Output:
	// [API key] 25 <nil>
}
