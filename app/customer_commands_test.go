package app

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fleetphoto/fleetphoto/domain/operator"
)

// said runs the command with this standard input, and returns what it printed
// and what it complained about.
func said(t *testing.T, directory, in string, args ...string) (out, complaint string) {
	t.Helper()
	c := command(t, directory, nil, args...)
	var errors bytes.Buffer
	c.Stdin, c.Stderr = strings.NewReader(in), &errors
	text, err := c.Output()
	_, complaint, complained := strings.Cut(errors.String(), "fleetphoto: ")
	if complained != (err != nil) || err != nil && c.ProcessState.ExitCode() != 1 {
		t.Errorf("fleetphoto %s: %v, and it said %s", strings.Join(args, " "), err, &errors)
	}
	return string(text), strings.TrimSpace(complaint)
}

// expect runs the command and compares what it says.
func expect(t *testing.T, directory, in, wantOut, wantComplaint string, args ...string) {
	t.Helper()
	if out, complaint := said(t, directory, in, args...); out != wantOut || complaint != wantComplaint {
		t.Errorf("fleetphoto %s: got %q and the complaint %q, want %q and %q", strings.Join(args, " "), out, complaint, wantOut, wantComplaint)
	}
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	check(t, os.WriteFile(path, []byte(text), 0o600))
}

func TestCustomerShowAndRemove(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	form := newFleet(t, directory)
	const show = "customer show --fleet 689 "
	showBy := func(who string) []string { return strings.Fields(show + who) }
	const before = "fleet:    689\ncustomer: 452733\nphone:    …0123\nPIN:      set\nphoto:    none\n"
	expect(t, directory, "", before, "", showBy("--id 452733")...)
	expect(t, directory, "", before, "", showBy("--phone +447700900123")...)
	expect(t, directory, "", strings.Replace(before, "…0123", "447700900123", 1), "", showBy("--id 452733 --show-phone")...)
	expect(t, directory, "", "", "there is no customer 7 in fleet 689", showBy("--id 7")...)
	expect(t, directory, "", "", "phone_number: this fleet has no customer with this number", showBy("--phone 447700900007")...)

	server := serve(t, directory)
	for _, photo := range realPhotos(t) {
		if a, err := postForm(server.api, withPhoto(form, base64.StdEncoding.EncodeToString(photo))); err != nil || a.Result != "valid" {
			t.Fatalf("got %+v, %v", a, err)
		}
		break
	}
	stored := filepath.Join(directory, "fleetphoto-data/photos/fleet-689/customer_photos/452733_photo.jpg")
	info, err := os.Stat(stored)
	check(t, err)
	out, _ := said(t, directory, "", showBy("--id 452733")...)
	for _, want := range []string{"photos/fleet-689/customer_photos/452733_photo.jpg\n", fmt.Sprintf("size:     %d bytes, ", info.Size()), "SHA-256:  ", "Z, by call 1\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("got %s, want %q in it", out, want)
		}
	}

	expect(t, directory, "", "", "", "customer", "remove", "--fleet", "689", "--id", "452733")
	if exists(stored) {
		t.Error("the photo is still there")
	}
	const gone = "there is no customer 452733 in fleet 689"
	expect(t, directory, "", "", gone, showBy("--id 452733")...)
	expect(t, directory, "", "", gone, "customer", "remove", "--fleet", "689", "--id", "452733")
	if a, err := postForm(server.api, withPhoto(form, "delete")); err != nil || a.Error != "Customer Not Found" {
		t.Errorf("after the removal: got %+v, %v", a, err)
	}
}

func TestCustomerAddReadsThePIN(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	form := newFleet(t, directory)
	add := strings.Fields("customer add --fleet 689 --id 8 --phone 447700900008 --pin -")
	expect(t, directory, "12\n", "", "customer_pin: want 4 to 12 digits or nothing, got 2 digits", add...)
	expect(t, directory, "\n1234\n", "", "standard input has no PIN; leave --pin out for a customer without one", add...)
	expect(t, directory, "7654\n", "", "", add...)
	form.Set("phone_number", "447700900008")
	server := serve(t, directory)
	for pin, want := range map[string]string{"1234": "Invalid PIN", "7654": ""} {
		form.Set("customer_pin", pin)
		if a, err := postForm(server.api, withPhoto(form, "delete")); err != nil || a.Error != want {
			t.Errorf("with the PIN %s: got %+v, %v", pin, a, err)
		}
	}
}

