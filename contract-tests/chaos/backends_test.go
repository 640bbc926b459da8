//go:build chaos

package chaos_test

import (
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/Shopify/toxiproxy/v2"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/rs/zerolog"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/fleetphoto/fleetphoto/contract-tests/servers"
)

// digest is a SHA-256 in hexadecimal digits; empty: no photo.
type digest string

func digestOf(photo []byte) digest {
	if len(photo) == 0 {
		return ""
	}
	sum := sha256.Sum256(photo)
	return digest(hex.EncodeToString(sum[:]))
}

// backends are what the replicas stand on, and how their content is read without
// the product.
type backends struct {
	directory string   // that the replicas run in
	settings  []string // of every replica
	customers *sql.DB
	log       *sql.DB // customers, where the log is in the same database
	stored    func(customer int) (digest, error)
	store     *storeProxy      // nil: the store has none
	database  *toxiproxy.Proxy // before the database; nil: there is none
	proxied   string           // address of a cluster's first server, behind its proxy
	oneWriter bool             // a frozen replica may keep all others from writing
	causes    []cause          // that may befall them
}

func photoKey(customer int) string {
	return fmt.Sprintf("fleet-689/customer_photos/%d_photo.jpg", customer)
}

// newBackends returns backends that the others are made from.
func newBackends(t *testing.T, settings ...string) *backends {
	t.Helper()
	return &backends{directory: t.TempDir(), settings: append(settings,
		"FLEETPHOTO_PIN_KEY=0101010101010101010101010101010101010101010101010101010101010101",
		"FLEETPHOTO_ADDR=127.0.0.1:0", "FLEETPHOTO_ADMIN_ADDR=127.0.0.1:0", "FLEETPHOTO_FLEET_RATE=0", "GOMAXPROCS=2")}
}

// sqliteAndFiles are the default settings: replicas share one machine's disk.
func sqliteAndFiles(t *testing.T) *backends {
	t.Helper()
	b := newBackends(t)
	b.useFiles()
	b.useSQLite(t)
	return b
}

func (b *backends) useSQLite(t *testing.T) {
	t.Helper()
	b.customers = openDatabase(t, "sqlite", "file:"+b.databaseFile()+"?mode=ro&_pragma=busy_timeout(10000)")
	b.log, b.oneWriter = b.customers, true
}

func (b *backends) databaseFile() string {
	return filepath.Join(b.directory, "fleetphoto-data", "fleetphoto.db")
}

func (b *backends) useFiles() {
	photos := filepath.Join(b.directory, "fleetphoto-data", "photos")
	b.settings = append(b.settings, "FLEETPHOTO_PHOTO_STORE_URL=file://"+photos)
	b.stored = func(customer int) (digest, error) {
		photo, err := os.ReadFile(filepath.Join(photos, photoKey(customer)))
		if errors.Is(err, fs.ErrNotExist) {
			return "", nil
		}
		return digestOf(photo), err
	}
}

// postgresAndFiles have the lock apart from the store.
func postgresAndFiles(t *testing.T) *backends {
	t.Helper()
	b := newBackends(t)
	b.useFiles()
	b.usePostgres(t)
	return b
}

// postgresAndS3 have each behind a proxy.
func postgresAndS3(t *testing.T) *backends {
	t.Helper()
	b := newBackends(t)
	b.usePostgres(t)
	b.useS3(t, servers.S3(t))
	return b
}

// logElsewhere has the API log in a database of its own.
func logElsewhere(t *testing.T) *backends {
	t.Helper()
	b := postgresAndS3(t)
	direct := servers.Postgres(t)
	b.log = openDatabase(t, "pgx", direct)
	b.settings = append(b.settings, "FLEETPHOTO_API_LOG_URL="+direct)
	return b
}

func (b *backends) usePostgres(t *testing.T) {
	t.Helper()
	direct := servers.Postgres(t)
	u := parseURL(t, direct)
	b.database = throughTCP(t, u.Host)
	u.Host = b.database.Listen
	b.settings = append(b.settings, "FLEETPHOTO_DATABASE_URL="+u.String())
	b.customers = openDatabase(t, "pgx", direct)
	b.log = b.customers
}

