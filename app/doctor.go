package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"os"
	"slices"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/shirou/gopsutil/v4/disk"

	"github.com/fleetphoto/fleetphoto/adapters/cli"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/operator"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
	"github.com/fleetphoto/fleetphoto/ports"
)

const (
	leastFree  = 500 << 20       // bytes on a disk
	mostSkewed = 5 * time.Minute // of two clocks
	mostFetch  = 1 << 20         // of the answer to a GET
)

// checkup tries the configuration and all backends. It migrates nothing, and
// writes only what operator.Doctor writes.
type checkup struct {
	*backends
	cameFrom func(variable string) string // returns where a setting comes from
	ports    operator.DoctorPorts
	binder   *opened // the customers' backend; nil: it could not be opened
	keys     domain.PINKeys
	own      bool      // the store serves photos itself
	fetched  time.Time // the photo store's clock when the photo was fetched; zero: it wasn't
}

// doctor returns the sections to try.
func doctor(config Config, catalogue Catalogue, cameFrom func(string) string) iter.Seq[operator.Section] {
	c := &checkup{backends: &backends{config: config, catalogue: catalogue}, cameFrom: cameFrom}
	return func(yield func(operator.Section) bool) {
		defer func() { _ = c.close() }()
		if !yield(operator.Section{Name: "configuration", Steps: c.configuration}) {
			return
		}
		doctor, err := operator.NewDoctor(c.ports, time.Now, c.fetcher())
		if err != nil {
			failing := step("make a photo to try with", func(context.Context) (string, error) { return "", err })
			yield(operator.Section{Name: "doctor", Steps: slices.Values([]operator.Step{failing})})
			return
		}
		for _, s := range c.sections(doctor) {
			if !yield(operator.Section{Name: s.variable + " " + cli.WithoutSecrets(s.rawURL), Steps: s.all(c)}) {
				return
			}
		}
		if doctor.HasProbes() {
			remove := step("remove what was only there to try", func(ctx context.Context) (string, error) { return "", doctor.Remove(ctx) })
			remove.Regardless = true
			yield(operator.Section{Name: "clean up", Steps: slices.Values([]operator.Step{remove})})
		}
	}
}

// step returns a step that others don't depend on.
func step(name string, do func(context.Context) (string, error)) operator.Step {
	return operator.Step{Name: name, Alone: true, Do: do}
}

// noting returns a step that also stores its error in failed.
func noting(failed *error, name string, do func(context.Context) (string, error)) operator.Step {
	return step(name, func(ctx context.Context) (found string, err error) {
		found, *failed = do(ctx)
		return found, *failed
	})
}

// configuration opens the backends.
func (c *checkup) configuration(yield func(operator.Step) bool) {
	untried := errors.New("not tried")
	settings, databases := untried, untried
	if !yield(noting(&settings, "the settings can be used", func(context.Context) (string, error) { return "", c.config.validate() })) || settings != nil {
		return
	}
	if c.config.readOnly() && !yield(step("calls are accepted", func(context.Context) (string, error) {
		return "", operator.Note("they are not: " + readOnlyVariable + " is on, so calls get 503 and photos are served; steps that change the database are left out")
	})) {
		return
	}
	if !yield(step("the callers' addresses are known", c.sayProxies)) {
		return
	}
	if !yield(noting(&databases, "the databases' URLs can be used", func(context.Context) (string, error) { return "", c.openDatabases() })) {
		return
	}
	if databases == nil && !yield(step("there is a key for the PINs", c.findPINKey)) {
		return
	}
	if !yield(step("the photo store's URL can be used", func(context.Context) (string, error) { return "", c.openPhotos() })) {
		return
	}
	if c.ports.Photos != nil && !c.own && databases == nil && !yield(step("it is known who can see photos", c.findPhotoURLKey)) {
		return
	}
	yield(step("calls are encrypted", c.findTLS))
}

// findTLS says what terminates TLS.
func (c *checkup) findTLS(context.Context) (string, error) {
	switch {
	case c.config.TLSCert == "" && isLoopback(c.config.Addr):
		return "not needed at " + c.config.Addr + ", which is this machine's own", nil
	case c.config.TLSCert == "" && c.config.TrustedProxies != "":
		return "if " + c.config.TrustedProxies + " terminates TLS in front of " + c.config.Addr, nil
	case c.config.TLSCert == "":
		return "", operator.Note("not by this server, and no proxy is configured: unless one terminates TLS in front of " + c.config.Addr + ", keys, PINs and photos travel in the clear; name it in FLEETPHOTO_TRUSTED_PROXIES, or set " + tlsCertVariable)
	}
	pair, err := readCertificate(c.config)
	if err != nil {
		return "", err
	}
	until := pair.Leaf.NotAfter.UTC().Format(time.DateOnly)
	if time.Now().After(pair.Leaf.NotAfter) {
		return "", settingError(tlsCertVariable, fmt.Errorf("the certificate expired on %s; renew it", until))
	}
	return "by a certificate valid until " + until, nil
}

