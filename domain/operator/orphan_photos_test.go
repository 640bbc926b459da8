package operator_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/adapters/memory"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/internal/usecasetest"
	"github.com/fleetphoto/fleetphoto/domain/operator"
	"github.com/fleetphoto/fleetphoto/domain/photo"
	"github.com/fleetphoto/fleetphoto/ports"
)

// listing is a list of its own.
type listing struct {
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
			if _, err := w.Backend.PhotoStore.Put(t.Context(), ref.PhotoKey(), usecasetest.Must(domain.NewPhoto(bytes.Clone(newPhoto), 16, 8)), domain.NoPhoto); err != nil {
				t.Fatal(err)
			}
		}
		var found []string
		orphans := operator.OrphanPhotos{
			Customers: w.Backend.CustomerRepo, Clock: w.Clock.Now, Parallel: 2, Delete: remove, Grace: grace,
			Photos: w.Backend.PhotoStore, Lister: listing{photos: []domain.StoredPhoto{
				{Key: gone.PhotoKey(), ChangedAt: start.Add(-grace - time.Second)}, {Key: young.PhotoKey(), ChangedAt: start.Add(-grace)},
				{Key: customer.PhotoKey(), ChangedAt: start.Add(-2 * grace)},
			}},
			Found: func(f operator.Finding) { found = append(found, fmt.Sprintf("%s %s %v", f.Key, f.Damage, f.Settled)) },
		}
		report, err := orphans.Do(t.Context())
		slices.Sort(found)
		want := operator.OrphanReport{Photos: 3, Orphans: 2}
		if remove {
			want.Young, want.Deleted = 1, 1
		}
		lines := []string{fmt.Sprintf("%s orphan %v", gone.PhotoKey(), remove), fmt.Sprintf("%s orphan false", young.PhotoKey())}
		if err != nil || report != want || !slices.Equal(found, lines) {
			t.Errorf("delete %v: got %+v, %q, %v; want %+v, %q", remove, report, found, err, want, lines)
		}
		if w.Stored(customer) != photo.Describe(oldPhoto) || w.Stored(young) != photo.Describe(newPhoto) || w.Stored(gone).Exists() == remove {
			t.Errorf("delete %v: left are %+v, %+v, %+v", remove, w.Stored(customer), w.Stored(young), w.Stored(gone))
		}
	}
}

// addedMeanwhile finds a customer from the second look on.
type addedMeanwhile struct {
	ports.CustomerDirectory
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
	orphans := operator.OrphanPhotos{
		Customers: addedMeanwhile{w.Backend.CustomerRepo, new(bool)}, Clock: func() time.Time { return time.Now().Add(time.Hour) }, Delete: true,
		Lister: w.Backend.PhotoStore, Photos: w.Backend.PhotoStore, Found: func(f operator.Finding) { t.Errorf("got %+v", f) },
	}
	if report, err := orphans.Do(t.Context()); err != nil || report != (operator.OrphanReport{Photos: 1}) || !w.Stored(customer).Exists() {
		t.Errorf("got %+v, %v", report, err)
	}
}

func TestOrphanPhotosFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, orphans := range map[string]operator.OrphanPhotos{
		"the list":      {Customers: w.Backend.CustomerRepo, Lister: listing{err: down()}},
		"the customers": {Customers: stuckFind{w.Backend.CustomerRepo}, Lister: w.Backend.PhotoStore},
	} {
		orphans.Clock, orphans.Found = w.Clock.Now, func(f operator.Finding) { t.Errorf("%s: got %+v", name, f) }
		if report, err := orphans.Do(t.Context()); !errors.Is(err, domain.Unavailable) || report.Orphans != 0 {
			t.Errorf("%s: got %+v, %v", name, report, err)
		}
	}
}

type stuckFind struct{ ports.CustomerDirectory }

func (stuckFind) FindCustomer(context.Context, domain.CustomerRef) (domain.Customer, error) {
	return domain.Customer{}, down()
}

// TestOrphanPhotosOfAnEmptyDatabase: it is somebody else's.
func TestOrphanPhotosOfAnEmptyDatabase(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	orphans := operator.OrphanPhotos{
		Customers: memory.New().CustomerRepo, Lister: w.Backend.PhotoStore, Clock: func() time.Time { return time.Now().Add(time.Hour) },
		Delete: true, Found: func(operator.Finding) {},
	}
	if report, err := orphans.Do(t.Context()); !errors.Is(err, domain.Conflict) || report != (operator.OrphanReport{}) || !w.Stored(customer).Exists() {
		t.Errorf("got %+v, %v", report, err)
	}
}
