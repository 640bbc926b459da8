package operator

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"iter"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
	"github.com/fleetphoto/fleetphoto/ports"
)

// Doctor does on each port what calls do, for a customer of its own in fleet 0,
// which no real fleet has. So it touches nobody's photo. Use NewDoctor.
type Doctor struct {
	DoctorPorts
	probe       domain.Customer
	first, next domain.Photo
	fetch       func(ctx context.Context, address string) ([]byte, error)
	clock       func() time.Time

	entry      domain.ApiLogID
	version    domain.PhotoVersion // of the photo that was put first
	added, put bool                // or perhaps, after a failure
}

// DoctorPorts are what a Doctor tries. FleetList, Directory and Archive may be nil,
// and so may a port whose steps aren't asked for.
type DoctorPorts struct {
	Fleets    ports.FleetAuth
	FleetList ports.FleetDirectory
	Customers ports.CustomerRepo
	Directory ports.CustomerDirectory
	Photos    ports.PhotoStore
	Address   usecase.PhotoAddress
	Log       ports.ApiLog
	Archive   ports.ApiLogArchive
}

// Section has the steps that try one thing: a backend, or the configuration.
type Section struct {
	Name string
	// Steps are tried in order until one fails, unless that is Alone. Each step is
	// made after the one before was tried.
	Steps iter.Seq[Step]
}

// Step is one thing that calls do.
type Step struct {
	Name       string
	Alone      bool // the steps after it don't depend on it
	Regardless bool // it is tried even if ctx has ended
	// Do returns an error unless the step worked. It may return a remark on what it
	// found. It takes at most usecase.CallTimeout.
	Do func(context.Context) (found string, err error)
}

// Note is a Step's error if nothing failed, but the operator should know what was
// found.
type Note string

// Error implements error.
func (n Note) Error() string { return string(n) }

// NewStep returns a Step without a remark. It bounds do by usecase.CallTimeout.
func NewStep(name string, do func(context.Context) error) Step {
	return Step{Name: name, Do: func(ctx context.Context) (string, error) {
		ctx, cancel := context.WithTimeout(ctx, usecase.CallTimeout)
		defer cancel()
		return "", do(ctx)
	}}
}

// NewDoctor returns a Doctor with a new customer to try with. fetch returns what
// is at a photo's address; it is nil if photos have no address that can be tried.
func NewDoctor(of DoctorPorts, clock func() time.Time, fetch func(ctx context.Context, address string) ([]byte, error)) (*Doctor, error) {
	first, firstErr := probePhoto(8)
	next, nextErr := probePhoto(16)
	const digits = 100_000_000_000_000 // a phone number has 15
	return &Doctor{
		DoctorPorts: of, first: first, next: next, fetch: fetch, clock: clock,
		probe: domain.Customer{
			Ref:   domain.CustomerRef{Customer: domain.CustomerID(1 + rand.Int64N(math.MaxInt64-1))}, //nolint:gosec // it is no secret
			Phone: domain.PhoneNumber(digits + rand.Int64N(9*digits)),                                //nolint:gosec // nor is this
		},
	}, errors.Join(firstErr, nextErr)
}

// probePhoto returns a photo of a few hundred bytes.
func probePhoto(side int) (domain.Photo, error) {
	var encoded bytes.Buffer
	if err := jpeg.Encode(&encoded, image.NewGray(image.Rect(0, 0, side, side)), nil); err != nil {
		return domain.Photo{}, err
	}
	return domain.NewPhoto(encoded.Bytes(), side, side)
}

// FleetSteps try Fleets.
func (d *Doctor) FleetSteps() []Step {
	return []Step{NewStep("look up an API key", func(ctx context.Context) error {
		hash := d.first.Info().SHA256 // of no key
		_, err := d.Fleets.Authenticate(ctx, domain.APIKeyHash(hash))
		return expect(domain.InvalidHashID, err)
	})}
}

