package gocloud

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// forms are the parameters that a URL may have.
type forms map[string]form

// form is what the value of a parameter looks like.
type form struct{ pattern, want string }

const (
	anything = `.+`
	segment  = `[A-Za-z0-9_=-][A-Za-z0-9._=-]*`
	host     = `[A-Za-z0-9.:\[\]-]+`
)

var trueOrFalse = form{`true|false`, "true or false"}

// openCloud opens s3://bucket, gs://bucket or azblob://container.
func openCloud(u *url.URL, newProvider func(name string, parameters url.Values) (provider, error), known forms) (*PhotoStore, error) {
	maps.Copy(known, forms{
		"prefix":        {segment + `(/` + segment + `)*/?`, "names of letters, digits and -_.= with a / after each"},
		"cache_control": {`[A-Za-z0-9=, "-]+`, "a Cache-Control header, such as no-cache"},
	})
	if u.Opaque != "" || u.User != nil || u.Fragment != "" || strings.Trim(u.Path, "/") != "" || !matches(`[A-Za-z0-9][A-Za-z0-9._-]{1,221}`, u.Host) {
		return nil, fmt.Errorf("want %s://name and parameters, where name is that of the bucket or container, of letters, digits and -_.; what its photos' names begin with goes into prefix=, credentials go into the environment", u.Scheme)
	}
	parameters, err := known.read(u)
	if err != nil {
		return nil, err
	}
	of, err := newProvider(u.Host, parameters)
	if err != nil {
		return nil, err
	}
	prefix := parameters.Get("prefix")
	if prefix != "" {
		prefix = strings.TrimSuffix(prefix, "/") + "/"
	}
	return &PhotoStore{&cloud{
		provider: of, prefix: prefix, timeout: callTimeout,
		cacheControl: cmp.Or(parameters.Get("cache_control"), "no-cache"),
	}}, nil
}

// read doesn't repeat values in its errors, which may be secret.
func (f forms) read(u *url.URL) (url.Values, error) {
	values, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, errors.New("the parameters after the question mark can't be read; write name=value&name=value, and characters other than letters, digits and -._~ as %XX")
	}
	for name, all := range values {
		form, known := f[name]
		switch {
		case !known:
			return nil, fmt.Errorf("%s:// takes no parameter %q; it takes %s", u.Scheme, name, strings.Join(slices.Sorted(maps.Keys(f)), ", "))
		case len(all) > 1:
			return nil, fmt.Errorf("the parameter %s comes twice", name)
		case !matches(form.pattern, all[0]):
			return nil, fmt.Errorf("the parameter %s: want %s", name, form.want)
		}
	}
	return values, nil
}

func matches(pattern, text string) bool {
	return regexp.MustCompile(`^(?:` + pattern + `)$`).MatchString(text)
}
