package cli

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/alecthomas/kong"
)

const whatItIs = "Changes a customer's photograph: the one call of a taxi fleet's systems."

// first are the commands that a newcomer needs.
var first = []string{"serve", "fleet add", "customer add", "log show", "doctor"}

// printScreen prints a short help for a command line without a command. As with
// git, the exit code is then 1.
func printScreen(out io.Writer, program *kong.Application) int {
	_, _ = fmt.Fprintf(out, "%s\n\n", whatItIs) // if this fails, the exit code tells
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, command := range program.Leaves(true) {
		if slices.Contains(first, command.Path()) {
			_, _ = fmt.Fprintf(table, "  %s %s\t%s\n", program.Name, command.Path(), command.Help) // as above
		}
	}
	_ = table.Flush()                                                                                                                // as above
	_, _ = fmt.Fprintf(out, "\nTo try it, all in memory: %[1]s serve --demo\nAll commands and settings: %[1]s help\n", program.Name) // as above
	return 1
}

// withHelp adds to a parse error which help lists the right commands.
func withHelp(err error) error {
	var failed *kong.ParseError
	if !errors.As(err, &failed) || strings.Contains(err.Error(), "did you mean") {
		return err
	}
	switch group := failed.Context.Selected(); {
	case group == nil:
		return fmt.Errorf("%w; all commands: fleetphoto help", err)
	case len(group.Children) > 0:
		return fmt.Errorf("%w; all of them: fleetphoto help %s", err, group.Path())
	}
	return err
}

// asCommand translates --version, -v and "help COMMAND" to this program's commands.
func asCommand(args []string) []string {
	switch {
	case args[0] == "--version", args[0] == "-v":
		return append([]string{"version"}, args[1:]...)
	case args[0] == "help" && (len(args) == 1 || !strings.HasPrefix(args[1], "-")):
		return append(args[1:len(args):len(args)], "--help")
	}
	return args
}

type helpCommand struct {
	Command []string `arg:"" optional:"" help:"The command; left out, the program."`
}

// Run prints the help if flags came before the word help.
func (c *helpCommand) Run(line *kong.Context) error {
	_, _ = line.Parse(append(c.Command, "--help")) // its error after printing the help means nothing
	return nil
}

// printHelp prints the settings only with the program's own help, below the
// commands. In a command's help they would bury its flags.
func printHelp(options kong.HelpOptions, line *kong.Context) error {
	selected := line.Selected()
	settings := &kong.Group{Key: "settings", Title: "Settings, as flags or in the environment:"}
	for _, flag := range line.Model.Flags {
		if len(flag.Envs) > 0 {
			flag.Hidden, flag.Group = selected != nil, settings
		}
	}
	for _, command := range line.Model.Leaves(true) {
		for _, flag := range command.Flags {
			flag.Required = flag.Required && len(flag.Xor) == 0 // one of several; its own help says so
		}
	}
	err := kong.DefaultHelpPrinter(options, line)
	if selected == nil {
		return err
	}
	_, printErr := fmt.Fprintln(line.Stdout, "\nThe settings, which every command takes: fleetphoto --help")
	return errors.Join(err, printErr)
}
