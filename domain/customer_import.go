package domain

// CustomerImport is what an import says of a customer.
type CustomerImport struct {
	Ref   CustomerRef
	Phone PhoneNumber
	PIN   PINHash // zero: the customer has none; ignored with KeepPIN
	// KeepPIN leaves an existing customer's PIN as it is. A new customer has none.
	KeepPIN bool
	// New refuses a customer who exists, with IDTaken.
	New bool
}

// ImportResult is what an import does to a customer.
type ImportResult string

// The results of an import. Only those that IsWritten change anything.
const (
	Added      ImportResult = "added"
	Changed    ImportResult = "changed"     // the phone number alone
	PINSet     ImportResult = "PIN set"     // to another one, perhaps the phone number too
	PINRemoved ImportResult = "PIN removed" // perhaps the phone number is changed, too
	Unchanged  ImportResult = "unchanged"   // the phone number and the PIN are the same
	IDTaken    ImportResult = "id taken"    // the customer exists and was to be New, whoever has the phone number
	PhoneTaken ImportResult = "phone taken" // another customer of the fleet has the phone number
)

// IsWritten says that the customer is added or changed.
func (r ImportResult) IsWritten() bool {
	return r == Added || r == Changed || r == PINSet || r == PINRemoved
}

// Apply returns what the import does to known, the customer with its Ref, and
// how the customer is afterwards. known is nil where there is no such customer,
// owner where nobody in the fleet has the phone number.
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
