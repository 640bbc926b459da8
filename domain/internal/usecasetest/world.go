// Package usecasetest is a world for the tests of the use cases: fleets,
// customers and four ports in memory, whose every step a test may note, delay or fail.
//
// Tests of domain/usecase and domain/operator import it.
package usecasetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/adapters/memory"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/photo"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
	"github.com/fleetphoto/fleetphoto/ports"
)

// The fleets and customers of a World.
const (
	OurFleet      domain.FleetID = 689
	DisabledFleet domain.FleetID = 690
	OtherFleet    domain.FleetID = 691

	Phone        domain.PhoneNumber = 491701234567 // of the customer, who has a PIN
	PinlessPhone domain.PhoneNumber = 491701230002
	OtherPhone   domain.PhoneNumber = 491701230003 // of another fleet's customer

	From = "192.0.2.7"

	Store domain.PhotoStoreName = "memory"
)

// What a World begins with: the time, its customers, their PINs and photos.
var (
	Start         = time.Date(2026, 11, 23, 12, 0, 0, 123456000, time.UTC)
	Customer      = domain.CustomerRef{Fleet: OurFleet, Customer: 452733}
	Pinless       = domain.CustomerRef{Fleet: OurFleet, Customer: 2}
	OtherCustomer = domain.CustomerRef{Fleet: OtherFleet, Customer: 452733}
	PINKey        = Must(domain.NewPINKey(bytes.Repeat([]byte("k"), domain.MinPINKeyBytes)))
	RightPIN      = Must(domain.ParsePIN("4711"))
	WrongPIN      = Must(domain.ParsePIN("4712"))
	OldPhoto      = Picture(8)
	NewPhoto      = Picture(16)
	Limits        = photo.Limits{MaxBytes: 4096, MaxPixels: 32 * 8}
)

// Must returns value, and panics when err is not nil.
func Must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// Picture is a JPEG of this width and 8 lines.
func Picture(width int) []byte {
	var out bytes.Buffer
	if err := jpeg.Encode(&out, image.NewGray(image.Rect(0, 0, width, 8)), nil); err != nil {
		panic(err)
	}
	return out.Bytes()
}

// Clock stands still until it is advanced.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// Now returns the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance lets time pass.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// World is everything that the use cases stand on, with three fleets, whose
// customer has the old photo by call 1 and the PIN 4711.
type World struct {
	T       *testing.T
	Clock   *Clock
	Steps   *Steps
	Backend *memory.Backend
	Keys    map[domain.FleetID]domain.APIKey
	Changes *usecase.ChangePhoto // of two databases: without a Recorder
	Update  *usecase.UpdateCustomerPhoto
	Repair  *usecase.Repair

	// The ports of Backend, by way of Steps.
	Customers *CustomerRepo
	Photos    *PhotoStore
	Log       *ApiLog
}

// New makes a World.
func New(t *testing.T) *World {
	t.Helper()
	w := &World{T: t, Clock: &Clock{now: Start}, Steps: &Steps{t: t}, Keys: map[domain.FleetID]domain.APIKey{}}
	w.Backend = memory.NewAt(w.Clock.Now)
	w.Customers = &CustomerRepo{w.Backend.CustomerRepo, w.Steps}
	w.Photos = &PhotoStore{w.Backend.PhotoStore, w.Steps}
	w.Log = &ApiLog{w.Backend.ApiLog, w.Steps}
	w.Changes = &usecase.ChangePhoto{Customers: w.Customers, Photos: w.Photos, Store: Store, Log: w.Log, Clock: w.Clock.Now}
	w.Update = &usecase.UpdateCustomerPhoto{
		Fleets: fleetAuth{w.Backend.FleetAuth, w.Steps}, Changes: w.Changes, Address: w.Photos.Address,
		PINKeys: domain.PINKeys{Current: PINKey}, Reader: photo.NewReader(Limits, 2),
	}
	w.Repair = &usecase.Repair{Changes: w.Changes}
	w.provision()
	if answer, err := w.Update.Do(t.Context(), w.RequestWith(OldPhoto)); err != nil || answer.ApiLogID != 1 {
		t.Fatalf("the first photo: got %+v, %v", answer, err)
	}
	w.Steps.Reset(nil)
	return w
}

