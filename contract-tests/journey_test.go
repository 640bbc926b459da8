package contracttests_test

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/contract-tests/servers"
	"github.com/fleetphoto/fleetphoto/domain"
)

// TestJourney moves a service, while callers change photos, from SQLite and files
// to Postgres and S3, to another Postgres and Google Cloud Storage, to a backup, and
// back to SQLite and files, as docs/operate.md says and with its commands. Wherever
// it stops, all is as it was at first but for what the callers changed.
//
// No request comes late here, so the store of Google's stand-in, which doesn't look
// at the condition of a deletion, has to keep all that the others do.
func TestJourney(t *testing.T) {
	t.Parallel()
	onPostgres, onOther, s3, gs := servers.Postgres(t), servers.Postgres(t), servers.S3(t), servers.GS(t)
	j := depart(t)
	j.moveDatabase(t, onPostgres)
	j.movePhotos(t, s3)
	j.moveDatabase(t, onOther)
	j.movePhotos(t, gs)
	j.moveByBackup(t)
	t.Logf("%d calls", len(j.made))
}

// journey is a service that moves.
type journey struct {
	callers
	product
	bin             string // of the program
	database, store string // where the service is
	first, last     whole  // at first, and when it stopped last
	seed            uint64
}

const (
	journeyFleets    = 2
	customersEach    = 10_000
	photographedEach = 250  // are those with the lowest ids, and
	pinEvery         = 50   // some of them have a PIN
	locked           = 9999 // has had wrong PINs offered
)

// traveller is a customer of one of the fleets, which both count from 1.
func traveller(fleet, customer int) target {
	c := target{ref: domain.CustomerRef{Fleet: domain.FleetID(688 + fleet), Customer: domain.CustomerID(customer)}, phone: domain.PhoneNumber(447700_000000 + 100_000*fleet + customer)}
	if customer%pinEvery == 0 || customer == locked {
		c.pin = "1234"
	}
	return c
}

// depart starts a service on SQLite and files that has all that is to be moved.
func depart(t *testing.T) *journey {
	t.Helper()
	j := &journey{callers: callers{keys: map[domain.FleetID]string{}, begun: time.Now()}, bin: install(t, blocks(chapter(t, "README.md", "## Try it", "## Run it"), "sh")[0])}
	j.product = newProduct(t, "FLEETPHOTO_FLEET_RATE=0")
	j.program = filepath.Join(j.bin, "fleetphoto") // this test binary may be several times as slow, with the race detector
	j.at(j.inside("fleetphoto-data"))
	j.output(t, "migrate")
	for fleet := 1; fleet <= journeyFleets; fleet++ {
		id := traveller(fleet, 1).ref.Fleet
		j.keys[id] = j.output(t, "fleet", "add", fmt.Sprint(id), "--name=Cabs")
		var list strings.Builder
		list.WriteString("id,phone,pin\n")
		for customer := 1; customer <= customersEach; customer++ {
			c := traveller(fleet, customer)
			fmt.Fprintf(&list, "%d,%d,%s\n", c.ref.Customer, c.phone, c.pin)
		}
		path := filepath.Join(j.directory, "customers.csv")
		must(t, os.WriteFile(path, []byte(list.String()), 0o600))
		j.output(t, "customer", "import", fmt.Sprint("--fleet=", id), path)
	}
	j.output(t, "fleet", "set", "690", "--country=44")
	for range 2 {
		j.join(t, j.product)
	}
	j.seedPhotos(t)
	j.first = readWhole(t, j.database, j.store)
	j.last = j.first
	hasLock := func(c domain.StoredCustomer) bool { return !c.Lock.LockedUntil.IsZero() }
	if len(j.first.Customers) != journeyFleets*customersEach || len(j.first.photos) != journeyFleets*photographedEach || !slices.ContainsFunc(j.first.Customers, hasLock) {
		t.Fatalf("the service begins with %d customers, %d photos and perhaps no lock", len(j.first.Customers), len(j.first.photos))
	}
	return j
}

// at sets where the service is.
func (j *journey) at(databaseURL, storeURL string) {
	j.database, j.store = databaseURL, storeURL
	j.product = j.with("FLEETPHOTO_DATABASE_URL="+databaseURL, "FLEETPHOTO_PHOTO_STORE_URL="+storeURL)
}

// inside returns the URLs of the SQLite file and of the photos in a folder of the
// program's own, which the docs name so.
func (j *journey) inside(folder string) (databaseURL, storeURL string) {
	path := filepath.ToSlash(filepath.Join(j.directory, folder))
	return "sqlite://" + path + "/fleetphoto.db", "file://" + path + "/photos"
}

// seedPhotos has photos, a lock, and failures in the log.
func (j *journey) seedPhotos(t *testing.T) {
	t.Helper()
	var waiting sync.WaitGroup
	for fleet := 1; fleet <= journeyFleets; fleet++ {
		for first := 1; first <= 4; first++ {
			waiting.Go(func() {
				random := rand.New(rand.NewPCG(uint64(fleet), uint64(first)))
				for customer := first; customer <= photographedEach; customer += 4 {
					j.call(t, random, traveller(fleet, customer), noise(random))
				}
			})
		}
		waiting.Go(func() {
			c := traveller(fleet, locked)
			form := url.Values{"api_key": {j.keys[c.ref.Fleet]}, "phone_number": {fmt.Sprint(c.phone)}, "customer_pin": {"4321"}}
			for range 6 {
				if a, err := j.serving[0].change(form, "delete"); err != nil || a.Result != "error" {
					t.Errorf("a wrong PIN: got %+v, %v", a, err)
				}
			}
		})
	}
	waiting.Wait()
}

