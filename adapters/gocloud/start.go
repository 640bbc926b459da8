package gocloud

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
)

// Other versions of this program read the marker too: don't change its name or
// text.
const (
	markerName = "fleetphoto-store.txt"
	markerText = "fleetphoto reads this file to tell a photo that is missing from a bucket that is: leave it here.\n"
)

// Start checks that objects can be written, read and deleted, and finds out
// whether the store honours conditional requests. A request that gets no answer
// doesn't hold it up: every second it starts over, and the first attempt that
// ends counts. Its error is a sentence for the operator. It is domain.Unavailable
// if the same Start may succeed later, for instance because the server doesn't
// answer.
func (s *PhotoStore) Start(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	if s.connection == nil {
		connection, err := s.connect(ctx)
		if err != nil {
			return s.explain("", err)
		}
		s.connection = connection
	}
	type attempt struct {
		found
		err error
	}
	ended := make(chan attempt)
	for {
		one := *s // each finds out for itself
		go func() {
			err := one.explore(context.WithoutCancel(ctx))
			select {
			case ended <- attempt{one.found, err}:
			case <-ctx.Done():
			}
		}()
		select {
		case first := <-ended:
			s.found = first.found
			return first.err
		case <-ctx.Done():
			return s.explain("", ctx.Err())
		case <-time.After(s.timeout / 20): // a second
		}
	}
}

// explore is one attempt of Start. It goes on when another one has ended, so that
// it leaves no probe.
func (s *PhotoStore) explore(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	if _, err := s.write(ctx, markerName, []byte(markerText), "text/plain", domain.Unversioned); err != nil {
		return err
	}
	if err := s.readMarker(ctx); err != nil {
		return err
	}
	probe := "fleetphoto-probe-" + rand.Text() + ".txt" // unique: other processes may start at the same time
	_, _, err := s.download(ctx, probe)                 // it doesn't exist yet
	status, _ := answer(err)
	s.hides = status == http.StatusForbidden
	return s.try(ctx, probe)
}

// try finds out whether the store makes changes over the current version and
// refuses those over another one. It uses the object probe and deletes it.
func (s *PhotoStore) try(ctx context.Context, probe string) error {
	var first, second domain.PhotoVersion
	write := func(text string, over domain.PhotoVersion) (domain.PhotoVersion, error) {
		return s.write(ctx, probe, []byte(text), "text/plain", over)
	}
	fences, err := trials{
		{nil, func() (err error) { first, err = write("first", domain.NoPhoto); return err }},
		{errConflict, func() error { _, err := write("second", domain.NoPhoto); return err }},
		{nil, func() (err error) { second, err = write("second", first); return err }},
		{errConflict, func() error { _, err := write("first", first); return err }},
	}.pass()
	fencesDeletes := false
	if err == nil && fences {
		fencesDeletes, err = trials{
			{errConflict, func() error { return s.remove(ctx, probe, first) }},
			{nil, func() error { return s.remove(ctx, probe, second) }},
		}.pass()
	}
	if err == nil && !fencesDeletes {
		err = s.remove(ctx, probe, domain.Unversioned)
	}
	if err != nil && !errors.Is(err, errMissing) {
		return err
	}
	s.fences, s.fencesDeletes = fences, fencesDeletes
	return nil
}

// trials are changes, each with the error that a store returns if it honours
// conditions.
type trials []struct {
	want   error
	change func() error
}

// pass reports whether every trial ends as wanted. It stops at the first that
// doesn't. A store that doesn't understand a condition doesn't pass; that is no
// error.
func (t trials) pass() (bool, error) {
	for _, trial := range t {
		err := trial.change()
		var change changeError
		understood := !errors.As(err, &change) || change.status != http.StatusBadRequest && change.status != http.StatusNotImplemented
		switch {
		case errors.Is(err, trial.want):
		case err == nil, errors.Is(err, errConflict), errors.Is(err, errMissing), !understood:
			return false, nil
		default:
			return false, err
		}
	}
	return true, nil
}

// Close releases the connection. Open photos stay readable.
func (s *PhotoStore) Close() error {
	if s.connection == nil {
		return nil
	}
	return s.connection.Close()
}
