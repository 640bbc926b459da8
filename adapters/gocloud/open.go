// Package gocloud stores photos through gocloud.dev/blob: in a bucket of S3,
// Google Cloud Storage or Azure, or in the process's memory.
//
// App and tests import it; it imports ports and domain.
package gocloud

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"gocloud.dev/blob"
	"gocloud.dev/blob/memblob"

	"github.com/fleetphoto/fleetphoto/domain"
)

// forms maps each parameter that a URL may have to the form of its value.
type forms map[string]form

// form describes a parameter's values: pattern is a regular expression for the
// whole value, want describes it in errors.
type form struct{ pattern, want string }

const (
	anything = `.+`
	segment  = `[A-Za-z0-9_=-][A-Za-z0-9._=-]*`
	host     = `[A-Za-z0-9.:\[\]-]+`
)

var trueOrFalse = form{`true|false`, "true or false"}

// Open returns the PhotoStore for rawURL. It makes no connection.
//
//   - mem:// keeps the photos in the process's memory.
//   - s3://bucket, gs://bucket and azblob://container name a bucket that exists.
//     Each SDK takes its credentials from the environment.
//
// The bucket URLs take the parameters prefix, which begins the name of every
// object, and cache_control, the Cache-Control header of every object. Its
// default is no-cache: caches ask each time, so nobody sees a photo that was
// replaced. The other parameters are the provider's: see s3Forms, gsForms and
// azblobForms.
func Open(rawURL string) (*PhotoStore, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, fmt.Errorf("this is not a URL: %w; write characters other than letters, digits and -._~/ as %%XX", errors.Unwrap(err)) // err repeats the URL
	}
	switch u.Scheme {
	case "mem":
		return openMemory(u)
	case "s3":
		return openBucket(u, newS3, s3Forms())
	case "gs":
		return openBucket(u, newGS, gsForms())
	case "azblob":
		return openBucket(u, newAzblob, azblobForms())
	default:
		return nil, fmt.Errorf("want mem://, s3://bucket, gs://bucket or azblob://container, got the scheme %q", u.Scheme)
	}
}

func openMemory(u *url.URL) (*PhotoStore, error) {
	if u.RawQuery != "" || u.ForceQuery {
		return nil, fmt.Errorf("mem:// takes no parameters, got %q after a question mark; remove them", slices.Sorted(maps.Keys(u.Query())))
	}
	if u.Opaque+u.Host+u.Path+u.Fragment != "" || u.User != nil {
		return nil, errors.New("want mem:// and nothing more")
	}
	return &PhotoStore{scheme: u.Scheme, timeout: callTimeout, provider: provider{
		name: "the store in memory", inMemory: true,
		connect: func(context.Context) (*connection, error) {
			objects := memory{memblob.OpenBucket(nil)}
			return &connection{Bucket: objects.Bucket, objects: objects, versions: string(domain.Unversioned), kept: func(context.Context, string) (kept, error) { return kept{}, nil }}, nil
		},
	}}, nil
}

// memory has no versions.
type memory struct{ *blob.Bucket }

func (m memory) put(ctx context.Context, o object, _ domain.PhotoVersion) (domain.PhotoVersion, error) {
	return domain.Unversioned, m.WriteAll(ctx, o.name, o.data, &blob.WriterOptions{ContentType: o.contentType})
}

func (m memory) remove(ctx context.Context, name string, _ domain.PhotoVersion) error {
	return m.Delete(ctx, name)
}

func (m memory) get(ctx context.Context, name string) (stored, error) {
	reader, err := m.NewReader(ctx, name, nil)
	if err != nil {
		return stored{}, err
	}
	return stored{reader, reader.Size(), domain.Unversioned}, nil
}

// openBucket opens s3://bucket, gs://bucket or azblob://container.
func openBucket(u *url.URL, newProvider func(name string, parameters url.Values) (provider, error), known forms) (*PhotoStore, error) {
	maps.Copy(known, forms{
		"prefix":        {segment + `(/` + segment + `)*/?`, "names of letters, digits and -_.= with a / after each"},
		"cache_control": {`[A-Za-z0-9=, "-]+`, "a Cache-Control header, such as no-cache"},
	})
	if u.Opaque != "" || u.User != nil || u.Fragment != "" || strings.Trim(u.Path, "/") != "" || !matches(`[A-Za-z0-9][A-Za-z0-9._-]{1,221}`, u.Host) {
		return nil, fmt.Errorf("want %s://name and parameters, where name is the bucket or container, of letters, digits and -_.; put a prefix of the photos' names into prefix=, and credentials into the environment", u.Scheme)
	}
	parameters, err := known.read(u)
	if err != nil {
		return nil, err
	}
	prefix, cacheControl := parameters.Get("prefix"), parameters.Get("cache_control")
	if prefix != "" {
		prefix = strings.TrimSuffix(prefix, "/") + "/"
	}
	parameters.Del("prefix")
	parameters.Del("cache_control")
	of, err := newProvider(u.Host, parameters)
	if err != nil {
		return nil, err
	}
	return &PhotoStore{provider: of, scheme: u.Scheme, prefix: prefix, cacheControl: cmp.Or(cacheControl, "no-cache"), timeout: callTimeout}, nil
}

// read parses and checks the parameters of u. Its errors contain no values,
// which may be secret.
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
