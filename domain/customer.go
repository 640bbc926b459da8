package domain

import (
	"cmp"
	"fmt"
)

// CustomerID identifies a customer within its fleet: a positive integer.
type CustomerID int64

// NewCustomerID checks that id is positive. It fails with TypeError.
func NewCustomerID(id int64) (CustomerID, error) {
	if id <= 0 {
		return 0, Errorf(TypeError, "customer id: want a positive integer, got %d", id)
	}
	return CustomerID(id), nil
}

// CustomerRef names one customer of one fleet. Two fleets may use the same CustomerID.
type CustomerRef struct {
	Fleet    FleetID
	Customer CustomerID
}

// Compare orders customers by fleet, then by id.
func (r CustomerRef) Compare(other CustomerRef) int {
	return cmp.Or(cmp.Compare(r.Fleet, other.Fleet), cmp.Compare(r.Customer, other.Customer))
}

// PhotoKey returns the one key under which the customer's photo is stored.
func (r CustomerRef) PhotoKey() PhotoKey {
	return PhotoKey(fmt.Sprintf("fleet-%d/customer_photos/%d_photo.jpg", r.Fleet, r.Customer))
}

// Customer is a fleet's customer. Ref and, within the fleet, Phone are unique.
type Customer struct {
	Ref   CustomerRef
	Phone PhoneNumber
	PIN   PINHash     // zero: no PIN is set, and none matches
	Photo PhotoRecord // what the repository knows of the stored photo
}
