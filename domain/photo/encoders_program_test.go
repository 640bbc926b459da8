package photo_test

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// requireVariable names, separated by commas, what tests must not skip for
// want of: "encoders" are the programs that make photos.
const requireVariable = "FLEETPHOTO_REQUIRE"

// program finds another maker's program. Without it the test is skipped, or
// fails where the environment requires encoders.
func program(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if slices.Contains(strings.Split(os.Getenv(requireVariable), ","), "encoders") {
		t.Fatalf("%s requires encoders, and %s is not installed", requireVariable, name)
	}
	t.Skipf("%s is not installed: what it makes was not tried", name)
	return ""
}
