package operator

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
	"github.com/fleetphoto/fleetphoto/ports"
)

const (
	// walkPage is how many customers are read at once.
	walkPage = 500
	// walkFailures is after how many failures a walk gives up, as a backend is
	// probably down.
	walkFailures = 20
)

// probes is the greatest customer that a Doctor may add; real ones come after it.
var probes = domain.CustomerRef{Customer: math.MaxInt64}

// Progress is how far a walk over all customers has come.
type Progress struct {
	Customers int                // done
	After     domain.CustomerRef // all customers up to this one are done, so another walk may begin after it; zero: none
}

// walk calls look for every customer, several at once, page by page.
type walk struct {
	customers ports.CustomerDirectory
	parallel  int
	look      func(context.Context, domain.Customer) error
	passed    func(Progress) // called after each page
}

// from begins after the given customer. It goes on after up to walkFailures
// failures and returns how many there were, with the first error. When ctx ends,
// it finishes the customers in hand and returns the error of ctx.
func (w *walk) from(ctx context.Context, after domain.CustomerRef) (Progress, error) {
	progress, failed := Progress{After: after}, failures{}
	if after.Compare(probes) < 0 {
		after = probes
	}
	for {
		page, err := w.page(ctx, after)
		if err != nil || len(page) == 0 {
			return progress, errors.Join(failed.summary(), err)
		}
		progress.Customers += w.lookAt(ctx, page, &failed)
		if err := ctx.Err(); err != nil || failed.tooMany() {
			return progress, errors.Join(failed.summary(), err)
		}
		after = page[len(page)-1].Ref
		if failed.number == 0 {
			progress.After = after
		}
		w.passed(progress)
	}
}

func (w *walk) page(ctx context.Context, after domain.CustomerRef) ([]domain.StoredCustomer, error) {
	ctx, cancel := context.WithTimeout(ctx, usecase.CallTimeout)
	defer cancel()
	return w.customers.Customers(ctx, after, walkPage)
}

// lookAt returns how many customers of the page it called look for.
func (w *walk) lookAt(ctx context.Context, page []domain.StoredCustomer, failed *failures) (looked int) {
	next := make(chan domain.Customer)
	var workers sync.WaitGroup
	for range min(max(w.parallel, 1), len(page)) {
		workers.Go(func() {
			for customer := range next {
				failed.add(customer.Ref, w.once(ctx, customer))
			}
		})
	}
	for _, customer := range page {
		if ctx.Err() != nil || failed.tooMany() {
			break
		}
		next <- customer.Customer
		looked++
	}
	close(next)
	workers.Wait()
	return looked
}

// once isn't cancelled when ctx ends: a cloud may carry out a cancelled request later.
func (w *walk) once(ctx context.Context, customer domain.Customer) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), usecase.CallTimeout)
	defer cancel()
	return w.look(ctx, customer)
}

// failures counts the customers that failed.
type failures struct {
	mu     sync.Mutex
	number int
	first  error
}

func (f *failures) add(ref domain.CustomerRef, err error) {
	if err == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.number == 0 {
		f.first = fmt.Errorf("customer %d of fleet %d: %w", ref.Customer, ref.Fleet, err)
	}
	f.number++
}

func (f *failures) tooMany() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.number >= walkFailures
}

// summary returns how many failed, with the first error, as most fail alike.
func (f *failures) summary() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.number == 0 {
		return nil
	}
	text := "%d customers failed, and the others were done; the first was %w"
	if f.number >= walkFailures {
		text = "%d customers failed, and the others were not tried; the first was %w"
	}
	return fmt.Errorf(text, f.number, f.first)
}