// sayProxies says where callers' addresses come from. Only real requests could
// show whether that is right.
func (c *checkup) sayProxies(context.Context) (string, error) {
	if c.config.TrustedProxies != "" {
		return "from headers of " + c.config.TrustedProxies + ", and otherwise from the connection", nil
	}
	return "from the connection; if a proxy is in front of this server, name it in FLEETPHOTO_TRUSTED_PROXIES", nil
}

func (c *checkup) openDatabases() error {
	fleets, fleetsErr := c.fleets()
	customers, customersErr := c.customers()
	log, logErr := c.log()
	if err := firstOf(fleetsErr, customersErr, logErr); err != nil {
		return err
	}
	var repoErr, authErr, apiLogErr error
	c.ports.Fleets, authErr = offered(fleets, func(b Backend) ports.FleetAuth { return b.FleetAuth })
	c.ports.Customers, repoErr = offered(customers, func(b Backend) ports.CustomerRepo { return b.CustomerRepo })
	c.ports.Log, apiLogErr = offered(log, func(b Backend) ports.ApiLog { return b.ApiLog })
	c.ports.FleetList, c.ports.Archive, c.binder = fleets.FleetDirectory, log.ApiLogArchive, customers
	if !c.config.readOnly() {
		c.ports.Directory = customers.CustomerDirectory // to add a customer to
	}
	return firstOf(authErr, repoErr, apiLogErr)
}

func (c *checkup) openPhotos() error {
	photos, err := c.photos()
	if err != nil {
		return err
	}
	if c.ports.Photos, err = offered(photos, func(b Backend) ports.PhotoStore { return b.PhotoStore }); err != nil {
		return err
	}
	c.own = photos.PhotoAddresser != nil
	c.ports.Address, err = c.photoAddress(nil)
	return err
}

// findPINKey says where the key comes from. It creates none.
func (c *checkup) findPINKey(context.Context) (string, error) {
	from := "a random one in each process"
	switch {
	case c.config.PINKey != "":
		from = "by " + c.cameFrom(pinKeyVariable)
	case c.binder.Ephemeral:
	case c.binder.PINKeyFile != "":
		from = "in " + c.binder.PINKeyFile
		if !isThere(c.binder.PINKeyFile) && !isThere(c.binder.DataFile) {
			return "", fmt.Errorf("there is none yet %s; to create it and the database, run: fleetphoto migrate", from)
		}
	}
	keys, err := c.pinKeys()
	c.keys = keys
	return from, err
}

// findPhotoURLKey says who can see the photos that this program's servers serve.
// It creates no key.
func (c *checkup) findPhotoURLKey(context.Context) (string, error) {
	switch {
	case c.config.PhotoURL == "public":
		return "anyone who guesses a fleet's and a customer's number; FLEETPHOTO_PHOTO_URL=signed prevents that", nil
	case c.makesPhotoURLKey():
		return "anyone with a signed address; the next start of a server creates the key", nil
	}
	from, _, err := c.photoURLKey()
	if err == nil {
		_, err = c.photoSigner()
	}
	return "anyone with an address signed with the key of " + from, err
}

func isThere(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, os.ErrNotExist)
}

// checked is a backend with the steps of its ports.
type checked struct {
	*opened
	steps []operator.Step
}

func (c *checkup) sections(doctor *operator.Doctor) []*checked {
	var all []*checked
	add := func(open func() (*opened, error), steps []operator.Step) {
		o, err := open()
		if err != nil {
			return
		}
		for _, known := range all {
			if known.opened == o {
				known.steps = append(known.steps, steps...)
				return
			}
		}
		all = append(all, &checked{o, steps})
	}
	if c.ports.Log != nil { // then the other two are set too
		add(c.fleets, doctor.FleetSteps())
		add(c.customers, doctor.CustomerSteps())
		logSteps := doctor.LogSteps()
		if c.config.readOnly() {
			logSteps = nil
		}
		add(c.log, logSteps)
	}
	if c.ports.Photos != nil {
		add(c.photos, doctor.PhotoSteps())
	}
	return all
}

