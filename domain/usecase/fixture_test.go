package usecase_test

import (
	"bytes"
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

const (
	ourFleet      domain.FleetID = 689
	disabledFleet domain.FleetID = 690
	otherFleet    domain.FleetID = 691

	phone        domain.PhoneNumber = 491701234567 // of the customer, who has a PIN
	pinlessPhone domain.PhoneNumber = 491701230002
	otherPhone   domain.PhoneNumber = 491701230003 // of another fleet's customer

	from = "192.0.2.7"
)

var (
	start    = time.Date(2026, 11, 23, 12, 0, 0, 123456000, time.UTC)
	customer = domain.CustomerRef{Fleet: ourFleet, Customer: 452733}
	pinless  = domain.CustomerRef{Fleet: ourFleet, Customer: 2}
	pinKey   = must(domain.NewPINKey(bytes.Repeat([]byte("k"), domain.MinPINKeyBytes)))
	rightPIN = must(domain.ParsePIN("4711"))
	wrongPIN = must(domain.ParsePIN("4712"))
	oldPhoto = picture(8)
	newPhoto = picture(16)
	limits   = photo.Limits{MaxBytes: 4096, MaxPixels: 32 * 8}
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// picture is a JPEG of this width and 8 lines.
func picture(width int) []byte {
	var out bytes.Buffer
	if err := jpeg.Encode(&out, image.NewGray(image.Rect(0, 0, width, 8)), nil); err != nil {
		panic(err)
	}
	return out.Bytes()
}

// clock stands still until it is advanced.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// world is everything that the use cases stand on, with three fleets, whose
// customer has the old photo by call 1 and the PIN 4711.
type world struct {
	t       *testing.T
	clock   *clock
	steps   *steps
	backend *memory.Backend
	keys    map[domain.FleetID]domain.APIKey
	update  *usecase.UpdateCustomerPhoto
	repair  *usecase.Repair
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, clock: &clock{now: start}, steps: &steps{t: t}, backend: memory.New(), keys: map[domain.FleetID]domain.APIKey{}}
	customers := customerRepo{w.backend.CustomerRepo, w.steps}
	photos := photoStore{w.backend.PhotoStore, w.steps}
	log := apiLog{w.backend.ApiLog, w.steps}
	w.update = &usecase.UpdateCustomerPhoto{
		Fleets: fleetAuth{w.backend.FleetAuth, w.steps}, Customers: customers, Photos: photos, Log: log,
		PINKey: pinKey, Reader: photo.NewReader(limits, 2), Clock: w.clock.Now,
	}
	w.repair = &usecase.Repair{Customers: customers, Photos: photos, Log: log, Clock: w.clock.Now}
	w.provision()
	first := w.request()
	first.Photo = bytes.Clone(oldPhoto)
	if answer, err := w.update.Do(t.Context(), first); err != nil || answer.ApiLogID != 1 {
		t.Fatalf("the first photo: got %+v, %v", answer, err)
	}
	w.steps.reset(nil)
	return w
}

func (w *world) provision() {
	w.t.Helper()
	provision := usecase.Provision{
		Fleets: w.backend.FleetAuth, Customers: w.backend.CustomerRepo,
		PINKey: pinKey, Random: rand.NewChaCha8([32]byte{}), Clock: w.clock.Now,
	}
	for _, id := range []domain.FleetID{ourFleet, disabledFleet, otherFleet} {
		key, err := provision.AddFleet(w.t.Context(), domain.Fleet{ID: id, Disabled: id == disabledFleet}, domain.FirstKey)
		if err != nil {
			w.t.Fatal(err)
		}
		w.keys[id] = key
	}
	for _, added := range []struct {
		ref   domain.CustomerRef
		phone domain.PhoneNumber
		pin   domain.PIN
	}{
		{customer, phone, rightPIN},
		{pinless, pinlessPhone, domain.PIN{}},
		{domain.CustomerRef{Fleet: otherFleet, Customer: 452733}, otherPhone, rightPIN},
	} {
		if err := provision.AddCustomer(w.t.Context(), added.ref, added.phone, added.pin); err != nil {
			w.t.Fatal(err)
		}
	}
}

// request is a call that puts the new photo.
func (w *world) request() usecase.Request {
	return usecase.Request{From: from, APIKey: w.keys[ourFleet], Phone: phone, PIN: rightPIN, Photo: bytes.Clone(newPhoto)}
}

// state is what a call left behind, in words.
type state struct {
	photo  string // old, new or none
	record string // the same, and by which call
	log    string // the entries after the first
}

func (w *world) state() state {
	w.t.Helper()
	stored, record := w.stored(customer), w.record(customer)
	words := map[domain.PhotoInfo]string{{}: "none", photo.Describe(oldPhoto): "old", photo.Describe(newPhoto): "new"}
	var log []string
	for _, entry := range w.entries()[1:] {
		text := string(entry.Outcome.Result)
		if entry.Outcome.IsOpen() {
			text = "open"
		}
		log = append(log, strings.TrimSpace(text+" "+string(entry.Outcome.Error)))
	}
	return state{words[stored], fmt.Sprintf("%s by %d", words[record.Info], record.ChangedBy), strings.Join(log, "; ")}
}

// stored describes the customer's photo as it is in the store, to the byte.
func (w *world) stored(ref domain.CustomerRef) domain.PhotoInfo {
	w.t.Helper()
	return heldBy(w.t, w.backend.PhotoStore, ref)
}

func heldBy(t *testing.T, photos ports.PhotoStore, ref domain.CustomerRef) domain.PhotoInfo {
	t.Helper()
	content, err := photos.Open(t.Context(), ref.PhotoKey())
	if errors.Is(err, domain.NotFound) {
		return domain.PhotoInfo{}
	}
	if err != nil {
		t.Fatal(err)
	}
	return photo.Describe(must(io.ReadAll(content)))
}

func (w *world) record(ref domain.CustomerRef) domain.PhotoRecord {
	w.t.Helper()
	number := map[domain.CustomerRef]domain.PhoneNumber{customer: phone, pinless: pinlessPhone}[ref]
	found, err := w.backend.CustomerRepo.FindByPhone(w.t.Context(), ref.Fleet, number)
	if err != nil {
		w.t.Fatal(err)
	}
	return found.Photo
}

// entries are all of the log, in the order of their ids.
func (w *world) entries() []domain.ApiLogEntry {
	w.t.Helper()
	var all []domain.ApiLogEntry
	for {
		entry, err := w.backend.ApiLog.Entry(w.t.Context(), domain.ApiLogID(len(all)+1))
		if errors.Is(err, domain.NotFound) {
			return all
		}
		if err != nil {
			w.t.Fatal(err)
		}
		all = append(all, entry)
	}
}

// settle runs a Repair once all that is open is old enough for it.
func (w *world) settle() (usecase.RepairReport, error) {
	w.t.Helper()
	w.clock.Advance(usecase.SettleAfter + time.Microsecond)
	return w.repair.Do(w.t.Context())
}

// checkSettled checks what holds after every Repair.
func (w *world) checkSettled(refs ...domain.CustomerRef) {
	w.t.Helper()
	for _, ref := range append(refs, customer) {
		if stored, record := w.stored(ref), w.record(ref); stored != record.Info {
			w.t.Errorf("customer %d: the store holds %+v, the record says %+v", ref.Customer, stored, record.Info)
		}
	}
	for _, entry := range w.entries() {
		if entry.Outcome.IsOpen() {
			w.t.Errorf("entry %d is open", entry.ID)
		}
	}
}

// told is what the caller is told: the result or the error word, and the api_log_id.
func told(answer usecase.Answer, err error) string {
	word := string(domain.Valid)
	if err != nil {
		word = string(domain.AsError(err).Kind)
	}
	return fmt.Sprintf("%s, %d", word, answer.ApiLogID)
}

func down() error { return domain.Errorf(domain.Unavailable, "a backend is down; try again") }
