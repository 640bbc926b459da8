package sqlite

import (
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
)

// What a database holds that version 1 of the tables made is there after the
// migration.
func TestMigrateFromVersion1(t *testing.T) {
	t.Parallel()
	db, err := Open(newURL(t))
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	must(t, db.makeLocks())
	must(t, createFile(db.Path()))
	tables, err := db.tables(t.Context())
	must(t, err)
	_, err = tables.UpTo(t.Context(), 1)
	must(t, err)
	at := time.Date(2026, time.March, 29, 12, 0, 0, 123_457_000, time.UTC)
	for _, statement := range []string{
		`INSERT INTO fleets (id, name, disabled) VALUES (689, 'Yellow Cabs', 1)`,
		`INSERT INTO api_keys (hash, fleet_id) VALUES (x'` + domain.Digest{1}.String() + `', 689)`,
		`INSERT INTO customers (fleet_id, id, phone, pin_attempts, photo_size, photo_width, photo_height, photo_changed_by) VALUES (689, 452733, 452733, 3, 7, 8, 9, 1)`,
		`INSERT INTO api_log (id, received_at, came_from, fleet_id, customer_id, phone, operation, result, error, detail, ended_at)
			VALUES (1, 1774785600123457, '192.0.2.1', 689, 452733, '…2733', 'update', 'error', 'Invalid PIN', 'wrong', 1774785600123458)`,
		`INSERT INTO api_log (id, received_at, came_from, fleet_id, customer_id, phone, operation, result, error, detail)
			VALUES (2, 1774785600123457, '', 0, 0, '', '', '', '', '')`,
	} {
		_, err := db.writer.ExecContext(t.Context(), statement)
		must(t, err)
	}

	must(t, migrateAndStart(t.Context(), db))
	fleet := domain.Fleet{ID: 689, Name: "Yellow Cabs", Disabled: true}
	if got, err := db.FleetAuth().Authenticate(t.Context(), domain.APIKeyHash{1}); got != (domain.Caller{Fleet: fleet, Key: domain.FirstKey}) || err != nil {
		t.Errorf("Authenticate = %+v, %v", got, err)
	}
	key := domain.FleetKey{Hash: domain.APIKeyHash{1}, Label: domain.FirstKey}
	if got, err := db.FleetAuth().Keys(t.Context(), fleet.ID); len(got) != 1 || got[0] != key || err != nil {
		t.Errorf("Keys = %+v, %v; want %+v", got, err, key)
	}
	if got := size(t, db, alice); got != 7 {
		t.Errorf("size = %d, want 7", got)
	}
	want := []domain.ApiLogEntry{{ID: 2, Call: domain.ApiCall{ReceivedAt: at}}, {
		ID:      1,
		Call:    domain.ApiCall{ReceivedAt: at, From: "192.0.2.1", Fleet: 689, Customer: 452733, Phone: domain.PhoneNumber(452733).Masked(), Operation: domain.UpdatePhoto},
		Outcome: domain.Outcome{Result: domain.Failed, Error: domain.InvalidPIN, Detail: "wrong", EndedAt: at.Add(time.Microsecond)},
	}}
	got, err := db.ApiLog().List(t.Context(), domain.ApiLogFilter{}, 10)
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] || err != nil {
		t.Errorf("List = %+v, %v; want %+v", got, err, want)
	}
}
