package domain

import (
	"cmp"
	"fmt"
)

// CustomerID identifies a customer within its fleet: a positive integer.
type CustomerID int64

// UnmarshalText implements encoding.TextUnmarshaler: it takes a positive integer.
func (id *CustomerID) UnmarshalText(text []byte) error {
	return parseID("customer id", text, (*int64)(id))
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

// CustomerChange is what an operator changes of a customer.
type CustomerChange struct {
	Phone   PhoneNumber // 0: it stays
	PIN     PINHash     // zero: the customer has none any more; ignored with KeepPIN
	KeepPIN bool
}
