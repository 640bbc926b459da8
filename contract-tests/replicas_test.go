package contracttests_test

import (
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/fleetphoto/fleetphoto/adapters/gocloud"
	"github.com/fleetphoto/fleetphoto/adapters/postgres"
	"github.com/fleetphoto/fleetphoto/contract-tests/servers"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// TestTenProcessesStartAtOnce starts them on a database without tables.
func TestTenProcessesStartAtOnce(t *testing.T) {
	t.Parallel()
	p := newProduct(t, "FLEETPHOTO_DATABASE_URL="+servers.Postgres(t), "FLEETPHOTO_PHOTO_STORE_URL="+servers.S3(t))
	var all []*process
	for range 10 {
		all = append(all, p.start(t))
	}
	for _, s := range all {
		s.listens(t)
	}
	form := p.addCustomer(t)
	for i, s := range all {
		a, err := s.change(form, photoOf(t, 10+i))
		if err != nil || a.Result != "valid" || a.ApiLogID == 0 {
			t.Errorf("process %d: got %+v, %v", i, a, err)
		}
		if status := s.ready(t); status != http.StatusOK {
			t.Errorf("process %d is not ready: %d", i, status)
		}
	}
}

// TestTwoReplicasAgree has both change one customer's photo, by many calls at
// once: in the end the record says what the store holds. The store answers
// sooner or later, so that without a lock the records come in another order.
func TestTwoReplicasAgree(t *testing.T) {
	t.Parallel()
	proxy, storeURL := proxiedS3(t)
	_, err := proxy.Toxics.AddToxicJson(strings.NewReader(`{"type":"latency","attributes":{"latency":10,"jitter":10}}`))
	must(t, err)
	databaseURL := servers.Postgres(t)
	p := newProduct(t, "FLEETPHOTO_DATABASE_URL="+databaseURL, "FLEETPHOTO_PHOTO_STORE_URL="+storeURL)
	replicas := []*process{p.serve(t), p.serve(t)}
	form := p.addCustomer(t)
	kept := openKept(t, databaseURL, storeURL)
	photos := []string{photoOf(t, 100), photoOf(t, 101), "delete", photoOf(t, 102), photoOf(t, 103), "delete", photoOf(t, 104)}
	ids := map[int64]bool{}
	for _, calls := range append([]int{100}, slices.Repeat([]int{2}, 20)...) {
		answers, errs := make([]answer, calls), make([]error, calls)
		var callers sync.WaitGroup
		for i := range calls {
			photo := photos[(len(ids)+i)%len(photos)]
			callers.Go(func() { answers[i], errs[i] = replicas[i%2].changePatiently(form, photo) })
		}
		callers.Wait()
		for i, a := range answers {
			if errs[i] != nil || a.Result != "valid" || ids[a.ApiLogID] {
				t.Fatalf("got %+v, %v, want a valid answer with an api_log_id of its own", a, errs[i])
			}
			ids[a.ApiLogID] = true
		}
		kept.agree(t)
	}
}

// kept is what the product keeps.
type kept struct {
	customers ports.CustomerRepo
	photos    ports.PhotoStore
}

func openKept(t *testing.T, databaseURL, storeURL string) kept {
	t.Helper()
	db, err := postgres.Open(databaseURL)
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	must(t, db.Start(t.Context()))
	store, err := gocloud.Open(storeURL)
	must(t, err)
	t.Cleanup(func() { must(t, store.Close()) })
	must(t, store.Start(t.Context()))
	return kept{db.CustomerRepo(), store}
}

// agree fails unless the customer's record says what the store holds.
func (k kept) agree(t *testing.T) {
	t.Helper()
	number, err := domain.ParsePhoneNumber(phone)
	must(t, err)
	customer, err := k.customers.FindByPhone(t.Context(), 689, number)
	must(t, err)
	var stored [sha256.Size]byte // zero: there is none
	content, _, err := k.photos.Open(t.Context(), customer.Ref.PhotoKey())
	if !errors.Is(err, domain.NotFound) {
		must(t, err)
		defer func() { _ = content.Close() }()
		jpeg, err := io.ReadAll(content)
		must(t, err)
		stored = sha256.Sum256(jpeg)
	}
	if recorded := customer.Photo.Info.SHA256; recorded != stored {
		t.Errorf("the record says %x; what is stored is %x", recorded, stored)
	}
}
