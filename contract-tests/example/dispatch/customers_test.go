package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	contracttests "github.com/fleetphoto/fleetphoto/contract-tests"
	"github.com/fleetphoto/fleetphoto/contract-tests/servers"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// asCommand has the test binary act as the command, in a process of its own.
const asCommand = "DISPATCH_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
	}
	os.Exit(servers.Main(m))
}

func TestCustomerRepo(t *testing.T) {
	_ = servers.Postgres(t) // skips all of it where there is none
	contracttests.CustomerRepo(t, func(t *testing.T, customers ...domain.Customer) ports.CustomerRepo {
		their := newDispatch(t)
		repo, err := Open(their.url + "&country=39")
		must(t, err)
		t.Cleanup(func() { _ = repo.Close() })
		must(t, repo.Migrate(t.Context()))
		for i, c := range customers {
			their.has(t, c, written(c.Phone, "39", i))
		}
		return repo
	})
}

// TestTheirTableIsReadOnly shows that the suite ran without a right to write it.
func TestTheirTableIsReadOnly(t *testing.T) {
	t.Parallel()
	repo, err := Open(newDispatch(t).url)
	must(t, err)
	t.Cleanup(func() { _ = repo.Close() })
	for _, statement := range []string{
		`INSERT INTO dispatch.clients VALUES (1, 1, '1')`, `UPDATE dispatch.clients SET mobile = '1'`, `DELETE FROM dispatch.clients`, `SELECT 1 FROM dispatch.clients FOR UPDATE`,
	} {
		if _, err := repo.calls.Exec(t.Context(), statement); err == nil || !strings.Contains(err.Error(), "permission denied") {
			t.Errorf("%s: got %v", statement, err)
		}
	}
}

func TestTwoWithOneNumberAreNone(t *testing.T) {
	t.Parallel()
	their := newDispatch(t)
	repo, err := Open(their.url + "&country=44")
	must(t, err)
	t.Cleanup(func() { _ = repo.Close() })
	must(t, repo.Migrate(t.Context()))
	their.has(t, domain.Customer{Ref: domain.CustomerRef{Fleet: 689, Customer: 1}}, "07700 900123")
	if found, err := repo.FindByPhone(t.Context(), 689, 447700900123); err != nil || found.Ref.Customer != 1 {
		t.Errorf("one: got %+v, %v", found, err)
	}
	their.has(t, domain.Customer{Ref: domain.CustomerRef{Fleet: 689, Customer: 2}}, "+44 (0)7700 900123")
	if _, err := repo.FindByPhone(t.Context(), 689, 447700900123); domain.AsError(err).Kind != domain.CustomerNotFound || !strings.Contains(err.Error(), "more than one") {
		t.Errorf("two: got %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"postgres://x", "dispatch://u:secret@h/d?country=x", "dispatch://u:secret@h/d?country=044", "dispatch://u:secret@h:port/d", "dispatch://u:secret@h/d?sslmode=x"} {
		if _, err := Open(bad); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: got %v", bad, err)
		}
	}
}

// written is a number as the ith person writes it.
func written(phone domain.PhoneNumber, country string, i int) string {
	digits := fmt.Sprint(int64(phone))
	national, found := strings.CutPrefix(digits, country)
	forms := []string{"+" + digits, digits, "00 " + digits}
	if found {
		forms = append(forms, "0"+national[:3]+"/"+national[3:], "+"+country+" (0)"+national)
	}
	return forms[i%len(forms)]
}

// dispatch is a dispatch system's database, with the rights of its owner, and
// the URL with those that it gives to us.
type dispatch struct {
	owner string
	url   string
}

func newDispatch(t *testing.T) dispatch {
	t.Helper()
	owner := servers.Postgres(t)
	u, err := url.Parse(owner)
	must(t, err)
	role := "fleetphoto_" + strings.TrimPrefix(u.Path, "/")
	d := dispatch{owner: owner}
	d.run(t, `
		CREATE SCHEMA dispatch;
		CREATE TABLE dispatch.clients (client_no bigint, company_no bigint, mobile text, PRIMARY KEY (company_no, client_no));
		CREATE ROLE `+role+` LOGIN PASSWORD 'only-on-loopback';
		CREATE SCHEMA fleetphoto AUTHORIZATION `+role+`;
		GRANT USAGE ON SCHEMA dispatch TO `+role+`;
		GRANT SELECT ON dispatch.clients TO `+role)
	t.Cleanup(func() { d.run(t, `DROP OWNED BY `+role+`; DROP ROLE `+role) })
	u.Scheme, u.User = "dispatch", url.UserPassword(role, "only-on-loopback")
	d.url = u.String()
	return d
}

// has gives the dispatch system a customer, and us the PIN.
func (d dispatch) has(t *testing.T, c domain.Customer, mobile string) {
	t.Helper()
	d.run(t, `INSERT INTO dispatch.clients (company_no, client_no, mobile) VALUES ($1, $2, $3)`, c.Ref.Fleet, c.Ref.Customer, mobile)
	if c.PIN != (domain.PINHash{}) {
		d.run(t, `INSERT INTO fleetphoto.pins (company_no, client_no, hash) VALUES ($1, $2, $3)`, c.Ref.Fleet, c.Ref.Customer, c.PIN[:])
	}
}

func (d dispatch) run(t *testing.T, statement string, values ...any) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	connection, err := pgx.Connect(ctx, d.owner)
	must(t, err)
	defer func() { _ = connection.Close(ctx) }()
	_, err = connection.Exec(ctx, statement, values...)
	must(t, err)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
