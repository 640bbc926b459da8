// Package httpsuite makes the exchanges of the HTTP suite, whose cases are the
// .txtar files beside it.
//
// Package contracttests imports it; it imports nothing of this module.
package httpsuite

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// Run makes the cases in the http/*.txtar files of fsys, one after the other.
func Run(t *testing.T, fsys fs.FS, target Target) {
	t.Helper()
	cases, err := readCases(fsys)
	if err != nil {
		t.Fatal(err)
	}
	if err := target.check(t.Context()); err != nil {
		t.Fatalf("nothing was tested: %v", err)
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if missing := c.missing(target); missing != "" {
				t.Skipf("this target has no %s, which the case needs", missing)
			}
			if err := c.check(t.Context(), target); err != nil {
				t.Errorf("%s\n%v", c.promise, err)
			}
		})
	}
}

// httpCase is one file: exchanges in a row, and the photo that is left.
type httpCase struct {
	name      string
	promise   string
	caller    txtar.File // a program that makes the exchange, where there is one
	exchanges []exchange
	photo     string // a template: the photo that is served at the end
}

type exchange struct {
	request, response string // templates
	onWire            bool   // whether request is sent byte by byte
}

// readCases reads the .txtar files. In each, the comment is the promise;
// "request", or "wire", and "response" files alternate, and "photo" tells what is
// stored in the end, the photo from before where it is missing. A file "caller"
// with any extension may come first.
func readCases(fsys fs.FS) ([]httpCase, error) {
	names, err := fs.Glob(fsys, "http/*.txtar")
	if err != nil || len(names) == 0 {
		return nil, fmt.Errorf("no cases in http/*.txtar (%w)", err)
	}
	var cases []httpCase
	for _, name := range names {
		data, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, err
		}
		c, err := parseCase(strings.TrimSuffix(path.Base(name), ".txtar"), txtar.Parse(data))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		cases = append(cases, c)
	}
	return cases, nil
}

func parseCase(name string, archive *txtar.Archive) (httpCase, error) {
	c := httpCase{name: name, promise: strings.TrimSpace(string(archive.Comment)), photo: "{{before}}"}
	for i, file := range archive.Files {
		text := strings.TrimSuffix(string(file.Data), "\n")
		switch {
		case i == 0 && strings.HasPrefix(file.Name, "caller."):
			c.caller = file
		case isRequest(file) && i+1 < len(archive.Files) && archive.Files[i+1].Name == "response":
			c.exchanges = append(c.exchanges, exchange{request: text, onWire: file.Name == "wire"})
		case file.Name == "response" && i > 0 && isRequest(archive.Files[i-1]):
			c.exchanges[len(c.exchanges)-1].response = text
		case file.Name == "photo" && i == len(archive.Files)-1:
			c.photo = text
		default:
			return httpCase{}, fmt.Errorf("file %d is %q; want request and response in turn, and photo last", i+1, file.Name)
		}
	}
	if c.promise == "" || len(c.exchanges) == 0 {
		return httpCase{}, fmt.Errorf("want a promise and at least one exchange")
	}
	return c, nil
}

func isRequest(file txtar.File) bool { return file.Name == "request" || file.Name == "wire" }

// missing names the first field of Target that the case needs and target lacks.
func (c httpCase) missing(target Target) string {
	lacking := map[string]bool{
		"DisabledKey": target.DisabledKey == "", "OtherPhone": target.OtherPhone == "", "LockPhone": target.LockPhone == "",
		"NoPINPhone": target.NoPINPhone == "", "RequirePINKey": target.RequirePINKey == "", "MaxPhotoBytes": target.MaxPhotoBytes == 0, "MaxPixels": target.MaxPixels == 0,
	}
	for _, e := range c.exchanges {
		for field, lacks := range lacking {
			if lacks && strings.Contains(e.request+e.response, "."+field) {
				return field
			}
		}
	}
	return ""
}

// check gives the customer a known photo, makes the exchanges and looks at
// what is stored, at the address that was answered last.
func (c httpCase) check(ctx context.Context, target Target) error {
	address, err := target.update(ctx, target.Phone, "", encodeBase64(pictures()["before"]))
	if err != nil {
		return fmt.Errorf("before the case, an update that must succeed: %w", err)
	}
	for i, e := range c.exchanges {
		got, err := e.check(ctx, target)
		if err != nil {
			return fmt.Errorf("exchange %d: %w", i+1, err)
		}
		address = cmp.Or(got.address(), address)
	}
	want, err := expand(c.photo, target)
	if err != nil {
		return err
	}
	return target.checkPhoto(ctx, address, []byte(want))
}

func (e exchange) check(ctx context.Context, target Target) (answer, error) {
	got, err := paced(ctx, func() (answer, error) { return e.send(ctx, target) })
	if err != nil {
		return answer{}, err
	}
	want, err := expand(e.response, target)
	if err != nil {
		return answer{}, err
	}
	if err := matchResponse(want, got); err != nil {
		return answer{}, err
	}
	return got, target.checkSecrets(string(got.body))
}

func (e exchange) send(ctx context.Context, target Target) (answer, error) {
	if e.onWire {
		bytes, err := newWire(e.request, target)
		if err != nil {
			return answer{}, err
		}
		return bytes.send(ctx, target.BaseURL)
	}
	request, err := newRequest(ctx, e.request, target)
	if err != nil {
		return answer{}, err
	}
	return send(request)
}
