package httpapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// fetch requests a stored photo.
func (f *fixture) fetch(method, address string, headers ...string) *httptest.ResponseRecorder {
	request := httptest.NewRequest(method, address, nil)
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	recorder := httptest.NewRecorder()
	f.ServeHTTP(recorder, request)
	return recorder
}

func TestServePhoto(t *testing.T) {
	f := newFixture(t)
	picture := testJPEG(t, 20, 10)
	f.post(t, typeJSON, bytes.NewReader(callJSON(t, encode(picture))))
	get := func(method string, headers ...string) *httptest.ResponseRecorder {
		return f.fetch(method, PhotosPath+string(testCustomer.PhotoKey()), headers...)
	}
	whole := get(http.MethodGet)
	tag := whole.Header().Get("ETag")
	want := http.Header{
		"Accept-Ranges": {"bytes"}, "Cache-Control": {"no-cache"}, "Content-Length": {fmt.Sprint(len(picture))},
		"Content-Security-Policy": {"sandbox; default-src 'none'"}, "Content-Type": {"image/jpeg"}, "Cross-Origin-Resource-Policy": {"cross-origin"},
		"Etag": {tag}, "X-Content-Type-Options": {"nosniff"}, "X-Robots-Tag": {"noindex"},
	}
	if whole.Code != http.StatusOK || !bytes.Equal(whole.Body.Bytes(), picture) || fmt.Sprint(whole.Header()) != fmt.Sprint(want) || len(tag) != 66 {
		t.Errorf("got %d %v, want the photo with %v", whole.Code, whole.Header(), want)
	}
	none := f.fetch(http.MethodGet, PhotosPath+string(domain.CustomerRef{Fleet: 689, Customer: 1}.PhotoKey()))
	if none.Code != http.StatusNotFound || none.Header().Get("Cache-Control") != "no-cache" {
		t.Errorf("without a photo: got %d %v", none.Code, none.Header())
	}
	if head := get(http.MethodHead); head.Code != http.StatusOK || head.Body.Len() != 0 || head.Header().Get("Content-Length") != fmt.Sprint(len(picture)) {
		t.Errorf("HEAD: got %d %v", head.Code, head.Header())
	}
	if same := get(http.MethodGet, "If-None-Match", tag); same.Code != http.StatusNotModified || same.Body.Len() != 0 {
		t.Errorf("If-None-Match with its ETag: got %d", same.Code)
	}
	if other := get(http.MethodGet, "If-None-Match", `"x"`); other.Code != http.StatusOK {
		t.Errorf("If-None-Match with another ETag: got %d", other.Code)
	}
	if part := get(http.MethodGet, "Range", "bytes=2-5"); part.Code != http.StatusPartialContent || !bytes.Equal(part.Body.Bytes(), picture[2:6]) {
		t.Errorf("Range: got %d %q", part.Code, part.Body)
	}
	f.post(t, typeJSON, bytes.NewReader(callJSON(t, encode(testJPEG(t, 21, 10)))))
	if changed := get(http.MethodGet, "If-None-Match", tag); changed.Code != http.StatusOK || changed.Header().Get("ETag") == tag {
		t.Errorf("after a change: got %d %s", changed.Code, changed.Header().Get("ETag"))
	}
}

// TestRanges: up to sixteen ranges are served; for more, the whole photo is.
func TestRanges(t *testing.T) {
	f := newFixture(t)
	picture := testJPEG(t, 20, 10)
	f.post(t, typeJSON, bytes.NewReader(callJSON(t, encode(picture))))
	for count, want := range map[int]int{2: 206, 16: 206, 17: 200, 100: 200} {
		var ranges []string
		for i := range count {
			ranges = append(ranges, fmt.Sprintf("%d-%d", 3*i, 3*i))
		}
		got := f.fetch(http.MethodGet, PhotosPath+string(testCustomer.PhotoKey()), "Range", "bytes="+strings.Join(ranges, ","))
		parts, whole := strings.Count(got.Body.String(), "Content-Range:"), bytes.Equal(got.Body.Bytes(), picture)
		if got.Code != want || want == 206 && parts != count || (want == 200) != whole {
			t.Errorf("%d ranges: got %d with %d parts, want %d", count, got.Code, parts, want)
		}
	}
}

// withVersion is a store whose photos have the given version. It counts the bytes that
// are read.
type withVersion struct {
	ports.PhotoStore
	version domain.PhotoVersion
	read    int
	broken  error
}

func (s *withVersion) Open(ctx context.Context, key domain.PhotoKey) (io.ReadSeekCloser, domain.PhotoVersion, error) {
	content, _, err := s.PhotoStore.Open(ctx, key)
	return counting{content, s}, s.version, err
}

type counting struct {
	io.ReadSeekCloser
	of *withVersion
}

func (c counting) Read(p []byte) (int, error) {
	if c.of.broken != nil {
		return 0, c.of.broken
	}
	n, err := c.ReadSeekCloser.Read(p)
	c.of.read += n
	return n, err
}

