package contracttests_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/fleetphoto/fleetphoto/adapters/postgres"
	"github.com/fleetphoto/fleetphoto/contract-tests/servers"
	"github.com/fleetphoto/fleetphoto/domain"
)

// oldest is the commit whose program is the oldest that may use the tables of
// this tree. A migration that raises schema_needs brings its own commit here.
const oldest = "67a4eda9c5c5674f1511c47c2960737aef3108ca"

// additions are more migrations, with what one may do to tables that an older
// program uses.
var additions = map[string][]string{
	"postgres": {`-- +goose Up
		SET LOCAL lock_timeout = '5s';
		ALTER TABLE fleets ADD COLUMN next_note TEXT;
		ALTER TABLE api_keys ADD COLUMN next_note TEXT;
		ALTER TABLE customers ADD COLUMN next_customer_note TEXT;
		ALTER TABLE customers ADD COLUMN next_count BIGINT NOT NULL DEFAULT 0;
		ALTER TABLE pin_locks ADD COLUMN next_lock_note TEXT;
		ALTER TABLE api_log ADD COLUMN next_note TEXT;
		CREATE TABLE next_table (id BIGINT NOT NULL PRIMARY KEY);`,
		`-- +goose NO TRANSACTION
		-- +goose Up
		DROP INDEX CONCURRENTLY IF EXISTS next_customers;
		CREATE INDEX CONCURRENTLY next_customers ON customers (next_customer_note);`},
	"sqlite": {`-- +goose Up
		ALTER TABLE fleets ADD COLUMN next_note TEXT;
		ALTER TABLE api_keys ADD COLUMN next_note TEXT;
		ALTER TABLE customers ADD COLUMN next_customer_note TEXT;
		ALTER TABLE customers ADD COLUMN next_count INTEGER NOT NULL DEFAULT 0;
		ALTER TABLE api_log ADD COLUMN next_note TEXT;
		CREATE TABLE next_table (id INTEGER NOT NULL PRIMARY KEY);
		CREATE INDEX next_customers ON customers (next_customer_note);`},
}

// TestUpgrade has programs of both releases on the same tables. Without the
// history that has the older one it is skipped.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	if err := command("..", "git", "merge-base", "--is-ancestor", oldest, "HEAD"); err != nil {
		sentence := fmt.Sprintf("no upgrade is tested, as git doesn't have the older release, perhaps in a shallow clone: %v", err)
		if slices.Contains(strings.Split(os.Getenv("FLEETPHOTO_REQUIRE"), ","), "history") {
			t.Fatal("FLEETPHOTO_REQUIRE requires history: " + sentence)
		}
		t.Skip(sentence)
	}
	older, newer := releases(t)
	for name, test := range map[string]func(t *testing.T, older, newer string){
		"rolling": rollingUpgrade, "one_box": upgradeOfOneBox, "tables_that_need_more": func(t *testing.T, older, _ string) { tablesThatNeedMore(t, older) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, older, newer)
		})
	}
}

// releases builds the program of the oldest commit, and this tree's with the
// additions.
func releases(t *testing.T) (older, newer string) {
	t.Helper()
	directory := t.TempDir()
	older, newer = filepath.Join(directory, "older.exe"), filepath.Join(directory, "newer.exe")
	tree, err := treeOf(oldest)
	must(t, err)
	must(t, command(tree, "go", "build", "-buildvcs=false", "-o", older, "./app/fleetphoto"))
	must(t, command("..", "go", "build", "-buildvcs=false", "-overlay", overlay(t, directory), "-o", newer, "./app/fleetphoto"))
	return older, newer
}

