package attacks_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"net"
	"net/http"
	"slices"
	"testing"
	"time"
)

// dialFrom returns a dialer with an address of this machine of its own.
func dialFrom(address string) *net.Dialer {
	return &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
}

// caller is a good one, of a fleet that attacks nobody.
type caller struct {
	server *server
	client *http.Client
	fleet  fleet
	photo  []byte // in Base64
}

// newCaller returns one that sends a photo, which is in Base64.
func newCaller(s *server, from string, f fleet, photo []byte) *caller {
	transport := &http.Transport{DialContext: dialFrom(from).DialContext, DisableKeepAlives: true} // a connection a call: the hardest
	return &caller{s, &http.Client{Transport: transport}, f, photo}
}

// callJSON is a call's body with a photo in it.
func callJSON(f fleet, photo []byte) []byte {
	return append(base64.StdEncoding.AppendEncode(startOfCall(f), photo), endOfCall...)
}

func startOfCall(f fleet) []byte {
	return fmt.Appendf(nil, `{"api_key":%q,"phone_number":%s,"photo_base64":"`, f.key, f.phone)
}

const endOfCall = `"}`

func inBase64(photo []byte) []byte { return base64.StdEncoding.AppendEncode(nil, photo) }

// photo is a JPEG of about 50 KB.
func photo() []byte {
	picture := image.NewYCbCr(image.Rect(0, 0, 512, 512), image.YCbCrSubsampleRatio420)
	random := uint32(1)
	for i := range picture.Y {
		random = random*1664525 + 1013904223
		picture.Y[i] = 100 + byte(random>>27)
	}
	for i := range picture.Cb {
		picture.Cb[i], picture.Cr[i] = 110, 140
	}
	var out bytes.Buffer
	_ = jpeg.Encode(&out, picture, nil) // never fails
	return out.Bytes()
}

// call makes the call, which must be valid.
func (c *caller) call(ctx context.Context) (took time.Duration, err error) {
	begun := time.Now()
	start, end := startOfCall(c.fleet), []byte(endOfCall)
	body := io.MultiReader(bytes.NewReader(start), bytes.NewReader(c.photo), bytes.NewReader(end))
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+c.server.api+"/update_customer_photo.json", body)
	if err != nil {
		return 0, err
	}
	request.ContentLength = int64(len(start) + len(c.photo) + len(end))
	request.Header.Set("Content-Type", "application/json")
	response, err := c.client.Do(request)
	if err != nil {
		return 0, err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	var answer struct{ Result string }
	if err == nil {
		err = json.Unmarshal(text, &answer)
	}
	if err == nil && answer.Result != "valid" {
		err = fmt.Errorf("%s: %s", response.Status, text)
	}
	return time.Since(begun), err
}

// goOn makes a call every tenth of a second until ctx ends, and reports how
// long they took. Each must be valid.
func (c *caller) goOn(ctx context.Context, t *testing.T) {
	t.Helper()
	var took []time.Duration
	for tick := time.Tick(time.Second / 10); ctx.Err() == nil; <-tick {
		one, err := c.call(context.WithoutCancel(ctx))
		if err != nil {
			t.Errorf("the good caller's call %d: %v", len(took)+1, err)
			return
		}
		took = append(took, one)
	}
	slices.Sort(took)
	t.Logf("%d calls beside it: median %v, worst %v; the process took %.0f MB at most", len(took), took[len(took)/2].Round(time.Millisecond),
		took[len(took)-1].Round(time.Millisecond), c.server.peak(t))
}
