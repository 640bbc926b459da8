package rows

import (
	"cmp"
	"iter"
	"slices"

	"github.com/fleetphoto/fleetphoto/domain"
)

// ImportTx is the transaction of an import.
type ImportTx interface {
	// Find returns the fleet's customers who have one of the values, which are
	// sorted, in this column, "id" or "phone". Photos may be left out.
	Find(fleet domain.FleetID, column string, values []int64) ([]domain.Customer, error)
	// Change gives each of these customers, who exist, the phone number and,
	// without KeepPIN, the PIN, in this order.
	Change(customers []domain.CustomerImport) error
	// Add adds the customers, in any order.
	Add(customers []domain.CustomerImport) error
}

// Import does what ports.CustomerDirectory's ImportCustomers promises. It reads
// what is stored in two queries and writes only what changes: a statement for
// each customer would take several times as long.
func Import(tx ImportTx, customers []domain.CustomerImport) ([]domain.ImportResult, error) {
	results, err := PlanImport(tx, customers)
	if err != nil {
		return nil, err
	}
	for changed, added := range groups(customers, results) {
		if err := tx.Change(changed); err != nil {
			return nil, err
		}
		if err := tx.Add(added); err != nil {
			return nil, err
		}
	}
	return results, nil
}

// groups splits the writes into groups in which each Ref and each phone number
// occurs once, so that nobody gets a phone number that is still taken. Within a
// group, customers are changed before others are added.
func groups(customers []domain.CustomerImport, results []domain.ImportResult) iter.Seq2[[]domain.CustomerImport, []domain.CustomerImport] {
	return func(yield func(changed, added []domain.CustomerImport) bool) {
		var changed, added []domain.CustomerImport
		written := map[any]bool{}
		for i, c := range customers {
			if !results[i].IsWritten() {
				continue
			}
			if written[c.Ref] || written[number(c)] {
				if !yield(changed, inPhoneOrder(added)) {
					return
				}
				changed, added = nil, nil
				clear(written)
			}
			written[c.Ref], written[number(c)] = true, true
			if results[i] != domain.Added {
				changed = append(changed, c)
			} else {
				added = append(added, c)
			}
		}
		yield(changed, inPhoneOrder(added))
	}
}

// inPhoneOrder sorts customers so that each page of the index of phone numbers
// is visited once.
func inPhoneOrder(customers []domain.CustomerImport) []domain.CustomerImport {
	slices.SortFunc(customers, func(a, b domain.CustomerImport) int { return cmp.Compare(a.Phone, b.Phone) })
	return customers
}

// PlanImport returns what Import would and changes nothing.
func PlanImport(tx ImportTx, customers []domain.CustomerImport) ([]domain.ImportResult, error) {
	known, owners, err := stored(tx, customers)
	if err != nil {
		return nil, err
	}
	results := make([]domain.ImportResult, len(customers))
	for i, c := range customers {
		before := known[c.Ref]
		after, result := c.Apply(before, owners[number(c)])
		results[i] = result
		if !result.IsWritten() {
			continue
		}
		if before != nil {
			delete(owners, fleetPhone{c.Ref.Fleet, before.Phone})
		}
		known[c.Ref], owners[number(c)] = &after, &after
	}
	return results, nil
}

// SaveTx is the transaction of a SaveCustomers.
type SaveTx interface {
	ImportTx
	// Park gives these customers, who exist, phone numbers that nobody else has.
	Park(customers []domain.StoredCustomer) error
	// Save stores the customers, whether or not they exist. Each of their phone
	// numbers is free, or theirs.
	Save(customers []domain.StoredCustomer) error
}

// Save does what ports.CustomerDirectory's SaveCustomers promises.
func Save(tx SaveTx, customers []domain.StoredCustomer) (taken []domain.CustomerRef, err error) {
	wanted := make([]domain.CustomerImport, len(customers))
	for i, c := range customers {
		wanted[i] = domain.CustomerImport{Ref: c.Ref, Phone: c.Phone}
	}
	known, owners, err := stored(tx, wanted)
	if err != nil {
		return nil, err
	}
	var holders []domain.Customer
	for _, owner := range owners {
		holders = append(holders, *owner)
	}
	taken = domain.PhonesTaken(customers, holders)
	var saved, moving []domain.StoredCustomer
	for _, c := range customers {
		if slices.Contains(taken, c.Ref) {
			continue
		}
		saved = append(saved, c)
		if before := known[c.Ref]; before != nil && before.Phone != c.Phone {
			moving = append(moving, c)
		}
	}
	if err := tx.Park(moving); err != nil {
		return nil, err
	}
	return taken, tx.Save(saved)
}

type fleetPhone struct {
	fleet domain.FleetID
	phone domain.PhoneNumber
}

func number(c domain.CustomerImport) fleetPhone { return fleetPhone{c.Ref.Fleet, c.Phone} }

// stored returns the stored customers who have the Ref or the phone number of
// one of customers, by both.
func stored(tx ImportTx, customers []domain.CustomerImport) (map[domain.CustomerRef]*domain.Customer, map[fleetPhone]*domain.Customer, error) {
	known, owners := map[domain.CustomerRef]*domain.Customer{}, map[fleetPhone]*domain.Customer{}
	find := func(column string, wanted map[domain.FleetID][]int64) error {
		for fleet, values := range wanted {
			slices.Sort(values) // neighbours are on the same page
			found, err := tx.Find(fleet, column, values)
			if err != nil {
				return err
			}
			for _, c := range found {
				known[c.Ref], owners[fleetPhone{fleet, c.Phone}] = &c, &c
			}
		}
		return nil
	}
	ids, phones := map[domain.FleetID][]int64{}, map[domain.FleetID][]int64{}
	for _, c := range customers {
		ids[c.Ref.Fleet] = append(ids[c.Ref.Fleet], int64(c.Ref.Customer))
	}
	if err := find("id", ids); err != nil {
		return nil, nil, err
	}
	for _, c := range customers {
		if owners[number(c)] == nil {
			phones[c.Ref.Fleet] = append(phones[c.Ref.Fleet], int64(c.Phone))
		}
	}
	return known, owners, find("phone", phones)
}

// FleetsOf returns the fleets of customers, each once.
func FleetsOf(customers []domain.CustomerImport) []domain.FleetID {
	var fleets []domain.FleetID
	for _, c := range customers {
		if len(fleets) == 0 || fleets[len(fleets)-1] != c.Ref.Fleet {
			fleets = append(fleets, c.Ref.Fleet)
		}
	}
	slices.Sort(fleets)
	return slices.Compact(fleets)
}
