package clause

import (
	"cmp"
	"context"
	"sync"

	"github.com/fleetphoto/fleetphoto/domain"
)

// Crowd is how many goroutines do something at once.
const Crowd = 16

// Together makes n calls at once. Its errors are in the order of the calls.
func Together(n int, call func(i int) error) []error {
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

// AtOnce makes n calls at once, none of which may fail, and returns the first failure.
func AtOnce[P any](n int, call func(ctx context.Context, port P, i int) error) Check[P] {
	return func(ctx context.Context, port P) error {
		return cmp.Or(Together(n, func(i int) error { return call(ctx, port, i) })...)
	}
}

// OneWins makes a Crowd of calls at once, of which one must succeed and the
// others fail with Conflict. It returns the index of the one.
func OneWins(what string, call func(i int) error) (winner int, err error) {
	winners := 0
	for i, err := range Together(Crowd, call) {
		if err == nil {
			winner = i
			winners++
			continue
		}
		if err := FailsWith(domain.Conflict, what+", of which another is made at once", err); err != nil {
			return 0, err
		}
	}
	return winner, Yields("how many succeed of many at once: "+what, winners, nil, 1)
}