func (b *backends) useS3(t *testing.T, rawURL string) {
	t.Helper()
	direct := parseURL(t, rawURL)
	query := direct.Query()
	endpoint := query.Get("endpoint")
	b.storeBehind(t, endpoint, true, endpoint+"/"+direct.Host+"/"+query.Get("prefix"))
	query.Set("endpoint", "http://"+b.store.address)
	direct.RawQuery = query.Encode()
	b.store.photoStoreURL = direct.String()
	b.settings = append(b.settings, "FLEETPHOTO_PHOTO_STORE_URL="+direct.String())
}

// useGS and useAzblob are stores for scenarios.
func (b *backends) useGS(t *testing.T) {
	t.Helper()
	direct := parseURL(t, servers.GS(t))
	upstream := "http://" + os.Getenv("STORAGE_EMULATOR_HOST")
	b.storeBehind(t, upstream, false, upstream+"/"+direct.Host+"/"+direct.Query().Get("prefix"))
	b.settings = append(b.settings, "FLEETPHOTO_PHOTO_STORE_URL="+direct.String(), "STORAGE_EMULATOR_HOST="+b.store.address)
}

func (b *backends) useAzblob(t *testing.T) {
	t.Helper()
	direct := parseURL(t, servers.Azblob(t))
	query := direct.Query()
	upstream := "http://" + query.Get("domain")
	b.storeBehind(t, upstream, true, upstream+"/"+os.Getenv("AZURE_STORAGE_ACCOUNT")+"/"+direct.Host+"/"+query.Get("prefix"))
	query.Set("domain", b.store.address)
	direct.RawQuery = query.Encode()
	b.settings = append(b.settings, "FLEETPHOTO_PHOTO_STORE_URL="+direct.String())
}

func (b *backends) storeBehind(t *testing.T, upstream string, hostKept bool, photos string) {
	t.Helper()
	b.store = newStoreProxy(t, upstream, hostKept)
	b.stored = func(customer int) (digest, error) { return fetch(http.DefaultClient, photos+photoKey(customer)) }
}

// fetch returns the photo at an address.
func fetch(client *http.Client, address string) (digest, error) {
	response, err := client.Get(address)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	photo, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		return "", err
	case response.StatusCode == http.StatusNotFound:
		return "", nil
	case response.StatusCode != http.StatusOK:
		return "", fmt.Errorf("%s: %s", address, response.Status)
	}
	return digestOf(photo), nil
}

// throughTCP puts a proxy before a server.
func throughTCP(t *testing.T, upstream string) *toxiproxy.Proxy {
	t.Helper()
	quiet := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	proxy := toxiproxy.NewProxy(quiet, upstream, "127.0.0.1:0", upstream)
	must(t, proxy.Start())
	t.Cleanup(proxy.Stop)
	return proxy
}

func parseURL(t *testing.T, rawURL string) *url.URL {
	t.Helper()
	u, err := url.Parse(rawURL)
	must(t, err)
	return u
}

func openDatabase(t *testing.T, driver, source string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, source)
	must(t, err)
	db.SetMaxIdleConns(0) // a server that was restarted has ended them
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// recorded returns what each customer's record says is stored.
func (b *backends) recorded() (map[int]digest, error) {
	all := map[int]digest{}
	rows, err := b.customers.Query("SELECT id, photo_sha256 FROM customers WHERE fleet_id = 689")
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var customer int
		var sum []byte
		if err := rows.Scan(&customer, &sum); err != nil {
			return nil, err
		}
		all[customer] = digest(hex.EncodeToString(sum))
	}
	return all, rows.Err()
}

// results returns how the log says that each call ended; open: "".
func (b *backends) results() (map[int64]string, error) {
	all := map[int64]string{}
	rows, err := b.log.Query("SELECT id, result FROM api_log")
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id int64
		var result string
		if err := rows.Scan(&id, &result); err != nil {
			return nil, err
		}
		all[id] = result
	}
	return all, rows.Err()
}
