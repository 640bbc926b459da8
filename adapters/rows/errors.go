package rows

import (
	"slices"

	"github.com/fleetphoto/fleetphoto/domain"
)

// NoKey is the error of a key that no fleet has.
func NoKey() *domain.Error {
	return domain.Errorf(domain.InvalidHashID, "api_key: no live key like this")
}

// NoFleet is the error of a fleet that doesn't exist.
func NoFleet(id domain.FleetID) *domain.Error {
	return domain.Errorf(domain.NotFound, "there is no fleet %d", id)
}

// LacksFleet is NoFleet of the first of fleets that isn't found; nil where all are.
func LacksFleet(fleets, found []domain.FleetID) error {
	for _, fleet := range fleets {
		if !slices.Contains(found, fleet) {
			return NoFleet(fleet)
		}
	}
	return nil
}

// HasCustomers is the error of a fleet that can't be removed.
func HasCustomers(fleet domain.FleetID, count int) *domain.Error {
	return domain.Errorf(domain.Conflict, "fleet %d still has customers: %d", fleet, count)
}

// NoLabel is the error of a key that the fleet doesn't have.
func NoLabel(fleet domain.FleetID, label domain.KeyLabel) *domain.Error {
	return domain.Errorf(domain.NotFound, "fleet %d has no key %q", fleet, label)
}

// NoPhone is the error of a phone number that no customer of the fleet has.
func NoPhone() *domain.Error {
	return domain.Errorf(domain.CustomerNotFound, "phone_number: this fleet has no customer with this number")
}

// NoCustomer is the error of a customer who doesn't exist.
func NoCustomer(ref domain.CustomerRef) *domain.Error {
	return domain.Errorf(domain.CustomerNotFound, "there is no customer %d in fleet %d", ref.Customer, ref.Fleet)
}

// PhoneTaken is what is said, with the fleet, where a customer is to get a phone
// number that another one has.
const PhoneTaken = "another customer of fleet %d has this phone number"

// OtherPINKey is the error of a PIN key that is not the bound one.
func OtherPINKey() *domain.Error {
	return domain.Errorf(domain.Conflict, "the stored PINs were hashed under another key")
}

// NoEntry is the error of a log entry that doesn't exist.
func NoEntry(id domain.ApiLogID) *domain.Error {
	return domain.Errorf(domain.NotFound, "there is no log entry %d", id)
}