func TestCustomerImport(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	form := newFleet(t, directory)
	list := filepath.Join(directory, "customers.csv")
	writeFile(t, list, "\uFEFFid;phone;pin\r\n452733;447700900123;4321\r\n8;+44 7700 900008;\r\nx;447700900009;\r\n9;447700900008;\r\n10;447700900010;1010\r\n")
	imported := []string{"customer", "import", "--fleet", "689", "customers.csv"}
	const complaint = "2 rows were rejected; customers.rejected.csv has their lines and the reasons"
	expect(t, directory, "", "dry run, nothing was changed: 5 rows: 2 added, 1 changed, 0 unchanged, 2 rejected; PINs: 2 set, 0 removed\n", "2 rows were rejected; dry has their lines and the reasons", append(imported, "--dry-run", "--rejected", "dry")...)
	expect(t, directory, "", "5 rows: 2 added, 1 changed, 0 unchanged, 2 rejected; PINs: 2 set, 0 removed\n", complaint, imported...)
	expect(t, directory, "", "5 rows: 0 added, 0 changed, 3 unchanged, 2 rejected; PINs: 0 set, 0 removed\n", complaint, imported...)
	rejected, err := os.ReadFile(filepath.Join(directory, "customers.rejected.csv"))
	check(t, err)
	const reasons = "line,reason\n4,\"id: want a positive integer, digits alone\"\n5,\"phone: another customer of this fleet has this number; give each their own, or leave one of the two out\"\n"
	if string(rejected) != reasons {
		t.Errorf("rejected are %s", rejected)
	}

	server := serve(t, directory)
	form.Set("customer_pin", "4321")
	if a, err := postForm(server.api, withPhoto(form, "delete")); err != nil || a.Result != "valid" {
		t.Errorf("with the new PIN: got %+v, %v", a, err)
	}

	// From the standard input, from a line on, without PINs, which stay.
	expect(t, directory, "7,447700900007\n452733,447700900124\ny,447700900003\n", "2 rows: 0 added, 1 changed, 0 unchanged, 1 rejected; PINs: 0 set, 0 removed\n",
		"1 rows were rejected; customers.rejected.csv has their lines and the reasons", "customer", "import", "--fleet", "689", "--from-line", "2", "-")
	form.Set("phone_number", "447700900124")
	if a, err := postForm(server.api, withPhoto(form, "delete")); err != nil || a.Result != "valid" {
		t.Errorf("with the new phone: got %+v, %v", a, err)
	}
}

func TestCustomerImportComplains(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	newFleet(t, directory)
	const none = "0 rows: 0 added, 0 changed, 0 unchanged, 0 rejected; PINs: 0 set, 0 removed\n"
	writeFile(t, filepath.Join(directory, "bad.csv"), "1,1\nx,1\n")
	for _, test := range []struct{ in, args, out, complaint string }{
		{"", "--fleet 689 missing.csv", "", "cannot read the customers: open missing.csv: no such file or directory"},
		{"", "--fleet 7 bad.csv", none, "there is no fleet 7; add it first, or check the number"},
		{"id,number\n", "--fleet 689 -", none, `the first line names no column phone; want id, phone and, where PINs are to be set, pin; it has "id", "number". Rename the columns in the first line`},
		{"", "--fleet 689 bad.csv --rejected bad.csv", none, "cannot list the rejected rows, name another file with --rejected: bad.csv is the file being imported"},
		{"", "--fleet 689 bad.csv --rejected no/such/folder", none, "cannot list the rejected rows, name another file with --rejected: open no/such/folder: no such file or directory"},
	} {
		expect(t, directory, test.in, test.out, test.complaint, append([]string{"customer", "import"}, strings.Fields(test.args)...)...)
	}
	text, err := os.ReadFile(filepath.Join(directory, "bad.csv"))
	if err != nil || string(text) != "1,1\nx,1\n" {
		t.Errorf("what was to be imported is %q now, %v", text, err)
	}
}