// TestETagIsTheVersion: a photo with a version is not read to compare ETags; the ETag
// of one without is the hash of its bytes.
func TestETagIsTheVersion(t *testing.T) {
	store := &withVersion{}
	f := newFixture(t, func(o *Options) { store.PhotoStore = o.Photos; o.Photos = store })
	picture := testJPEG(t, 20, 10)
	f.post(t, typeJSON, bytes.NewReader(callJSON(t, encode(picture))))
	for version, hashed := range map[domain.PhotoVersion]string{
		"4711-1790000000000000000": "4711-1790000000000000000", "\"quoted\"\r\n": "\"quoted\"\r\n",
		domain.Unversioned: string(picture), domain.UnknownVersion: string(picture),
	} {
		store.version, store.read = version, 0
		tag := fmt.Sprintf(`"%x"`, sha256.Sum256([]byte(hashed)))
		got := f.fetch(http.MethodGet, PhotosPath+string(testCustomer.PhotoKey()), "If-None-Match", tag)
		if got.Code != http.StatusNotModified || got.Header().Get("ETag") != tag || (store.read == 0) != (hashed != string(picture)) {
			t.Errorf("version %q: got %d %v after reading %d bytes, want the ETag %s", version, got.Code, got.Header(), store.read, tag)
		}
	}
	store.version, store.broken = domain.Unversioned, errors.New("the disk is broken at /secret")
	if got := f.fetch(http.MethodGet, PhotosPath+string(testCustomer.PhotoKey())); got.Code != http.StatusServiceUnavailable || strings.Contains(got.Body.String(), "secret") {
		t.Errorf("unreadable: got %d %s", got.Code, got.Body)
	}
}

// signing returns a server of signed photos whose clock is now.
func signing(t *testing.T, now *time.Time) (*fixture, *PhotoSigner) {
	t.Helper()
	signer, err := NewPhotoSigner(bytes.Repeat([]byte{7}, minSignerKeyBytes), time.Hour, func() time.Time { return *now })
	check(t, err)
	return newFixture(t, func(o *Options) {
		o.PhotoSigner, o.Pages = signer, true
		o.Update.Address = func(_ context.Context, key domain.PhotoKey) (string, error) {
			return PhotosPath + signer.Sign(key), nil
		}
	}), signer
}

func TestSignedPhotos(t *testing.T) {
	now := time.Date(2026, 7, 28, 12, 0, 0, 500_000_000, time.UTC)
	f, signer := signing(t, &now)
	picture := testJPEG(t, 20, 10)
	var answer success
	check(t, json.Unmarshal(f.post(t, typeJSON, bytes.NewReader(callJSON(t, encode(picture)))).Body.Bytes(), &answer))
	key := testCustomer.PhotoKey()
	if want := "http://example.com" + PhotosPath + signer.Sign(key); answer.PhotoURL != want {
		t.Fatalf("got the address %s, want %s", answer.PhotoURL, want)
	}
	u, err := url.Parse(answer.PhotoURL)
	check(t, err)
	address, expires, signature := u.RequestURI(), u.Query().Get("expires"), u.Query().Get("signature")
	got := f.fetch(http.MethodGet, address+"&utm_source=x")
	if got.Code != http.StatusOK || !bytes.Equal(got.Body.Bytes(), picture) || got.Header().Get("Cache-Control") != "private, no-cache" || got.Header().Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("signed: got %d %v", got.Code, got.Header())
	}
	if strings.Contains(f.log.String(), signature) {
		t.Error("the signature is in the log")
	}
	if page := f.fetch(http.MethodGet, PagePath); !strings.HasSuffix(page.Header().Get("Content-Security-Policy"), "img-src 'self' blob:") {
		t.Errorf("the page: got %d %v", page.Code, page.Header())
	}

	other, err := NewPhotoSigner(bytes.Repeat([]byte{8}, minSignerKeyBytes), time.Hour, signer.clock)
	check(t, err)
	nobody := domain.CustomerRef{Fleet: 689, Customer: 1}.PhotoKey()
	query := func(expires, signature string) string {
		return PhotosPath + string(key) + "?" + url.Values{"expires": {expires}, "signature": {signature}}.Encode()
	}
	var refusal string
	for name, refused := range map[string]string{
		"unsigned": PhotosPath + string(key), "unsigned, and no photo": PhotosPath + string(nobody),
		"another photo's": PhotosPath + string(nobody) + "?" + u.RawQuery, "under another key": PhotosPath + other.Sign(key),
		"later": query("1885248001", signature), "later by a zero": query("0"+expires, signature), "no time": query("", signature), "no number": query("x", signer.signature(key, "x")),
		"no signature": query(expires, ""), "cut signature": query(expires, signature[:42]), "padded signature": query(expires, signature+"="),
		"same bits": query(expires, signature[:42]+string(signature[42]+1)), "capitals": query(expires, strings.ToUpper(signature)),
		"ended": query("1785236400", signer.signature(key, "1785236400")), "before time": query("-1", signer.signature(key, "-1")),
	} {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			got := f.fetch(method, refused, "Range", "bytes=0-1")
			if refusal == "" {
				refusal = got.Body.String()
			}
			if got.Code != http.StatusNotFound || method == http.MethodGet && (got.Body.String() != refusal || !strings.Contains(refusal, `"Not Found"`)) || got.Header().Get("ETag") != "" || got.Header().Get("Cache-Control") != "private, no-cache" {
				t.Errorf("%s, %s: got %d %v %s", name, method, got.Code, got.Header(), got.Body)
			}
		}
	}
	for step, want := range []int{200, 404} {
		if now = time.Date(2026, 7, 28, 13, 0, step, 500_000_000, time.UTC); f.fetch(http.MethodGet, address).Code != want {
			t.Errorf("%v after the call: want %d", now, want)
		}
	}
}

func TestSignerNeedsAKey(t *testing.T) {
	if _, err := NewPhotoSigner(make([]byte, minSignerKeyBytes-1), time.Hour, time.Now); err == nil {
		t.Error("a short key is taken")
	}
}
