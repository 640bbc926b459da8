package httpapi

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// requireVariable names, separated by commas, what tests must not skip for
// want of: "browser" is Chromium or Chrome, "axe" the file that axeVariable
// names, "callers" the programs that run the documentation's examples.
const requireVariable = "FLEETPHOTO_REQUIRE"

// lacks skips the test, or fails it where the environment requires the thing.
func lacks(t *testing.T, thing, sentence string) {
	t.Helper()
	if slices.Contains(strings.Split(os.Getenv(requireVariable), ","), thing) {
		t.Fatalf("%s requires %s: %s", requireVariable, thing, sentence)
	}
	t.Skip(sentence)
}