// CustomerSteps try Customers. Without a Directory no customer can be added to try
// with, so they only look for one who doesn't exist.
func (d *Doctor) CustomerSteps() []Step {
	if d.Directory == nil {
		return []Step{NewStep("look for a customer by phone", d.findNone)}
	}
	return []Step{
		NewStep("add a customer", func(ctx context.Context) error {
			d.added = true
			return addCustomer(ctx, d.Directory, domain.CustomerImport{Ref: d.probe.Ref, Phone: d.probe.Phone})
		}),
		NewStep("find a customer by phone", d.find),
		NewStep("try a wrong PIN", func(ctx context.Context) error {
			return expect(domain.InvalidPIN, d.Customers.TryPIN(ctx, d.probe.Ref, domain.OfferedPIN{}))
		}),
		NewStep("unlock a PIN", func(ctx context.Context) error { return d.Directory.UnlockPIN(ctx, d.probe.Ref) }),
		NewStep("write a photo's record under the customer's lock", func(ctx context.Context) error { return d.record(ctx, d.first) }),
		NewStep("overwrite it", func(ctx context.Context) error { return d.record(ctx, d.next) }),
		NewStep("remove a customer", func(ctx context.Context) error {
			if err := d.removeCustomer(ctx); err != nil {
				return err
			}
			return d.findNone(ctx)
		}),
		{Name: "check that calls could have the phone numbers", Alone: true, Do: d.countPhones},
	}
}

func (d *Doctor) findNone(ctx context.Context) error {
	_, err := d.Customers.FindByPhone(ctx, d.probe.Ref.Fleet, d.probe.Phone)
	return expect(domain.CustomerNotFound, err)
}

// find checks that the stored customer is the probe.
func (d *Doctor) find(ctx context.Context) error {
	found, err := d.Customers.FindByPhone(ctx, d.probe.Ref.Fleet, d.probe.Phone)
	if err == nil && found != d.probe {
		err = errOther
	}
	return err
}

func (d *Doctor) record(ctx context.Context, photo domain.Photo) error {
	before := d.probe.Photo
	d.probe.Photo = domain.PhotoRecord{Info: photo.Info(), ChangedAt: domain.Instant(d.clock())}
	err := d.Customers.ChangePhoto(ctx, d.probe.Ref, func(ctx context.Context, current domain.PhotoRecord, stillLocked ports.LockProof) (domain.PhotoRecord, error) {
		if current != before {
			return current, errOther
		}
		return d.probe.Photo, stillLocked(ctx)
	})
	if err != nil {
		return err
	}
	return d.find(ctx)
}

// LogSteps try Log. Their entry stays in it.
func (d *Doctor) LogSteps() []Step {
	outcome := domain.Outcome{Result: domain.Valid}
	steps := []Step{
		NewStep("open an entry of the API log, which stays there as a probe", func(ctx context.Context) (err error) {
			d.entry, err = d.Log.Open(ctx, domain.ApiCall{ReceivedAt: domain.Instant(d.clock()), Operation: domain.ProbeLog})
			return err
		}),
		NewStep("close it", func(ctx context.Context) error {
			outcome.EndedAt = domain.Instant(d.clock())
			return d.Log.Close(ctx, d.entry, outcome)
		}),
		NewStep("read it", func(ctx context.Context) error {
			entry, err := d.Archive.Entry(ctx, d.entry)
			if err == nil && (entry.Call.Operation != domain.ProbeLog || entry.Outcome.Result != outcome.Result || !entry.Outcome.EndedAt.Equal(outcome.EndedAt)) {
				err = errOther
			}
			return err
		}),
	}
	if d.Archive == nil {
		return steps[:2]
	}
	return steps
}

// PhotoSteps try Photos.
func (d *Doctor) PhotoSteps() []Step {
	key := d.probe.Ref.PhotoKey()
	fetch := NewStep("fetch it at its address", d.fetchPhoto)
	fetch.Alone = true
	steps := []Step{
		NewStep("put a photo", func(ctx context.Context) error {
			d.put = true
			var err error
			d.version, err = d.Photos.Put(ctx, key, d.first, domain.NoPhoto)
			return err
		}),
		NewStep("read it", func(ctx context.Context) error { return d.read(ctx, key, d.first) }),
		NewStep("overwrite it", func(ctx context.Context) error {
			if _, err := d.Photos.Put(ctx, key, d.next, d.version); err != nil {
				return err
			}
			return d.read(ctx, key, d.next)
		}),
		{Name: "refuse a change that comes too late", Alone: true, Do: func(ctx context.Context) (string, error) {
			ctx, cancel := context.WithTimeout(ctx, usecase.CallTimeout)
			defer cancel()
			return d.tryLate(ctx, key)
		}},
		fetch,
		NewStep("delete it", d.deletePhoto),
		NewStep("find none", func(ctx context.Context) error {
			stored, err := usecase.ReadHeld(ctx, d.Photos, key)
			if err == nil && stored.Found {
				err = errors.New("the photo that was deleted is still there")
			}
			return err
		}),
	}
	if d.fetch == nil {
		return slices.DeleteFunc(steps, func(s Step) bool { return s.Name == fetch.Name })
	}
	return steps
}

