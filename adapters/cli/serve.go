package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/fleetphoto/fleetphoto/domain/usecase"
)

type serveCommand struct {
	Demo        bool `xor:"instead" help:"Serve in memory, with a fleet and a customer to try."`
	PrintConfig bool `xor:"instead" help:"Only print each setting and where it comes from, with secrets hidden."`
}

// Run serves until a signal arrives.
func (c *serveCommand) Run(ctx context.Context, e environment) error {
	if c.PrintConfig {
		return errors.Join(printSettings(e.out, e.line), e.Check())
	}
	return e.Serve(ctx, e.logger, c.Demo, e.out)
}

type migrateCommand struct{}

// Run migrates without touching photos.
func (*migrateCommand) Run(ctx context.Context, e environment) error {
	if err := e.Migrate(ctx); err != nil {
		return err
	}
	e.say("the database is up to date")
	return nil
}

type repairCommand struct {
	AllStores bool `help:"Also settle calls of other photo stores, as if they were of this one. Use it after moving a directory."`
}

// Run settles interrupted calls and prints how many.
func (c *repairCommand) Run(ctx context.Context, e environment) error {
	return e.change(ctx, func(ctx context.Context, repair *usecase.Repair) error {
		repair.AllStores = c.AllStores
		report, err := repair.Do(ctx)
		_, printErr := fmt.Fprintf(e.out, "%d calls settled: %d done, %d interrupted; %d more settled for the first time; %d records corrected, %d photos deleted again\n",
			report.Settled(), report.Done, report.Interrupted, report.LookedAt, report.Corrected, report.Deleted)
		return errors.Join(err, printErr)
	})
}

type openAPICommand struct {
	Version string `enum:"3.0,3.1" default:"3.1" placeholder:"3.0|3.1" help:"The version of OpenAPI (${default})."`
	Format  string `enum:"json,yaml" default:"json" placeholder:"json|yaml" help:"The format (${default})."`
}

// Run prints the document without opening a backend.
func (c *openAPICommand) Run(e environment) error {
	text, err := e.OpenAPI(c.Version, c.Format)
	return errors.Join(err, write(e.out, text))
}

type healthcheckCommand struct{}

// Run fails unless the server on the admin address is ready.
func (*healthcheckCommand) Run(ctx context.Context, e environment) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, e.ReadyURL(), nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("no server answers at FLEETPHOTO_ADMIN_ADDR: %w", err)
	}
	defer func() { _ = response.Body.Close() }() // it was only read
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		return errors.New(string(text))
	}
	return errors.Join(err, write(e.out, text))
}

type versionCommand struct{}

// Run prints the version.
func (*versionCommand) Run(e environment) error {
	return write(e.out, []byte("fleetphoto "+e.Version+"\n"))
}
