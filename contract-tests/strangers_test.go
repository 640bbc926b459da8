package contracttests_test

import (
	"bufio"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	contracttests "github.com/fleetphoto/fleetphoto/contract-tests"
)

// buildStranger builds a main of testdata/strangers in a module of its own,
// which requires this one as somebody else's does.
func buildStranger(t *testing.T, name string) (program string) {
	t.Helper()
	directory := t.TempDir()
	root, err := filepath.Abs("..")
	must(t, err)
	source, err := os.ReadFile(filepath.Join("testdata/strangers", name, "main.go"))
	must(t, err)
	mod, err := os.ReadFile("../go.mod")
	must(t, err)
	sum, err := os.ReadFile("../go.sum")
	must(t, err)
	mod = regexp.MustCompile(`(?m)^module .*$`).ReplaceAll(mod, []byte("module example.com/stranger"))
	mod = append(mod, "\nrequire github.com/fleetphoto/fleetphoto v0.0.0\n\nreplace github.com/fleetphoto/fleetphoto => "+strconv.Quote(filepath.ToSlash(root))+"\n"...)
	for file, data := range map[string][]byte{"main.go": source, "go.mod": mod, "go.sum": sum} {
		must(t, os.WriteFile(filepath.Join(directory, file), data, 0o600))
	}
	program = filepath.Join(directory, name+".exe") // a name that runs everywhere
	build := exec.CommandContext(t.Context(), "go", "build", "-mod=mod", "-o", program, ".")
	build.Dir = directory
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// TestStrangerEmbedsTheCall: an application in another module has the call, with
// one port wrapped, and keeps the contract.
func TestStrangerEmbedsTheCall(t *testing.T) {
	t.Parallel()
	database, photos := "sqlite://"+filepath.ToSlash(filepath.Join(t.TempDir(), "fleetphoto.db")), "file://"+filepath.ToSlash(t.TempDir())
	p := newProduct(t, "FLEETPHOTO_DATABASE_URL="+database, "FLEETPHOTO_PHOTO_STORE_URL="+photos, "FLEETPHOTO_MAX_PHOTO_BYTES=200000", "FLEETPHOTO_MAX_PIXELS=10000", "FLEETPHOTO_AUTH_FAILURE_RATE=0")
	target := contracttests.Target{
		Phone: phone, PIN: "1234", LockPhone: "447700900124", NoPINPhone: "447700900125", OtherPhone: "447700900999", MaxPhotoBytes: 200_000, MaxPixels: 10_000,
	}
	p.output(t, "migrate")
	target.APIKey, target.DisabledKey = p.output(t, "fleet", "add", "689"), p.output(t, "fleet", "add", "690")
	p.output(t, "fleet", "disable", "690")
	p.output(t, "fleet", "add", "691")
	p.output(t, "customer", "add", "--fleet=689", "--id=452733", "--phone="+target.Phone, "--pin="+target.PIN)
	p.output(t, "customer", "add", "--fleet=689", "--id=452734", "--phone="+target.LockPhone, "--pin="+target.PIN)
	p.output(t, "customer", "add", "--fleet=689", "--id=452735", "--phone="+target.NoPINPhone)
	target.RequirePINKey = p.output(t, "fleet", "add", "692")
	p.output(t, "fleet", "set", "692", "--require-pin=on")
	p.output(t, "customer", "add", "--fleet=692", "--id=452733", "--phone="+target.Phone, "--pin="+target.PIN)
	p.output(t, "customer", "add", "--fleet=691", "--id=452733", "--phone="+target.OtherPhone, "--pin="+target.PIN)

	p.program = buildStranger(t, "embeds")
	c := p.command(t)
	out, err := c.StdoutPipe()
	must(t, err)
	c.Stderr = t.Output()
	must(t, c.Start())
	t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	must(t, err)
	target.BaseURL = strings.TrimSpace(line)
	contracttests.HTTP(t, target)

	response, err := http.Get(target.BaseURL + "/puts")
	must(t, err)
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	must(t, err)
	if puts, err := strconv.Atoi(string(text)); err != nil || puts < 10 {
		t.Errorf("the wrapped store was asked to put %q photos", text)
	}
}

// TestStrangerHasOnlyTheCall: a database with the call's methods alone serves
// calls, and a command that needs more says what is missing.
func TestStrangerHasOnlyTheCall(t *testing.T) {
	t.Parallel()
	p := newProduct(t, "FLEETPHOTO_DATABASE_URL=map://", "FLEETPHOTO_PHOTO_STORE_URL=memory://", "FLEETPHOTO_AUTH_FAILURE_RATE=0")
	p.program = buildStranger(t, "calls")
	s := p.start(t)
	s.listens(t)
	contracttests.HTTP(t, contracttests.Target{BaseURL: s.api, APIKey: "TEST1TEST1TEST1TEST1TEST1", Phone: phone, PIN: "1234"})

	for args, role := range map[string]string{
		"fleet list": "FleetDirectory", "fleet add 690": "FleetDirectory", "customer show --fleet=689 --id=452733": "CustomerDirectory", "log list": "ApiLogArchive",
	} {
		c := p.command(t, strings.Fields(args)...)
		out, err := c.CombinedOutput()
		want := "fleetphoto: FLEETPHOTO_DATABASE_URL: the backend at this URL has no " + role + ", which this command needs; choose another backend\n"
		if c.ProcessState.ExitCode() != 1 || string(out) != want {
			t.Errorf("%s: got %v %s, want the exit code 1 and %s", args, err, out, want)
		}
	}
	if out := p.output(t, "doctor"); !strings.Contains(out, "✓ look for a customer by phone\n") || !strings.Contains(out, "steps worked") {
		t.Errorf("doctor says\n%s", out)
	}
}
