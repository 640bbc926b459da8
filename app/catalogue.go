package app

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/fleetphoto/fleetphoto/adapters/cli"
	"github.com/fleetphoto/fleetphoto/adapters/files"
	"github.com/fleetphoto/fleetphoto/adapters/gocloud"
	"github.com/fleetphoto/fleetphoto/adapters/memory"
	"github.com/fleetphoto/fleetphoto/adapters/postgres"
	"github.com/fleetphoto/fleetphoto/adapters/sqlite"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/operator"
	"github.com/fleetphoto/fleetphoto/ports"
)

// Catalogue maps URL schemes to adapters. A team adds its own adapter in a main of
// its own:
//
//	catalogue := app.Adapters()
//	catalogue.PhotoStores["dropbox"] = openDropbox
//	os.Exit(app.Main(context.Background(), os.Args[1:], catalogue))
type Catalogue struct {
	Databases   map[string]Opener // FleetAuth, CustomerRepo, ApiLog, or some of them
	PhotoStores map[string]Opener
}

// Opener opens a backend. It is cheap and changes nothing. Its error says what is
// wrong with the URL.
type Opener func(rawURL string) (Backend, error)

// Backend has the ports and roles of an adapter at a URL.
type Backend struct {
	// The ports; nil: not supported.
	FleetAuth    ports.FleetAuth
	CustomerRepo ports.CustomerRepo
	ApiLog       ports.ApiLog
	PhotoStore   ports.PhotoStore

	// The operators' roles; nil: not supported.
	FleetDirectory    ports.FleetDirectory
	CustomerDirectory ports.CustomerDirectory
	FleetCustomers    ports.FleetCustomers // of FleetDirectory and CustomerDirectory
	PINKeyBinder      ports.PINKeyBinder
	ChangeRecorder    ports.ChangeRecorder // of CustomerRepo and ApiLog
	ApiLogArchive     ports.ApiLogArchive
	PhotoAddresser    ports.PhotoAddresser
	PhotoLister       ports.PhotoLister

	// PhotoStoreName identifies the PhotoStore in records and in the log. Empty:
	// the URL without its parameters does.
	PhotoStoreName domain.PhotoStoreName

	// Migrate migrates stored data to this program's version; several processes
	// may do so at once. It is called before Start unless migration is off. Start
	// connects and checks. Both are repeated for a while if they fail with
	// domain.Unavailable. Sweep is called every hour and removes what killed
	// processes left; Close ends it. Each may be nil.
	Migrate func(context.Context) error
	Start   func(context.Context) error
	Sweep   func(context.Context) error
	Close   func() error

	// Pool returns how many connections are in use, idle and allowed; nil: there is
	// no pool.
	Pool func() (inUse, idle, most int)
	// Now returns the backend's time; nil: it is this machine's, or unknown.
	Now func(context.Context) (time.Time, error)
	// Identity returns what no other database has, by whatever URL this one was
	// opened; nil: DataFile tells.
	Identity func(context.Context) (string, error)
	// Checks are more steps for doctor, tried after Start.
	Checks []operator.Step
	// Disk is a path on the local disk that the backend fills; empty: none.
	Disk string

	// PINKeyFile has the PIN key if none is configured; empty: it must be
	// configured.
	PINKeyFile string
	// DataFile is the embedded database's file. Once it exists, PINKeyFile can't be
	// replaced.
	DataFile string
	// Ephemeral: all data ends with the process, and so may a PIN key.
	Ephemeral bool
}

// Adapters returns the catalogue of the adapters that come with the product.
func Adapters() Catalogue {
	return Catalogue{
		Databases: map[string]Opener{
			"memory":     openMemory,
			"sqlite":     openSQLite,
			"postgres":   openPostgres,
			"postgresql": openPostgres,
		},
		PhotoStores: map[string]Opener{
			"memory": openMemory,
			"file":   openFiles,
			"s3":     openBlob,
			"gs":     openBlob,
			"azblob": openBlob,
			"mem":    openBlob,
		},
	}
}

func openMemory(rawURL string) (Backend, error) {
	b, err := memory.Open(rawURL)
	if err != nil {
		return Backend{}, err
	}
	return Backend{
		FleetAuth: b.FleetAuth, CustomerRepo: b.CustomerRepo, ApiLog: b.ApiLog, PhotoStore: b.PhotoStore,
		FleetDirectory: b.FleetAuth, CustomerDirectory: b.CustomerRepo, PINKeyBinder: b.CustomerRepo,
		FleetCustomers: b.FleetCustomers(), ChangeRecorder: b.ChangeRecorder(), ApiLogArchive: b.ApiLog, PhotoLister: b.PhotoStore, PhotoStoreName: "memory",
		Ephemeral: true,
	}, nil
}