func (w *World) provision() {
	w.T.Helper()
	random := rand.NewChaCha8([32]byte{})
	for _, id := range []domain.FleetID{OurFleet, DisabledFleet, OtherFleet} {
		w.Keys[id] = Must(domain.NewAPIKey(random))
		key := domain.FleetKey{Hash: w.Keys[id].Hash(), Label: domain.FirstKey, AddedAt: Start}
		if err := w.Backend.FleetAuth.AddFleet(w.T.Context(), domain.Fleet{ID: id, Disabled: id == DisabledFleet}, key); err != nil {
			w.T.Fatal(err)
		}
	}
	_, err := w.Backend.CustomerRepo.ImportCustomers(w.T.Context(), []domain.CustomerImport{
		{Ref: Customer, Phone: Phone, PIN: PINKey.Hash(Customer, RightPIN)},
		{Ref: Pinless, Phone: PinlessPhone},
		{Ref: OtherCustomer, Phone: OtherPhone, PIN: PINKey.Hash(OtherCustomer, RightPIN)},
	})
	if err != nil {
		w.T.Fatal(err)
	}
}

// Request is a call that puts the new photo.
func (w *World) Request() usecase.Request { return w.RequestWith(NewPhoto) }

// RequestWith is a call that puts this photo.
func (w *World) RequestWith(photo []byte) usecase.Request {
	return usecase.Request{From: From, APIKey: w.Keys[OurFleet], Phone: domain.DialledPhone{Number: Phone}, PIN: RightPIN, Photo: bytes.Clone(photo)}
}

// StateOf is the State of this photo, record and log.
func StateOf(photo, record, log string) State { return State{photo, record, log} }

// State is what a call left behind, in words.
type State struct {
	Photo  string // old, new or none
	Record string // the same, and by which call
	Log    string // the entries after the first
}

// State returns what a call left behind.
func (w *World) State() State {
	w.T.Helper()
	stored, record := w.Stored(Customer), w.Record(Customer)
	words := map[domain.PhotoInfo]string{{}: "none", photo.Describe(OldPhoto): "old", photo.Describe(NewPhoto): "new"}
	var log []string
	for _, entry := range w.Entries()[1:] {
		text := string(entry.Outcome.Result)
		if entry.Outcome.IsOpen() {
			text = "open"
		}
		log = append(log, strings.TrimSpace(text+" "+string(entry.Outcome.Error)))
	}
	return State{words[stored], fmt.Sprintf("%s by %d", words[record.Info], record.ChangedBy), strings.Join(log, "; ")}
}

// Stored describes the customer's photo as it is in the store, to the byte.
func (w *World) Stored(ref domain.CustomerRef) domain.PhotoInfo {
	w.T.Helper()
	return HeldBy(w.T, w.Backend.PhotoStore, ref)
}

// Version is that of what the store holds.
func (w *World) Version(ref domain.CustomerRef) domain.PhotoVersion {
	w.T.Helper()
	return Must(usecase.ReadHeld(w.T.Context(), w.Backend.PhotoStore, ref.PhotoKey())).Version
}

// HeldBy describes what a store holds under the customer's key.
func HeldBy(t *testing.T, photos ports.PhotoStore, ref domain.CustomerRef) domain.PhotoInfo {
	t.Helper()
	content, _, err := photos.Open(t.Context(), ref.PhotoKey())
	if errors.Is(err, domain.NotFound) {
		return domain.PhotoInfo{}
	}
	if err != nil {
		t.Fatal(err)
	}
	return photo.Describe(Must(io.ReadAll(content)))
}

// Record is what the repository knows of the customer's photo.
func (w *World) Record(ref domain.CustomerRef) domain.PhotoRecord {
	w.T.Helper()
	number := map[domain.CustomerRef]domain.PhoneNumber{Customer: Phone, Pinless: PinlessPhone}[ref]
	found, err := w.Backend.CustomerRepo.FindByPhone(w.T.Context(), ref.Fleet, number)
	if err != nil {
		w.T.Fatal(err)
	}
	return found.Photo
}

