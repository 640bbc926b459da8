package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"time"

	"github.com/alecthomas/kong"
	"github.com/dustin/go-humanize"
	"github.com/shirou/gopsutil/v4/disk"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/operator"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
)

const (
	leastFree  = 500 << 20       // bytes on a disk
	mostSkewed = 5 * time.Minute // of two clocks
	mostFetch  = 1 << 20         // of the answer to a GET
)

// configuration opens what the settings name.
func (c *checkup) configuration(ctx context.Context, catalogue Catalogue) {
	c.begin("configuration")
	if !c.try(ctx, "the settings can be used", func(context.Context) (string, error) { return "", c.config.validate() }) {
		return
	}
	c.try(ctx, "the databases' URLs can be used", func(context.Context) (string, error) {
		fleets, customers, log := c.opening.databases(catalogue)
		c.ports.Fleets, c.ports.Customers, c.ports.Log = fleets.FleetAuth, customers.CustomerRepo, log.ApiLog
		c.ports.Directory, c.ports.Archive, c.binder = customers.CustomerDirectory, log.ApiLogArchive, customers.PINKeyBinder
		return "", c.opening.err
	})
	customers := c.opening.byURL[c.customersURL()]
	if c.opening.err == nil {
		c.try(ctx, "there is a key for the PINs", func(context.Context) (string, error) { return c.pinKey(customers) })
	}
	c.opening.err = nil
	c.try(ctx, "the photo store's URL can be used", func(context.Context) (string, error) {
		photos := c.opening.photoStore(catalogue)
		if c.opening.err != nil {
			return "", c.opening.err
		}
		address, err := addressed(c.config, photos)
		c.ports.Photos, c.ports.Address, c.own = photos.PhotoStore, address, photos.PhotoAddresser != nil
		return "", err
	})
}

func (c *checkup) customersURL() string {
	_, rawURL := c.config.databaseURL("", c.config.CustomerRepoURL)
	return rawURL
}

// pinKey says where the key comes from. It makes none.
func (c *checkup) pinKey(customers Backend) (string, error) {
	from := "of its own in each process"
	switch {
	case c.config.PINKey != "":
		flags := c.line.Model.Flags
		from = "by " + source(c.line, flags[slices.IndexFunc(flags, func(f *kong.Flag) bool { return slices.Contains(f.Envs, pinKeyVariable) })])
	case customers.Ephemeral:
	case customers.PINKeyFile != "":
		from = "in " + customers.PINKeyFile
		if !isThere(customers.PINKeyFile) && !isThere(customers.DataFile) {
			return "", fmt.Errorf("there is none yet %s; make it, and the database, with: fleetphoto migrate", from)
		}
	}
	key, err := pinKey(c.config, customers)
	c.key = key
	return from, err
}

func isThere(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, os.ErrNotExist)
}

// section is a backend and what calls do with it.
type section struct {
	variable, rawURL string
	steps            []operator.Step
}

func (c *checkup) sections(doctor *operator.Doctor) []section {
	var all []section
	add := func(variable, rawURL string, steps []operator.Step) {
		if _, opened := c.opening.byURL[rawURL]; !opened {
			return
		}
		same := slices.IndexFunc(all, func(s section) bool { return s.rawURL == rawURL })
		if same < 0 {
			same = len(all)
			all = append(all, section{variable: variable, rawURL: rawURL})
		}
		all[same].steps = append(all[same].steps, steps...)
	}
	database := func(variable, rawURL string, steps []operator.Step) {
		variable, rawURL = c.config.databaseURL(variable, rawURL)
		add(variable, rawURL, steps)
	}
	if c.ports.Log != nil { // then all three are there
		database("FLEETPHOTO_FLEET_AUTH_URL", c.config.FleetAuthURL, doctor.FleetSteps())
		database("FLEETPHOTO_CUSTOMER_REPO_URL", c.config.CustomerRepoURL, doctor.CustomerSteps())
		database("FLEETPHOTO_API_LOG_URL", c.config.ApiLogURL, doctor.LogSteps())
	}
	if c.ports.Photos != nil {
		add(photoStoreVariable, c.config.PhotoStoreURL, doctor.PhotoSteps())
	}
	return all
}

func (c *checkup) section(ctx context.Context, s section) {
	c.begin(s.variable + " " + withoutSecrets(s.rawURL))
	backend := c.opening.byURL[s.rawURL]
	name := "connect, and find the tables up to date"
	if s.variable == photoStoreVariable {
		name = "connect, write, read and delete"
	}
	works := c.try(ctx, name, func(ctx context.Context) (string, error) { return "", connect(ctx, backend) })
	if backend.Disk != "" && works {
		c.try(ctx, "its disk has room", func(ctx context.Context) (string, error) { return freeSpace(ctx, backend.Disk) })
	}
	if backend.Now != nil && works {
		c.try(ctx, "its clock is as this machine's", func(ctx context.Context) (string, error) {
			now, err := backend.Now(ctx)
			return compareClocks(now, err)
		})
	}
	if s.rawURL == c.customersURL() && c.ports.Customers != nil && works {
		c.try(ctx, "its PINs were hashed under this key", func(ctx context.Context) (string, error) { return "", bindPINKey(ctx, c.binder, c.key) })
	}
	c.tryAll(ctx, works, s.steps)
	if s.variable == photoStoreVariable && !c.fetched.IsZero() {
		c.try(ctx, "the clock at its address is as this machine's", func(context.Context) (string, error) { return compareClocks(c.fetched, nil) })
	}
}

func connect(ctx context.Context, backend Backend) error {
	if backend.Start == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, usecase.CallTimeout)
	defer cancel()
	err := backend.Start(ctx)
	if errors.Is(err, domain.Unavailable) {
		err = errors.New(operatorSentence(err) + "; see that it runs, and that this machine reaches it at this URL")
	}
	return err
}

func freeSpace(ctx context.Context, path string) (string, error) {
	usage, err := disk.UsageWithContext(ctx, path)
	if err == nil && usage.Free < leastFree {
		err = fmt.Errorf("only %s are free at %s; make room", humanize.IBytes(usage.Free), path)
	}
	if err != nil {
		return "", err
	}
	return humanize.IBytes(usage.Free) + " are free", nil
}

func compareClocks(theirs time.Time, err error) (string, error) {
	if skew := time.Until(theirs); err == nil && skew.Abs() > mostSkewed {
		err = fmt.Errorf("it is %v away from this machine's; set both by a time server, or signatures fail and calls that run are taken for cut off", skew.Round(time.Second))
	}
	return "", err
}

// fetcher fetches a photo as its address tells callers to; nil where that needs
// a server of this product, which need not run.
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

// unfetched says what to change, without what signs the address.
func (c *checkup) unfetched(address string, cause error) error {
	change := "let anyone read the photos there, set FLEETPHOTO_PHOTO_URL=signed, or name another address in FLEETPHOTO_PHOTO_BASE_URL"
	if c.config.PhotoURL == "signed" {
		change = "check the clock of this machine, and that the key that signs may read the photos"
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
