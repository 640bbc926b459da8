// Package app puts the product together: configuration, the catalogue of
// adapters, fx modules and the command line.
//
// Only a main imports it; it imports everything.
package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/alecthomas/kong"

	"github.com/fleetphoto/fleetphoto/domain"
)

// Main runs the command line with the adapters of catalogue and returns the
// exit code. Results go to the standard output, logs and errors to the
// standard error.
func Main(ctx context.Context, args []string, catalogue Catalogue) int {
	return run(ctx, args, catalogue, os.Stdout, os.Stderr)
}

func run(ctx context.Context, args []string, catalogue Catalogue, out, errOut io.Writer) (code int) {
	var line commands
	exited := false
	parser, err := kong.New(&line,
		kong.Name("fleetphoto"),
		kong.Description("Changes a customer's photograph: the one call of a taxi fleet's systems. "+
			"What may hold a secret comes from a file too: FLEETPHOTO_PIN_KEY_FILE=PATH, and so for each FLEETPHOTO_…_URL of a backend."),
		kong.Resolvers(kong.ResolverFunc(secretFromFile)),
		kong.Help(help),
		kong.Writers(out, errOut),
		kong.Exit(func(status int) { exited, code = true, status }),
		kong.UsageOnError(),
	)
	if err != nil {
		return complain(errOut, err)
	}
	selected, err := parser.Parse(args)
	if exited {
		return code
	}
	if err == nil && selected.Command() != "doctor" { // which says it in its own way
		err = line.validate()
	}
	if err != nil {
		return complain(errOut, err)
	}
	selected.BindTo(ctx, (*context.Context)(nil))
	selected.BindTo(out, (*io.Writer)(nil))
	logger := newLogger(errOut)
	for _, name := range unknownSettings(os.Environ(), parser.Model.Flags) {
		logger.Warn("no setting has this name, so it does nothing; serve --print-config lists all", slog.String("variable", name))
	}
	selected.Bind(environment{config: &line.Config, catalogue: catalogue, logger: logger, errOut: errOut})
	if err := selected.Run(); err != nil {
		return complain(errOut, err)
	}
	return 0
}

// help prints the settings with the program's own help alone: below each
// command's they would hide its flags.
func help(options kong.HelpOptions, line *kong.Context) error {
	if line.Selected() == nil {
		return kong.DefaultHelpPrinter(options, line)
	}
	for _, flag := range line.Model.Flags {
		flag.Hidden = len(flag.Envs) > 0
	}
	err := kong.DefaultHelpPrinter(options, line)
	_, printErr := fmt.Fprintln(line.Stdout, "\nThe settings, which every command takes: fleetphoto --help")
	return errors.Join(err, printErr)
}

// complain prints what is wrong and returns the exit code. Where the sentence
// for callers says it all, the cause isn't printed.
func complain(errOut io.Writer, err error) int {
	var known *domain.Error
	if errors.As(err, &known) && known.Kind != domain.Unavailable && known.Kind != domain.Internal {
		err = errors.New(known.Public)
	}
	_, _ = fmt.Fprintf(errOut, "fleetphoto: %v\n", err)
	return 1
}

// newLogger logs text on a terminal and JSON elsewhere.
func newLogger(out io.Writer) *slog.Logger {
	if isTerminal(out) {
		return slog.New(slog.NewTextHandler(out, nil))
	}
	return slog.New(slog.NewJSONHandler(out, nil))
}

func isTerminal(out io.Writer) bool {
	file, ok := out.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
