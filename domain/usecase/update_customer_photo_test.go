package usecase_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/internal/usecasetest"
	"github.com/fleetphoto/fleetphoto/domain/photo"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
)

// checkLogged checks that the log's last entry is this one.
func (w *world) checkLogged(want domain.ApiLogEntry) {
	w.T.Helper()
	entries := w.Entries()
	if got := entries[len(entries)-1]; got != want {
		w.T.Errorf("logged is\n%+v, want\n%+v", got, want)
	}
}

func TestValidCalls(t *testing.T) {
	t.Parallel()
	const url = "https://photos.example.com/"
	blankPIN := func(request *usecase.Request) { request.PIN = domain.PIN{} }
	forPinless := func(request *usecase.Request) { request.Phone.Number, request.PIN = pinlessPhone, domain.PIN{} }
	for _, test := range []struct {
		name      string
		call      func(*usecase.Request)
		ref       domain.CustomerRef
		operation domain.Operation
		info      domain.PhotoInfo
	}{
		{"another photo", put, customer, domain.UpdatePhoto, photo.Describe(newPhoto)},
		{"the same photo", func(request *usecase.Request) { request.Photo = bytes.Clone(oldPhoto) }, customer, domain.UpdatePhoto, photo.Describe(oldPhoto)},
		{"no PIN sent", blankPIN, customer, domain.UpdatePhoto, photo.Describe(newPhoto)},
		{"a first photo", forPinless, pinless, domain.UpdatePhoto, photo.Describe(newPhoto)},
		{"a delete", remove, customer, domain.DeletePhoto, domain.PhotoInfo{}},
		{"a delete that comes with bytes", func(request *usecase.Request) { request.Delete = true }, customer, domain.DeletePhoto, domain.PhotoInfo{}},
		{"a delete of nothing", func(request *usecase.Request) { forPinless(request); remove(request) }, pinless, domain.DeletePhoto, domain.PhotoInfo{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.Clock.Advance(time.Hour + 999*time.Nanosecond)
			now := start.Add(time.Hour) // whole microseconds
			request := w.Request()
			test.call(&request)
			before := w.Record(test.ref).Info
			answer, err := w.Update.Do(t.Context(), request)
			call := domain.ApiCall{
				ReceivedAt: now, From: from, Fleet: ourFleet, Key: domain.FirstKey, Customer: test.ref.Customer,
				Phone: request.Phone.Number.Masked(), Operation: test.operation,
			}
			if test.operation == domain.UpdatePhoto {
				call.Details = domain.CallDetails{PhotoBytes: test.info.Size, Format: "JPEG", Treatment: domain.Kept}
			}
			want := usecase.Answer{ApiLogID: 2, Call: call, Stored: test.info}
			if test.operation == domain.UpdatePhoto {
				want.PhotoKey = test.ref.PhotoKey()
				want.PhotoURL = url + string(want.PhotoKey)
			}
			if err != nil || answer != want {
				t.Errorf("got %+v, %v, want %+v", answer, err, want)
			}
			record := domain.PhotoRecord{Info: test.info, ChangedAt: now, ChangedBy: 2, Version: w.Version(test.ref), Store: usecasetest.Store}
			if got := w.Record(test.ref); got != record {
				t.Errorf("the record is %+v, want %+v", got, record)
			}
			call.Intent, call.Store = test.info.SHA256, usecasetest.Store
			w.checkLogged(domain.ApiLogEntry{ID: 2, Call: call, Outcome: domain.Outcome{
				Result: domain.Valid, EndedAt: now, Details: domain.OutcomeDetails{Before: before, After: test.info},
			}})
			w.CheckSettled(test.ref)
		})
	}
}

func dialled(text string) domain.DialledPhone {
	return usecasetest.Must(domain.ParseDialledPhone(text))
}

// TestNationalNumbers reach the customer where the fleet's country is known.
func TestNationalNumbers(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"01701234567", "+49 (0)170 1234567", "0049 (0)1701234567", "(0)170 1234567", "+49 170 1234567"} {
		w := newWorld(t)
		w.setFleet(domain.Fleet{Country: 49})
		answer, err := w.Update.Do(t.Context(), func() usecase.Request { r := w.Request(); r.Phone = dialled(text); return r }())
		if err != nil || answer.Call.Customer != customer.Customer || answer.Call.Phone != "…4567" {
			t.Errorf("%q: got %+v, %v", text, answer.Call, err)
		}
	}
}

