package operator

import (
	"context"
	"errors"
	"reflect"

	"github.com/fleetphoto/fleetphoto/domain"
)

// merge goes through two sides at once, both in the same order, and saves what one
// has and the other hasn't, or has in another form. It reads ahead.
type merge[T any] struct {
	from, to   func(ctx context.Context, last *T) ([]T, error) // the page after last; nil: the first
	compare    func(a, b T) int
	seen       func(T)                        // is told each of from; may be nil
	mayReplace func(from, to T) (bool, error) // may be nil
	save       func(context.Context, []T) error
	gone       func(context.Context, []T) error // a run of neighbours in to that from lacks
	passed     func(looked int)                 // after each page of from
	deletes    bool                             // what is gone is removed
}

func (m merge[T]) do(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	from, to := ahead(ctx, m.from), ahead(ctx, m.to)
	if from.head() == nil && from.err == nil && to.head() != nil && m.deletes {
		return domain.Errorf(domain.Conflict, "the database to copy from has none, and all that the other one has would be removed; are the two mixed up?")
	}
	missing, gone := batch[T]{do: m.save}, batch[T]{do: m.gone}
	for looked := 0; ; {
		a, b := from.head(), to.head()
		err := errors.Join(from.err, to.err, ctx.Err())
		order := m.order(a, b)
		switch {
		case err != nil:
		case a == nil && b == nil:
			m.passed(looked)
			return errors.Join(missing.flush(ctx), gone.flush(ctx))
		case order > 0:
			err = gone.add(ctx, *b)
			to.next()
		case order < 0:
			err = errors.Join(gone.flush(ctx), m.look(ctx, *a, nil, &missing))
		default:
			err = errors.Join(gone.flush(ctx), m.look(ctx, *a, b, &missing))
			to.next()
		}
		if err != nil {
			return err
		}
		if order <= 0 {
			from.next()
			if looked++; looked%copyPage == 0 {
				m.passed(looked)
			}
		}
	}
}

// order is below 0 where a comes next, above 0 where b does, and 0 where both do; nil
// is behind the end.
func (m merge[T]) order(a, b *T) int {
	switch {
	case a == nil:
		return 1
	case b == nil:
		return -1
	}
	return m.compare(*a, *b)
}

// look adds a to missing if it isn't the same as b, its counterpart; nil: there is none.
func (m merge[T]) look(ctx context.Context, a T, b *T, missing *batch[T]) error {
	if m.seen != nil {
		m.seen(a)
	}
	if b != nil {
		if reflect.DeepEqual(a, *b) {
			return nil
		}
		if m.mayReplace != nil {
			if may, err := m.mayReplace(a, *b); err != nil || !may {
				return err
			}
		}
	}
	return missing.add(ctx, a)
}

// batch collects what is done a page at a time.
type batch[T any] struct {
	all []T
	do  func(context.Context, []T) error
}

func (b *batch[T]) add(ctx context.Context, one T) error {
	b.all = append(b.all, one)
	if len(b.all) < copyPage {
		return nil
	}
	return b.flush(ctx)
}

func (b *batch[T]) flush(ctx context.Context) error {
	if len(b.all) == 0 {
		return nil
	}
	all := b.all
	b.all = nil
	return b.do(ctx, all)
}

// side is a sequence that is read one page ahead.
type side[T any] struct {
	pages <-chan page[T]
	rest  []T
	ended bool
	err   error
}

type page[T any] struct {
	all []T
	err error
}

// ahead reads until ctx ends.
func ahead[T any](ctx context.Context, read func(context.Context, *T) ([]T, error)) *side[T] {
	pages := make(chan page[T], 1)
	go func() {
		defer close(pages)
		for last := (*T)(nil); ; {
			all, err := read(ctx, last)
			select {
			case pages <- page[T]{all, err}:
			case <-ctx.Done():
				return
			}
			if err != nil || len(all) == 0 {
				return
			}
			last = &all[len(all)-1]
		}
	}()
	return &side[T]{pages: pages}
}

// head is nil at the end and after a failure.
func (s *side[T]) head() *T {
	if len(s.rest) == 0 && !s.ended {
		page := <-s.pages
		s.rest, s.err = page.all, page.err
		s.ended = len(page.all) == 0
	}
	if len(s.rest) == 0 {
		return nil
	}
	return &s.rest[0]
}

func (s *side[T]) next() { s.rest = s.rest[1:] }
