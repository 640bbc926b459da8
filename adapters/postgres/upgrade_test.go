package postgres

import (
	"bytes"
	"os"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/contract-tests/servers"
	"github.com/fleetphoto/fleetphoto/domain"
)

// TestUpgrade reads what older versions of the program stored. Each file is named
// after the commit whose binary filled the database: 7e2148b made version 1 of
// the tables, 2a4b1a3 a version 2 without pin_key, b51715a version 2. To make one:
//
//	git worktree add --detach /tmp/old COMMIT && cd /tmp/old && go build -o fleetphoto ./app/fleetphoto
//	export FLEETPHOTO_PIN_KEY=0707…07 (32 times 07), and a database of Postgres 15; fleetphoto serve
//	fleetphoto fleet add 689 --name "Yellow Cabs"
//	fleetphoto customer add --fleet=689 --id=452733 --phone=447700900123 --pin=1234
//	post a photo with the PIN; lock the customer's row in psql, post again, post with PIN 4321, kill -9 the server
//	pg_dump --inserts --no-owner --no-privileges, without the lines that begin with SET, SELECT pg_catalog.set_config, \ or --
func TestUpgrade(t *testing.T) {
	t.Parallel()
	for commit, label := range map[string]domain.KeyLabel{"7e2148b": "", "2a4b1a3": domain.FirstKey, "b51715a": domain.FirstKey} {
		t.Run(commit, func(t *testing.T) {
			t.Parallel()
			db := opened(t, servers.Postgres(t))
			dump, err := os.ReadFile("testdata/" + commit + ".sql")
			must(t, err)
			run(t, db, string(dump))
			wantSentence(t, "Start", db.Start(t.Context()), "fleetphoto migrate")
			must(t, migrateAndStart(t.Context(), db))
			checkUpgraded(t, db, label)
		})
	}
}

func checkUpgraded(t *testing.T, db *DB, label domain.KeyLabel) {
	t.Helper()
	ctx, customers := t.Context(), db.CustomerRepo()
	fleet := domain.Fleet{ID: alice.Fleet, Name: "Yellow Cabs"}
	keys, err := db.FleetAuth().Keys(ctx, fleet.ID)
	if len(keys) != 1 || err != nil {
		t.Fatalf("Keys = %v, %v; want one", keys, err)
	}
	if got, err := db.FleetAuth().Authenticate(ctx, keys[0].Hash); got != (domain.Caller{Fleet: fleet, Key: domain.FirstKey}) || err != nil {
		t.Errorf("Authenticate = %+v, %v", got, err)
	}

	key, err := domain.NewPINKey(bytes.Repeat([]byte{7}, domain.MinPINKeyBytes))
	must(t, err)
	must(t, customers.BindPINKey(ctx, key.Fingerprint(), domain.PINKeyFingerprint{}))
	if got, want := pinLock(t, db), (domain.PINLock{Attempts: 1}); got != want {
		t.Errorf("the PIN's lock is %+v, want %+v", got, want)
	}
	pin, err := domain.ParsePIN("1234")
	must(t, err)
	must(t, customers.TryPIN(ctx, alice, domain.PINKeys{Current: key}.Offer(alice, pin)))

	found, err := customers.FindByPhone(ctx, alice.Fleet, 447700900123)
	must(t, err)
	if photo := found.Photo; photo.ChangedBy != 1 || photo.Info.Size != 599 || photo.Info.Width != 16 || photo.Version != "" || photo.Store != "" {
		t.Errorf("the photo's record is %+v", photo)
	}
	log, err := db.ApiLog().List(ctx, domain.ApiLogFilter{Result: domain.Valid}, 10)
	if len(log) != 1 || log[0].ID != 1 || log[0].Call.Key != label || err != nil {
		t.Errorf("List = %+v, %v; want entry 1", log, err)
	}
	open, err := db.ApiLog().Unfinished(ctx, 0, 0, 10)
	if len(open) != 1 || open[0].ID != 2 || open[0].Call.Customer != alice.Customer || err != nil {
		t.Errorf("Unfinished = %+v, %v; want entry 2", open, err)
	}
	var asReceived bool
	must(t, db.pool.QueryRow(ctx, `SELECT opened_at = received_at FROM api_log WHERE id = 2`).Scan(&asReceived))
	if !asReceived {
		t.Error("entry 2 wasn't opened when it was received")
	}
	if id, err := db.ApiLog().Open(ctx, domain.ApiCall{ReceivedAt: time.Now()}); id != 4 || err != nil {
		t.Errorf("Open = %d, %v; want 4", id, err)
	}
}
