package contracttests_test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/fleetphoto/fleetphoto/contract-tests/servers"
)

// chapter returns the text of a document between two lines that begin so.
func chapter(t *testing.T, document, begins, ends string) string {
	t.Helper()
	text, err := os.ReadFile("../" + document)
	must(t, err)
	_, after, found := strings.Cut(string(text), "\n"+begins)
	between, _, ended := strings.Cut(after, "\n"+ends)
	if !found || !ended {
		t.Fatalf("%s has no %q with %q below", document, begins, ends)
	}
	return between
}

// blocks returns the blocks of a language, those in lists too. Those that begin with docker are
// .ci/image's to run.
func blocks(chapter, language string) (all []string) {
	for _, found := range regexp.MustCompile("(?ms)^ *```"+language+"\n(.*?)^ *```$").FindAllStringSubmatch(chapter, -1) {
		if !strings.HasPrefix(found[1], "docker ") {
			all = append(all, found[1])
		}
	}
	return all
}

// needCallers skips a test whose tools are missing.
func needCallers(t *testing.T, tools ...string) {
	t.Helper()
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			if slices.Contains(strings.Split(os.Getenv("FLEETPHOTO_REQUIRE"), ","), "callers") {
				t.Fatalf("FLEETPHOTO_REQUIRE requires callers: %v", err)
			}
			t.Skipf("the commands of the docs were not run: %v", err)
		}
	}
}

// installSelf returns a folder where this test binary is the program.
func installSelf(t *testing.T) (bin string) {
	t.Helper()
	program, err := os.Executable()
	must(t, err)
	bin = t.TempDir()
	must(t, os.WriteFile(filepath.Join(bin, "fleetphoto"), fmt.Appendf(nil, "#!/bin/sh\n%s=1 exec %q \"$@\"\n", asCommand, program), 0o700))
	return bin
}

// install runs a block in the checkout and returns the folder of the program
// that it installs.
func install(t *testing.T, block string) (bin string) {
	t.Helper()
	needCallers(t, "bash", "curl", "openssl")
	bin = t.TempDir()
	c := exec.CommandContext(t.Context(), "bash", "-c", block)
	c.Dir, c.Env = "..", append(os.Environ(), "GOBIN="+bin)
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return bin
}

// follow runs blocks in one shell, in a folder with portrait.jpg and nothing
// more. What comes after a server waits until it is ready. It returns what was
// printed, with the port 8080 that the README has.
func follow(t *testing.T, bin string, blocks []string) string {
	t.Helper()
	directory := t.TempDir()
	portrait, err := os.ReadFile("../app/demo.jpg")
	must(t, err)
	must(t, os.WriteFile(filepath.Join(directory, "portrait.jpg"), portrait, 0o600))

	script := "set -eu\ntrap 'kill $(jobs -p); wait' EXIT\n" + strings.Join(blocks, "")
	script = regexp.MustCompile(`(?m)^fleetphoto serve.*$`).ReplaceAllString(script, "$0 & until fleetphoto healthcheck >&2; do kill -0 $$!; sleep 0.1; done")
	port, admin := freePort(t), freePort(t)
	c := exec.CommandContext(t.Context(), "bash", "-c", strings.ReplaceAll(script, ":8080", ":"+port))
	c.Dir = directory
	c.Env = append(os.Environ(), "PATH="+bin+string(filepath.ListSeparator)+os.Getenv("PATH"), "FLEETPHOTO_ADDR=127.0.0.1:"+port, "FLEETPHOTO_ADMIN_ADDR=127.0.0.1:"+admin)
	var out, errOut bytes.Buffer
	c.Stdout, c.Stderr = &out, &errOut
	if err := c.Run(); err != nil {
		t.Fatalf("%v\n%s\n%s\n%s", err, script, &out, &errOut)
	}
	return strings.TrimSpace(strings.ReplaceAll(out.String(), ":"+port, ":8080"))
}

// freePort returns a port that nobody listens on.
func freePort(t *testing.T) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(t, err)
	defer func() { _ = listener.Close() }()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	must(t, err)
	return port
}

// TestReadme does what the README says under "Try it" and "Run it".
func TestReadme(t *testing.T) {
	t.Parallel()
	try := chapter(t, "README.md", "## Try it", "## Run it")
	onFiles, onServers := chapter(t, "README.md", "**On SQLite and files**", "**On PostgreSQL and S3**"), chapter(t, "README.md", "**On PostgreSQL and S3**", "## The call")
	bin := install(t, blocks(try, "sh")[0])
	calls := blocks(onFiles, "sh")[1:]
	answer := strings.TrimSpace(blocks(try, "json")[0])
	for name, commands := range map[string][]string{"demo": blocks(try, "sh")[1:], "SQLite and files": blocks(onFiles, "sh")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := follow(t, bin, commands); !strings.HasSuffix(got, answer) {
				t.Errorf("got %s\nwant at its end %s", got, answer)
			}
		})
	}
	t.Run("PostgreSQL and S3", func(t *testing.T) {
		t.Parallel()
		commands := blocks(onServers, "sh")[0]
		for example, own := range map[string]string{
			"postgres://fleetphoto:PASSWORD@db.example.com/fleetphoto": servers.Postgres(t),
			"s3://my-photos?region=eu-west-1":                          servers.S3(t),
		} {
			if !strings.Contains(commands, example) {
				t.Fatalf("the README doesn't name %s", example)
			}
			commands = strings.ReplaceAll(commands, example, own)
		}
		if got := follow(t, bin, append([]string{commands}, calls...)); !strings.Contains(got, `{"result":"valid","url_customer_picture":"http`) {
			t.Errorf("got %s", got)
		}
	})
}