func openSQLite(rawURL string) (Backend, error) {
	db, err := sqlite.Open(rawURL)
	if err != nil {
		return Backend{}, err
	}
	return Backend{
		FleetAuth: db.FleetAuth(), CustomerRepo: db.CustomerRepo(), ApiLog: db.ApiLog(),
		FleetDirectory: db.FleetAuth(), CustomerDirectory: db.CustomerRepo(), PINKeyBinder: db.CustomerRepo(),
		FleetCustomers: db.FleetCustomers(), ChangeRecorder: db.ChangeRecorder(), ApiLogArchive: db.ApiLog(),
		Migrate: db.Migrate, Start: db.Start, Close: db.Close,
		PINKeyFile: pinKeyBeside(db.Path()), DataFile: db.Path(), Disk: filepath.Dir(db.Path()),
	}, nil
}

func openPostgres(rawURL string) (Backend, error) {
	db, err := postgres.Open(rawURL)
	if err != nil {
		return Backend{}, err
	}
	return Backend{
		FleetAuth: db.FleetAuth(), CustomerRepo: db.CustomerRepo(), ApiLog: db.ApiLog(),
		FleetDirectory: db.FleetAuth(), CustomerDirectory: db.CustomerRepo(), PINKeyBinder: db.CustomerRepo(),
		FleetCustomers: db.FleetCustomers(), ChangeRecorder: db.ChangeRecorder(), ApiLogArchive: db.ApiLog(),
		Migrate: db.Migrate, Start: db.Start, Close: db.Close, Pool: db.Connections, Now: db.Now, Identity: db.Identity,
		Checks: []operator.Step{step("its version is one that this program is tested with", func(ctx context.Context) (string, error) {
			name, tested, err := db.Server(ctx)
			if err == nil && !tested {
				return "", operator.Note(name + " isn't among the tested versions, which docs/backends.md lists; run this program's tests on it")
			}
			return name, err
		})},
	}, nil
}

func openFiles(rawURL string) (Backend, error) {
	store, err := files.Open(rawURL)
	if err != nil {
		return Backend{}, err
	}
	return Backend{PhotoStore: store, PhotoStoreName: store.Name(), PhotoLister: store, Start: store.Start, Sweep: store.Sweep, Close: store.Close, Disk: store.Directory()}, nil
}

func openBlob(rawURL string) (Backend, error) {
	store, err := gocloud.Open(rawURL)
	if err != nil {
		return Backend{}, err
	}
	backend := Backend{PhotoStore: store, PhotoStoreName: store.Name(), PhotoLister: store, Start: store.Start, Close: store.Close}
	if store.HasAddresses() {
		backend.PhotoAddresser, backend.Checks = store, bucketChecks(store)
	}
	return backend, nil
}

// bucketChecks find out whether a bucket fences deletions and keeps old versions.
func bucketChecks(store *gocloud.PhotoStore) []operator.Step {
	return []operator.Step{
		step("it refuses a deletion that comes too late", func(context.Context) (string, error) {
			if !store.FencesDeletions() {
				return "", operator.Note("it doesn't: the version is compared right before the deletion, which may delete a photo that is stored in between")
			}
			return "", nil
		}),
		step("it keeps no deleted photos", func(ctx context.Context) (string, error) {
			what, told, err := store.Kept(ctx)
			if err == nil && (what != "" || !told) {
				return "", operator.Note(what)
			}
			return "", err
		}),
	}
}

// open finds the adapter for a URL and opens it.
func open(openers map[string]Opener, rawURL string) (Backend, error) {
	scheme, _, found := strings.Cut(rawURL, "://")
	opener := openers[scheme]
	if !found || opener == nil {
		schemes := slices.Sorted(maps.Keys(openers))
		return Backend{}, fmt.Errorf("want a URL that begins with %s://%s%s", strings.Join(schemes, "://, "), got(scheme, found), asURL(schemes, rawURL))
	}
	backend, err := opener(rawURL)
	if backend.PhotoStoreName == "" {
		name, _, _ := strings.Cut(rawURL, "?")
		backend.PhotoStoreName = domain.PhotoStoreName(cli.WithoutSecrets(name))
	}
	return backend, err
}

// got returns the scheme for the message if it clearly is one. Otherwise it may be
// a whole URL with a typo and a password.
func got(scheme string, found bool) string {
	if !found || strings.Trim(scheme, "abcdefghijklmnopqrstuvwxyz0123456789+.-") != "" {
		return ""
	}
	return fmt.Sprintf(", got %q", scheme)
}

// asURL suggests a URL if path clearly is one. Anything else may be a secret.
func asURL(schemes []string, path string) string {
	at := slices.IndexFunc(schemes, func(scheme string) bool { return scheme == "file" || scheme == "sqlite" })
	if at < 0 || strings.Contains(path, "://") || !regexp.MustCompile(`^(\.{0,2}/|[A-Za-z]:[\\/])[\w ./\\-]*\w[\\/]?$|^[\w./-]+\.(db|sqlite3?)$`).MatchString(path) {
		return ""
	}
	path = strings.ReplaceAll(strings.ReplaceAll(path, `\`, "/"), " ", "%20")
	if len(path) > 1 && path[1] == ':' {
		path = "/" + path
	}
	return fmt.Sprintf("; for this path write %s://%s", schemes[at], path)
}
