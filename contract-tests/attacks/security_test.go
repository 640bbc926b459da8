package attacks_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestSecurityNamesTests holds SECURITY.md to the tests that it names, and each
// row of its tables to naming one.
func TestSecurityNamesTests(t *testing.T) {
	const root = "../.."
	there := map[string]bool{}
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	must(t, filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, found := range declared.FindAllSubmatch(text, -1) {
			there[string(found[1])] = true
		}
		return err
	}))
	text, err := os.ReadFile(filepath.Join(root, "SECURITY.md"))
	must(t, err)
	named := regexp.MustCompile("`((?:Test|Fuzz)\\w+)")
	rows := 0
	for line := range strings.Lines(string(text)) {
		found := named.FindAllStringSubmatch(line, -1)
		if strings.HasPrefix(line, "| ") && !strings.HasPrefix(line, "| who") && !strings.HasPrefix(line, "| risk") {
			rows++
			if len(found) == 0 {
				t.Errorf("this row names no test: %s", line)
			}
		}
		for _, name := range found {
			if !there[name[1]] {
				t.Errorf("there is no %s", name[1])
			}
		}
	}
	const least = 10 // the API Security Top 10
	if rows < least {
		t.Errorf("found %d rows, want at least %d", rows, least)
	}
}
