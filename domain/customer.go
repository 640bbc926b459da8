package domain

import (
	"cmp"
	"fmt"
)

// CustomerID identifies a customer within its fleet: a positive integer.
type CustomerID int64

// UnmarshalText implements encoding.TextUnmarshaler. It accepts a positive integer.
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

// PhotoKey returns the key under which the customer's photo is stored.
func (r CustomerRef) PhotoKey() PhotoKey {
	return PhotoKey(fmt.Sprintf("fleet-%d/customer_photos/%d_photo.jpg", r.Fleet, r.Customer))
}

// Customer is a fleet's customer. Ref and, within the fleet, Phone are unique.
type Customer struct {
	Ref   CustomerRef
	Phone PhoneNumber
	PIN   PINHash     // zero: no PIN is set, so none matches
	Photo PhotoRecord // what the repository knows of the stored photo
}

// StoredCustomer is everything that a repository stores of a customer.
type StoredCustomer struct {
	Customer
	Lock PINLock
}

// PhonesTaken returns which of customers can't be stored because another customer
// has the phone number and keeps it. holders are the customers who have one of the
// phone numbers now. A holder gives the number up by being stored with another one.
func PhonesTaken(customers []StoredCustomer, holders []Customer) []CustomerRef {
	type number struct {
		FleetID
		PhoneNumber
	}
	has, stored := map[number]CustomerRef{}, map[CustomerRef]bool{}
	for _, holder := range holders {
		has[number{holder.Ref.Fleet, holder.Phone}] = holder.Ref
	}
	for _, c := range customers {
		stored[c.Ref] = true
	}
	var taken []CustomerRef
	for before := -1; before < len(taken); { // a customer who isn't stored keeps a phone number that another one may want
		before = len(taken)
		for _, c := range customers {
			holder, found := has[number{c.Ref.Fleet, c.Phone}]
			if found && holder != c.Ref && !stored[holder] && stored[c.Ref] {
				stored[c.Ref] = false
				taken = append(taken, c.Ref)
			}
		}
	}
	return taken
}

// CustomerChange is an operator's change of a customer.
type CustomerChange struct {
	Phone   PhoneNumber // 0 keeps the phone number
	PIN     PINHash     // zero removes the PIN; ignored with KeepPIN
	KeepPIN bool
}
