package rows

import (
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
)

// Tx is a transaction. Its placeholders are $1, $2, ….
type Tx interface {
	// Exec returns the number of rows that the statement changed.
	Exec(statement string, args ...any) (int64, error)
	QueryRow(query string, args ...any) Row
}

// Dialect is how a database stores values, and what its errors mean.
type Dialect struct {
	Text        func(string) string // encodes a string that may hold any bytes
	Original    func(string) string // undoes Text
	Time        func(time.Time) any // NULL for the zero time
	IsDuplicate func(error) bool    // says that a row with the same key exists already
}

const fleetColumns = `id, name, disabled, require_pin, country`

const insertFleet = `INSERT INTO fleets (` + fleetColumns + `) VALUES ($1, $2, $3, $4, $5)`

// UpdateFleet takes the values of FleetValues.
const UpdateFleet = `UPDATE fleets SET name = $2, disabled = $3, require_pin = $4, country = $5 WHERE id = $1`

// SelectFleets yields all fleets, in the order of their ids, for ScanFleet.
const SelectFleets = `SELECT ` + fleetColumns + ` FROM fleets ORDER BY id`

// SelectKeys yields a fleet's keys, in any order, for ScanKey.
const SelectKeys = `SELECT hash, label, added_at FROM api_keys WHERE fleet_id = $1`

// DeleteKey takes a fleet and a label.
const DeleteKey = `DELETE FROM api_keys WHERE fleet_id = $1 AND label = $2`

// SelectCaller yields the fleet that a key's hash belongs to, for ScanCaller.
const SelectCaller = `
	SELECT fleets.id, fleets.name, fleets.disabled, fleets.require_pin, fleets.country, api_keys.label
	FROM api_keys JOIN fleets ON fleets.id = api_keys.fleet_id
	WHERE api_keys.hash = $1`

// FleetValues are the columns of a fleet, its id first.
func (d Dialect) FleetValues(f domain.Fleet) []any {
	return []any{f.ID, d.Text(string(f.Name)), f.Disabled, f.RequirePIN, f.Country}
}

// ScanFleet reads a row of SelectFleets.
func (d Dialect) ScanFleet(row Row) (fleet domain.Fleet, err error) {
	err = row.Scan(fleetInto(&fleet)...)
	fleet.Name = domain.FleetName(d.Original(string(fleet.Name)))
	return fleet, err
}

func fleetInto(f *domain.Fleet) []any {
	return []any{&f.ID, &f.Name, &f.Disabled, &f.RequirePIN, &f.Country}
}

// ScanCaller reads the row of SelectCaller. It fails with InvalidHashID where there is none.
func (d Dialect) ScanCaller(row Row) (caller domain.Caller, err error) {
	if err := row.Scan(append(fleetInto(&caller.Fleet), &caller.Key)...); err != nil {
		return domain.Caller{}, IfNone(err, domain.Errorf(domain.InvalidHashID, "api_key: no live key like this"))
	}
	caller.Fleet.Name, caller.Key = domain.FleetName(d.Original(string(caller.Fleet.Name))), domain.KeyLabel(d.Original(string(caller.Key)))
	return caller, nil
}

// ScanKey reads a row of SelectKeys.
func (d Dialect) ScanKey(row Row) (key domain.FleetKey, err error) {
	err = row.Scan((*Digest)(&key.Hash), &key.Label, (*Time)(&key.AddedAt))
	key.Label = domain.KeyLabel(d.Original(string(key.Label)))
	return key, err
}

// AddFleet adds a fleet and its first key.
func (d Dialect) AddFleet(tx Tx, fleet domain.Fleet, key domain.FleetKey) error {
	if _, err := tx.Exec(insertFleet, d.FleetValues(fleet)...); err != nil {
		return d.IfDuplicate(err, "fleet %d exists already", fleet.ID)
	}
	return d.AddKey(tx, fleet.ID, key)
}

// AddKey adds a key to a fleet that exists.
func (d Dialect) AddKey(tx Tx, fleet domain.FleetID, key domain.FleetKey) error {
	_, err := tx.Exec(`INSERT INTO api_keys (hash, fleet_id, label, added_at) VALUES ($1, $2, $3, $4)`,
		key.Hash[:], fleet, d.Text(string(key.Label)), d.Time(key.AddedAt))
	return d.IfDuplicate(err, "this API key, or a key %q of fleet %d, exists already", key.Label, fleet)
}

// SaveFleet adds or replaces a fleet with all its keys.
func (d Dialect) SaveFleet(tx Tx, fleet domain.Fleet, keys []domain.FleetKey) error {
	if _, err := tx.Exec(insertFleet+` ON CONFLICT (id) `+Replacing(fleetColumns), d.FleetValues(fleet)...); err != nil {
		return err
	}
	if _, err := tx.Exec(deleteKeys, fleet.ID); err != nil {
		return err
	}
	for _, key := range keys {
		if err := d.AddKey(tx, fleet.ID, key); err != nil {
			return err
		}
	}
	return nil
}

const deleteKeys = `DELETE FROM api_keys WHERE fleet_id = $1`

// RemoveFleet removes a fleet without customers, which the transaction has locked.
func RemoveFleet(tx Tx, fleet domain.FleetID) error {
	var customers int
	if err := tx.QueryRow(`SELECT count(*) FROM customers WHERE fleet_id = $1`, fleet).Scan(&customers); err != nil {
		return err
	}
	if customers > 0 {
		return domain.Errorf(domain.Conflict, "fleet %d still has customers: %d", fleet, customers)
	}
	if _, err := tx.Exec(deleteKeys, fleet); err != nil {
		return err
	}
	_, err := tx.Exec(`DELETE FROM fleets WHERE id = $1`, fleet)
	return err
}

// BindPINKey does what ports.PINKeyBinder's BindPINKey promises.
func BindPINKey(tx Tx, key, old domain.PINKeyFingerprint) error {
	_, err := tx.Exec(`
		INSERT INTO pin_key (id, fingerprint) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET fingerprint = $1
		WHERE pin_key.fingerprint = $2 OR NOT EXISTS (SELECT 1 FROM customers WHERE pin_hash IS NOT NULL)`, key[:], old[:])
	if err != nil {
		return err
	}
	var bound domain.PINKeyFingerprint
	err = tx.QueryRow(`SELECT fingerprint FROM pin_key WHERE id = 1`).Scan((*Digest)(&bound))
	if err == nil && bound != key {
		return domain.Errorf(domain.Conflict, "the stored PINs were hashed under another key")
	}
	return err
}

// IfDuplicate is a Conflict with this public sentence when err says that a row
// with the same key exists already, and err otherwise.
func (d Dialect) IfDuplicate(err error, format string, args ...any) error {
	if d.IsDuplicate(err) {
		return domain.Errorf(domain.Conflict, format, args...).WithCause(err)
	}
	return err
}