// Whatever is wrong with a call: nothing changes, and the log says what the caller is told.
func TestRefusedCalls(t *testing.T) {
	t.Parallel()
	identified := domain.ApiCall{ReceivedAt: start, From: from, Fleet: ourFleet, Key: domain.FirstKey, Customer: customer.Customer, Phone: "…4567", Operation: domain.UpdatePhoto}
	call := func(change func(*domain.ApiCall)) domain.ApiCall {
		changed := identified
		change(&changed)
		return changed
	}
	nobody := call(func(call *domain.ApiCall) { call.Fleet, call.Key, call.Customer = 0, "", 0 })
	for _, test := range []struct {
		name string
		call func(*world, *usecase.Request)
		kind domain.Kind
		says string
		want domain.ApiCall
	}{
		{"an unknown key", func(_ *world, r *usecase.Request) {
			r.APIKey = usecasetest.Must(domain.ParseAPIKey(strings.Repeat("0", 25)))
		}, domain.InvalidHashID, "api_key: ", nobody},
		{"no key", func(_ *world, r *usecase.Request) { r.APIKey = domain.APIKey{} }, domain.InvalidHashID, "api_key: ", nobody},
		{
			"a disabled fleet", func(w *world, r *usecase.Request) { r.APIKey = w.Keys[disabledFleet] }, domain.FleetDisabled, "api_key: ",
			call(func(call *domain.ApiCall) { call.Fleet, call.Customer = disabledFleet, 0 }),
		},
		{
			"an unknown customer", func(_ *world, r *usecase.Request) { r.Phone.Number = 447700900999 }, domain.CustomerNotFound, "phone_number: ",
			call(func(call *domain.ApiCall) { call.Customer, call.Phone = 0, "…0999" }),
		},
		{
			"another fleet's customer", func(_ *world, r *usecase.Request) { r.Phone.Number = otherPhone }, domain.CustomerNotFound, "phone_number: ",
			call(func(call *domain.ApiCall) { call.Customer, call.Phone = 0, "…0003" }),
		},
		{
			"a number as within its country", func(_ *world, r *usecase.Request) { r.Phone = dialled("01701234567") }, domain.CustomerNotFound,
			"phone_number: this fleet has no customer with this number: it begins with a single 0, as numbers do within their country; send it with the country code first, as in 447700900123",
			call(func(call *domain.ApiCall) { call.Customer = 0 }),
		},
		{
			"a number that lost its 0", func(w *world, r *usecase.Request) { w.setFleet(domain.Fleet{Country: 49}); r.Phone.Number = 1701234567 }, domain.CustomerNotFound,
			"phone_number: this fleet has no customer with this number: it is no international number, perhaps the country code is missing; ",
			call(func(call *domain.ApiCall) { call.Customer = 0 }),
		},
		{
			"a number with another country's (0)", func(w *world, r *usecase.Request) {
				w.setFleet(domain.Fleet{Country: 44})
				r.Phone = dialled("+49 (0)1701234567")
			}, domain.TypeError, "phone_number: leave out the (0)",
			call(func(call *domain.ApiCall) { call.Customer = 0 }),
		},
		{
			"another fleet's key", func(w *world, r *usecase.Request) { r.APIKey = w.Keys[otherFleet] }, domain.CustomerNotFound, "phone_number: ",
			call(func(call *domain.ApiCall) { call.Fleet, call.Customer = otherFleet, 0 }),
		},
		{"a wrong PIN", func(_ *world, r *usecase.Request) { guessWrong(r) }, domain.InvalidPIN, "customer_pin: ", identified},
		{
			"a wrong PIN for a delete", func(_ *world, r *usecase.Request) { guessWrong(r); remove(r) }, domain.InvalidPIN, "customer_pin: ",
			call(func(call *domain.ApiCall) { call.Operation = domain.DeletePhoto }),
		},
		{"a wrong PIN and a broken photo", func(_ *world, r *usecase.Request) { guessWrong(r); r.Photo = []byte("<html>") }, domain.InvalidPIN, "customer_pin: ", identified},
		{
			"a PIN where none is set", func(_ *world, r *usecase.Request) { r.Phone.Number = pinlessPhone }, domain.InvalidPIN, "customer_pin: ",
			call(func(call *domain.ApiCall) { call.Customer, call.Phone = pinless.Customer, "…0002" }),
		},
		{"no PIN where the fleet requires it", func(w *world, r *usecase.Request) { w.requirePIN(); r.PIN = domain.PIN{} }, domain.InvalidPIN, "customer_pin: it is blank, and this fleet asks", identified},
		{
			"no PIN for a delete where the fleet requires it", func(w *world, r *usecase.Request) { w.requirePIN(); r.PIN = domain.PIN{}; remove(r) }, domain.InvalidPIN, "customer_pin: it is blank",
			call(func(call *domain.ApiCall) { call.Operation = domain.DeletePhoto }),
		},
		{
			"any PIN of a customer without one where the fleet requires it", func(w *world, r *usecase.Request) { w.requirePIN(); r.Phone.Number = pinlessPhone }, domain.InvalidPIN, "customer_pin: ",
			call(func(call *domain.ApiCall) { call.Customer, call.Phone = pinless.Customer, "…0002" }),
		},
		{"text for a photo", func(_ *world, r *usecase.Request) { r.Photo = []byte("<html>") }, domain.TypeError, "photo_base64: ", identified},
		{"half a photo", func(_ *world, r *usecase.Request) { r.Photo = bytes.Clone(newPhoto[:len(newPhoto)/2]) }, domain.TypeError, "photo_base64: ", identified},
		{
			"no photo", func(_ *world, r *usecase.Request) { r.Photo = nil }, domain.TypeError, "photo_base64: ",
			call(func(call *domain.ApiCall) { call.Operation = "" }),
		},
		{"too many bytes", func(_ *world, r *usecase.Request) { r.Photo = bytes.Repeat([]byte("x"), 4097) }, domain.PhotoTooLarge, "4096 bytes", identified},
		{"too many pixels", func(_ *world, r *usecase.Request) { r.Photo = picture(33) }, domain.PhotoTooLarge, "256 pixels", call(func(call *domain.ApiCall) { call.Details.Format = "JPEG" })},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			request := w.Request()
			test.call(w, &request)
			answer, err := w.Update.Do(t.Context(), request)
			if test.want.Operation == domain.UpdatePhoto {
				test.want.Details.PhotoBytes = int64(len(request.Photo))
			}
			if want := (usecase.Answer{ApiLogID: 2, Call: test.want}); answer != want {
				t.Errorf("got %+v, want %+v", answer, want)
			}
			public := domain.AsError(err).Public
			if !errors.Is(err, test.kind) || domain.AsError(err).Kind != test.kind || !strings.Contains(public, test.says) {
				t.Errorf("got %v, want %q with %q", err, string(test.kind), test.says)
			}
			w.checkLogged(domain.ApiLogEntry{ID: 2, Call: test.want, Outcome: domain.Outcome{Result: domain.Failed, Error: test.kind, Detail: public, EndedAt: start}})
			if want := (stateOf("old", "old by 1", "error "+string(test.kind))); w.State() != want {
				t.Errorf("left is %+v, want %+v", w.State(), want)
			}
		})
	}
}

