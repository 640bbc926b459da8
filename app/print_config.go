package app

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/alecthomas/kong"
)

// printConfig prints each setting, its value without secrets, and where that
// comes from.
func printConfig(out io.Writer, line *kong.Context) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, flag := range line.Model.Flags {
		if len(flag.Envs) == 0 {
			continue // --help
		}
		value := fmt.Sprint(flag.Target.Interface())
		if value != "" && flag.Tag.Has(secretTag) {
			if flag.Tag.Get(secretTag) == wholeTag {
				value = hidden
			} else {
				value = withoutSecrets(value)
			}
		}
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\n", flag.Envs[0], cmp.Or(value, "-"), source(line, flag)) // Flush fails too
	}
	return table.Flush()
}

// source says where a setting comes from.
func source(line *kong.Context, flag *kong.Flag) string {
	for _, given := range line.Path {
		switch {
		case given.Flag != flag:
		case given.Resolved:
			return "file"
		default:
			return "flag"
		}
	}
	if _, found := os.LookupEnv(flag.Envs[0]); found {
		return "environment"
	}
	return "default"
}

// check tries all that opens without starting, and makes nothing.
func (e environment) check() error {
	o := opening{config: e.config, byURL: map[string]Backend{}}
	_, customers, _ := o.databases(e.catalogue)
	photos := o.photoStore(e.catalogue)
	err := o.err
	if err == nil && (e.config.PINKey != "" || customers.PINKeyFile == "") { // else pinKey may make one
		_, err = pinKey(e.config, customers)
	}
	if err == nil {
		_, err = addressed(e.config, photos)
	}
	for _, opened := range o.opened {
		err = errors.Join(err, opened.close())
	}
	return err
}
