package usecase_test

import (
	"context"
	"errors"
	"testing"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
)

func put(*usecase.Request)                { /* what world.request asks */ }
func remove(request *usecase.Request)     { request.Delete, request.Photo = true, nil }
func guessWrong(request *usecase.Request) { request.PIN = wrongPIN }

// Whatever fails at whichever step: what the caller is told, what is left, and
// what Repair makes of it.
func TestFailureAtEachStep(t *testing.T) {
	t.Parallel()
	const unavailable, internal = "Service Unavailable, 2", "Internal Error, 2"
	untouched := func(log string) state { return stateOf("old", "old by 1", log) }
	refused, bug := untouched("error Service Unavailable"), untouched("error Internal Error")
	open, interrupted := untouched("open"), untouched("interrupted")
	putOnly, putCorrected := stateOf("new", "old by 1", "open"), stateOf("new", "new by 0", "interrupted")
	putDone := func(log string) state { return stateOf("new", "new by 2", log) }
	removedOnly, removedCorrected := stateOf("none", "old by 1", "open"), stateOf("none", "none by 0", "interrupted")
	removed := func(log string) state { return stateOf("none", "none by 2", log) }

	for _, test := range []struct {
		step, what string
		call       func(*usecase.Request)
		told       string
		left       state
		repaired   state
	}{
		{"Authenticate", fails, put, unavailable, refused, refused},
		{"Authenticate, done", fails, put, unavailable, refused, refused},
		{"FindByPhone", fails, put, unavailable, refused, refused},
		{"FindByPhone, done", fails, put, unavailable, refused, refused},
		{"TryPIN", fails, put, unavailable, refused, refused},
		{"TryPIN, done", fails, put, unavailable, refused, refused},
		{"URL", fails, put, unavailable, refused, refused},
		{"URL, done", fails, put, unavailable, refused, refused},
		{"Open entry", fails, put, "Service Unavailable, 0", untouched(""), untouched("")},
		{"Open entry, done", fails, put, "Service Unavailable, 0", open, interrupted},
		{"ChangePhoto", fails, put, unavailable, refused, refused},
		{"Put", fails, put, unavailable, open, interrupted},
		{"Put, done", fails, put, unavailable, putOnly, putCorrected},
		{"store record", fails, put, unavailable, putOnly, putCorrected},
		{"ChangePhoto, done", fails, put, unavailable, putDone("open"), putDone("valid")},
		{"Close entry", fails, put, "valid, 2", putDone("open"), putDone("valid")},
		{"Close entry, done", fails, put, "valid, 2", putDone("valid"), putDone("valid")},
		{"Record entry", fails, guessWrong, "Invalid PIN, 0", untouched(""), untouched("")},
		{"Record entry, done", fails, guessWrong, "Invalid PIN, 0", untouched("error Invalid PIN"), untouched("error Invalid PIN")},

		{"Open entry", fails, remove, "Service Unavailable, 0", untouched(""), untouched("")},
		{"ChangePhoto", fails, remove, unavailable, refused, refused},
		{"Delete", fails, remove, unavailable, open, interrupted},
		{"Delete, done", fails, remove, unavailable, removedOnly, removedCorrected},
		{"store record", fails, remove, unavailable, removedOnly, removedCorrected},
		{"ChangePhoto, done", fails, remove, unavailable, removed("open"), removed("valid")},
		{"Close entry", fails, remove, "valid, 2", removed("open"), removed("valid")},

		{"Authenticate", breaks, put, internal, bug, bug},
		{"FindByPhone", breaks, put, internal, bug, bug},
		{"TryPIN", breaks, put, internal, bug, bug},
		{"URL", breaks, put, internal, bug, bug},
		{"Open entry", breaks, put, "Internal Error, 0", untouched(""), untouched("")},
		{"ChangePhoto", breaks, put, internal, bug, bug},
		{"Put", breaks, put, unavailable, open, interrupted},
		{"Put, done", breaks, put, unavailable, putOnly, putCorrected},
		{"Delete, done", breaks, remove, unavailable, removedOnly, removedCorrected},
		{"ChangePhoto, done", breaks, put, unavailable, putDone("open"), putDone("valid")},
		{"Close entry", breaks, put, "valid, 2", putDone("open"), putDone("valid")},
		{"Record entry", breaks, guessWrong, "Invalid PIN, 0", untouched(""), untouched("")},
		{"Record entry", panics, guessWrong, "Invalid PIN, 0", untouched(""), untouched("")},
		{"Record entry, done", panics, guessWrong, "Invalid PIN, 0", untouched("error Invalid PIN"), untouched("error Invalid PIN")},

		{"Authenticate", panics, put, internal, bug, bug},
		{"FindByPhone", panics, put, internal, bug, bug},
		{"TryPIN", panics, put, internal, bug, bug},
		{"URL", panics, put, internal, bug, bug},
		{"URL, done", panics, put, internal, bug, bug},
		{"Open entry", panics, put, "Internal Error, 0", untouched(""), untouched("")},
		{"Open entry, done", panics, put, "Internal Error, 0", open, interrupted},
		{"ChangePhoto", panics, put, internal, open, interrupted},
		{"Put", panics, put, internal, open, interrupted},
		{"Put, done", panics, put, internal, putOnly, putCorrected},
		{"Delete", panics, remove, internal, open, interrupted},
		{"Delete, done", panics, remove, internal, removedOnly, removedCorrected},
		{"store record", panics, put, internal, putOnly, putCorrected},
		{"ChangePhoto, done", panics, put, internal, putDone("open"), putDone("valid")},
		{"Close entry", panics, put, internal, putDone("open"), putDone("valid")},
		{"Close entry, done", panics, put, internal, putDone("valid"), putDone("valid")},

		{"Authenticate", leaves, put, unavailable, refused, refused},
		{"FindByPhone", leaves, put, unavailable, refused, refused},
		{"TryPIN", leaves, put, unavailable, refused, refused},
		{"Record entry", leaves, guessWrong, "Invalid PIN, 2", untouched("error Invalid PIN"), untouched("error Invalid PIN")},
		{"Open entry", leaves, put, "valid, 2", putDone("valid"), putDone("valid")},
		{"ChangePhoto", leaves, put, "valid, 2", putDone("valid"), putDone("valid")},
		{"Put", leaves, put, "valid, 2", putDone("valid"), putDone("valid")},
		{"Put, done", leaves, put, "valid, 2", putDone("valid"), putDone("valid")},
		{"Delete", leaves, remove, "valid, 2", removed("valid"), removed("valid")},
		{"store record", leaves, put, "valid, 2", putDone("valid"), putDone("valid")},
		{"Close entry", leaves, put, "valid, 2", putDone("valid"), putDone("valid")},
	} {
		t.Run(test.step+" "+test.what, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			w.Steps.Reset(map[string]func() error{test.step: acting(test.what, cancel)})
			request := w.Request()
			test.call(&request)
			answer, err := w.Update.Do(ctx, request)
			if got := told(answer, err); got != test.told {
				t.Errorf("the caller is told %s, want %s (%v)", got, test.told, err)
			}
			if err != nil && (answer.PhotoKey != "" || answer.PhotoURL != "") {
				t.Errorf("the answer to a failure names a photo: %+v", answer)
			}
			if got := w.State(); got != test.left {
				t.Errorf("left is %+v, want %+v", got, test.left)
			}
			w.checkRecovers(test.repaired)
		})
	}
}

