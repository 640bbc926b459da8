package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/alecthomas/kong"
)

// Tags of settings that may hold a secret. These can come from a file, and are
// hidden when settings are printed.
const (
	secretTag = "secret"
	wholeTag  = "whole" // the value of secretTag if the whole value is secret

	hidden = "hidden"
)

// ReadSettings fills settings, a struct as in App.Settings, from the environment,
// from the files that it names and from defaults.
func ReadSettings(settings any) error {
	parser, err := kong.New(settings, kong.Name("fleetphoto"), kong.Resolvers(kong.ResolverFunc(secretFromFile)), kong.Exit(func(int) {}))
	if err == nil {
		_, err = parser.Parse(nil)
	}
	return err
}

// settingError names the variable or flag whose value can't be used. It doesn't
// print the value, as that may hold a password.
func settingError(variable string, err error) error {
	return fmt.Errorf("%s: %w", variable, err)
}

// secretFromFile is a kong.ResolverFunc that reads a secret from the file that its
// variable with the suffix _FILE names.
func secretFromFile(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	if !flag.Tag.Has(secretTag) {
		return nil, nil
	}
	variable := flag.Envs[0]
	path := os.Getenv(variable + "_FILE")
	if path == "" {
		return nil, nil
	}
	if os.Getenv(variable) != "" {
		return nil, settingError(variable, fmt.Errorf("set either this or %s_FILE, not both", variable))
	}
	text, err := os.ReadFile(path)
	if failed := new(os.PathError); errors.As(err, &failed) {
		err = failed.Err // without the path, which by mistake may be the secret itself
	}
	if err != nil {
		return nil, settingError(variable+"_FILE", fmt.Errorf("want the path of a file that can be read: %w", err))
	}
	secret := strings.TrimRight(string(text), "\r\n")
	if secret == "" {
		return nil, settingError(variable+"_FILE", errors.New("the file is empty"))
	}
	return secret, nil
}

// printSettings prints each setting, its value without secrets, and its source.
func printSettings(out io.Writer, line *kong.Context) error {
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
				value = WithoutSecrets(value)
			}
		}
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\n", flag.Envs[0], cmp.Or(value, "-"), cameFrom(line, flag)) // Flush fails too
	}
	return table.Flush()
}

// cameFrom returns where a setting comes from.
func cameFrom(line *kong.Context, flag *kong.Flag) string {
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

// cameFrom returns where the setting with this variable comes from.
func (e environment) cameFrom(variable string) string {
	flags := e.line.Model.Flags
	return cameFrom(e.line, flags[slices.IndexFunc(flags, func(f *kong.Flag) bool { return slices.Contains(f.Envs, variable) })])
}

// WithoutSecrets returns a backend's URL with every part hidden that isn't known to
// be harmless.
func WithoutSecrets(rawURL string) string {
	scheme, rest, found := strings.Cut(rawURL, "://")
	if !found {
		return hidden
	}
	place, query, hasQuery := strings.Cut(rest, "?")
	if _, err := url.Parse(rawURL); err != nil || strings.ContainsAny(query, "@#") { // perhaps a password that should have been escaped
		return scheme + "://" + hidden
	}
	if at := strings.LastIndex(place, "@"); at >= 0 {
		place = hidden + place[at:]
	}
	if !hasQuery {
		return scheme + "://" + place
	}
	parameters := strings.Split(query, "&")
	for i, parameter := range parameters {
		parameters[i] = harmless(parameter)
	}
	return scheme + "://" + place + "?" + strings.Join(parameters, "&")
}

// harmless returns name=value, with the value hidden unless it can hold no secret.
func harmless(parameter string) string {
	known := strings.Fields("sslmode connect_timeout target_session_attrs pool_max_conns default_query_exec_mode statement_timeout " +
		"prefix cache_control region profile endpoint use_path_style storage_account domain protocol localemu")
	name, value, found := strings.Cut(parameter, "=")
	plain, err := url.QueryUnescape(value)
	switch {
	case !found:
		return hidden
	case err != nil || strings.ContainsAny(plain, "@?#&;") || !slices.Contains(known, name):
		return name + "=" + hidden
	}
	return parameter
}

// othersVariables belong to this module's tests, or are set by Kubernetes in every
// container if a service's name begins with fleetphoto.
var othersVariables = regexp.MustCompile(`^FLEETPHOTO_(TEST_.*|REQUIRE|(.*_)?(SERVICE_HOST|SERVICE_PORT.*|PORT|PORT_\d+_.*))$`)

// unknownSettings returns the variables of the environment that are named like
// settings but aren't, most often because of a typo.
func unknownSettings(environment []string, flags []*kong.Flag) []string {
	known := map[string]bool{}
	for _, flag := range flags {
		for _, variable := range flag.Envs {
			known[variable] = true
			known[variable+"_FILE"] = flag.Tag.Has(secretTag)
		}
	}
	var unknown []string
	for _, variable := range environment {
		name, _, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(name, "FLEETPHOTO_") && !known[name] && !othersVariables.MatchString(name) {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	return unknown
}
