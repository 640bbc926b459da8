package domain

// CustomerImport is a customer to import.
type CustomerImport struct {
	Ref   CustomerRef
	Phone PhoneNumber
	PIN   PINHash // zero: the customer has no PIN; ignored with KeepPIN
	// KeepPIN keeps an existing customer's PIN. A new customer gets none.
	KeepPIN bool
	// New refuses a customer who exists already, with IDTaken.
	New bool
}

// ImportResult says what an import does to a customer.
type ImportResult string

// The results of an import. Only those that IsWritten change anything.
const (
	Added      ImportResult = "added"
	Changed    ImportResult = "changed"     // only the phone number
	PINSet     ImportResult = "PIN set"     // a PIN other than before; the phone number may change too
	PINRemoved ImportResult = "PIN removed" // the phone number may change too
	Unchanged  ImportResult = "unchanged"   // the phone number and the PIN are the same
	IDTaken    ImportResult = "id taken"    // a New customer exists already; goes before PhoneTaken
	PhoneTaken ImportResult = "phone taken" // another customer of the fleet has the phone number
)

// IsWritten reports whether the customer is added or changed.
func (r ImportResult) IsWritten() bool {
	return r == Added || r == Changed || r == PINSet || r == PINRemoved
}

// Apply returns the customer after the import, and the result. known is the
// customer with the import's Ref, owner the one in the fleet who has its phone
// number; each is nil if there is none.
func (i CustomerImport) Apply(known, owner *Customer) (Customer, ImportResult) {
	after := Customer{Ref: i.Ref}
	if known != nil {
		after = *known
	}
	switch {
	case known != nil && i.New:
		return after, IDTaken
	case owner != nil && owner.Ref != i.Ref:
		return after, PhoneTaken
	}
	after.Phone = i.Phone
	if !i.KeepPIN {
		after.PIN = i.PIN
	}
	switch {
	case known == nil:
		return after, Added
	case after == *known:
		return after, Unchanged
	case after.PIN == known.PIN:
		return after, Changed
	case after.PIN == PINHash{}:
		return after, PINRemoved
	}
	return after, PINSet
}