// treeOf returns a directory with the files of a commit. It stays the same, so
// that go build finds in its cache what it has built there before.
func treeOf(commit string) (directory string, err error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	directory = filepath.Join(cache, "fleetphoto-test", commit)
	if _, err := os.Stat(directory); err == nil {
		return directory, nil
	}
	if err := os.MkdirAll(filepath.Dir(directory), 0o750); err != nil {
		return "", err
	}
	fresh, err := os.MkdirTemp(filepath.Dir(directory), "new-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(fresh) }() // where it has its name, there is nothing
	archive := fresh + ".zip"
	defer func() { _ = os.Remove(archive) }()
	if err := command("..", "git", "archive", "--format=zip", "--output="+archive, commit); err != nil {
		return "", err
	}
	files, err := zip.OpenReader(archive)
	if err != nil {
		return "", err
	}
	defer func() { _ = files.Close() }()
	if err := os.CopyFS(fresh, files); err != nil {
		return "", err
	}
	return directory, os.Rename(fresh, directory)
}

// overlay writes a file for go build -overlay that adds the additions.
func overlay(t *testing.T, directory string) (path string) {
	t.Helper()
	replace := map[string]string{}
	for adapter, migrations := range additions {
		folder, err := filepath.Abs(filepath.Join("../adapters", adapter, "migrations"))
		must(t, err)
		there, err := filepath.Glob(filepath.Join(folder, "*.sql"))
		must(t, err)
		for i, migration := range migrations {
			name := fmt.Sprintf("%05d_%s.sql", len(there)+1+i, adapter)
			replace[filepath.Join(folder, name)] = filepath.Join(directory, name)
			must(t, os.WriteFile(filepath.Join(directory, name), []byte(strings.ReplaceAll(migration, "\t", "")), 0o600))
		}
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	must(t, err)
	path = filepath.Join(directory, "overlay.json")
	must(t, os.WriteFile(path, text, 0o600))
	return path
}

func command(directory, name string, args ...string) error {
	c := exec.Command(name, args...)
	c.Dir = directory
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, out)
	}
	return nil
}

// rollingUpgrade has servers of the older program replaced by those of the
// newer one, one after the other, and back, while clients change photos. Each
// call is acknowledged by somebody in the end, and what was acknowledged last is
// what the record, the store and the log say.
func rollingUpgrade(t *testing.T, older, newer string) {
	t.Helper()
	databaseURL, photos := servers.Postgres(t), t.TempDir()
	old := newProduct(t, "FLEETPHOTO_DATABASE_URL="+databaseURL, "FLEETPHOTO_PHOTO_STORE_URL=file://"+filepath.ToSlash(photos), "FLEETPHOTO_FLEET_RATE=0")
	old.program = older
	next := old
	next.program = newer
	f := newFleet(t, old)
	serving := []*process{f.join(t, old), f.join(t, old)}
	stopLoad := f.load(t)
	f.progress(t)
	for i, p := range []product{next, next, old, old} {
		serving = append(serving, f.join(t, p)) // old, old and new; old, new and new; …
		f.progress(t)
		if i%2 == 0 { // the tables or the servers are new to the other program
			f.operate(t, old)
			f.operate(t, next)
		}
		f.leave(t, serving[0])
		serving = serving[1:]
	}
	f.progress(t)
	stopLoad()
	for _, p := range []product{old, next} {
		f.operate(t, p)
	}
	if a, b := f.logOf(t, old), f.logOf(t, next); !slices.Equal(a, b) {
		t.Errorf("the older program lists\n%v\nthe newer one lists\n%v", a, b)
	}
	f.check(t, databaseURL, photos)
}

// upgradeOfOneBox has the older program stopped and the newer one started on
// the same SQLite file, and back.
func upgradeOfOneBox(t *testing.T, older, newer string) {
	t.Helper()
	old := newProduct(t)
	old.program = older
	next := old
	next.program = newer
	form := old.addCustomer(t)
	var ids []string
	for i, p := range []product{old, next, old, next} {
		s := p.serve(t)
		for j, tool := range []product{old, next} { // by hand, while the server runs
			tool.output(t, "migrate")
			tool.output(t, "customer", "set", "--fleet=689", "--id=452733", fmt.Sprintf("--pin=%d%d%d%d", i, j, 1, 1))
			form.Set("customer_pin", fmt.Sprintf("%d%d%d%d", i, j, 1, 1))
			a, err := s.change(form, photoOf(t, 10+2*i+j))
			if err != nil || a.Result != "valid" {
				t.Fatalf("got %+v, %v", a, err)
			}
			ids = append(ids, fmt.Sprint(a.ApiLogID, " valid"))
		}
		s.stop(t)
	}
	for _, p := range []product{old, next} {
		p.output(t, "photos", "verify")
		if out, code := p.doctor(t); code != 0 {
			t.Errorf("doctor ended with %d\n%s", code, out)
		}
		listed := (&fleet{}).logOf(t, p)
		for _, id := range ids {
			if !slices.Contains(listed, id) {
				t.Errorf("want %s among %v", id, listed)
			}
		}
	}
}

