package domain

// CustomerImport is what an import says of a customer.
type CustomerImport struct {
	Ref   CustomerRef
	Phone PhoneNumber
	PIN   PINHash // zero: none is set; not looked at when KeepPIN is
	// KeepPIN leaves the PIN of a customer who exists as it is. A new one has none.
	KeepPIN bool
}

// ImportResult is what an import does to a customer.
type ImportResult string

// The results of an import.
const (
	Added      ImportResult = "added"
	Changed    ImportResult = "changed"     // the phone number or the PIN
	Unchanged  ImportResult = "unchanged"   // all was so already
	PhoneTaken ImportResult = "phone taken" // another customer of the fleet has the phone number: nothing was changed
)

// PlanImport says what importing the customers, one after the other, does to
// each, and how each is afterwards. stored has every stored customer whose Ref
// or whose Phone within its fleet is among the imported ones; of these, no Ref
// and no Phone of a fleet comes twice. Changes in their order, and the additions
// after them, never meet a phone number that is taken.
func PlanImport(stored []Customer, imported []CustomerImport) ([]ImportResult, []Customer) {
	type number struct {
		fleet FleetID
		phone PhoneNumber
	}
	known, taken := map[CustomerRef]Customer{}, map[number]CustomerRef{}
	for _, c := range stored {
		known[c.Ref], taken[number{c.Ref.Fleet, c.Phone}] = c, c.Ref
	}
	results, after := make([]ImportResult, len(imported)), make([]Customer, len(imported))
	for i, wanted := range imported {
		before, exists := known[wanted.Ref]
		results[i], after[i] = wanted.appliedTo(before, exists)
		wants := number{wanted.Ref.Fleet, wanted.Phone}
		if owner, found := taken[wants]; found && owner != wanted.Ref {
			results[i], after[i] = PhoneTaken, before
			continue
		}
		if exists {
			delete(taken, number{wanted.Ref.Fleet, before.Phone})
		}
		taken[wants] = wanted.Ref
	}
	return results, after
}

func (w CustomerImport) appliedTo(before Customer, exists bool) (ImportResult, Customer) {
	after := before
	after.Ref, after.Phone = w.Ref, w.Phone
	if !w.KeepPIN {
		after.PIN = w.PIN
	}
	switch {
	case !exists:
		return Added, after
	case after == before:
		return Unchanged, after
	default:
		return Changed, after
	}
}
