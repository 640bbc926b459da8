package httpapi

import (
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestExamplesRun runs each program of the docs page as shown, with a test server's
// address, a key and a photo.
func TestExamplesRun(t *testing.T) {
	runners := map[string]struct {
		needs []string // a command that fails if a tool is missing
		run   []string
		file  string
	}{
		"curl":       {[]string{"curl", "--version"}, []string{"sh", "update.sh"}, "update.sh"},
		"Go":         {[]string{"go", "version"}, []string{"go", "run", "update.go"}, "update.go"},
		"TypeScript": {[]string{"node", "-e", "fetch"}, []string{"node", "update.mjs"}, "update.mjs"}, // it has no type annotations, so it is JavaScript too
		"PHP":        {[]string{"php", "-r", "new CURLFile('x');"}, []string{"php", "update.php"}, "update.php"},
		"Python":     {[]string{"python3", "-c", "import requests"}, []string{"python3", "update.py"}, "update.py"},
	}
	shown := examples()
	if len(shown) != len(runners) {
		t.Errorf("got %d examples, want %d", len(shown), len(runners))
	}
	for _, e := range shown {
		t.Run(e.Language, func(t *testing.T) {
			runner := runners[e.Language]
			if out, err := exec.CommandContext(t.Context(), runner.needs[0], runner.needs[1:]...).CombinedOutput(); err != nil {
				lacks(t, "callers", strings.Join(runner.needs, " ")+" fails, so the example was not tried: "+string(out))
			}
			f := newFixture(t)
			server := httptest.NewServer(f)
			defer server.Close()
			for key, want := range map[string]string{testKey: server.URL + PhotosPath + string(testCustomer.PhotoKey()), "OTHER" + testKey[5:]: "Invalid Hash ID"} {
				directory := t.TempDir()
				code := strings.NewReplacer(shownBase, server.URL, shownKey, key).Replace(e.Code)
				check(t, os.WriteFile(filepath.Join(directory, runner.file), []byte(code), 0o600))
				check(t, os.WriteFile(filepath.Join(directory, "portrait.jpg"), testJPEG(t, 20, 10), 0o600))
				program := exec.CommandContext(t.Context(), runner.run[0], runner.run[1:]...)
				program.Dir = directory
				program.Env = append(os.Environ(), "NO_PROXY=127.0.0.1", "no_proxy=127.0.0.1")
				out, _ := program.CombinedOutput() // after a failed call some exit with an error
				if !strings.Contains(string(out), want) {
					t.Errorf("want %s, got %s", want, out)
				}
			}
		})
	}
}