// tryLate changes the photo with the version that was overwritten, like a request
// that the network delayed.
func (d *Doctor) tryLate(ctx context.Context, key domain.PhotoKey) (string, error) {
	if d.version == domain.Unversioned {
		return "", Note("it doesn't: this store has no versions, so an older photo may replace a newer one after an outage; docs/backends.md says when")
	}
	_, err := d.Photos.Put(ctx, key, d.first, d.version)
	if err = expect(domain.Conflict, err); err == nil {
		err = expect(domain.Conflict, d.Photos.Delete(ctx, key, d.version))
	}
	return "", err
}

func (d *Doctor) deletePhoto(ctx context.Context) error {
	held, err := usecase.ReadHeld(ctx, d.Photos, d.probe.Ref.PhotoKey())
	if err != nil {
		return err
	}
	return d.Photos.Delete(ctx, d.probe.Ref.PhotoKey(), held.Version)
}

func (d *Doctor) read(ctx context.Context, key domain.PhotoKey, photo domain.Photo) error {
	stored, err := usecase.ReadHeld(ctx, d.Photos, key)
	if err == nil && !bytes.Equal(stored.JPEG, photo.JPEG()) {
		err = errOther
	}
	return err
}

func (d *Doctor) fetchPhoto(ctx context.Context) error {
	address, err := d.Address(ctx, d.probe.Ref.PhotoKey())
	if err != nil {
		return err
	}
	fetched, err := d.fetch(ctx, address)
	if err == nil && !bytes.Equal(fetched, d.next.JPEG()) {
		err = fmt.Errorf("its address has something else, of %d bytes; make it serve this photo store, and have caches revalidate", len(fetched))
	}
	return err
}

// HasProbes reports whether the steps may have left, or did leave, something.
func (d *Doctor) HasProbes() bool { return d.added || d.put }

// Remove removes what the steps may have left, except the log's entry. It may be
// repeated. It runs even if ctx has ended.
func (d *Doctor) Remove(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), usecase.CallTimeout)
	defer cancel()
	var customerErr, photoErr error
	if d.added {
		customerErr = d.removeCustomer(ctx)
	}
	if d.put {
		photoErr = d.deletePhoto(ctx)
	}
	if err := errors.Join(customerErr, photoErr); err != nil {
		return fmt.Errorf("customer %d of fleet 0 and %s may be left: %w", d.probe.Ref.Customer, d.probe.Ref.PhotoKey(), err)
	}
	return nil
}

func (d *Doctor) removeCustomer(ctx context.Context) error {
	none := func(_ context.Context, current domain.PhotoRecord, _ ports.LockProof) (domain.PhotoRecord, error) {
		return current, nil
	}
	err := d.Directory.RemoveCustomer(ctx, d.probe.Ref, none)
	if errors.Is(err, domain.CustomerNotFound) {
		return nil
	}
	return err
}

var errOther = errors.New("what was stored comes back changed; check that this URL leads to this backend alone")

// expect returns nil if err is of the kind, and errOther if err is nil.
func expect(kind domain.Kind, err error) error {
	switch {
	case errors.Is(err, kind):
		return nil
	case err == nil:
		return errOther
	}
	return err
}

// Sentence returns err for operators, in one line: with the causes instead of the
// sentences for callers.
func Sentence(err error) string {
	text := err.Error()
	var known *domain.Error
	if errors.As(err, &known) && strings.HasSuffix(text, known.Error()) {
		text = strings.TrimSuffix(text, known.Error())
		if known.Cause == nil {
			return text + known.Public
		}
		return text + Sentence(known.Cause)
	}
	return strings.ReplaceAll(text, "\n", "; ")
}
