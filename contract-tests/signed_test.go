package contracttests_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/fleetphoto/fleetphoto/contract-tests/servers"
)

// TestSignedAddresses: a signed address opens, to the HTTP suite too, and doesn't
// once its time is up; nor does this server's own without its signature.
// Of the clouds it is on S3 because the server for Google Cloud Storage doesn't
// look at the time, nor that for Azure where anyone may read the container.
func TestSignedAddresses(t *testing.T) {
	t.Parallel()
	for scheme, test := range map[string]struct {
		open    func(t testing.TB) string
		refusal int
	}{
		"s3":   {servers.S3, http.StatusForbidden},
		"file": {func(testing.TB) string { return "file://photos" }, http.StatusNotFound},
		"mem":  {func(testing.TB) string { return "mem://" }, http.StatusNotFound},
	} {
		t.Run(scheme, func(t *testing.T) {
			t.Parallel()
			checkSigned(t, newProduct(t, "FLEETPHOTO_PHOTO_URL=signed", "FLEETPHOTO_PHOTO_STORE_URL="+test.open(t)), test.refusal)
		})
	}
}

func checkSigned(t *testing.T, p product, refusal int) {
	t.Helper()
	form := p.addCustomer(t)
	signed := func(lifetime string) string {
		a, err := p.with("FLEETPHOTO_PHOTO_URL_LIFETIME="+lifetime).serve(t).change(form, photoOf(t, 100))
		if err != nil || a.Result != "valid" || !strings.Contains(a.URL, "?") {
			t.Fatalf("got %+v, %v", a, err)
		}
		return a.URL
	}
	address := signed("1h")
	if status, _ := fetch(t, address); status != http.StatusOK {
		t.Errorf("a signed address: got %d", status)
	}
	unsigned, _, _ := strings.Cut(address, "?")
	if strings.Contains(unsigned, "/photos/fleet-") { // of the bucket anyone may read
		if status, _ := fetch(t, unsigned); status != refusal {
			t.Errorf("the address without its signature: got %d, want %d", status, refusal)
		}
	}
	flags := map[string]string{"-base-url": p.serve(t).api, "-api-key": form.Get("api_key"), "-phone": phone, "-pin": "1234"}
	if failed, _, out := suite(t, flags); failed != nil || !strings.HasSuffix(out, "PASS\n") {
		t.Errorf("the HTTP suite with signed addresses: %v fails\n%s", failed, out)
	}
	short := signed("1s")
	eventually(t, "the address has expired", func() bool {
		status, _ := fetch(t, short)
		return status == refusal
	})
}
