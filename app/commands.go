package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
	"go.uber.org/fx"

	"github.com/fleetphoto/fleetphoto/adapters/httpapi"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
)

// commands is the command line.
type commands struct {
	Config

	Serve       serveCommand       `cmd:"" help:"Serve the API."`
	Fleet       fleetCommands      `cmd:"" help:"Manage fleets."`
	Customer    customerCommands   `cmd:"" help:"Manage customers."`
	Log         logCommands        `cmd:"" help:"Find out what happened to calls."`
	Photos      photosCommands     `cmd:"" help:"Verify and copy the photos."`
	Doctor      doctorCommand      `cmd:"" help:"Try everything that calls do, beside them, and say what to change."`
	Migrate     migrateCommand     `cmd:"" help:"Bring the database up to date. A starting server does so by itself."`
	Repair      repairCommand      `cmd:"" help:"Settle calls that were cut off. A running server does so by itself."`
	OpenAPI     openAPICommand     `cmd:"" name:"openapi" help:"Print the OpenAPI document."`
	Healthcheck healthcheckCommand `cmd:"" help:"Ask a running server whether it is ready."`
	Version     versionCommand     `cmd:"" help:"Print the version."`
}

type serveCommand struct {
	Demo        bool `xor:"instead" help:"Serve wholly in memory, with a fleet and a customer to try."`
	PrintConfig bool `xor:"instead" help:"Print each setting as it would be used, and where it comes from, with secrets hidden; start nothing."`
}

// Run serves until a signal comes.
func (c *serveCommand) Run(ctx context.Context, e environment, out io.Writer, line *kong.Context) error {
	if c.PrintConfig {
		return errors.Join(printConfig(out, line), e.check())
	}
	modules := []fx.Option{serveModule}
	if c.Demo {
		e.config = demoConfig(*e.config)
		modules = []fx.Option{demoModule, serveModule}
	}
	interrupted, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	e.waiting = waiting{most: waitForBackends, ended: interrupted.Done()}
	application := e.application(modules...)
	return e.run(ctx, application, func(context.Context) error {
		if c.Demo {
			if err := printDemo(out, e.config); err != nil {
				return err
			}
		}
		select {
		case <-interrupted.Done(): // perhaps by a signal that came before it served
			e.logger.Info("stopping: calls that run are finished")
			return nil
		case signal := <-application.Wait():
			e.logger.Info("stopping: calls that run are finished")
			if signal.ExitCode != 0 {
				return errors.New("the server stopped by itself; the log above has the cause")
			}
			return nil
		}
	})
}

// provision does f with a use case where what it adds is kept.
func provision[T any](ctx context.Context, e environment, f func(context.Context, T) error) error {
	type needed struct {
		fx.In
		Backends  *backends
		Provision T
	}
	return do(ctx, e, func(ctx context.Context, n needed) error {
		if n.Backends.ephemeral {
			return settingError("FLEETPHOTO_DATABASE_URL", errors.New("memory:// ends with this command; name a database that is kept, or try serve --demo"))
		}
		return f(ctx, n.Provision)
	})
}

type migrateCommand struct{}

// Run migrates without touching photos.
func (c *migrateCommand) Run(ctx context.Context, e environment) error {
	if err := migrate(ctx, e.config, e.catalogue); err != nil {
		return err
	}
	e.logger.Info("the database is up to date")
	return nil
}

type repairCommand struct{}

// Run settles what can be settled and says how much it was.
func (c *repairCommand) Run(ctx context.Context, e environment, out io.Writer) error {
	return do(ctx, e, func(ctx context.Context, repair *usecase.Repair) error {
		report, err := repair.Do(ctx)
		_, printErr := fmt.Fprintf(out, "%d calls settled: %d had been done, %d were interrupted; %d records corrected\n",
			report.Settled(), report.Done, report.Interrupted, report.Corrected)
		return errors.Join(err, printErr)
	})
}

type healthcheckCommand struct{}

// Run fails unless the server on the admin address is ready.
func (c *healthcheckCommand) Run(ctx context.Context, e environment, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	address := "http://" + localHost(e.config.AdminAddr) + httpapi.ReadyPath
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
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
	return errors.Join(err, write(out, text))
}

type versionCommand struct{}

// Run prints the version.
func (c *versionCommand) Run(out io.Writer) error {
	return write(out, []byte("fleetphoto "+version()+"\n"))
}

func write(out io.Writer, text []byte) error {
	_, err := out.Write(text)
	return err
}

// version returns the module's version, and the commit it was built from where known.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	text := info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			text += " " + s.Value
		}
	}
	return text
}
