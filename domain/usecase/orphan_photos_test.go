package usecase_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/photo"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
	"github.com/fleetphoto/fleetphoto/ports"
)

// listing is a list of its own.
type listing struct {
	ports.PhotoLister
	photos []domain.StoredPhoto
	err    error
}

func (l listing) List(context.Context) iter.Seq2[domain.StoredPhoto, error] {
	return func(yield func(domain.StoredPhoto, error) bool) {
		for _, p := range l.photos {
			if !yield(p, nil) {
				return
			}
		}
		if l.err != nil {
			yield(domain.StoredPhoto{}, l.err)
		}
	}
}

func TestOrphanPhotos(t *testing.T) {
	t.Parallel()
	const grace = 24 * time.Hour
	gone, young := domain.CustomerRef{Fleet: ourFleet, Customer: 404}, domain.CustomerRef{Fleet: 77, Customer: 1}
	for _, remove := range []bool{false, true} {
		w := newWorld(t)
		for _, ref := range []domain.CustomerRef{gone, young} {
			if err := w.backend.PhotoStore.Put(t.Context(), ref.PhotoKey(), must(domain.NewPhoto(bytes.Clone(newPhoto), 16, 8))); err != nil {
				t.Fatal(err)
			}
		}
		var found []string
		orphans := usecase.OrphanPhotos{
			Customers: w.backend.CustomerRepo, Clock: w.clock.Now, Parallel: 2, Delete: remove, Grace: grace,
			Photos: listing{PhotoLister: w.backend.PhotoStore, photos: []domain.StoredPhoto{
				{Key: gone.PhotoKey(), ChangedAt: start.Add(-grace - time.Second)}, {Key: young.PhotoKey(), ChangedAt: start.Add(-grace)},
				{Key: customer.PhotoKey(), ChangedAt: start.Add(-2 * grace)},
			}},
			Found: func(f usecase.Finding) { found = append(found, fmt.Sprintf("%s %s %v", f.Key, f.Damage, f.Settled)) },
		}
		report, err := orphans.Do(t.Context())
		slices.Sort(found)
		want := usecase.OrphanReport{Photos: 3, Orphans: 2}
		if remove {
			want.Young, want.Deleted = 1, 1
		}
		lines := []string{fmt.Sprintf("%s orphan %v", gone.PhotoKey(), remove), fmt.Sprintf("%s orphan false", young.PhotoKey())}
		if err != nil || report != want || !slices.Equal(found, lines) {
			t.Errorf("delete %v: got %+v, %q, %v; want %+v, %q", remove, report, found, err, want, lines)
		}
		if w.stored(customer) != photo.Describe(oldPhoto) || w.stored(young) != photo.Describe(newPhoto) || w.stored(gone).Exists() == remove {
			t.Errorf("delete %v: left are %+v, %+v, %+v", remove, w.stored(customer), w.stored(young), w.stored(gone))
		}
	}
}

// addedMeanwhile finds a customer from the second look on.
type addedMeanwhile struct {
	ports.CustomerRepo
	looked *bool
}

func (r addedMeanwhile) FindCustomer(context.Context, domain.CustomerRef) (domain.Customer, error) {
	if *r.looked {
		return domain.Customer{}, nil
	}
	*r.looked = true
	return domain.Customer{}, domain.Errorf(domain.CustomerNotFound, "there is no customer")
}

func TestOrphanPhotosThatAreNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	orphans := usecase.OrphanPhotos{
		Customers: addedMeanwhile{w.backend.CustomerRepo, new(bool)}, Clock: func() time.Time { return time.Now().Add(time.Hour) }, Delete: true,
		Photos: w.backend.PhotoStore, Found: func(f usecase.Finding) { t.Errorf("got %+v", f) },
	}
	if report, err := orphans.Do(t.Context()); err != nil || report != (usecase.OrphanReport{Photos: 1}) || !w.stored(customer).Exists() {
		t.Errorf("got %+v, %v", report, err)
	}
}

func TestOrphanPhotosFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, orphans := range map[string]usecase.OrphanPhotos{
		"the list":      {Customers: w.backend.CustomerRepo, Photos: listing{err: down()}},
		"the customers": {Customers: stuckFind{w.backend.CustomerRepo}, Photos: w.backend.PhotoStore},
	} {
		orphans.Clock, orphans.Found = w.clock.Now, func(f usecase.Finding) { t.Errorf("%s: got %+v", name, f) }
		if report, err := orphans.Do(t.Context()); !errors.Is(err, domain.Unavailable) || report.Orphans != 0 {
			t.Errorf("%s: got %+v, %v", name, report, err)
		}
	}
}

type stuckFind struct{ ports.CustomerRepo }

func (stuckFind) FindCustomer(context.Context, domain.CustomerRef) (domain.Customer, error) {
	return domain.Customer{}, down()
}

// TestOrphanPhotosOfAnEmptyDatabase: it is somebody else's.
func TestOrphanPhotosOfAnEmptyDatabase(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, empty := newProvision(nil)
	orphans := usecase.OrphanPhotos{
		Customers: empty.CustomerRepo, Photos: w.backend.PhotoStore, Clock: func() time.Time { return time.Now().Add(time.Hour) },
		Delete: true, Found: func(usecase.Finding) {},
	}
	if report, err := orphans.Do(t.Context()); !errors.Is(err, domain.Conflict) || report != (usecase.OrphanReport{}) || !w.stored(customer).Exists() {
		t.Errorf("got %+v, %v", report, err)
	}
}
