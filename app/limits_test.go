package app

import (
	"maps"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fleetphoto/fleetphoto/domain"
)

// TestRateLimits: a flood without a live key leaves one entry in the API log
// beyond those that are let through, and a fleet's flood too; the log has one
// line. What a live key asks for is done in the midst of it.
func TestRateLimits(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	database := "sqlite://" + filepath.ToSlash(filepath.Join(directory, "fleetphoto.db"))
	settings := []string{"FLEETPHOTO_DATABASE_URL=" + database, "FLEETPHOTO_AUTH_FAILURE_RATE=0.001", "FLEETPHOTO_FLEET_RATE=0.001"} // which refill no bucket while the test runs
	output(t, directory, settings, "migrate")
	key := strings.TrimSpace(output(t, directory, settings, "fleet", "add", "689"))
	output(t, directory, settings, "customer", "add", "--fleet=689", "--id=452733", "--phone=447700900123")
	s := serve(t, directory, settings...)
	told := map[string]int{}
	call := func(key string, times int) {
		for range times {
			a, err := postForm(s.api, url.Values{"api_key": {key}, "phone_number": {"447700900123"}, "photo_base64": {"delete"}})
			check(t, err)
			told[strings.TrimSpace(a.Result+" "+a.Error)]++
		}
	}
	call(strings.Repeat("0", 25), 30)
	call(key, 1)
	call("no key", 3)
	call(key, 5)
	if want := map[string]int{"valid": 1, "error Invalid Hash ID": 10, "error Too Many Requests": 28}; !maps.Equal(told, want) {
		t.Errorf("told was %v, want %v", told, want)
	}
	lines := s.stop(t)
	backend, err := open(Adapters().Databases, database)
	check(t, err)
	t.Cleanup(func() { check(t, backend.Close()) })
	check(t, backend.Start(t.Context()))
	entries, err := backend.ApiLogArchive.List(t.Context(), domain.ApiLogFilter{}, 100)
	check(t, err)
	logged := map[string]int{}
	for _, e := range entries {
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
