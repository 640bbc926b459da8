package contracttests

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/adapters/httpapi"
	"github.com/fleetphoto/fleetphoto/adapters/memory"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/photo"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
	"github.com/fleetphoto/fleetphoto/ports"
)

// backends are the four ports that a server under test stands on.
type backends struct {
	database
	photos ports.PhotoStore
}

func openMemory(t *testing.T) backends {
	return backends{openMemoryDatabase(t), memory.NewPhotoStore()}
}

// httpBackends are the schemes of the databases and photo stores that the whole
// contract runs on.
var httpBackends = []struct{ database, photos string }{
	{"memory", "mem"}, {"sqlite", "file"}, {"postgres", "s3"}, {"postgres", "gs"}, {"postgres", "azblob"},
}

const (
	targetKey   = "TEST1TEST1TEST1TEST1TEST1"
	disabledKey = "TEST2TEST2TEST2TEST2TEST2"
)

// target is what seed puts into backends.
var target = Target{
	APIKey: targetKey, Phone: "447700900123", PIN: "1234",
	DisabledKey: disabledKey, OtherPhone: "447700900999", LockPhone: "447700900124", NoPINPhone: "447700900125",
	MaxPhotoBytes: 200_000, MaxPixels: 10_000,
}

// newHandler makes a server on b, with the fleets and customers of target.
func newHandler(t *testing.T, b backends) http.Handler {
	t.Helper()
	pinKey, err := domain.NewPINKey(make([]byte, domain.MinPINKeyBytes))
	if err != nil {
		t.Fatal(err)
	}
	if err := seed(t.Context(), b, pinKey); err != nil {
		t.Fatal(err)
	}
	options := httpapi.Options{
		Update: &usecase.UpdateCustomerPhoto{
			Fleets: b.fleets, Customers: b.customers, Photos: b.photos, Log: b.log, PINKey: pinKey, Clock: time.Now,
			Reader: photo.NewReader(photo.Limits{MaxBytes: int64(target.MaxPhotoBytes), MaxPixels: int64(target.MaxPixels)}, 2),
		},
		MaxInflightBytes: 64 << 20, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	if store, is := b.photos.(ports.PhotoAddresser); is && store.URL(domain.CustomerRef{}.PhotoKey()) != "" {
		options.Update.Address = func(_ context.Context, key domain.PhotoKey) (string, error) { return store.URL(key), nil }
	} else {
		options.Photos = b.photos
	}
	return httpapi.New(options)
}

func seed(ctx context.Context, b backends, pinKey domain.PINKey) error {
	fleets := []struct {
		fleet domain.Fleet
		key   string
	}{
		{domain.Fleet{ID: 689, Name: "Live"}, targetKey},
		{domain.Fleet{ID: 690, Name: "Off", Disabled: true}, disabledKey},
		{domain.Fleet{ID: 691, Name: "Other"}, "TEST3TEST3TEST3TEST3TEST3"},
	}
	for _, f := range fleets {
		key, err := domain.ParseAPIKey(f.key)
		if err != nil {
			return err
		}
		if err := b.fleets.AddFleet(ctx, f.fleet, domain.FleetKey{Hash: key.Hash(), Label: domain.FirstKey}); err != nil {
			return err
		}
	}
	customers := []struct {
		ref        domain.CustomerRef
		phone, pin string
	}{
		{domain.CustomerRef{Fleet: 689, Customer: 452733}, target.Phone, target.PIN},
		{domain.CustomerRef{Fleet: 689, Customer: 452734}, target.LockPhone, target.PIN},
		{domain.CustomerRef{Fleet: 689, Customer: 452735}, target.NoPINPhone, ""},
		{domain.CustomerRef{Fleet: 691, Customer: 452733}, target.OtherPhone, target.PIN},
	}
	for _, c := range customers {
		phone, err := domain.ParsePhoneNumber(c.phone)
		if err != nil {
			return err
		}
		pin, err := domain.ParseNewPIN(c.pin)
		if err != nil {
			return err
		}
		if _, err := b.customers.ImportCustomers(ctx, []domain.CustomerImport{{Ref: c.ref, Phone: phone, PIN: pinKey.Hash(c.ref, pin)}}); err != nil {
			return err
		}
	}
	return nil
}

// TestHTTP runs the cases on every backend, or on the server that the flags name.
func TestHTTP(t *testing.T) {
	if *theirs != (Target{}) {
		HTTP(t, *theirs)
		return
	}
	cases, err := readCases(httpCases)
	must(t, err)
	for _, on := range httpBackends {
		database, photos := find(databases, on.database), find(photoStores, on.photos)
		tested.cell(t, "HTTP", len(cases), func(t *testing.T) {
			HTTPHandler(t, newHandler(t, backends{database.open(t), photos.open(t)}), target)
		}, database.backend, photos.backend)
	}
}

// TestCasesSkipNothing: what target lacks would hide a promise.
func TestCasesSkipNothing(t *testing.T) {
	cases, err := readCases(httpCases)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		if missing := c.missing(target); missing != "" {
			t.Errorf("the case %s is skipped for want of %s", c.name, missing)
		}
	}
}

// brokenPhotos is down for one customer and has a bug for another.
type brokenPhotos struct{ ports.PhotoStore }

func (b brokenPhotos) Put(ctx context.Context, key domain.PhotoKey, photo domain.Photo) error {
	switch key {
	case domain.CustomerRef{Fleet: 689, Customer: 452734}.PhotoKey():
		return domain.Errorf(domain.Unavailable, "the store is down")
	case domain.CustomerRef{Fleet: 689, Customer: 452735}.PhotoKey():
		panic("a bug")
	}
	return b.PhotoStore.Put(ctx, key, photo)
}

// TestCasesOfABrokenServer holds the rows of the error table that no caller can
// bring about.
func TestCasesOfABrokenServer(t *testing.T) {
	b := openMemory(t)
	b.photos = brokenPhotos{b.photos}
	HTTPCases(t, os.DirFS("testdata/broken"), serve(t, newHandler(t, b)))
}