func TestEventsComeInTheirOrder(t *testing.T) {
	t.Parallel()
	whole := func(names ...string) []string {
		var all []string
		for _, name := range names {
			all = append(all, name, name+", done")
		}
		return all
	}
	change := func(operation string) []string {
		return slices.Concat(
			whole("Open entry"), []string{"ChangePhoto"}, whole(operation),
			[]string{"store record", "ChangePhoto, done"}, whole("Close entry"),
		)
	}
	identify := whole("Authenticate", "FindByPhone")
	checkPIN := whole("TryPIN")
	for _, test := range []struct {
		name string
		call func(*usecase.Request)
		want []string
	}{
		{"update", put, slices.Concat(identify, checkPIN, whole("URL"), change("Put"))},
		{"delete", remove, slices.Concat(identify, checkPIN, change("Delete"))},
		{"without a PIN", func(r *usecase.Request) { r.PIN = domain.PIN{} }, slices.Concat(identify, whole("URL"), change("Put"))},
		{"wrong PIN", guessWrong, slices.Concat(identify, []string{"TryPIN"}, whole("Record entry"))},
		{"broken photo", func(r *usecase.Request) { r.Photo = nil }, slices.Concat(identify, checkPIN, whole("Record entry"))},
		{"unknown key", func(r *usecase.Request) { r.APIKey = domain.APIKey{} }, slices.Concat([]string{"Authenticate"}, whole("Record entry"))},
	} {
		w := newWorld(t)
		request := w.Request()
		test.call(&request)
		_, _ = w.Update.Do(t.Context(), request) // the events are what counts
		if !slices.Equal(w.Steps.Seen, test.want) {
			t.Errorf("%s: got\n%q, want\n%q", test.name, w.Steps.Seen, test.want)
		}
	}
}

// A customer may vanish between the look-up and the change.
func TestCustomerVanishesBeforeTheChange(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Steps.Reset(map[string]func() error{"ChangePhoto": func() error {
		return domain.Errorf(domain.CustomerNotFound, "there is no such customer")
	}})
	answer, err := w.Update.Do(t.Context(), w.Request())
	if got := told(answer, err); got != "Customer Not Found, 2" {
		t.Errorf("the caller is told %s", got)
	}
	if want := (stateOf("old", "old by 1", "error Customer Not Found")); w.State() != want {
		t.Errorf("left is %+v, want %+v", w.State(), want)
	}
}

