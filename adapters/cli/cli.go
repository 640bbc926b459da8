// Package cli is the command line: it parses flags and settings, runs use
// cases and prints what comes of them.
//
// App imports it; it imports domain, usecase, operator and ports. It doesn't
// know which adapters there are, nor how use cases are put together.
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
	// Validate says which setting can't be used. It opens nothing.
	Validate func() error
	// Check tries what the settings name as far as that goes without starting
	// or making anything.
	Check func() error

	// Run starts what the parameters of f need, calls f with them and stops it
	// again. f is a func(context.Context, …) error whose parameters are use
	// cases, ports and roles. supply adds values that use cases are made of.
	Run func(ctx context.Context, logger *slog.Logger, f any, supply ...any) error
	// Serve serves until ctx ends or the server fails. out gets what a demo has to say.
	Serve func(ctx context.Context, logger *slog.Logger, demo bool, out io.Writer) error
	// Migrate brings the databases up to date.
	Migrate func(ctx context.Context) error
	// Doctor returns what is to be tried, section by section; each section is
	// made when the one before has been tried. cameFrom says where a setting
	// comes from, by its variable.
	Doctor func(cameFrom func(variable string) string) iter.Seq[operator.Section]
	// OpenAPI returns the OpenAPI document, version "3.0" or "3.1", as "json" or "yaml".
	OpenAPI func(version, format string) ([]byte, error)

	ReadyURL   func() string // where a server with these settings says whether it is ready
	PhotosPath string        // where a server serves the photos
	Version    string
}

// AsIs is a value to supply to App.Run: no database is brought up to date.
type AsIs struct{}

// Changes is a value to supply to App.Run: f changes what the settings name, so
// Run fails before it opens anything where they forbid that.
type Changes struct{}

// commands is the command line.
type commands struct {
	Serve       serveCommand       `cmd:"" help:"Serve the API."`
	Fleet       fleetCommands      `cmd:"" help:"Manage fleets."`
	Customer    customerCommands   `cmd:"" help:"Manage customers."`
	Log         logCommands        `cmd:"" help:"Find out what happened to calls."`
	Photos      photosCommands     `cmd:"" help:"Verify and copy the photos."`
	Copy        copyCommand        `cmd:"" help:"Copy fleets, customers and the log to another database, while servers run."`
	Doctor      doctorCommand      `cmd:"" help:"Try everything that calls do, beside them, and say what to change."`
	Migrate     migrateCommand     `cmd:"" help:"Bring the database up to date. A starting server does so by itself."`
	Repair      repairCommand      `cmd:"" help:"Settle calls that were cut off. A running server does so by itself."`
	OpenAPI     openAPICommand     `cmd:"" name:"openapi" help:"Print the OpenAPI document."`
	Healthcheck healthcheckCommand `cmd:"" help:"Ask a running server whether it is ready."`
	Version     versionCommand     `cmd:"" help:"Print the version; so do --version and -v."`
	Help        helpCommand        `cmd:"" help:"Print the help of all, or of a command; so does --help."`
}

// environment is what each command gets.
type environment struct {
	App
	logger *slog.Logger
	out    io.Writer // results
	errOut io.Writer // where logger writes
	line   *kong.Context
}

// run runs f, which changes nothing that the settings name, with the use cases that it takes.
func (e environment) run(ctx context.Context, f any, supply ...any) error {
	return e.Run(ctx, e.logger, f, supply...)
}

// change runs an f that changes it.
func (e environment) change(ctx context.Context, f any, supply ...any) error {
	return e.run(ctx, f, append(supply, Changes{})...)
}

// say tells the operator what was done.
func (e environment) say(format string, args ...any) { e.logger.Info(fmt.Sprintf(format, args...)) }

// Main runs one command and returns the exit code. Results go to out, logs and
// errors to errOut. The first SIGINT or SIGTERM ends ctx, so that what was begun
// is finished; the second one ends the process.
func Main(ctx context.Context, args []string, app App, out, errOut io.Writer) (code int) {
	var line commands
	exited := false
	parser, err := kong.New(&line,
		kong.Name("fleetphoto"),
		kong.Description(whatItIs+
			" What may hold a secret comes from a file too: FLEETPHOTO_PIN_KEY_FILE=PATH, and so for each FLEETPHOTO_…_URL of a backend."),
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
	if err == nil && selected.Command() != "doctor" { // which says it in its own way
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

// complain prints what is wrong and returns the exit code. Where the sentence
// for callers says it all, the cause isn't printed. Lines after the first are
// indented, so that none passes for another complaint.
func complain(errOut io.Writer, err error) int {
	var known *domain.Error
	if errors.As(err, &known) && known.Kind != domain.Unavailable && known.Kind != domain.Internal {
		err = errors.New(known.Public)
	}
	_, _ = fmt.Fprintf(printableLines{errOut}, "fleetphoto: %s\n", strings.ReplaceAll(err.Error(), "\n", "\n  "))
	return 1
}

// newLogger logs text on a terminal, quoted where it isn't printable, and JSON elsewhere.
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