// all returns the steps of a backend: general ones, then those of its ports.
func (s *checked) all(c *checkup) iter.Seq[operator.Step] {
	return func(yield func(operator.Step) bool) {
		isPhotos := s.variable == photoStoreVariable
		name := "connect, and check that the tables are up to date"
		if isPhotos {
			name = "connect, write, read and delete"
		}
		failed := errors.New("not tried")
		connect := noting(&failed, name, func(ctx context.Context) (string, error) { return "", connect(ctx, s.opened) })
		connect.Alone = false
		if !yield(connect) {
			return
		}
		steps := s.steps
		if failed == nil {
			steps = slices.Concat(c.generalSteps(s.opened), s.steps)
		}
		for _, step := range steps {
			if !yield(step) {
				return
			}
		}
		if isPhotos && !c.fetched.IsZero() {
			yield(step("the clock at its address agrees with this machine's", func(context.Context) (string, error) { return compareClocks(c.fetched, nil) }))
		}
	}
}

func (c *checkup) generalSteps(o *opened) []operator.Step {
	var steps []operator.Step
	if o.Disk != "" {
		steps = append(steps, step("its disk has room", func(ctx context.Context) (string, error) { return freeSpace(ctx, o.Disk) }))
	}
	if o.Now != nil {
		steps = append(steps, step("its clock agrees with this machine's", func(ctx context.Context) (string, error) {
			now, err := o.Now(ctx)
			return compareClocks(now, err)
		}))
	}
	steps = append(steps, o.Checks...)
	if o == c.binder && o.PINKeyBinder != nil && !c.config.readOnly() {
		steps = append(steps, step("its PINs were hashed with this key", func(ctx context.Context) (string, error) { return "", bindPINKey(ctx, o.PINKeyBinder, c.keys) }))
	}
	return steps
}

func connect(ctx context.Context, backend *opened) error {
	if backend.Start == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, usecase.CallTimeout)
	defer cancel()
	err := backend.Start(ctx)
	if errors.Is(err, domain.Unavailable) {
		err = errors.New(operator.Sentence(err) + "; check that it runs, and that this machine reaches it at this URL")
	}
	return err
}
func freeSpace(ctx context.Context, path string) (string, error) {
	usage, err := disk.UsageWithContext(ctx, path)
	if err == nil && usage.Free < leastFree {
		err = fmt.Errorf("only %s are free at %s; free some space", humanize.IBytes(usage.Free), path)
	}
	if err != nil {
		return "", err
	}
	return humanize.IBytes(usage.Free) + " are free", nil
}

func compareClocks(theirs time.Time, err error) (string, error) {
	if skew := time.Until(theirs); err == nil && skew.Abs() > mostSkewed {
		err = fmt.Errorf("it differs from this machine's by %v; synchronise both with a time server, or signatures fail and running calls count as interrupted", skew.Round(time.Second))
	}
	return "", err
}

// fetcher returns a function that fetches a photo at its address. It returns nil
// if our own servers serve photos, as none may be running.
func (c *checkup) fetcher() func(context.Context, string) ([]byte, error) {
	if !c.own {
		return nil
	}
	return func(ctx context.Context, address string) ([]byte, error) {
		c.fetched = time.Time{}
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return nil, c.unfetched(address, withoutAddress(err))
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return nil, c.unfetched(address, withoutAddress(err))
		}
		defer func() { _ = response.Body.Close() }() // it was only read
		c.fetched, _ = http.ParseTime(response.Header.Get("Date"))
		if response.StatusCode != http.StatusOK {
			return nil, c.unfetched(address, errors.New(response.Status))
		}
		return io.ReadAll(io.LimitReader(response.Body, mostFetch))
	}
}

// unfetched returns an error that says what to change, without the signature.
func (c *checkup) unfetched(address string, cause error) error {
	change := "make the photos there public, set FLEETPHOTO_PHOTO_URL=signed, or set FLEETPHOTO_PHOTO_BASE_URL to another address"
	if c.config.PhotoURL == "signed" {
		change = "check this machine's clock, and that the key that signs may read the photos"
	}
	if u, err := url.Parse(address); err == nil {
		u.RawQuery = ""
		address = u.Redacted()
	}
	return fmt.Errorf("GET %s: %w; %s", address, cause, change)
}

func withoutAddress(err error) error {
	var failed *url.Error
	if errors.As(err, &failed) {
		return failed.Err
	}
	return err
}