// tablesThatNeedMore are refused by an older program, and one that runs already
// stores nothing in them.
func tablesThatNeedMore(t *testing.T, older string) {
	t.Helper()
	databaseURL := servers.Postgres(t)
	old := newProduct(t, "FLEETPHOTO_DATABASE_URL="+databaseURL)
	old.program = older
	form := old.addCustomer(t)
	s := old.serve(t)
	if a, err := s.change(form, photoOf(t, 10)); err != nil || a.Result != "valid" {
		t.Fatalf("got %+v, %v", a, err)
	}
	connection, err := pgx.Connect(t.Context(), databaseURL)
	must(t, err)
	defer func() { _ = connection.Close(context.Background()) }()
	_, err = connection.Exec(t.Context(), `BEGIN; UPDATE schema_needs SET tables_version = 1000; ALTER TABLE customers RENAME TO people;
		INSERT INTO fleetphoto_versions (version_id, is_applied) VALUES (1000, true); COMMIT`)
	must(t, err)
	if a, err := s.change(form, photoOf(t, 11)); err != nil || a.Status != http.StatusInternalServerError {
		t.Errorf("a server that runs answers %+v, %v; want an error", a, err)
	}
	if status := s.ready(t); status != http.StatusServiceUnavailable {
		t.Errorf("a server that runs says %d of its readiness", status)
	}
	for _, args := range [][]string{{"serve"}, {"migrate"}, {"doctor"}, {"repair"}, {"customer", "show", "--fleet=689", "--phone=" + phone}, {"fleet", "add", "690"}, {"log", "list"}, {"photos", "verify"}} {
		c := old.command(t, args...)
		out, err := c.CombinedOutput()
		if err == nil || !strings.Contains(string(out), "a newer version of this program made its tables (they need one that knows version 1000") {
			t.Errorf("%v: got %v\n%s", args, err, out)
		}
	}
}

// stop ends a server as an operator does, and waits for it.
func (s *process) stop(t *testing.T) {
	t.Helper()
	must(t, s.Process.Signal(os.Interrupt))
	for line := range s.lines {
		s.log = append(s.log, line)
	}
	if err := s.Wait(); err != nil {
		t.Errorf("a server that is to stop ends with %v", err)
	}
}

// fleet is what clients of a fleet know: the servers that there are, and what
// each call was told.
type fleet struct {
	crew

	key   string
	begun time.Time

	acknowledged []change
	repeated     int // calls
}

// change is a call that was acknowledged.
type change struct {
	customer   int
	photo      domain.Digest // zero: it was deleted
	id         domain.ApiLogID
	start, end time.Duration
}

const (
	clients   = 4
	hotOne    = 1 // the customer whom all clients change; each has two of its own
	ownEach   = 2
	noPINFrom = 6 // customers from here on have no PIN
)

func newFleet(t *testing.T, p product) *fleet {
	t.Helper()
	p.output(t, "migrate")
	f := &fleet{key: p.output(t, "fleet", "add", "689"), begun: time.Now()}
	for customer := 1; customer <= hotOne+clients*ownEach; customer++ {
		pin := "--pin=1234"
		if customer >= noPINFrom {
			pin = "--pin="
		}
		p.output(t, "customer", "add", "--fleet=689", fmt.Sprint("--id=", customer), fmt.Sprint("--phone=", 447700900000+customer), pin)
	}
	return f
}

// load has clients change photos until it is told to stop.
func (f *fleet) load(t *testing.T) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	for client := range clients {
		running.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(client)))
			for isWell := true; isWell && ctx.Err() == nil; {
				customer := hotOne
				if random.IntN(3) > 0 {
					customer += 1 + client*ownEach + random.IntN(ownEach)
				}
				var photo []byte // none: it is deleted
				if random.IntN(4) > 0 {
					photo = noise(random)
				}
				isWell = f.change(t, random, customer, photo)
			}
		})
	}
	stop = func() { cancel(); running.Wait() }
	t.Cleanup(stop)
	return stop
}

// change repeats a call, wherever, until it is acknowledged. An answer other than
// that the service is unavailable ends it.
func (f *fleet) change(t *testing.T, random *rand.Rand, customer int, photo []byte) (isWell bool) {
	form := url.Values{"api_key": {f.key}, "phone_number": {fmt.Sprint(447700900000 + customer)}}
	if customer < noPINFrom && random.IntN(2) == 0 {
		form.Set("customer_pin", "1234")
	}
	c, sent := change{customer: customer}, "delete"
	if photo != nil {
		c.photo, sent = sha256.Sum256(photo), base64.StdEncoding.EncodeToString(photo)
	}
	for t.Context().Err() == nil {
		s := f.one(random)
		c.start = time.Since(f.begun)
		a, err := s.change(form, sent)
		c.end = time.Since(f.begun)
		f.mu.Lock()
		switch {
		case err == nil && a.Result == "valid":
			c.id = domain.ApiLogID(a.ApiLogID)
			f.acknowledged = append(f.acknowledged, c)
			f.answered(s)
			isWell = true
		case err == nil && a.Status != http.StatusServiceUnavailable:
			t.Errorf("got %+v", a)
		default:
			f.repeated++
			f.mu.Unlock()
			continue
		}
		f.mu.Unlock()
		return isWell
	}
	return false
}

