package postgres

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/fleetphoto/fleetphoto/domain"
)

// TestRightsToCopy: a role with the rights in docs/backends.md, and no others, can
// do all that a copy does.
func TestRightsToCopy(t *testing.T) {
	t.Parallel()
	document, err := os.ReadFile("../../docs/backends.md")
	must(t, err)
	grants := regexp.MustCompile(`(?m)^\s*GRANT .* TO fleetphoto;$`).FindAllString(string(document), -1)
	if len(grants) < 2 {
		t.Fatalf("docs/backends.md has the rights %q", grants)
	}
	owner, ctx := opened(t, newURL(t)), t.Context()
	name := fmt.Sprintf("copies_%d", os.Getpid())
	run(t, owner, `CREATE ROLE `+name+` LOGIN PASSWORD 'secret'`)
	t.Cleanup(func() {
		for _, statement := range []string{`DROP OWNED BY ` + name, `DROP ROLE ` + name} {
			if _, err := owner.pool.Exec(context.Background(), statement); err != nil {
				t.Error(err)
			}
		}
	})
	for _, grant := range grants {
		run(t, owner, strings.Replace(grant, "TO fleetphoto", "TO "+name, 1))
	}
	u, err := url.Parse(owner.pool.Config().ConnString())
	must(t, err)
	u.User = url.UserPassword(name, "secret")
	db := opened(t, u.String())
	must(t, migrateAndStart(ctx, db))

	fleet, customer := domain.Fleet{ID: 689}, domain.StoredCustomer{Customer: domain.Customer{Ref: alice, Phone: 1}, Lock: domain.PINLock{Attempts: 1}}
	for range 2 {
		must(t, db.FleetAuth().SaveFleet(ctx, fleet, []domain.FleetKey{{Hash: domain.APIKeyHash{1}, Label: "first"}}))
		_, err := db.CustomerRepo().SaveCustomers(ctx, []domain.StoredCustomer{customer})
		must(t, err)
		must(t, db.ApiLog().SaveEntries(ctx, []domain.ApiLogEntry{{ID: 7, Call: anyCall}}, 9))
		customer.Phone++
	}
	must(t, db.CustomerRepo().BindPINKey(ctx, domain.PINKeyFingerprint{1}, domain.PINKeyFingerprint{}))
	must(t, db.CustomerRepo().RemoveCustomer(ctx, alice, grow))
	must(t, db.FleetCustomers().RemoveFleet(ctx, fleet.ID))
	must(t, db.ApiLog().RemoveEntries(ctx, []domain.ApiLogID{7}))
	id, err := db.ApiLog().Record(ctx, anyCall, domain.Outcome{Result: domain.Valid, EndedAt: anyCall.ReceivedAt})
	if must(t, err); id != 10 {
		t.Errorf("the next call got the id %d", id)
	}
}
