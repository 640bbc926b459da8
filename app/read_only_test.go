package app

import (
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/adapters/sqlite"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
)

// TestReadOnly: a server that has a call to settle, an old one to remove and a
// key to bind changes nothing, whatever it is asked, and leaves them to the next.
func TestReadOnly(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	form := newFleet(t, directory)
	server := serve(t, directory)
	a, err := postForm(server.api, withPhoto(form, base64.StdEncoding.EncodeToString(demoPhoto)))
	if err != nil || a.Result != "valid" {
		t.Fatalf("got %+v, %v", a, err)
	}
	server.stop(t)
	leaveWork(t, directory)
	before := contents(t, directory)

	server = serve(t, directory, "FLEETPHOTO_READ_ONLY=on", "FLEETPHOTO_LOG_RETENTION=90d")
	wrongPIN, wrongKey := withPhoto(form, "delete"), withPhoto(form, "delete")
	wrongPIN.Set("customer_pin", "9999")
	wrongKey.Set("api_key", "NONE1NONE1NONE1NONE1NONE1")
	for range domain.MaxWrongPINs + 1 {
		for name, call := range map[string]map[string][]string{"right": withPhoto(form, "delete"), "wrong PIN": wrongPIN, "unknown key": wrongKey} {
			want := answer{Result: "error", Error: "Service Unavailable", Detail: "nothing was changed: the service is being moved; send the call again later"}
			if a, err := postForm(server.api, call); err != nil || a != want {
				t.Errorf("%s: got %+v, %v", name, a, err)
			}
		}
	}
	for address, want := range map[string]string{
		server.api + "/photos/" + string(demoCustomer.PhotoKey()): string(demoPhoto),
		server.admin + "/livez":                                   "live\n", server.admin + "/readyz": "ready, read-only: photos are served, calls get 503\n",
	} {
		if status, text := fetch(t, address); status != 200 || string(text) != want {
			t.Errorf("%s: got %d and %d bytes, want %d", address, status, len(text), len(want))
		}
	}
	output(t, directory, []string{"FLEETPHOTO_READ_ONLY=on"}, "doctor")
	server.stop(t)
	if after := contents(t, directory); after != before {
		t.Errorf("the database holds\n%s\nwant\n%s", after, before)
	}

	server = serve(t, directory, "FLEETPHOTO_LOG_RETENTION=90d")
	missing := []string{`"removed old calls from the API log","removed":1`, `"settled interrupted calls","done":0,"interrupted":1`}
	for line := server.logged; ; {
		missing = slices.DeleteFunc(missing, func(said string) bool { return strings.Contains(line, said) })
		if len(missing) == 0 {
			break
		}
		var more bool
		if line, more = <-server.lines; !more {
			t.Fatalf("the server ended without %q", missing)
		}
	}
	server.stop(t)
}

// leaveWork leaves what a server does by itself: a call that was cut off, long
// ago, another one that is too old to be kept, and no key that the PINs are bound to.
func leaveWork(t *testing.T, directory string) {
	t.Helper()
	path := filepath.Join(directory, "fleetphoto-data/fleetphoto.db")
	log, err := sqlite.Open("sqlite://" + filepath.ToSlash(path))
	check(t, err)
	check(t, log.Start(t.Context()))
	old := time.Now().AddDate(0, 0, -91)
	_, recordErr := log.ApiLog().Record(t.Context(), domain.ApiCall{ReceivedAt: old}, domain.Outcome{Result: domain.Valid})
	_, openErr := log.ApiLog().Open(t.Context(), domain.ApiCall{
		ReceivedAt: time.Now(), Fleet: demoCustomer.Fleet, Customer: demoCustomer.Customer, Operation: domain.DeletePhoto,
		Store: domain.PhotoStoreName("file://" + filepath.ToSlash(filepath.Join(directory, "fleetphoto-data/photos"))),
	})
	check(t, errors.Join(recordErr, openErr, log.Close()))
	db, err := sql.Open("sqlite", path)
	check(t, err)
	_, openedErr := db.ExecContext(t.Context(), `UPDATE api_log SET opened_at = opened_at - ?`, (usecase.LateAfter + time.Minute).Microseconds())
	_, keyErr := db.ExecContext(t.Context(), `DELETE FROM pin_key`)
	check(t, errors.Join(openedErr, keyErr, db.Close()))
}

// contents returns every row of every table.
func contents(t *testing.T, directory string) string {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(directory, "fleetphoto-data/fleetphoto.db"))
	check(t, err)
	defer func() { check(t, db.Close()) }()
	var text strings.Builder
	for _, table := range column(t, db, `SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name`) {
		names := column(t, db, `SELECT group_concat('quote("' || name || '")', ' || '','' || ') FROM pragma_table_info('`+table+`')`)
		fmt.Fprintf(&text, "%s\n%s\n", table, strings.Join(column(t, db, `SELECT `+names[0]+` AS row FROM "`+table+`" ORDER BY row`), "\n"))
	}
	return text.String()
}

func column(t *testing.T, db *sql.DB, query string) (values []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	check(t, err)
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var value string
		check(t, rows.Scan(&value))
		values = append(values, value)
	}
	check(t, rows.Err())
	return values
}
