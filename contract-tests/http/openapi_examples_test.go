package httpsuite

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// checkExamples wants each example of a failure to be what a caller got, but
// for numbers.
func checkExamples(t *testing.T, text []byte, made map[string][]recorded) {
	type failure struct{ Error, Detail string }
	seen := map[failure]bool{}
	saysWhatChanged := func(f failure) bool {
		return f.Error != "Service Unavailable" || strings.HasPrefix(f.Detail, "nothing was changed: ") || strings.Contains(f.Detail, "it is not known whether")
	}
	sight := func(f failure) failure { return failure{f.Error, digits.ReplaceAllString(f.Detail, "#")} }
	for _, all := range made {
		for _, r := range all {
			var f failure
			if json.Unmarshal(r.answer.Body.Bytes(), &f) == nil {
				seen[sight(f)] = true
				if !saysWhatChanged(f) {
					t.Errorf("%+v doesn't say whether anything was changed", f)
				}
			}
		}
	}
	var document struct {
		Paths map[string]struct {
			Post struct {
				Responses map[string]struct {
					Content map[string]struct {
						Examples map[string]struct{ Value failure }
					}
				}
			}
		}
	}
	if err := json.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	for status, response := range document.Paths[updatePath].Post.Responses {
		for name, example := range response.Content["application/json"].Examples {
			// No case overloads the server, or is about its settings and headers.
			rare := slices.Contains([]string{"Too Many Requests", "Service Unavailable"}, name) || status == "421" || status == "431"
			if status != "200" && !saysWhatChanged(example.Value) {
				t.Errorf("the example of %s, %+v, doesn't say whether anything was changed", status, example.Value)
			}
			if status != "200" && !rare && !seen[sight(example.Value)] {
				t.Errorf("nobody got the example of %s, %+v", status, example.Value)
			}
		}
	}
}

var digits = regexp.MustCompile(`[0-9]+`)