func TestCancelledCallIsLogged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	answer, err := w.Update.Do(ctx, w.Request())
	if got := told(answer, err); got != "Service Unavailable, 2" {
		t.Errorf("the caller is told %s", got)
	}
	if want := (stateOf("old", "old by 1", "error Service Unavailable")); w.State() != want {
		t.Errorf("left is %+v, want %+v", w.State(), want)
	}
}

func TestConcurrentCallsForOneCustomer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const calls, cutOff = 60, 3
	for range cutOff { // ids 2, 3 and 4, settled meanwhile
		w.OpenEntry(customer, start)
	}
	w.Clock.Advance(usecase.LateAfter + time.Microsecond)
	var ids [calls]domain.ApiLogID
	var all sync.WaitGroup
	for i := range calls {
		all.Go(func() {
			request := w.Request()
			request.Photo, request.Delete, request.PIN = picture(1+i%32), i%3 == 0, domain.PIN{}
			answer, err := w.Update.Do(t.Context(), request)
			if err != nil {
				t.Error(err)
			}
			ids[i] = answer.ApiLogID
			if i%10 != 0 {
				return
			}
			if report, err := w.Repair.Do(t.Context()); err != nil || report.Corrected != 0 {
				t.Errorf("Repair: got %+v, %v", report, err)
			}
		})
	}
	all.Wait()
	slices.Sort(ids[:])
	for i, id := range ids {
		if id != domain.ApiLogID(i+2+cutOff) {
			t.Fatalf("the ids are %d", ids)
		}
	}
	for _, entry := range w.Entries() {
		want := domain.Valid
		if entry.ID >= 2 && entry.ID < 2+cutOff {
			want = domain.Interrupted
		}
		if entry.Outcome.Result != want {
			t.Errorf("logged is %+v, want it %s", entry, want)
		}
	}
	w.CheckSettled()
}

func TestPhotoIsNotKeptAfterTheCall(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	request := w.Request()
	request.Photo = bytes.Clone(newPhoto)
	if _, err := w.Update.Do(t.Context(), request); err != nil {
		t.Fatal(err)
	}
	clear(request.Photo)
	if want := (stateOf("new", "new by 2", "valid")); w.State() != want {
		t.Errorf("left is %+v, want %+v", w.State(), want)
	}
}

func TestRequestCall(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		request usecase.Request
		want    domain.ApiCall
	}{
		{usecase.Request{}, domain.ApiCall{}},
		{usecase.Request{From: from, Phone: domain.DialledPhone{Number: phone}, Photo: newPhoto}, domain.ApiCall{
			From: from, Phone: "…4567", Operation: domain.UpdatePhoto, Details: domain.CallDetails{PhotoBytes: int64(len(newPhoto))},
		}},
		{usecase.Request{Phone: domain.DialledPhone{Number: phone}, Photo: []byte{}}, domain.ApiCall{Phone: "…4567"}},
		{usecase.Request{Delete: true}, domain.ApiCall{Operation: domain.DeletePhoto}},
		{usecase.Request{Delete: true, Photo: newPhoto}, domain.ApiCall{Operation: domain.DeletePhoto}},
	} {
		if got := test.request.Call(); got != test.want {
			t.Errorf("%+v: got %+v, want %+v", test.request, got, test.want)
		}
	}
}

func TestRefuse(t *testing.T) {
	t.Parallel()
	cause := domain.Errorf(domain.TypeError, "phone_number: want digits, got a JSON object")
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, test := range []struct {
		name string
		ctx  context.Context //nolint:containedctx // a table's column
		act  func() error
		told string
		left state
	}{
		{"logged", t.Context(), nil, "Type Error, 2", stateOf("old", "old by 1", "error Type Error")},
		{"the caller left", cancelled, nil, "Type Error, 2", stateOf("old", "old by 1", "error Type Error")},
		{"the log is down", t.Context(), down, "Type Error, 0", stateOf("old", "old by 1", "")},
	} {
		w := newWorld(t)
		w.Steps.Reset(map[string]func() error{"Record entry": test.act})
		answer, err := w.Update.Refuse(test.ctx, usecase.Request{From: from, Delete: true}, cause)
		want := usecase.Answer{ApiLogID: answer.ApiLogID, Call: domain.ApiCall{ReceivedAt: start, From: from, Operation: domain.DeletePhoto}}
		if got := told(answer, err); got != test.told || answer != want {
			t.Errorf("%s: got %s, %+v; want %s, %+v", test.name, got, answer, test.told, want)
		}
		if errors.Is(err, domain.Unavailable) != (test.act != nil) {
			t.Errorf("%s: the log's own failure: %v", test.name, err)
		}
		if got := w.State(); got != test.left {
			t.Errorf("%s: left is %+v, want %+v", test.name, got, test.left)
		}
	}
}