// noise makes a JPEG like no other.
func noise(random *rand.Rand) []byte {
	const side = 16
	picture := image.NewGray(image.Rect(0, 0, side, side))
	for i := range picture.Pix {
		picture.Pix[i] = byte(random.Uint32())
	}
	var out bytes.Buffer
	_ = jpeg.Encode(&out, picture, nil) // a buffer takes all
	return out.Bytes()
}

// operate runs the commands of an operator.
func (f *fleet) operate(t *testing.T, p product) {
	t.Helper()
	list := filepath.Join(t.TempDir(), "customers.csv")
	f.mu.Lock()
	pin := 1000 + len(f.acknowledged)%1000
	f.mu.Unlock()
	must(t, os.WriteFile(list, fmt.Appendf(nil, "id,phone,pin\n100,447700900100,%d\n%d,%d,\n", pin, 1000+pin, 447700901000+pin), 0o600))
	for _, args := range []string{
		"migrate", "customer import --fleet=689 " + list, fmt.Sprint("customer set --fleet=689 --id=100 --pin=", pin), "customer show --fleet=689 --phone=447700900100",
		"fleet set 689 --country=44", "fleet list", "log list --limit=5", "log prune --older-than=30d", "repair", "photos verify",
	} {
		p.output(t, strings.Fields(args)...)
	}
	if out, code := p.doctor(t); code != 0 {
		t.Errorf("doctor ended with %d\n%s", code, out)
	}
}

// logOf returns the calls that the program lists, and how each ended.
func (*fleet) logOf(t *testing.T, p product) (calls []string) {
	t.Helper()
	for line := range strings.Lines(p.output(t, "log", "list", "--limit=1000000", "--json")) {
		var entry struct {
			ID     domain.ApiLogID `json:"id"`
			Result string          `json:"result"`
		}
		must(t, json.Unmarshal([]byte(line), &entry))
		calls = append(calls, fmt.Sprint(entry.ID, " ", entry.Result))
	}
	return calls
}

// check compares what clients were told with what is kept.
func (f *fleet) check(t *testing.T, databaseURL, photos string) {
	t.Helper()
	t.Logf("%d calls acknowledged, %d attempts repeated", len(f.acknowledged), f.repeated)
	db, err := postgres.Open(databaseURL)
	must(t, err)
	defer func() { must(t, db.Close()) }()
	must(t, db.Start(t.Context()))
	for customer := 1; customer <= hotOne+clients*ownEach; customer++ {
		found, err := db.CustomerRepo().FindByPhone(t.Context(), 689, domain.PhoneNumber(447700900000+customer))
		must(t, err)
		record := found.Photo
		last := slices.IndexFunc(f.acknowledged, func(c change) bool { return c.id == record.ChangedBy })
		if last < 0 {
			t.Errorf("customer %d: the record is of call %d, which nobody was told of", customer, record.ChangedBy)
			continue
		}
		for _, c := range f.acknowledged {
			if c.customer == customer && c.start > f.acknowledged[last].end {
				t.Errorf("customer %d: call %d came after %d, which is what the record is of", customer, c.id, record.ChangedBy)
			}
		}
		entry, err := db.ApiLog().Entry(t.Context(), record.ChangedBy)
		must(t, err)
		stored, err := os.ReadFile(filepath.Join(photos, filepath.FromSlash(string(found.Ref.PhotoKey()))))
		var lies domain.Digest // zero: there is none
		if !errors.Is(err, fs.ErrNotExist) {
			must(t, err)
			lies = sha256.Sum256(stored)
		}
		want := f.acknowledged[last].photo
		if lies != want || record.Info.SHA256 != want || entry.Outcome.Result != domain.Valid || entry.Outcome.Details.After.SHA256 != want {
			t.Errorf("customer %d: want %v, the store holds %v, the record says %v, the log %+v", customer, want, lies, record.Info.SHA256, entry.Outcome)
		}
	}
	for _, c := range f.acknowledged {
		if entry, err := db.ApiLog().Entry(t.Context(), c.id); err != nil || entry.Outcome.Result != domain.Valid {
			t.Errorf("call %d was acknowledged; the log says %q, %v", c.id, entry.Outcome.Result, err)
		}
	}
	if open, err := db.ApiLog().Unfinished(t.Context(), 0, 0, 1); len(open) > 0 || err != nil {
		t.Errorf("open entries: %v, %v", open, err)
	}
}
