package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"reflect"
	"slices"
	"strings"
	"time"

	"go.uber.org/fx"

	"github.com/fleetphoto/fleetphoto/adapters/cli"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
)

// The variables that name backends.
const (
	databaseVariable     = "FLEETPHOTO_DATABASE_URL"
	fleetAuthVariable    = "FLEETPHOTO_FLEET_AUTH_URL"
	customerRepoVariable = "FLEETPHOTO_CUSTOMER_REPO_URL"
	apiLogVariable       = "FLEETPHOTO_API_LOG_URL"
	photoStoreVariable   = "FLEETPHOTO_PHOTO_STORE_URL"
)

// purpose is what backends are opened for. The zero purpose is a server.
type purpose struct {
	command bool            // a command, which waits for no backend and needs ones that outlast it
	asIs    bool            // migrate no database
	ended   <-chan struct{} // closed when the operator interrupts the start; nil: never
}

// backends opens the backends of the configuration's URLs when they are asked for,
// and each URL once.
type backends struct {
	config    Config
	catalogue Catalogue
	purpose   purpose
	logger    *slog.Logger
	lifecycle fx.Lifecycle // starts what is opened, and closes it; nil: nothing does
	opened    []*opened
}

// opened is a backend and the variable that named its URL.
type opened struct {
	Backend
	variable, rawURL string
	isCopy           bool // a command copies into it, so it is migrated, and created if missing
}

type backendsIn struct {
	fx.In
	Config    Config
	Catalogue Catalogue    `optional:"true"` // zero: Adapters
	Purpose   purpose      `optional:"true"`
	Logger    *slog.Logger `optional:"true"` // nil: slog.Default
	Lifecycle fx.Lifecycle
}

func newBackends(in backendsIn) (*backends, error) {
	if in.Catalogue.Databases == nil && in.Catalogue.PhotoStores == nil {
		in.Catalogue = Adapters()
	}
	if in.Logger == nil {
		in.Logger = slog.Default()
	}
	b := &backends{config: in.Config, catalogue: in.Catalogue, purpose: in.Purpose, logger: in.Logger, lifecycle: in.Lifecycle}
	return b, in.Config.validate()
}

func (b *backends) fleets() (*opened, error) {
	return b.database(fleetAuthVariable, b.config.FleetAuthURL)
}

func (b *backends) customers() (*opened, error) {
	return b.database(customerRepoVariable, b.config.CustomerRepoURL)
}

func (b *backends) log() (*opened, error) { return b.database(apiLogVariable, b.config.ApiLogURL) }

func (b *backends) photos() (*opened, error) {
	return b.open(b.catalogue.PhotoStores, photoStoreVariable, b.config.PhotoStoreURL)
}

func (b *backends) database(variable, rawURL string) (*opened, error) {
	variable, rawURL = b.config.databaseURL(variable, rawURL)
	o, err := b.open(b.catalogue.Databases, variable, rawURL)
	if err == nil && o.Ephemeral && b.purpose.command {
		return nil, settingError(variable, errors.New("memory:// ends with this command; name a database that is kept, or try serve --demo"))
	}
	return o, err
}

func (b *backends) open(openers map[string]Opener, variable, rawURL string) (*opened, error) {
	if i := slices.IndexFunc(b.opened, func(o *opened) bool { return o.rawURL == rawURL }); i >= 0 {
		return b.opened[i], nil
	}
	backend, err := open(openers, rawURL)
	if err != nil {
		return nil, settingError(variable, err)
	}
	o := &opened{Backend: backend, variable: variable, rawURL: rawURL}
	b.opened = append(b.opened, o)
	if b.lifecycle != nil {
		b.lifecycle.Append(fx.Hook{
			OnStart: func(ctx context.Context) error { return b.start(ctx, o) },
			OnStop:  func(context.Context) error { return o.close() },
		})
	}
	return o, nil
}

// isAt reports whether a database is the one at rawURL, as far as URLs, files and
// servers that answer tell.
func (b *backends) isAt(o *opened, rawURL string) bool {
	if o.rawURL == rawURL {
		return true
	}
	other, err := open(b.catalogue.Databases, rawURL)
	if err != nil {
		return false // opening it elsewhere reports the error
	}
	defer func() { _ = (&opened{Backend: other}).close() }()
	if o.Identity != nil && other.Identity != nil {
		ctx, cancel := context.WithTimeout(context.Background(), usecase.CallTimeout)
		defer cancel()
		one, oneErr := o.Identity(ctx)
		another, anotherErr := other.Identity(ctx)
		return oneErr == nil && anotherErr == nil && one == another
	}
	one, oneErr := os.Stat(o.DataFile) // not there: another one
	another, anotherErr := os.Stat(other.DataFile)
	return oneErr == nil && anotherErr == nil && os.SameFile(one, another)
}

// isConfigured reports whether a database is one of the server's.
func (b *backends) isConfigured(o *opened) bool {
	return slices.ContainsFunc([]string{b.config.FleetAuthURL, b.config.CustomerRepoURL, b.config.ApiLogURL}, func(rawURL string) bool {
		_, rawURL = b.config.databaseURL("", rawURL)
		return b.isAt(o, rawURL)
	})
}

// offered returns a role of a backend, or an error if it doesn't have the role.
func offered[R any](o *opened, role func(Backend) R) (R, error) {
	found := role(o.Backend)
	if any(found) == nil {
		return found, settingError(o.variable, fmt.Errorf("the backend at this URL has no %s, which this command needs; choose another backend", reflect.TypeFor[R]().Name()))
	}
	return found, nil
}

