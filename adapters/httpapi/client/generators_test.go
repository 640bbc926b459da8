package client_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// requireVariable lists, separated by commas, the tools without which tests fail
// rather than skip. "node" means Node.js, npm and the generators' packages.
const requireVariable = "FLEETPHOTO_REQUIRE"

// A generator has a folder, with a program that uses the generated client, and a
// paragraph in docs/clients.md with three shell commands.
type generator struct {
	name, compile, start string
	also                 string // the command of another program, which gets the JSON of known
}

const tsc = "npx tsc --strict --noUncheckedIndexedAccess --target es2022 "

var generators = []generator{
	{"openapi-typescript", tsc + "--module esnext --moduleResolution bundler send.ts check.ts", "node send.js", "node check.js"},
	{"hey-api", tsc + "--module commonjs --moduleResolution node10 send.ts", "node send.js", ""},
	{"ogen", "go build -o send .", "./send", ""},
	{"oapi-codegen", "go build -o send .", "./send", ""},
}

// TestGenerators runs the commands in docs/clients.md of each generator against a live
// server. Then the folder's program sends JSON and a file, and reads errors;
// openapi-typescript's check.ts makes every other kind of call.
func TestGenerators(t *testing.T) {
	t.Parallel()
	for _, g := range generators {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			baseURL := newServer(t)
			directory := g.generate(t, baseURL)
			for i, as := range []string{"json", "file"} {
				photo, stored := picture(t, 20+i), baseURL+"/photos/fleet-689/customer_photos/123_photo.jpg"
				for _, test := range []struct {
					key   string
					photo []byte
					want  string
				}{
					{liveKey, photo, "200 valid: " + stored},
					{liveKey, []byte("no image"), "400 Type Error: photo_base64: want an image in JPEG, PNG, GIF or WebP format, got plain text; send the photo itself"},
					{"TEST0TEST0TEST0TEST0TEST0", photo, "401 Invalid Hash ID: api_key: no live key like this"},
				} {
					line := strings.Join([]string{g.start, as, baseURL, test.key, encode(test.photo)}, " ")
					if got := strings.TrimSpace(run(t, directory, line)); got != test.want {
						t.Errorf("%s: got %q, want %q", as, got, test.want)
					}
				}
				if got := fetch(t, stored); !bytes.Equal(got, photo) {
					t.Errorf("%s: %d bytes are stored, want the %d that were sent", as, len(got), len(photo))
				}
			}
			if g.also != "" {
				t.Log(run(t, directory, g.also+" '"+known(t, baseURL)+"'"))
			}
		})
	}
}

// generate runs the commands of docs/clients.md in a copy of the generator's folder,
// compiles the program there and returns the copy.
func (g generator) generate(t *testing.T, baseURL string) string {
	t.Helper()
	folder, directory := filepath.Join("generators", g.name), t.TempDir()
	check(t, os.CopyFS(directory, os.DirFS(folder)))
	lines := recipe(t, g.name)
	if packages, ok := strings.CutPrefix(lines[0], "npm install "); ok {
		installPackages(t, directory, strings.Fields(packages))
	} else if out, err := shell(t, directory, lines[0]); err != nil {
		skip(t, g.name, out+err.Error())
	}
	for _, line := range append(lines[1:], g.compile) {
		run(t, directory, strings.Replace(line, "http://localhost:8080", baseURL, 1))
	}
	for _, name := range []string{"go.mod", "go.sum", "package-lock.json"} {
		want, _ := os.ReadFile(filepath.Join(folder, name)) // none has all three
		got, _ := os.ReadFile(filepath.Join(directory, name))
		if !bytes.Equal(got, want) {
			t.Errorf("the documented commands change %s to\n%s", name, got)
		}
	}
	return directory
}

// recipe returns the three commands below docs/clients.md's paragraph on a generator.
func recipe(t *testing.T, name string) []string {
	t.Helper()
	document, err := os.ReadFile("../../../docs/clients.md")
	check(t, err)
	_, after, _ := strings.Cut(string(document), "\n**"+name+":**")
	_, after, _ = strings.Cut(after, "\n\n```sh\n")
	block, _, _ := strings.Cut(after, "\n```\n")
	lines := strings.Split(block, "\n")
	if len(lines) != 3 {
		t.Fatalf("want three lines on %s in docs/clients.md, got %q", name, lines)
	}
	return lines
}

// installPackages checks that package.json has the given packages and installs those
// of the lock file. They are cached below .bin under the lock file's hash.
func installPackages(t *testing.T, directory string, packages []string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(directory, "package.json"))
	check(t, err)
	var manifest struct{ Dependencies, DevDependencies map[string]string }
	check(t, json.Unmarshal(data, &manifest))
	var want []string
	for _, dependencies := range []map[string]string{manifest.Dependencies, manifest.DevDependencies} {
		for _, name := range slices.Sorted(maps.Keys(dependencies)) {
			want = append(want, name+"@"+dependencies[name])
		}
	}
	if !slices.Equal(packages, want) {
		t.Fatalf("docs/clients.md installs %q, package.json has %q", packages, want)
	}
	if _, err := exec.LookPath("npm"); err != nil {
		skip(t, "npm", err.Error())
	}
	lock, err := os.ReadFile(filepath.Join(directory, "package-lock.json"))
	check(t, err)
	bin, err := filepath.Abs("../../../.bin/generators")
	check(t, err)
	check(t, os.MkdirAll(bin, 0o750))
	kept := filepath.Join(bin, fmt.Sprintf("%x", sha256.Sum256(lock)))
	if _, err := os.Stat(kept); err != nil {
		fill(t, kept, directory)
	}
	check(t, os.Symlink(filepath.Join(kept, "node_modules"), filepath.Join(directory, "node_modules")))
}

// fill creates kept atomically, as a parallel run may create it too.
func fill(t *testing.T, kept, directory string) {
	t.Helper()
	filling := fmt.Sprintf("%s-%d", kept, os.Getpid()) // beside kept, so that it can be renamed
	defer func() { _ = os.RemoveAll(filling) }()       // does nothing once it is renamed
	check(t, os.CopyFS(filling, os.DirFS(directory)))
	if out, err := shell(t, filling, "npm ci --ignore-scripts --no-audit --no-fund"); err != nil {
		skip(t, "npm ci", out+err.Error())
	}
	if err := os.Rename(filling, kept); err != nil && !os.IsExist(err) {
		t.Fatal(err)
	}
}

func run(t *testing.T, directory, line string) string {
	t.Helper()
	out, err := shell(t, directory, line)
	if err != nil {
		t.Fatalf("$ %s\n%s%v", line, out, err)
	}
	return out
}

func shell(t *testing.T, directory, line string) (string, error) {
	t.Helper()
	c := exec.CommandContext(t.Context(), "sh", "-c", line)
	c.Dir = directory
	c.Env = append(os.Environ(), "REDOCLY_TELEMETRY=off", "SCARF_ANALYTICS=false", "npm_config_update_notifier=false")
	out, err := c.CombinedOutput()
	return string(out), err
}

// skip skips the test, or fails it if requireVariable lists node.
func skip(t *testing.T, what, reason string) {
	t.Helper()
	if slices.Contains(strings.Split(os.Getenv(requireVariable), ","), "node") {
		t.Fatalf("%s requires node: %s: %s", requireVariable, what, reason)
	}
	t.Skipf("no client was made: %s: %s", what, reason)
}
