package rows

import (
	"database/sql"
	"errors"
	"slices"

	"github.com/fleetphoto/fleetphoto/domain"
)

// IfNone is notFound when err says that there is no such row, and err otherwise.
func IfNone(err error, notFound *domain.Error) error {
	if errors.Is(err, sql.ErrNoRows) { // pgx.ErrNoRows too
		return notFound
	}
	return err
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

// NoEntry is the error of a log entry that doesn't exist.
func NoEntry(id domain.ApiLogID) *domain.Error {
	return domain.Errorf(domain.NotFound, "there is no log entry %d", id)
}
