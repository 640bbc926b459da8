package httpsuite

import (
	"context"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"sync/atomic"
	"testing"

	"github.com/fleetphoto/fleetphoto/contract-tests/testserver"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// target is a server of package testserver.
var target = Target{
	APIKey: testserver.APIKey, Phone: testserver.Phone, PIN: testserver.PIN,
	DisabledKey: testserver.DisabledKey, RequirePINKey: testserver.RequirePINKey, OtherPhone: testserver.OtherPhone, LockPhone: testserver.LockPhone, NoPINPhone: testserver.NoPINPhone,
	MaxPhotoBytes: testserver.MaxPhotoBytes, MaxPixels: testserver.MaxPixels,
}

// ownCases has the suite's cases.
func ownCases() fs.FS { return os.DirFS("..") }

func serve(t *testing.T, handler http.Handler) Target {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	served := target
	served.BaseURL = server.URL
	return served
}

// TestCasesSkipNothing: what target lacks would hide a promise.
func TestCasesSkipNothing(t *testing.T) {
	cases, err := readCases(ownCases())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		if missing := c.missing(target); missing != "" {
			t.Errorf("the case %s is skipped for want of %s", c.name, missing)
		}
	}
}

// brokenPhotos is down for one customer, so that a Put can't begin or, the next
// time, is cut off, and has a bug for another.
type brokenPhotos struct {
	ports.PhotoStore
	puts *atomic.Int32
}

func (b brokenPhotos) Put(ctx context.Context, key domain.PhotoKey, photo domain.Photo, over domain.PhotoVersion) (domain.PhotoVersion, error) {
	switch key {
	case domain.CustomerRef{Fleet: 689, Customer: 452734}.PhotoKey():
		down := domain.Errorf(domain.Unavailable, "the store is down")
		if b.puts.Add(1)%2 == 1 {
			down = down.AsUnchanged()
		}
		return "", down
	case domain.CustomerRef{Fleet: 689, Customer: 452735}.PhotoKey():
		panic("a bug")
	}
	return b.PhotoStore.Put(ctx, key, photo, over)
}

// TestCasesOfABrokenServer holds the rows of the error table that no caller can
// bring about.
func TestCasesOfABrokenServer(t *testing.T) {
	b := testserver.Memory()
	b.Photos = brokenPhotos{b.Photos, new(atomic.Int32)}
	Run(t, os.DirFS("testdata/broken"), serve(t, testserver.New(t, b)))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
