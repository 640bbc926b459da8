package locks

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var turns Turns[string]
		leave, err := turns.Take(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		if other, err := turns.Take(t.Context(), "b"); err != nil {
			t.Errorf("another key: got %v", err)
		} else {
			other()
		}
		var order []int
		for i := range 3 {
			go func() {
				leave, err := turns.Take(t.Context(), "a")
				if err != nil {
					t.Error(err)
					return
				}
				order = append(order, i)
				leave()
			}()
			synctest.Wait()
		}
		ending, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := turns.Take(ending, "a"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("whose ctx ends: got %v", err)
		}
		if len(order) > 0 || turns.Len() != 1 {
			t.Errorf("%v had the turn while it was taken, and %d queues are there", order, turns.Len())
		}
		leave()
		synctest.Wait()
		if !slices.Equal(order, []int{0, 1, 2}) || turns.Len() != 0 {
			t.Errorf("the order is %v, and %d queues are left", order, turns.Len())
		}
	})
}
