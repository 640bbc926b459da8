package app

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/fleetphoto/fleetphoto/domain"
)

// limited is a server with a customer, whose buckets don't refill while a test runs.
type limited struct {
	*running
	database, key string
}

func newLimited(t *testing.T, settings ...string) limited {
	t.Helper()
	directory := t.TempDir()
	database := "sqlite://" + filepath.ToSlash(filepath.Join(directory, "fleetphoto.db"))
	settings = append(settings, "FLEETPHOTO_DATABASE_URL="+database, "FLEETPHOTO_AUTH_FAILURE_RATE=0.001")
	output(t, directory, settings, "migrate")
	key := strings.TrimSpace(output(t, directory, settings, "fleet", "add", "689"))
	output(t, directory, settings, "customer", "add", "--fleet=689", "--id=452733", "--phone=447700900123")
	return limited{serve(t, directory, settings...), database, key}
}

// call deletes the photo. It returns how the call ended: its result and error.
func (l limited) call(key, forwardedFor string) string {
	form := url.Values{"api_key": {key}, "phone_number": {"447700900123"}, "photo_base64": {"delete"}}
	request, err := http.NewRequest(http.MethodPost, l.api+"/update_customer_photo.json", strings.NewReader(form.Encode()))
	if err != nil {
		return err.Error()
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if forwardedFor != "" {
		request.Header.Set("X-Forwarded-For", forwardedFor)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = response.Body.Close() }()
	var a answer
	if err := json.NewDecoder(response.Body).Decode(&a); err != nil {
		return err.Error()
	}
	return strings.TrimSpace(a.Result + " " + a.Error)
}

// entries are those of the API log, once the server has stopped.
func (l limited) entries(t *testing.T) []domain.ApiLogEntry {
	t.Helper()
	backend, err := open(Adapters().Databases, l.database)
	check(t, err)
	defer func() { check(t, backend.Close()) }()
	check(t, backend.Start(t.Context()))
	entries, err := backend.ApiLogArchive.List(t.Context(), domain.ApiLogFilter{}, 1_000_000)
	check(t, err)
	return entries
}

var wrongKey = strings.Repeat("0", 25)

// TestRateLimits: a flood without a live key leaves one entry in the API log
// beyond those that are let through, and a fleet's flood too; the log has one
// line. What a live key asks for is done in the midst of it.
func TestRateLimits(t *testing.T) {
	t.Parallel()
	s := newLimited(t, "FLEETPHOTO_FLEET_RATE=0.001")
	told := map[string]int{}
	call := func(key string, times int) {
		for range times {
			told[s.call(key, "")]++
		}
	}
	call(wrongKey, 30)
	call(s.key, 1)
	call("no key", 3)
	call(s.key, 5)
	if want := map[string]int{"valid": 1, "error Invalid Hash ID": 10, "error Too Many Requests": 28}; !maps.Equal(told, want) {
		t.Errorf("told was %v, want %v", told, want)
	}
	lines := s.stop(t)
	logged := map[string]int{}
	for _, e := range s.entries(t) {
		sum, _, _ := strings.Cut(e.Outcome.Detail, ".")
		logged[strings.Join([]string{string(e.Outcome.Result), string(e.Outcome.Error), e.Call.From, sum}, ", ")]++
	}
	const counted = "calls that are counted in this entry: "
	want := map[string]int{
		"valid, , 127.0.0.1, ": 1, "error, Too Many Requests, 127.0.0.1, " + counted + "23": 1, "error, Too Many Requests, , " + counted + "5": 1,
		"error, Invalid Hash ID, 127.0.0.1, api_key: no live key like this": 10,
	}
	if !maps.Equal(logged, want) {
		t.Errorf("logged is %v, want %v", logged, want)
	}
	if got := strings.Count(lines, `"msg":"request"`); got != 11 || strings.Count(lines, `"msg":"calls were refused by the rate limits","calls":28,"addresses":1,"fleets":1}`) != 1 {
		t.Errorf("%d calls have a line: %s", got, lines)
	}
}

// TestManyAddressesWithoutAKey, all of them behind one proxy: each is let through
// as if it were alone, what is beyond that has one entry for each, and a caller
// with a live key is served all the while.
func TestManyAddressesWithoutAKey(t *testing.T) {
	t.Parallel()
	const addresses, each = 200, 15
	s := newLimited(t, "FLEETPHOTO_TRUSTED_PROXIES=127.0.0.1", "FLEETPHOTO_FLEET_RATE=0")
	from := func(i int) string { return fmt.Sprintf("198.51.100.1, 203.0.113.%d", i) } // the first is claimed
	var flood sync.WaitGroup
	told := make([]map[string]int, addresses)
	for i := range addresses {
		told[i] = map[string]int{}
		flood.Go(func() {
			for range each {
				told[i][s.call(wrongKey, from(i))]++
			}
		})
	}
	ended := make(chan struct{})
	go func() { flood.Wait(); close(ended) }()
	for flooding := true; flooding; {
		if got := s.call(s.key, from(7)); got != "valid" { // which is one of them
			t.Fatalf("a live key: got %s", got)
		}
		select {
		case <-ended:
			flooding = false
		default:
		}
	}
	s.stop(t)
	logged := map[domain.Kind]int{}
	for _, e := range s.entries(t) {
		logged[e.Outcome.Error]++
	}
	if logged[domain.InvalidHashID] != 10*addresses || logged[domain.TooManyRequests] != addresses {
		t.Errorf("logged are %v, want 10 and 1 for each of %d addresses", logged, addresses)
	}
	for i, got := range told {
		if want := map[string]int{"error Invalid Hash ID": 10, "error Too Many Requests": each - 10}; !maps.Equal(got, want) {
			t.Errorf("address %d was told %v, want %v", i, got, want)
		}
	}
}
