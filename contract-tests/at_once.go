package contracttests

import (
	"cmp"
	"context"
	"sync"

	"github.com/fleetphoto/fleetphoto/domain"
)

// crowd is how many goroutines do something at once.
const crowd = 16

// together makes n calls at once. Its errors are in the order of the calls.
func together(n int, call func(i int) error) []error {
	errs := make([]error, n)
	start := make(chan struct{})
	var calls sync.WaitGroup
	for i := range n {
		calls.Go(func() {
			<-start
			errs[i] = call(i)
		})
	}
	close(start)
	calls.Wait()
	return errs
}

// atOnce makes n calls at once, none of which may fail, and returns the first failure.
func atOnce[P any](n int, call func(ctx context.Context, port P, i int) error) check[P] {
	return func(ctx context.Context, port P) error {
		return cmp.Or(together(n, func(i int) error { return call(ctx, port, i) })...)
	}
}

// oneWins makes a crowd of calls at once, of which one must succeed and the
// others fail with Conflict. It returns the index of the one.
func oneWins(what string, call func(i int) error) (winner int, err error) {
	winners := 0
	for i, err := range together(crowd, call) {
		if err == nil {
			winner = i
			winners++
			continue
		}
		if err := failsWith(domain.Conflict, what+", of which another is made at once", err); err != nil {
			return 0, err
		}
	}
	return winner, yields("how many succeed of many at once: "+what, winners, nil, 1)
}