// start migrates a backend if configured, and starts it.
func (b *backends) start(ctx context.Context, o *opened) error {
	if err := b.mayMake(ctx, o); err != nil {
		return err
	}
	migrates := o.isCopy || b.config.Migrate == "on" && !b.config.readOnly() && !b.purpose.asIs
	if migrates && !o.isCopy && b.hasCustomers(o) && o.PINKeyFile != "" {
		if _, err := b.pinKey(); err != nil { // the key file must exist before the embedded database does
			return err
		}
	}
	for _, step := range []struct {
		wanted bool
		do     func(context.Context) error
	}{{migrates && o.Migrate != nil, o.Migrate}, {o.Start != nil, o.Start}} {
		if !step.wanted {
			continue
		}
		if err := b.untilAvailable(ctx, o.variable, step.do); err != nil {
			_ = o.close() // a hook that failed isn't stopped
			return settingError(o.variable, err)
		}
	}
	return nil
}

// mayMake fails if a backend is an embedded database that is missing and should
// not be created: a command wants the server's database, and stored photos belong
// to a database that has to be restored.
func (b *backends) mayMake(ctx context.Context, o *opened) error {
	switch {
	case o.DataFile == "" || isThere(o.DataFile) || b.config.Create || o.isCopy:
		return nil
	case b.purpose.command:
		return settingError(o.variable, fmt.Errorf("there is no database at %s; is this the server's directory? To create one, add --create, or run: fleetphoto migrate", o.DataFile))
	case b.hasCustomers(o) && b.hasPhotos(ctx):
		return settingError(o.variable, fmt.Errorf("there is no database at %s, but %s has photos, which belong to one; restore it, or add --create to make an empty one", o.DataFile, photoStoreVariable))
	}
	return nil
}

// hasCustomers reports whether o has the customers.
func (b *backends) hasCustomers(o *opened) bool {
	customers, err := b.customers()
	return err == nil && customers == o
}

// hasPhotos reports whether the photo store has a photo, if it can be listed.
func (b *backends) hasPhotos(ctx context.Context) bool {
	store, err := open(b.catalogue.PhotoStores, b.config.PhotoStoreURL)
	if err != nil {
		return false // opening it elsewhere reports the error
	}
	o := &opened{Backend: store}
	defer func() { _ = o.close() }()
	if store.PhotoLister == nil || store.Start != nil && store.Start(ctx) != nil {
		return false
	}
	for _, err := range store.PhotoLister.List(ctx) {
		return err == nil
	}
	return false
}

// name returns the backend's name in the server's log: its URL without secrets,
// and with the whole path.
func (o *opened) name() string {
	scheme, _, _ := strings.Cut(o.rawURL, "://")
	switch {
	case o.DataFile != "":
		return scheme + "://" + o.DataFile
	case strings.HasPrefix(string(o.PhotoStoreName), "file://"):
		return string(o.PhotoStoreName)
	}
	return cli.WithoutSecrets(o.rawURL)
}

func (o *opened) close() error {
	if o.Close == nil {
		return nil
	}
	return o.Close()
}

// close closes all backends, if there is no lifecycle to do it.
func (b *backends) close() error {
	var err error
	for _, o := range b.opened {
		err = errors.Join(err, o.close())
	}
	return err
}

// untilAvailable repeats step while it fails with domain.Unavailable, for at most
// a minute, as backends may be starting too. A command doesn't repeat it.
func (b *backends) untilAvailable(ctx context.Context, variable string, step func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-b.purpose.ended:
			cancel()
		case <-ctx.Done():
		}
	}()
	err := step(ctx)
	if b.purpose.command || !errors.Is(err, domain.Unavailable) {
		return err
	}
	b.logger.Warn("waiting for a backend", slog.String("setting", variable), slog.String("cause", err.Error()))
	giveUp := time.After(waitForBackends)
	for errors.Is(err, domain.Unavailable) {
		select {
		case <-time.After(time.Second):
			err = step(ctx)
		case <-giveUp:
			return err
		case <-ctx.Done():
			return err
		}
	}
	return err
}

// migrate migrates the databases.
func migrate(ctx context.Context, config Config, catalogue Catalogue) (err error) {
	if err := config.mayChange(); err != nil {
		return err
	}
	b := &backends{config: config, catalogue: catalogue}
	defer func() { err = errors.Join(err, b.close()) }()
	customers, customersErr := b.customers()
	_, fleetsErr := b.fleets()
	_, logErr := b.log()
	if err := firstOf(fleetsErr, customersErr, logErr); err != nil {
		return err
	}
	if customers.PINKeyFile != "" { // its key comes before an embedded database, never after
		if _, err := b.pinKey(); err != nil {
			return err
		}
	}
	for _, o := range b.opened {
		if o.Migrate == nil {
			continue
		}
		if err := b.mayMake(ctx, o); err != nil {
			return err
		}
		if err := o.Migrate(ctx); err != nil {
			return settingError(o.variable, err)
		}
	}
	return nil
}

// checkSettings opens all that is configured, without starting or making anything.
func checkSettings(config Config, catalogue Catalogue) error {
	b := &backends{config: config, catalogue: catalogue}
	_, fleetsErr := b.fleets()
	customers, customersErr := b.customers()
	_, logErr := b.log()
	_, addressErr := b.photoAddress(nil)
	if addressErr == nil && !b.makesPhotoURLKey() {
		_, addressErr = b.photoSigner()
	}
	var keyErr error
	if customersErr == nil && (config.PINKey != "" || customers.PINKeyFile == "") { // else pinKey may make one
		_, keyErr = b.pinKeys()
	}
	var tlsErr error
	if config.TLSCert != "" {
		_, tlsErr = readCertificate(config)
	}
	return errors.Join(firstOf(fleetsErr, customersErr, logErr), keyErr, addressErr, tlsErr, b.close())
}

// firstOf returns the first error: what concerns all three databases is said once.
func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
