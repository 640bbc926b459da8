package client_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// requireVariable names, separated by commas, what tests must not skip for
// want of: "node" are Node.js, npm and the packages of the lock file.
const requireVariable = "FLEETPHOTO_REQUIRE"

// TestTypeScript follows the README's recipe for TypeScript against a live
// server, type-checks its program, and then makes every kind of call.
func TestTypeScript(t *testing.T) {
	t.Parallel()
	recipe := readRecipe(t)
	for _, name := range []string{"node", "npm"} {
		if _, err := exec.LookPath(name); err != nil {
			skip(t, name+" is not installed")
		}
	}
	baseURL, directory := newServer(t), t.TempDir()
	check(t, os.CopyFS(directory, os.DirFS("typescript")))
	if out, err := shell(t, directory, "npm ci --ignore-scripts --no-audit --no-fund"); err != nil {
		skip(t, "npm ci: "+err.Error()+"\n"+out)
	}
	const compile = "npx tsc --strict --noUncheckedIndexedAccess --target es2022 --module esnext --moduleResolution bundler check.ts"
	for _, line := range append(recipe[1:], compile, "node check.js '"+known(t, baseURL)+"'") {
		out, err := shell(t, directory, strings.Replace(line, "http://localhost:8080", baseURL, 1))
		t.Logf("$ %s\n%s", line, out)
		if err != nil {
			t.Fatal(err)
		}
	}
}

// readRecipe returns the README's three lines, after checking that they
// install what the lock file has and that the README shows update.ts.
func readRecipe(t *testing.T) []string {
	t.Helper()
	readme, err := os.ReadFile("../../../README.md")
	check(t, err)
	var lines []string
	for line := range strings.Lines(string(readme)) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "npm install ") || strings.HasPrefix(line, "npx ") {
			lines = append(lines, line)
		}
	}
	data, err := os.ReadFile("typescript/package.json")
	check(t, err)
	var manifest struct{ Dependencies, DevDependencies map[string]string }
	check(t, json.Unmarshal(data, &manifest))
	install := "npm install openapi-fetch@" + manifest.Dependencies["openapi-fetch"]
	for _, name := range []string{"openapi-typescript", "typescript"} {
		install += " " + name + "@" + manifest.DevDependencies[name]
	}
	if len(lines) != 3 || lines[0] != install {
		t.Fatalf("want three lines in the README that begin with %q, got %q", install, lines)
	}
	program, err := os.ReadFile("typescript/update.ts")
	check(t, err)
	indented := "    " + strings.ReplaceAll(strings.TrimSpace(string(program)), "\n", "\n    ")
	if !strings.Contains(string(readme), strings.ReplaceAll(indented, "    \n", "\n")) {
		t.Error("the README's program is not typescript/update.ts")
	}
	return lines
}

func shell(t *testing.T, directory, line string) (string, error) {
	t.Helper()
	c := exec.CommandContext(t.Context(), "sh", "-c", line)
	c.Dir = directory
	c.Env = append(os.Environ(), "REDOCLY_TELEMETRY=off", "SCARF_ANALYTICS=false", "npm_config_update_notifier=false")
	out, err := c.CombinedOutput()
	return string(out), err
}

// skip skips the test, or fails it where the environment requires node.
func skip(t *testing.T, reason string) {
	t.Helper()
	if slices.Contains(strings.Split(os.Getenv(requireVariable), ","), "node") {
		t.Fatalf("%s requires node: %s", requireVariable, reason)
	}
	t.Skipf("the TypeScript client was not tried: %s", reason)
}

// known tells check.ts of the server and what it knows.
func known(t *testing.T, baseURL string) string {
	t.Helper()
	data, err := json.Marshal(map[string]any{
		"url": baseURL, "liveKey": liveKey, "disabledKey": disabledKey, "pin": livePIN, "wrongPin": wrongPIN,
		"maxPhotoBytes": maxPhotoBytes, "jpeg": encode(picture(t, 20)),
		"phones": map[string]int{"live": livePhone, "lock": lockPhone, "down": downPhone, "bug": bugPhone, "unused": unusedPhone},
	})
	check(t, err)
	return string(data)
}
