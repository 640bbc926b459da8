package httpapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/fleetphoto/fleetphoto/adapters/httpapi/internal/parameters"
	"github.com/fleetphoto/fleetphoto/domain"
)

// readParts returns each part's head and content, as read by mime/multipart alone or
// through a headReader.
func readParts(from io.Reader, bounded bool) (seen string, err error) {
	parts := multipart.NewReader(from, "b")
	next := parts.NextRawPart
	if bounded {
		h := newHeadReader(from, "b")
		parts = multipart.NewReader(h, "b")
		next = func() (*multipart.Part, error) { return h.nextPart(parts) }
	}
	for {
		part, err := next()
		if err != nil {
			return seen, err
		}
		content, err := io.ReadAll(part)
		seen += fmt.Sprintf("%q %q\n", part.Header, content)
		if err != nil {
			return seen, err
		}
	}
}

// TestPartHeadsAreBounded: a long head is refused, whatever comes before it and
// however it is split into reads.
func TestPartHeadsAreBounded(t *testing.T) {
	t.Parallel()
	fields := func(count int) string {
		var head strings.Builder
		for i := range count {
			_, _ = fmt.Fprintf(&head, "x%d:\r\n", i)
		}
		return head.String()
	}
	part := func(head string) string { return "--b\r\n" + head + "\r\ncontent\r\n" }
	for name, test := range map[string]struct {
		body    string
		refused bool
	}{
		"as many lines as may be":  {part(fields(maxPartLines)), false},
		"one more":                 {part(fields(maxPartLines + 1)), true},
		"one more, in the second":  {part(fields(3)) + part(fields(maxPartLines+1)), true},
		"one more, and no end":     {"--b\r\n" + fields(maxPartLines+1), true},
		"line feeds alone":         {strings.ReplaceAll(part(fields(maxPartLines+1)), "\r", ""), true},
		"a folded field":           {part("x: y\r\n" + strings.Repeat(" y\r\n", maxPartLines)), true},
		"long":                     {part("x:" + strings.Repeat("y", maxPartHead-100) + "\r\n"), false},
		"too long":                 {part("x:" + strings.Repeat("y", maxPartHead) + "\r\n"), true},
		"too long, in the second":  {part("") + part("x:"+strings.Repeat("y", maxPartHead)+"\r\n"), true},
		"too much before a part":   {strings.Repeat("\r\n", maxPartHead) + part(""), true},
		"content with many lines":  {"--b\r\n\r\n" + strings.Repeat("\r\n--", 2*maxPartHead) + "\r\n--b--", false},
		"a part without content":   {"--b\r\nx: y\r\n\r\n--b" + "\r\n" + fields(maxPartLines+1) + "\r\n", true},
		"a part without a head":    {"--b\r\n\r\n\r\n--b" + "\r\n" + fields(maxPartLines+1) + "\r\n", true},
		"lines behind the content": {part("") + "--b--\r\n" + fields(2*maxPartHead), false},
	} {
		for how, reader := range map[string]func(io.Reader) io.Reader{
			"at once": func(r io.Reader) io.Reader { return r }, "by bytes": iotest.OneByteReader, "with the end": iotest.DataErrReader,
		} {
			want, _ := readParts(strings.NewReader(test.body), false)
			got, err := readParts(reader(strings.NewReader(test.body)), true)
			if errors.Is(err, errPartHead) != test.refused || !test.refused && got != want {
				t.Errorf("%s, %s: got %v and\n%s, want it refused: %v, or\n%s", name, how, err, got, test.refused, want)
			}
		}
	}
}

// FuzzPartHeads: a body that isn't refused is read as by mime/multipart alone.
func FuzzPartHeads(f *testing.F) {
	for _, seed := range []string{"", "--b", "\r\n--b\r\n\r\n--b--", "--b\r\nx:y\r\n\r\n\n--b-\r\n--b \r\n\r\n\r\n--b--", "--b\n\n--b\n\n--b\n--b--", "x--b\r\n\n--b\n\n\r\r\n\r\n--b--"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := readParts(iotest.HalfReader(bytes.NewReader(body)), true)
		if want, _ := readParts(bytes.NewReader(body), false); !errors.Is(err, errPartHead) && !errors.Is(err, errParts) && got != want {
			t.Errorf("%q: got\n%s, %v, want\n%s", body, got, err, want)
		}
	})
}

func TestPartsAreBounded(t *testing.T) {
	t.Parallel()
	for parts, want := range map[int]error{maxParts: nil, maxParts + 1: errParts} {
		body := strings.Repeat("--b\r\nContent-Disposition: form-data; name=x\r\n\r\n\r\n", parts) + "--b--\r\n"
		if _, err := readMultipart(strings.NewReader(body), "b", newBody(-1)); !errors.Is(err, want) {
			t.Errorf("%d parts: got %v, want %v", parts, err, want)
		}
	}
}

func newBody(expected int64) *body {
	into := newRoom(1<<30, 1<<27).newBody(expected, netip.Addr{})
	into.ctx, into.setDeadline = context.Background(), func(time.Time) {}
	return into
}

func TestReadMultipartSurvivesAGrowingBuffer(t *testing.T) {
	large := strings.Repeat("QUJD", 100_000)
	var out bytes.Buffer
	writer := multipart.NewWriter(&out)
	check(t, writer.WriteField(parameters.APIKey, "k"))
	check(t, writer.WriteField("other", large))
	check(t, writer.WriteField(parameters.Photo, large))
	check(t, writer.WriteField(parameters.Phone, "44"))
	check(t, writer.Close())
	got, err := readMultipart(&out, writer.Boundary(), newBody(-1))
	var want parameters.Fields
	for name, content := range map[string]string{parameters.APIKey: "k", parameters.Phone: "44", parameters.Photo: large} {
		check(t, want.SetPart(name, parameters.Part{Content: []byte(content)}))
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %.100q, %v", fmt.Sprint(got), err)
	}
}

func FuzzReadMultipart(f *testing.F) {
	f.Add("XyZ", "--XyZ\r\nContent-Disposition: form-data; name=\"photo_base64\"; filename=\"a\"\r\n\r\nabc\r\n--XyZ--\r\n")
	f.Add("XyZ", "--XyZ\r\nContent-Disposition: form-data; name=\"api_key\"\r\n\r\nk\r\n--XyZ\r\n\r\nx\r\n--XyZ--")
	f.Fuzz(func(t *testing.T, boundary, body string) {
		if _, _, err := mime.ParseMediaType(mime.FormatMediaType(typeMultipart, map[string]string{"boundary": boundary})); err != nil || boundary == "" {
			return
		}
		got, err := readMultipart(strings.NewReader(body), boundary, newBody(int64(len(body))))
		if err != nil {
			return
		}
		if _, err := got.Request(); err != nil && domain.AsError(err).Kind == domain.Internal {
			t.Errorf("a bad parameter causes an Internal Error: %v", err)
		}
	})
}