// choose chooses customers so that changes meet, that photos come and go, and that
// any customer may get one.
func choose(random *rand.Rand) target {
	fleet := 1 + random.IntN(journeyFleets)
	switch n := random.IntN(12); {
	case n < 2:
		return traveller(fleet, 1+random.IntN(3))
	case n < 11:
		return traveller(fleet, 1+random.IntN(photographedEach))
	}
	return traveller(fleet, 1+random.IntN(locked-1))
}

// goOn has callers change photos.
func (j *journey) goOn(t *testing.T) (stop func()) {
	t.Helper()
	j.seed++
	stop = j.load(t, j.seed, choose)
	j.progress(t)
	return stop
}

// run runs commands of the docs, with other words for the examples in them.
func (j *journey) run(t *testing.T, commands string, words ...string) error {
	t.Helper()
	for i := 0; i < len(words); i += 2 {
		if !strings.Contains(commands, words[i]) {
			t.Fatalf("want %q in %s", words[i], commands)
		}
	}
	c := exec.CommandContext(t.Context(), "bash", "-c", "set -eu\n"+strings.NewReplacer(words...).Replace(commands))
	c.Dir = j.directory
	c.Env = append(append(os.Environ(), j.settings...), "PATH="+j.bin+string(filepath.ListSeparator)+os.Getenv("PATH"))
	started := time.Now()
	out, err := c.CombinedOutput()
	t.Logf("%.1f s: %s%s", time.Since(started).Seconds(), commands, out)
	return err
}

// moveDatabase goes the way of the docs.
func (j *journey) moveDatabase(t *testing.T, to string) {
	t.Helper()
	commands := operatorsCommands(t, "Move a database", 2)
	stop := j.goOn(t)
	words := []string{"OLD", "'" + j.database + "'", "NEW", "'" + to + "'"}
	must(t, j.run(t, commands[0], words...))
	j.relieve(t, j.with("FLEETPHOTO_READ_ONLY=on"))
	must(t, j.run(t, commands[1], words...))
	if from, to := readContents(t, j.database), readContents(t, to); !reflect.DeepEqual(from, to) {
		t.Errorf("the copy has %d customers and %d calls of %d and %d, or has them otherwise", len(to.Customers), len(to.Entries), len(from.Customers), len(from.Entries))
	}
	j.at(to, j.store)
	j.relieve(t, j.product)
	j.progress(t)
	stop()
	j.check(t)
}

// movePhotos goes the way of the docs.
func (j *journey) movePhotos(t *testing.T, to string) {
	t.Helper()
	commands := operatorsCommands(t, "Move the photos", 2)
	stop := j.goOn(t)
	words := []string{"OLD", "'" + j.store + "'", "NEW", "'" + to + "'"}
	must(t, j.run(t, commands[0], words...))
	j.at(j.database, to)
	j.relieve(t, j.product)
	must(t, j.run(t, commands[1], words...))
	j.progress(t)
	stop()
	j.check(t)
}

// moveByBackup makes a backup, restores it and goes on there.
func (j *journey) moveByBackup(t *testing.T) {
	t.Helper()
	commands := operatorsCommands(t, "Back up", 3)
	backupDatabase, backupStore := j.inside("backup")
	live := []string{"sqlite://fleetphoto-data/fleetphoto.db", "'" + j.database + "'", "file://fleetphoto-data/photos", "'" + j.store + "'"}
	must(t, os.WriteFile(filepath.Join(j.directory, "pin.key"), []byte(strings.Repeat("01", 32)), 0o600))
	stop := j.goOn(t)
	_ = j.run(t, commands[0], live...) // what changes meanwhile may differ
	stop()
	j.check(t)
	must(t, j.run(t, commands[0], live...))
	must(t, j.run(t, commands[1]))
	j.compare(t, readWhole(t, backupDatabase, backupStore).unversioned()) // its records name the live store
	must(t, j.run(t, commands[2]))
	j.at(j.inside("restored"))
	j.check(t)
	j.relieve(t, j.product)
	j.goOn(t)()
	j.check(t)
}

// check compares all that there is with what it was and what callers know.
func (j *journey) check(t *testing.T) {
	t.Helper()
	j.compare(t, readWhole(t, j.database, j.store))
}

func (j *journey) compare(t *testing.T, now whole) {
	t.Helper()
	const most = 20
	all := differences(j.first, j.last, now, j.made)
	for _, difference := range all[:min(most, len(all))] {
		t.Error(difference)
	}
	if len(all) > 0 {
		t.Fatalf("%d differences", len(all))
	}
	j.last = now
}

// operatorsCommands returns the blocks of a chapter of docs/operate.md.
func operatorsCommands(t *testing.T, title string, number int) []string {
	t.Helper()
	commands := blocks(chapter(t, "docs/operate.md", "## "+title+"\n", "## "), "sh")
	if len(commands) != number {
		t.Fatalf("want %d blocks of commands under %q, got %q", number, title, commands)
	}
	return commands
}
