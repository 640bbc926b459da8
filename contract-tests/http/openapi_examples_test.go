package httpsuite

import (
	"encoding/json"
	"regexp"
	"testing"
)

// checkExamples wants each example of a failure to be what a caller got, but
// for numbers.
func checkExamples(t *testing.T, text []byte, made map[string][]recorded) {
	type failure struct{ Error, Detail string }
	seen := map[failure]bool{}
	sight := func(f failure) failure { return failure{f.Error, digits.ReplaceAllString(f.Detail, "#")} }
	for _, all := range made {
		for _, r := range all {
			var f failure
			if json.Unmarshal(r.answer.Body.Bytes(), &f) == nil {
				seen[sight(f)] = true
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
			rare := name == "Too Many Requests" || name == "Service Unavailable" // no case overloads the server
			if status != "200" && !rare && !seen[sight(example.Value)] {
				t.Errorf("nobody got the example of %s, %+v", status, example.Value)
			}
		}
	}
}

var digits = regexp.MustCompile(`[0-9]+`)
