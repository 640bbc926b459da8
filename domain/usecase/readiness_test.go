package usecase_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fleetphoto/fleetphoto/adapters/memory"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
	"github.com/fleetphoto/fleetphoto/ports"
)

// The backends that are down, by what readiness asks of them.
type (
	downAuth  struct{ ports.FleetAuth }
	downRepo  struct{ ports.CustomerRepo }
	readOnly  struct{ ports.CustomerRepo }
	downStore struct{ ports.PhotoStore }
	keepsAll  struct{ ports.PhotoStore }
	downLog   struct{ ports.ApiLog }
)

func (downAuth) Authenticate(context.Context, domain.APIKeyHash) (domain.Caller, error) {
	return domain.Caller{}, down()
}

func (downRepo) FindByPhone(context.Context, domain.FleetID, domain.PhoneNumber) (domain.Customer, error) {
	return domain.Customer{}, down()
}

func (downRepo) TryPIN(context.Context, domain.CustomerRef, domain.OfferedPIN) error { return down() }

func (readOnly) TryPIN(context.Context, domain.CustomerRef, domain.OfferedPIN) error { return down() }

func (keepsAll) Delete(context.Context, domain.PhotoKey, domain.PhotoVersion) error { return down() }

func (downStore) Delete(context.Context, domain.PhotoKey, domain.PhotoVersion) error { return down() }

func (downStore) Open(context.Context, domain.PhotoKey) (io.ReadSeekCloser, domain.PhotoVersion, error) {
	return nil, "", down()
}

func (downLog) Unfinished(context.Context, time.Duration, domain.ApiLogID, int) ([]domain.ApiLogEntry, error) {
	return nil, down()
}

// brokenStore finds a photo where there is none, and can't close it.
type brokenStore struct{ ports.PhotoStore }

func (brokenStore) Open(context.Context, domain.PhotoKey) (io.ReadSeekCloser, domain.PhotoVersion, error) {
	return unclosable{}, "1", nil
}

type unclosable struct{ io.ReadSeeker }

func (unclosable) Close() error { return down() }

func TestReadiness(t *testing.T) {
	t.Parallel()
	names := []string{"fleet auth: ", "customer repo: ", "customer repo, writing: ", "photo store: ", "photo store, deleting: ", "API log: "}
	for _, test := range []struct {
		name  string
		spoil func(*usecase.Readiness)
		named []string
	}{
		{"all is fine", func(*usecase.Readiness) {}, nil},
		{"fleets", func(r *usecase.Readiness) { r.Fleets = downAuth{} }, names[:1]},
		{"customers", func(r *usecase.Readiness) { r.Customers = downRepo{} }, names[1:3]},
		{"customers can only be read", func(r *usecase.Readiness) { r.Customers = readOnly{r.Customers} }, names[2:3]},
		{"customers can only be read, and nobody writes", func(r *usecase.Readiness) { r.Customers, r.ReadOnly = readOnly{r.Customers}, true }, nil},
		{"customers are away, and nobody writes", func(r *usecase.Readiness) { r.Customers, r.ReadOnly = downRepo{}, true }, names[1:2]},
		{"photos", func(r *usecase.Readiness) { r.Photos = downStore{} }, names[3:5]},
		{"a photo that can't be closed", func(r *usecase.Readiness) { r.Photos = brokenStore{r.Photos} }, names[3:4]},
		{"photos can't be deleted", func(r *usecase.Readiness) { r.Photos = keepsAll{r.Photos} }, names[4:5]},
		{"log", func(r *usecase.Readiness) { r.Log = downLog{} }, names[5:]},
		{"all", func(r *usecase.Readiness) {
			*r = usecase.Readiness{Fleets: downAuth{}, Customers: downRepo{}, Photos: downStore{}, Log: downLog{}}
		}, names},
	} {
		backend := memory.New()
		readiness := usecase.Readiness{Fleets: backend.FleetAuth, Customers: backend.CustomerRepo, Photos: backend.PhotoStore, Log: backend.ApiLog}
		test.spoil(&readiness)
		err := readiness.Check(t.Context())
		if (err == nil) != (test.named == nil) || err != nil && !errors.Is(err, domain.Unavailable) {
			t.Errorf("%s: got %v", test.name, err)
			continue
		}
		var text string
		if err != nil {
			text = err.Error()
		}
		var named []string
		for _, name := range names {
			if strings.Contains(text, name) {
				named = append(named, name)
			}
		}
		if strings.Join(named, "") != strings.Join(test.named, "") {
			t.Errorf("%s: the error names %q, want %q: %v", test.name, named, test.named, err)
		}
	}
}

// hungStore answers when ctx ends, and has a bug.
type hungStore struct{ ports.PhotoStore }

func (hungStore) Open(ctx context.Context, _ domain.PhotoKey) (io.ReadSeekCloser, domain.PhotoVersion, error) {
	<-ctx.Done()
	return nil, "", domain.Errorf(domain.Unavailable, "too slow")
}

func (hungStore) Delete(context.Context, domain.PhotoKey, domain.PhotoVersion) error { panic("a bug") }

// TestReadinessOfAHungStore: neither what hangs nor what panics is taken for
// another backend's failure.
func TestReadinessOfAHungStore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		backend := memory.New()
		readiness := usecase.Readiness{Fleets: backend.FleetAuth, Customers: backend.CustomerRepo, Photos: hungStore{}, Log: backend.ApiLog}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		want := "panic: a bug\nphoto store: Service Unavailable: too slow"
		err := readiness.Check(ctx)
		lines := strings.Split(fmt.Sprint(err), "\n")
		slices.Sort(lines)
		if got := strings.Join(lines, "\n"); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}
