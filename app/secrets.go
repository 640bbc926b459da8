package app

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// Tags of settings that may hold a secret: it may come from a file, and is
// hidden when settings are printed.
const (
	secretTag = "secret"
	wholeTag  = "whole" // the value of secretTag where no part is harmless

	hidden = "hidden"
)

// secretFromFile is a kong.ResolverFunc: a secret that no flag gives is what
// the file holds that its variable with _FILE names.
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
		return nil, settingError(variable, fmt.Errorf("want either it or %s_FILE, got both", variable))
	}
	text, err := os.ReadFile(path) //nolint:gosec // the operator chooses the path
	if failed := new(os.PathError); errors.As(err, &failed) {
		err = failed.Err // without the path, which may be the secret itself, put there by mistake
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

// withoutSecrets returns a backend's URL without what may be secret in it: all
// that it doesn't know to be harmless.
func withoutSecrets(rawURL string) string {
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
