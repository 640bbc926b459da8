package sqlite

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
)

// TestUpgrade brings databases up to date that the program made at the commits
// that they are named after. In each, serve ran with 11 as each of 32 bytes of
// FLEETPHOTO_PIN_KEY; fleet add made the fleet 689, Yellow Cabs; customer add
// made 452733 with the phone number 447700900123 and the PIN 1234, and 7; one
// call set the photo app/demo.jpg and another came with a wrong PIN. After the
// server had stopped, sqlite3 made the key's hash 01 and 31 zeros, added a copy
// of the first entry as an open one, 3, and ran PRAGMA wal_checkpoint(TRUNCATE)
// and VACUUM.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.db")
	if err != nil || len(files) != 3 {
		t.Fatalf("got %v, %v", files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			content, err := os.ReadFile(file)
			must(t, err)
			path := filepath.Join(t.TempDir(), "f.db")
			must(t, os.WriteFile(path, content, 0o600))
			db := started(t, "sqlite://"+filepath.ToSlash(path))
			wantFleet(t, db)
			wantCustomer(t, db)
			wantLog(t, db)
			must(t, db.ChangeRecorder().ChangePhotoAndClose(t.Context(), alice, 3, toNewRecord))
			wantState(t, db, newRecord, 3, done)
		})
	}
}

func wantFleet(t *testing.T, db *DB) {
	t.Helper()
	fleet := domain.Fleet{ID: 689, Name: "Yellow Cabs"}
	if got, err := db.FleetAuth().Authenticate(t.Context(), domain.APIKeyHash{1}); got != (domain.Caller{Fleet: fleet, Key: domain.FirstKey}) || err != nil {
		t.Errorf("Authenticate = %+v, %v", got, err)
	}
	if got, err := db.FleetAuth().Keys(t.Context(), fleet.ID); len(got) != 1 || got[0].Label != domain.FirstKey || err != nil {
		t.Errorf("Keys = %+v, %v", got, err)
	}
}

func wantCustomer(t *testing.T, db *DB) {
	t.Helper()
	repo := db.CustomerRepo()
	key, err := domain.NewPINKey(bytes.Repeat([]byte{0x11}, 32))
	must(t, err)
	pin, err := domain.ParsePIN("1234")
	must(t, err)
	must(t, repo.BindPINKey(t.Context(), key.Fingerprint(), domain.PINKeyFingerprint{}))
	must(t, repo.TryPIN(t.Context(), alice, domain.PINKeys{Current: key}.Offer(alice, pin)))
	found, err := repo.FindByPhone(t.Context(), 689, 447700900123)
	must(t, err)
	photo := found.Photo
	if found.Ref != alice || photo.Info.Size != 1519 || photo.Info.Width != 96 || photo.Info.SHA256[0] != 0xEC || photo.ChangedBy != 1 ||
		photo.ChangedAt.Year() != 2026 || photo.Version != domain.UnknownVersion || photo.Store != "" {
		t.Errorf("FindByPhone = %+v", found)
	}
	if all, err := repo.Customers(t.Context(), domain.CustomerRef{}, 9); len(all) != 2 || all[0].Photo != (domain.PhotoRecord{}) || err != nil {
		t.Errorf("Customers = %+v, %v", all, err)
	}
}

func wantLog(t *testing.T, db *DB) {
	t.Helper()
	entries, err := db.ApiLog().List(t.Context(), domain.ApiLogFilter{}, 9)
	if err != nil || len(entries) != 3 {
		t.Fatalf("List = %+v, %v", entries, err)
	}
	refused, open, stored := entries[0], entries[1], entries[2]
	if refused.Outcome.Error != domain.InvalidPIN || stored.Outcome.Result != domain.Valid || stored.Call.Customer != alice.Customer || stored.Call.From != "127.0.0.1" {
		t.Errorf("List = %+v", entries)
	}
	if !open.Outcome.IsOpen() || open.Call.ReceivedAt != stored.Call.ReceivedAt || open.Call.Intent != (domain.Digest{}) {
		t.Errorf("the open entry is %+v", open)
	}
	run(t, db, `UPDATE api_log SET received_at = received_at + 3600000000000000 WHERE id = 3`)
	if found, err := db.ApiLog().Unfinished(t.Context(), -time.Hour, 0, 9); len(found) != 1 || found[0].ID != 3 || err != nil {
		t.Errorf("Unfinished = %+v, %v", found, err)
	}
}
