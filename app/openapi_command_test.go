package app

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
)

func TestOpenAPICommand(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		args         []string
		has, compare string // a line of it, and the golden file that it equals
	}{
		{nil, `  "openapi": "3.1.0",`, "openapi.json"},
		{[]string{"--version=3.1", "--format=json"}, `  "openapi": "3.1.0",`, "openapi.json"},
		{[]string{"--version=3.0"}, `  "openapi": "3.0.3",`, "openapi-3.0.json"},
		{[]string{"--format=yaml"}, "openapi: 3.1.0", ""},
		{[]string{"--version=3.0", "--format=yaml"}, "openapi: 3.0.3", ""},
	} {
		got := output(t, t.TempDir(), nil, append([]string{"openapi"}, test.args...)...)
		if !strings.Contains(got, "\n"+test.has+"\n") {
			t.Errorf("openapi %v: want a line %s, got %.100s", test.args, test.has, got)
		}
		if test.compare == "" {
			continue
		}
		want, err := os.ReadFile("../adapters/httpapi/" + test.compare)
		check(t, err)
		if got != string(want) {
			t.Errorf("openapi %v differs from adapters/httpapi/%s; task generate writes it again", test.args, test.compare)
		}
	}
}

// TestOpenAPIExampleIsTheDemos: what the document proposes works on a demo server.
func TestOpenAPIExampleIsTheDemos(t *testing.T) {
	t.Parallel()
	var document struct {
		Paths map[string]struct {
			Post struct {
				RequestBody struct {
					Content map[string]struct {
						Schema struct {
							Properties map[string]struct{ Examples []any }
						}
					}
				}
			}
		}
	}
	check(t, json.Unmarshal([]byte(output(t, t.TempDir(), nil, "openapi")), &document))
	form := document.Paths["/update_customer_photo.json"].Post.RequestBody.Content["application/x-www-form-urlencoded"].Schema.Properties
	got := fmt.Sprint(form["api_key"].Examples, form["phone_number"].Examples, form["customer_pin"].Examples)
	if want := fmt.Sprintf("[%s] [%s] [%s]", demoKey, demoPhone, demoPIN); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
