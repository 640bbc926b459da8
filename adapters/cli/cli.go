// Package cli is the command line: it parses flags and settings, runs use cases
// and prints their results.
//
// It imports domain, usecase, operator and ports, and app imports it. It knows
// neither the adapters nor how use cases are wired.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/operator"
)

// App is the application that the command line drives. All fields must be set.
type App struct {
	// Settings is a pointer to a struct whose fields have kong's tags env, help,
	// default and perhaps secret. They are filled before any function is called.
	Settings any
	// Validate fails if a setting can't be used. It opens nothing.
	Validate func() error
	// Check tries the settings as far as it can without starting or creating
	// anything.
	Check func() error

	// Run starts what the parameters of f need, calls f and stops everything
	// again. f is a func(context.Context, …) error whose parameters are use
	// cases, ports and roles. supply adds values that these are made of.
	Run func(ctx context.Context, logger *slog.Logger, f any, supply ...any) error
	// Serve serves until ctx ends or the server fails. A demo writes how to try it
	// to out.
	Serve func(ctx context.Context, logger *slog.Logger, demo bool, out io.Writer) error
	// Migrate brings the databases up to date.
	Migrate func(ctx context.Context) error
	// Doctor returns the sections to try. Each is made after the one before was
	// tried. cameFrom returns where the setting with this variable comes from.
	Doctor func(cameFrom func(variable string) string) iter.Seq[operator.Section]
	// OpenAPI returns the OpenAPI document, version "3.0" or "3.1", as "json" or "yaml".
	OpenAPI func(version, format string) ([]byte, error)

	ReadyURL   func() string // of /readyz on a server with these settings
	PhotosPath string        // the path below which a server serves photos
	Version    string
}

// AsIs is a value to supply to App.Run, which then migrates no database.
type AsIs struct{}

// Changes is a value to supply to App.Run if f changes a backend. Run then fails
// before it opens anything if the settings are read-only.
type Changes struct{}

// commands is the command line.
type commands struct {
	Serve       serveCommand       `cmd:"" help:"Serve the API."`
	Fleet       fleetCommands      `cmd:"" help:"Manage fleets."`
	Customer    customerCommands   `cmd:"" help:"Manage customers."`
	Log         logCommands        `cmd:"" help:"Show, list and prune logged calls."`
	Photos      photosCommands     `cmd:"" help:"Verify photos, or copy them to another store."`
	Copy        copyCommand        `cmd:"" help:"Copy fleets, customers and the log to another database, while servers run."`
	Doctor      doctorCommand      `cmd:"" help:"Try all backends as calls use them, and say what to change."`
	Migrate     migrateCommand     `cmd:"" help:"Migrate the databases. A starting server does so by itself."`
	Repair      repairCommand      `cmd:"" help:"Settle interrupted calls. A running server does so by itself."`
	OpenAPI     openAPICommand     `cmd:"" name:"openapi" help:"Print the OpenAPI document."`
	Healthcheck healthcheckCommand `cmd:"" help:"Ask a running server whether it is ready."`
	Version     versionCommand     `cmd:"" help:"Print the version, like --version and -v."`
	Help        helpCommand        `cmd:"" help:"Print help on a command, or on all, like --help."`
}

// environment is what commands run with.
type environment struct {
	App
	logger *slog.Logger
	out    io.Writer // results
	errOut io.Writer // where logger writes
	line   *kong.Context
}

// run calls App.Run with an f that changes no backend.
func (e environment) run(ctx context.Context, f any, supply ...any) error {
	return e.Run(ctx, e.logger, f, supply...)
}

// change calls App.Run with an f that changes a backend.
func (e environment) change(ctx context.Context, f any, supply ...any) error {
	return e.run(ctx, f, append(supply, Changes{})...)
}

// say logs what was done.
func (e environment) say(format string, args ...any) { e.logger.Info(fmt.Sprintf(format, args...)) }

// Main runs one command and returns the exit code. Results go to out, logs and
// errors to errOut. The first SIGINT or SIGTERM ends ctx, so that the command
// finishes what it began; the second one ends the process.
func Main(ctx context.Context, args []string, app App, out, errOut io.Writer) (code int) {
	var line commands
	exited := false
	parser, err := kong.New(&line,
		kong.Name("fleetphoto"),
		kong.Description(whatItIs+
			" A setting that may hold a secret can also come from a file: FLEETPHOTO_PIN_KEY_FILE=PATH, for instance, or FLEETPHOTO_DATABASE_URL_FILE=PATH."),
		kong.Embed(app.Settings),
		kong.Resolvers(kong.ResolverFunc(secretFromFile)),
		kong.Help(printHelp),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, FlagsLast: true}),
		kong.Writers(out, errOut),
		kong.Exit(func(status int) { exited, code = true, status }),
		kong.UsageOnError(),
	)
	if err != nil {
		return complain(errOut, err)
	}
	if len(args) == 0 {
		return printScreen(printableLines{out}, parser.Model)
	}
	selected, err := parser.Parse(asCommand(args))
	if exited {
		return code
	}
	err = withHelp(err)
	if err == nil && selected.Command() != "doctor" { // which reports it as a step
		err = app.Validate()
	}
	if err != nil {
		return complain(errOut, err)
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	e := environment{App: app, logger: newLogger(errOut), out: printableLines{out}, errOut: errOut, line: selected}
	for _, name := range unknownSettings(os.Environ(), parser.Model.Flags) {
		e.logger.Warn("no setting has this name, so it does nothing; serve --print-config lists all", slog.String("variable", name))
	}
	selected.BindTo(ctx, (*context.Context)(nil))
	if err := selected.Run(e); err != nil {
		return complain(errOut, err)
	}
	return 0
}

// complain prints an error and returns the exit code. It prints causes only of
// failures of backends and bugs. Lines after the first are indented, so that none
// looks like another error.
func complain(errOut io.Writer, err error) int {
	var known *domain.Error
	if errors.As(err, &known) && known.Kind != domain.Unavailable && known.Kind != domain.Internal {
		err = errors.New(known.Public)
	}
	_, _ = fmt.Fprintf(printableLines{errOut}, "fleetphoto: %s\n", strings.ReplaceAll(err.Error(), "\n", "\n  "))
	return 1
}

// newLogger returns a logger that writes text on a terminal and JSON elsewhere.
func newLogger(out io.Writer) *slog.Logger {
	if isTerminal(out) {
		return slog.New(slog.NewTextHandler(out, nil))
	}
	return slog.New(slog.NewJSONHandler(printableLines{out}, nil))
}

func isTerminal(out io.Writer) bool {
	file, ok := out.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
