package postgres

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/fleetphoto/fleetphoto/adapters/rows"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// Whatever a text holds comes back; what can be read is stored as it is.
func TestText(t *testing.T) {
	t.Parallel()
	db := started(t, newURL(t))
	for given, want := range map[string]string{
		"":                  "",
		"Łódź 🚕 'x' \" %\n": "Łódź 🚕 'x' \" %\n",
		"Łódź\x00Taxi":      `Łódź\x00Taxi`,
		`C:\x00\`:           `C:\x5cx00\x5c`,
		"\xff\xfe�":         `\xff\xfe�`,
		"caf\xc3":           `caf\xc3`,
	} {
		var stored, got string
		err := db.pool.QueryRow(t.Context(), `SELECT $1::text, $1::text`, text(given)).Scan(&stored, &got)
		got = original(got)
		if stored != want || got != given || err != nil {
			t.Errorf("%q is stored as %q and comes back as %q, %v; want it stored as %q", given, stored, got, err, want)
		}
	}
}

func TestEveryExecMode(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"cache_statement", "cache_describe", "describe_exec", "exec", "simple_protocol"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			db := started(t, with(t, newURL(t), "default_query_exec_mode", mode))
			fleet := domain.Fleet{ID: alice.Fleet, Name: "Łódź\x00Taxi", Disabled: true}
			must(t, db.FleetAuth().AddFleet(t.Context(), fleet, domain.FleetKey{Hash: domain.APIKeyHash{1}, Label: "Łódź\x00"}))
			if got, err := db.FleetAuth().Authenticate(t.Context(), domain.APIKeyHash{1}); got != (domain.Caller{Fleet: fleet, Key: "Łódź\x00"}) || err != nil {
				t.Errorf("Authenticate = %v, %v; want %v", got, err, fleet)
			}
			noon := anyCall.ReceivedAt
			customer := domain.Customer{Ref: alice, Phone: 999_999_999_999_999, PIN: domain.PINHash{0xFF, 0}, Photo: domain.PhotoRecord{
				Info: domain.PhotoInfo{SHA256: [32]byte{2}, Size: 1 << 40, Width: 3, Height: 4}, ChangedAt: noon, ChangedBy: 5, Version: "v", Store: "s",
			}}
			_, err := db.CustomerRepo().ImportCustomers(t.Context(), []domain.CustomerImport{{Ref: alice, Phone: 1, PIN: customer.PIN}, {Ref: alice, Phone: customer.Phone, KeepPIN: true}})
			must(t, err)
			must(t, db.CustomerRepo().ChangePhoto(t.Context(), alice, func(context.Context, domain.PhotoRecord, ports.LockProof) (domain.PhotoRecord, error) {
				return customer.Photo, nil
			}))
			must(t, db.CustomerRepo().TryPIN(t.Context(), alice, domain.OfferedPIN{Current: domain.PINHash{1}, Old: customer.PIN}))
			customer.PIN = domain.PINHash{1}
			if got, err := db.CustomerRepo().FindByPhone(t.Context(), alice.Fleet, customer.Phone); got != customer || err != nil {
				t.Errorf("FindByPhone = %v, %v; want %v", got, err, customer)
			}
			want := domain.ApiLogEntry{Call: domain.ApiCall{ReceivedAt: noon, From: "\xff", Operation: domain.UpdatePhoto, Intent: domain.Digest{3}, Store: "\xff"}}
			want.ID, err = db.ApiLog().Open(t.Context(), want.Call)
			must(t, err)
			if got, err := db.ApiLog().Unfinished(t.Context(), 0, want.ID-1, 2); len(got) != 1 || got[0] != want || err != nil {
				t.Errorf("Unfinished = %v, %v; want %v", got, err, want)
			}
			want.Outcome = domain.Outcome{Result: domain.Failed, Error: domain.TypeError, Detail: `\`, EndedAt: noon, SettledAt: noon}
			must(t, db.ApiLog().Close(t.Context(), want.ID, want.Outcome))
			if got, err := db.ApiLog().Entry(t.Context(), want.ID); got != want || err != nil {
				t.Errorf("Entry = %v, %v; want %v", got, err, want)
			}
		})
	}
}

// A customer who was removed by hand may come back, with no attempt counted.
func TestCustomerComesBack(t *testing.T) {
	t.Parallel()
	db := started(t, newURL(t))
	for range 2 {
		addCustomer(t, db, alice)
		if got := pinLock(t, db); got != (domain.PINLock{}) {
			t.Errorf("the lock is %+v, want none", got)
		}
		for range domain.MaxWrongPINs {
			if err := db.CustomerRepo().TryPIN(t.Context(), alice, domain.OfferedPIN{}); !errors.Is(err, domain.InvalidPIN) {
				t.Errorf("TryPIN = %v, want InvalidPIN", err)
			}
		}
		run(t, db, `DELETE FROM customers`)
	}
}

func TestQueriesUseTheirIndexes(t *testing.T) {
	t.Parallel()
	db := started(t, newURL(t))
	for query, want := range map[string]string{
		strings.NewReplacer("$1", "5", "$2", "7", "$3", "10").Replace(selectUnfinished): "Index Scan using api_log_open",
		strings.ReplaceAll(rows.SelectEntry+whereID, "$1", "33::bigint"):                "Index Cond: ((shard = '1'::bigint) AND (id = '33'::bigint))",
	} {
		must(t, db.write(t.Context(), "explain", func(tx pgx.Tx) error {
			if _, err := tx.Exec(t.Context(), `SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off`); err != nil {
				return err
			}
			lines, _ := tx.Query(t.Context(), "EXPLAIN "+query)
			plan, err := pgx.CollectRows(lines, pgx.RowTo[string])
			if !strings.Contains(strings.Join(plan, "\n"), want) {
				t.Errorf("the plan is %q, want %s", plan, want)
			}
			return err
		}))
	}
}
