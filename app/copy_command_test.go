package app

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/fleetphoto/fleetphoto/adapters/memory"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// givingUp is a directory whose first SaveCustomers sees the operator give up.
type givingUp struct {
	ports.CustomerDirectory
	giveUp context.CancelFunc
}

func (i givingUp) SaveCustomers(ctx context.Context, customers []domain.StoredCustomer) ([]domain.CustomerRef, error) {
	i.giveUp()
	return i.CustomerDirectory.SaveCustomers(context.WithoutCancel(ctx), customers)
}

// TestCopyInterrupted: a copy that was interrupted goes on when it is started again.
func TestCopyInterrupted(t *testing.T) {
	s, other := newShared(t), memory.New()
	for id := range domain.CustomerID(5000) {
		s.add(id+1, nil, nil)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s.databases["other"] = Backend{FleetDirectory: other.FleetAuth, CustomerDirectory: givingUp{other.CustomerRepo, cancel}, PINKeyBinder: other.CustomerRepo, ApiLogArchive: other.ApiLog}
	args := []string{"copy", "--from=shared://", "--to=other://"}
	if code, _, failure := s.run(ctx, args...); code != 1 || failure != "fleetphoto: interrupted; start it again: what is copied by now is only read then\n" {
		t.Errorf("got %d, %s", code, failure)
	}
	const nothing = "; 0 gone, 0 of them removed; 0 not copied\n"
	s.expect(0, "fleets: 0 looked at, 0 copied"+nothing+"customers: 5000 looked at, 3000 copied"+nothing+"log: 0 looked at, 0 copied"+nothing, "", args...)
	s.expect(0, "fleets: 0 looked at, 0 copied"+nothing+"customers: 5000 looked at, 0 copied"+nothing+"log: 0 looked at, 0 copied"+nothing, "", args...)
}

// TestCopyNeedsRoles: a backend needs the roles of the parts that are copied, and no others.
func TestCopyNeedsRoles(t *testing.T) {
	s, other := newShared(t), memory.New()
	s.databases["calls"] = Backend{FleetAuth: other.FleetAuth, CustomerRepo: other.CustomerRepo, ApiLog: other.ApiLog}
	s.databases["logs"] = Backend{ApiLogArchive: other.ApiLog}
	lacks := func(flag, role string) string {
		return "fleetphoto: " + flag + ": the backend at this URL has no " + role + ", which this command needs; choose another backend\n"
	}
	s.expect(1, "", lacks("--from", "FleetDirectory"), "copy", "--from=calls://", "--to=shared://")
	s.expect(1, "", lacks("--to", "CustomerDirectory"), "copy", "--from=shared://", "--to=calls://", "--only=customers")
	s.expect(1, "", lacks("--to", "ApiLogArchive"), "copy", "--from=shared://", "--to=calls://", "--only=log")
	s.expect(0, "log: 0 looked at, 0 copied; 0 gone, 0 of them removed; 0 not copied\n", "", "copy", "--from=shared://", "--to=logs://", "--only=log")
}

// TestCopyFromOlder: the database to copy from stays as it is, so that one of an
// older release has to be brought up to date first.
func TestCopyFromOlder(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	older, err := os.ReadFile("../adapters/sqlite/testdata/2a4b1a3.db")
	check(t, err)
	writeFile(t, filepath.Join(directory, "older.db"), string(older))
	expect(t, directory, "", "", "--from: cannot use the database "+filepath.Join(directory, "older.db")+": its tables are older than this program; bring them up to date with: fleetphoto migrate",
		"copy", "--from=sqlite://older.db", "--to=sqlite://new.db")
	if exists(filepath.Join(directory, "new.db")) {
		t.Error("the other database was made")
	}
}

// TestCopyToItself: two URLs of one database are told by its identity.
func TestCopyToItself(t *testing.T) {
	s := newShared(t)
	for name, identity := range map[string]string{"one": "1", "another": "1", "other": "2", "down": ""} {
		var failure error
		if identity == "" {
			failure = errors.New("it is down")
		}
		b := memory.New()
		s.databases[name] = Backend{
			FleetDirectory: b.FleetAuth, CustomerDirectory: b.CustomerRepo, PINKeyBinder: b.CustomerRepo, ApiLogArchive: b.ApiLog,
			Identity: func(context.Context) (string, error) { return identity, failure },
		}
	}
	s.expect(1, "", "fleetphoto: --to: it is the same database as --from; name another\n", "copy", "--from=one://", "--to=another://")
	const nothing = "log: 0 looked at, 0 copied; 0 gone, 0 of them removed; 0 not copied\n"
	for _, to := range []string{"other://", "shared://", "down://"} {
		s.expect(0, nothing, "", "copy", "--from=one://", "--to="+to, "--only=log")
	}
}
