package usecase

import (
	"context"
	"io"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// Provision adds fleets, their keys and customers. All fields must be set.
type Provision struct {
	Fleets    ports.FleetDirectory
	Customers ports.CustomerDirectory
	PINKey    domain.PINKey
	Random    io.Reader // cryptographically secure
	Clock     func() time.Time
}

// AddFleet adds a fleet and returns its first API key, which is stored only as
// a hash: it can't be shown again. It fails with Conflict where the fleet exists.
func (p *Provision) AddFleet(ctx context.Context, fleet domain.Fleet, label domain.KeyLabel) (domain.APIKey, error) {
	return p.newKey(label, func(key domain.FleetKey) error { return p.Fleets.AddFleet(ctx, fleet, key) })
}

// AddKey adds a key to a fleet beside those that it has, and returns it; it
// can't be shown again. It fails with NotFound where the fleet doesn't exist
// and with Conflict where it has a key with this label.
func (p *Provision) AddKey(ctx context.Context, fleet domain.FleetID, label domain.KeyLabel) (domain.APIKey, error) {
	return p.newKey(label, func(key domain.FleetKey) error { return p.Fleets.AddKey(ctx, fleet, key) })
}

func (p *Provision) newKey(label domain.KeyLabel, add func(domain.FleetKey) error) (domain.APIKey, error) {
	key, err := domain.NewAPIKey(p.Random)
	if err != nil {
		return domain.APIKey{}, err
	}
	if err := add(domain.FleetKey{Hash: key.Hash(), Label: label, AddedAt: instant(p.Clock())}); err != nil {
		return domain.APIKey{}, err
	}
	return key, nil
}

// SwitchFleet switches a fleet off or on. It fails with NotFound.
func (p *Provision) SwitchFleet(ctx context.Context, id domain.FleetID, disabled bool) error {
	fleet, err := findFleet(ctx, p.Fleets, id)
	if err != nil {
		return err
	}
	fleet.Disabled = disabled
	return p.Fleets.SetFleet(ctx, fleet)
}

// AddCustomer adds a customer to a fleet; pin may be blank. It fails with
// NotFound where the fleet doesn't exist and with Conflict where the fleet has
// this id or phone already.
func (p *Provision) AddCustomer(ctx context.Context, ref domain.CustomerRef, phone domain.PhoneNumber, pin domain.PIN) error {
	if _, err := findFleet(ctx, p.Fleets, ref.Fleet); err != nil {
		return err
	}
	return p.Customers.AddCustomer(ctx, domain.Customer{Ref: ref, Phone: phone, PIN: p.PINKey.Hash(ref, pin)})
}

func findFleet(ctx context.Context, auth ports.FleetDirectory, id domain.FleetID) (domain.Fleet, error) {
	fleets, err := auth.Fleets(ctx)
	if err != nil {
		return domain.Fleet{}, err
	}
	for _, fleet := range fleets {
		if fleet.ID == id {
			return fleet, nil
		}
	}
	return domain.Fleet{}, domain.Errorf(domain.NotFound, "there is no fleet %d; add it first, or check the number", id)
}
