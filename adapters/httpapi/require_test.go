package httpapi

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// requireVariable lists, separated by commas, the tools without which tests fail
// rather than skip: "browser" is Chromium or Chrome, "axe" the file in axeVariable,
// "callers" the programs that run the examples of the docs page.
const requireVariable = "FLEETPHOTO_REQUIRE"

// lacks skips the test, or fails it if requireVariable lists the thing.
func lacks(t *testing.T, thing, sentence string) {
	t.Helper()
	if slices.Contains(strings.Split(os.Getenv(requireVariable), ","), thing) {
		t.Fatalf("%s requires %s: %s", requireVariable, thing, sentence)
	}
	t.Skip(sentence)
}