// Entries are all of the log, in the order of their ids.
func (w *World) Entries() []domain.ApiLogEntry {
	w.T.Helper()
	var all []domain.ApiLogEntry
	for {
		entry, err := w.Backend.ApiLog.Entry(w.T.Context(), domain.ApiLogID(len(all)+1))
		if errors.Is(err, domain.NotFound) {
			return all
		}
		if err != nil {
			w.T.Fatal(err)
		}
		all = append(all, entry)
	}
}

// Settle runs a Repair once all that is open is old enough for its first look,
// and then one that is late enough for the last, and returns what both did.
func (w *World) Settle() (usecase.RepairReport, error) {
	w.T.Helper()
	first, firstErr := w.Look(usecase.SettleAfter)
	last, lastErr := w.Look(usecase.LateAfter - usecase.SettleAfter)
	return usecase.RepairReport{
		Done: first.Done + last.Done, Interrupted: first.Interrupted + last.Interrupted, LookedAt: first.LookedAt + last.LookedAt,
		Corrected: first.Corrected + last.Corrected, Deleted: first.Deleted + last.Deleted,
	}, errors.Join(firstErr, lastErr)
}

// Look runs a Repair once a time has passed.
func (w *World) Look(after time.Duration) (usecase.RepairReport, error) {
	w.T.Helper()
	w.Clock.Advance(after + time.Microsecond)
	return w.Repair.Do(w.T.Context())
}

// CheckSettled checks what holds after every Repair.
func (w *World) CheckSettled(refs ...domain.CustomerRef) {
	w.T.Helper()
	for _, ref := range append(refs, Customer) {
		if stored, record := w.Stored(ref), w.Record(ref); stored != record.Info {
			w.T.Errorf("customer %d: the store holds %+v, the record says %+v", ref.Customer, stored, record.Info)
		}
	}
	for _, entry := range w.Entries() {
		if entry.Outcome.IsOpen() {
			w.T.Errorf("entry %d is open", entry.ID)
		}
	}
}

// Told is what the caller is told: the result or the error word, and the api_log_id.
func Told(answer usecase.Answer, err error) string {
	word := string(domain.Valid)
	if err != nil {
		word = string(domain.AsError(err).Kind)
	}
	return fmt.Sprintf("%s, %d", word, answer.ApiLogID)
}

// Down is the failure of a backend that doesn't answer.
func Down() error { return domain.Errorf(domain.Unavailable, "a backend is down; try again") }

// OpenEntry leaves an entry open, as a process killed after it does.
func (w *World) OpenEntry(ref domain.CustomerRef, received time.Time) domain.ApiLogID {
	w.T.Helper()
	id, err := w.Backend.ApiLog.Open(w.T.Context(), domain.ApiCall{ReceivedAt: received, Fleet: ref.Fleet, Customer: ref.Customer, Operation: domain.UpdatePhoto})
	if err != nil {
		w.T.Fatal(err)
	}
	return id
}

// SetRecord stores a record, as it was before a kill.
func (w *World) SetRecord(record domain.PhotoRecord) {
	w.T.Helper()
	change := func(context.Context, domain.PhotoRecord, ports.LockProof) (domain.PhotoRecord, error) {
		return record, nil
	}
	if err := w.Backend.CustomerRepo.ChangePhoto(w.T.Context(), Customer, change); err != nil {
		w.T.Fatal(err)
	}
}

// Store puts a photo, or removes it, as it was before a kill.
func (w *World) Store(jpeg []byte) {
	w.T.Helper()
	held, err := usecase.ReadHeld(w.T.Context(), w.Backend.PhotoStore, Customer.PhotoKey())
	if err == nil && jpeg == nil {
		err = w.Backend.PhotoStore.Delete(w.T.Context(), Customer.PhotoKey(), held.Version)
	}
	if err == nil && jpeg != nil {
		_, err = w.Backend.PhotoStore.Put(w.T.Context(), Customer.PhotoKey(), Must(domain.NewPhoto(jpeg, 1, 1)), held.Version)
	}
	if err != nil {
		w.T.Fatal(err)
	}
}