// TestCustomerImportCutOff: an import that fails, or is asked to stop, says how to go on.
func TestCustomerImportCutOff(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	newFleet(t, directory)
	var list strings.Builder
	for i := range operator.ImportBatch + 10 {
		fmt.Fprintf(&list, "%d,447700%06d\n", i+1, i+1)
	}
	goOn := fmt.Sprintf("all rows up to line %d are stored; continue with --from-line %d, or import the whole file again", operator.ImportBatch, operator.ImportBatch+1)
	long := strings.Repeat("x", 100_000)
	out, complaint := said(t, directory, list.String()+long, "customer", "import", "--fleet", "689", "-")
	if !strings.HasPrefix(out, fmt.Sprintf("%d rows: ", operator.ImportBatch)) || !strings.HasSuffix(complaint, goOn) {
		t.Errorf("got %q and %q, want %q", out, complaint, goOn)
	}

	c := command(t, directory, nil, "customer", "import", "--fleet", "689", "-")
	var errors bytes.Buffer
	c.Stderr = &errors
	in, err := c.StdinPipe()
	check(t, err)
	check(t, c.Start())
	_, err = in.Write([]byte(list.String() + strings.Repeat("\n", 1_000_000))) // more than a pipe holds: it reads
	check(t, err)
	check(t, c.Process.Signal(os.Interrupt)) // while it waits for more
	if err := c.Wait(); err == nil || c.ProcessState.ExitCode() != 1 || !strings.Contains(errors.String(), "a signal arrived") {
		t.Errorf("got %v and %s", err, &errors)
	}

	rest := list.String() + "x,y\n"
	expect(t, directory, rest, "11 rows: 10 added, 0 changed, 0 unchanged, 1 rejected; PINs: 0 set, 0 removed\n",
		"1 rows were rejected; customers.rejected.csv has their lines and the reasons", "customer", "import", "--fleet", "689", "-", "--from-line", fmt.Sprint(operator.ImportBatch+1))
}

// TestCustomerExport: what is exported can be imported, and changes nothing, PINs included.
func TestCustomerExport(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	form := newFleet(t, directory)
	output(t, directory, nil, "fleet", "add", "690")
	output(t, directory, nil, "customer", "add", "--fleet", "689", "--id", "8", "--phone", "447700900008")
	output(t, directory, nil, "customer", "add", "--fleet", "690", "--id", "9", "--phone", "447700900009")
	const want = "id,phone,has_pin,photo_bytes,photo_changed_at\n8,447700900008,false,0,\n452733,447700900123,true,0,\n"
	expect(t, directory, "", want, "", "customer", "export", "--fleet", "689")
	expect(t, directory, "", "", "", "customer", "export", "--fleet", "689", "export.csv")
	if text, err := os.ReadFile(filepath.Join(directory, "export.csv")); err != nil || string(text) != want {
		t.Errorf("got %s, %v", text, err)
	}
	expect(t, directory, "", "", "there is no fleet 7; add it first, or check the number", "customer", "export", "--fleet", "7", "export.csv")

	expect(t, directory, "", "2 rows: 0 added, 0 changed, 2 unchanged, 0 rejected; PINs: 0 set, 0 removed\n", "", "customer", "import", "--fleet", "689", "export.csv")
	if a, err := postForm(serve(t, directory).api, withPhoto(form, "delete")); err != nil || a.Result != "valid" {
		t.Errorf("with the PIN: got %+v, %v", a, err)
	}
	output(t, directory, nil, "fleet", "add", "691")
	expect(t, directory, want, "2 rows: 2 added, 0 changed, 0 unchanged, 0 rejected; PINs: 0 set, 0 removed\n", "", "customer", "import", "--fleet", "691", "-")
}

// TestNoCustomersInMemory: they would be gone with the command.
func TestNoCustomersInMemory(t *testing.T) {
	t.Parallel()
	for _, args := range []string{"add --id 1 --phone 1", "show --id 1", "remove --id 1", "import -", "export"} {
		c := command(t, t.TempDir(), []string{"FLEETPHOTO_DATABASE_URL=memory://"}, strings.Fields("customer "+args+" --fleet 689")...)
		if out, err := c.CombinedOutput(); err == nil || !strings.Contains(string(out), "FLEETPHOTO_DATABASE_URL: memory:// ends with this command") {
			t.Errorf("customer %s: got %v %s", args, err, out)
		}
	}
}