// checkRecovers checks what a Repair makes of the rest, and that a repeat of the call is safe.
func (w *world) checkRecovers(repaired state) {
	w.T.Helper()
	w.Steps.Reset(nil)
	if _, err := w.Settle(); err != nil {
		w.T.Errorf("Repair: %v", err)
	}
	if got := w.State(); got != repaired {
		w.T.Errorf("repaired is %+v, want %+v", got, repaired)
	}
	w.CheckSettled()
	if answer, err := w.Update.Do(w.T.Context(), w.Request()); err != nil || w.Record(customer).ChangedBy != answer.ApiLogID {
		w.T.Errorf("the repeat: got %+v, %v", answer, err)
	}
	w.CheckSettled()
}

// An error of an adapter keeps its cause for the server's log, and its texts from the caller.
func TestFailureKeepsItsCause(t *testing.T) {
	t.Parallel()
	cause := errors.New("connection refused: 10.0.0.7")
	for _, name := range []string{"Authenticate", "Open entry", "ChangePhoto", "Put", "store record", "ChangePhoto, done"} {
		w := newWorld(t)
		w.Steps.Reset(map[string]func() error{name: func() error { return cause }})
		_, err := w.Update.Do(t.Context(), w.Request())
		if !errors.Is(err, cause) || domain.AsError(err).Public == cause.Error() {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
