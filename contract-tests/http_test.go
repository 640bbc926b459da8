package contracttests_test

import (
	"flag"
	"path/filepath"
	"testing"

	contracttests "github.com/fleetphoto/fleetphoto/contract-tests"
	"github.com/fleetphoto/fleetphoto/contract-tests/testserver"
	"github.com/fleetphoto/fleetphoto/ports"
)

// httpBackends are the schemes of the databases and photo stores that the whole
// contract runs on.
var httpBackends = []struct{ database, photos string }{
	{"memory", "mem"}, {"sqlite", "file"}, {"postgres", "s3"}, {"postgres", "gs"}, {"postgres", "azblob"},
}

// TestHTTP runs the cases on every backend, or on the server that the flags name.
func TestHTTP(t *testing.T) {
	if *theirs != (contracttests.Target{}) {
		contracttests.HTTP(t, *theirs)
		return
	}
	cases, err := filepath.Glob("http/*.txtar")
	must(t, err)
	for _, on := range httpBackends {
		databases, photos := find(databases, on.database), find(photoStores, on.photos)
		tested.cell(t, "HTTP", len(cases), func(t *testing.T) {
			db := databases.open(t)
			contracttests.HTTPHandler(t, testserver.New(t, db.server(photos.open(t))), ours)
		}, databases.backend, photos.backend)
	}
}

// ours is what a testserver has.
var ours = contracttests.Target{
	APIKey: testserver.APIKey, Phone: testserver.Phone, PIN: testserver.PIN,
	DisabledKey: testserver.DisabledKey, RequirePINKey: testserver.RequirePINKey, OtherPhone: testserver.OtherPhone, LockPhone: testserver.LockPhone, NoPINPhone: testserver.NoPINPhone,
	MaxPhotoBytes: testserver.MaxPhotoBytes, MaxPixels: testserver.MaxPixels,
}

func (db database) server(photos ports.PhotoStore) testserver.Backends {
	return testserver.Backends{Fleets: db.fleets, Customers: db.customers, Log: db.log, Recorder: db.recorder, Photos: photos}
}

// theirs is a server that somebody runs, for TestHTTP to try instead of ours.
var theirs = targetFlags()

func targetFlags() *contracttests.Target {
	var t contracttests.Target
	flag.StringVar(&t.BaseURL, "base-url", "", "run TestHTTP on the server at this URL, such as https://staging.example.com, and on nothing else. Where its rate limit refuses a call, the run waits for as long as Retry-After says, up to a minute")
	flag.StringVar(&t.APIKey, "api-key", "", "with -base-url: the API key of a fleet")
	flag.StringVar(&t.Phone, "phone", "", "with -base-url: the phone number, digits alone, of a customer of the fleet. The run CHANGES AND DELETES this customer's photo and doesn't bring it back")
	flag.StringVar(&t.PIN, "pin", "", "with -base-url: the PIN of that customer")
	flag.StringVar(&t.DisabledKey, "disabled-key", "", "with -base-url: the API key of a fleet that is switched off")
	flag.StringVar(&t.RequirePINKey, "require-pin-key", "", "with -base-url: the API key of a fleet that requires the PIN, which has a customer with the same phone number and PIN. The run DELETES this customer's photo")
	flag.StringVar(&t.OtherPhone, "other-phone", "", "with -base-url: the phone number of a customer of another fleet")
	flag.StringVar(&t.LockPhone, "lock-phone", "", "with -base-url: the phone number of another customer of the fleet with the same PIN. The run DELETES this customer's photo and LOCKS the PIN, for 15 minutes; until then, the next run needs another customer")
	flag.StringVar(&t.NoPINPhone, "no-pin-phone", "", "with -base-url: the phone number of a customer of the fleet who has no PIN")
	flag.IntVar(&t.MaxPhotoBytes, "max-photo-bytes", 0, "with -base-url: the server's limit for the bytes of a photo")
	flag.IntVar(&t.MaxPixels, "max-pixels", 0, "with -base-url: the server's limit for the pixels of a photo")
	flag.DurationVar(&t.Patience, "patience", 0, "with -base-url: how long the address of a photo may show what was before, such as 10s behind a CDN")
	return &t
}
