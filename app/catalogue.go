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

// Catalogue says which adapter opens the URLs of a scheme. A team adds its own
// to what Adapters returns, in a main of its own:
//
//	catalogue := app.Adapters()
//	catalogue.PhotoStores["dropbox"] = openDropbox
//	os.Exit(app.Main(context.Background(), os.Args[1:], catalogue))
type Catalogue struct {
	Databases   map[string]Opener // FleetAuth, CustomerRepo, ApiLog, or some of them
	PhotoStores map[string]Opener
}

// Opener opens a backend. It is cheap and changes nothing yet. Its error is a
// sentence that says what is wrong with the URL.
type Opener func(rawURL string) (Backend, error)

// Backend is what an adapter offers under a URL.
type Backend struct {
	// The ports; nil where the adapter hasn't got one.
	FleetAuth    ports.FleetAuth
	CustomerRepo ports.CustomerRepo
	ApiLog       ports.ApiLog
	PhotoStore   ports.PhotoStore

	// What operators need beside them; nil where the adapter hasn't got it.
	FleetDirectory    ports.FleetDirectory
	CustomerDirectory ports.CustomerDirectory
	FleetCustomers    ports.FleetCustomers // of FleetDirectory and CustomerDirectory
	PINKeyBinder      ports.PINKeyBinder
	ChangeRecorder    ports.ChangeRecorder // of CustomerRepo and ApiLog
	ApiLogArchive     ports.ApiLogArchive
	PhotoAddresser    ports.PhotoAddresser
	PhotoLister       ports.PhotoLister

	// PhotoStoreName tells the PhotoStore from others, in records and in the
	// log. Empty: the URL without its parameters does.
	PhotoStoreName domain.PhotoStoreName

	// Migrate brings what is stored up to date with this program, in any number
	// of processes at once; it comes before Start unless it is switched off.
	// Start connects and checks. Both are repeated for a while when they fail
	// with domain.Unavailable. Sweep, called every hour, removes what killed
	// processes left; Close ends it. Each may be nil.
	Migrate func(context.Context) error
	Start   func(context.Context) error
	Sweep   func(context.Context) error
	Close   func() error

	// Pool tells how many connections are in use, idle and allowed; nil where
	// there is no pool worth watching.
	Pool func() (inUse, idle, most int)
	// Now is the backend's clock; nil where it is this machine's, or unknown.
	Now func(context.Context) (time.Time, error)
	// Checks are what doctor tries after Start, beside what calls do. One that
	// ends with an operator.Note has found what the operator should know.
	Checks []operator.Step
	// Disk is a path on the disk of this machine that the backend fills; empty
	// where there is none.
	Disk string

	// PINKeyFile is where the key of the PIN hashes is kept when none is
	// configured; empty: it has to be configured.
	PINKeyFile string
	// DataFile is the file that makes PINKeyFile irreplaceable once it exists.
	DataFile string
	// Ephemeral says that nothing outlives the process, a PIN key included.
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
		Migrate: db.Migrate, Start: db.Start, Close: db.Close, Pool: db.Connections, Now: db.Now,
		Checks: []operator.Step{step("this program is tested with its version", func(ctx context.Context) (string, error) {
			name, tested, err := db.Server(ctx)
			if err == nil && !tested {
				return "", operator.Note(name + " isn't among the versions that docs/backends.md lists; run this program's tests on it")
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

// bucketChecks find what a bucket can't do, and what it does besides.
func bucketChecks(store *gocloud.PhotoStore) []operator.Step {
	return []operator.Step{
		step("it refuses a deletion that comes too late", func(context.Context) (string, error) {
			if !store.FencesDeletions() {
				return "", operator.Note("it doesn't: what is stored is looked at right before, and a photo that comes between may be deleted")
			}
			return "", nil
		}),
		step("it keeps nothing of a photo that was removed", func(ctx context.Context) (string, error) {
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

// got repeats what came where it can't be but a scheme: it may be a whole URL
// with a slip of the pen, and a password in it.
func got(scheme string, found bool) string {
	if !found || strings.Trim(scheme, "abcdefghijklmnopqrstuvwxyz0123456789+.-") != "" {
		return ""
	}
	return fmt.Sprintf(", got %q", scheme)
}

// asURL suggests the URL of what is clearly a path: anything else may be a secret.
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
