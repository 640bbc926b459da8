package gocloud

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"
)

const (
	// callTimeout is for a call with the SDK's retries, and for Start: a whole
	// API call may take 30 seconds.
	callTimeout = 20 * time.Second

	longestSigned = 7 * 24 * time.Hour // S3's and Google's limit

	// Other versions of this program read the marker too: it stays as it is.
	markerName = "fleetphoto-store.txt"
	markerText = "fleetphoto reads this file to tell a photo that is missing from a bucket that is: leave it here.\n"
)

// cloud is the backend for s3://, gs:// and azblob://.
//
// It needs no right but to write, read and delete objects below its prefix.
// Without the right to list them a provider refuses access to an object that
// isn't there, and of a missing bucket gocloud says no more than of a missing
// object. So Start writes a marker, and a photo is missing only where the
// marker can be read.
type cloud struct {
	provider
	prefix       string // of every key; empty, or ends in "/"
	cacheControl string
	timeout      time.Duration
	connection   *connection // nil until start
	hides        bool        // it refuses access to what is missing, as start found out
}

// provider is what is known of a bucket without asking.
type provider struct {
	name     string // of the bucket, with the word for it
	base     string // of the addresses under which anyone fetches objects
	rights   rights
	identity string // where the SDK looks for credentials
	connect  func(context.Context) (*connection, error)
}

// rights are the provider's names for what a store needs.
type rights struct{ write, read, remove, list, sign string }

// connection is an open bucket.
type connection struct {
	bucket
	base string // as the SDK's configuration has it
	sign func(ctx context.Context, key string, lifetime time.Duration) (string, error)
}

// start does once what later calls do. After a failure it may be repeated.
func (c *cloud) start(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	if c.connection == nil {
		connection, err := c.connect(ctx)
		if err != nil {
			return c.explain("", err)
		}
		c.connection, c.base = connection, connection.base
	}
	if err := c.upload(ctx, markerName, []byte(markerText), "text/plain"); err != nil {
		return err
	}
	if err := c.readMarker(ctx); err != nil {
		return err
	}
	probe := "fleetphoto-probe-" + rand.Text() + ".txt" // its own: others start at the same time
	if err := c.upload(ctx, probe, []byte(markerText), "text/plain"); err != nil {
		return err
	}
	if err := c.delete(ctx, probe); err != nil && !missing(err) {
		return err
	}
	_, err := c.connection.read(ctx, c.prefix+probe) // which is gone
	status, _ := answer(err)
	c.hides = status == http.StatusForbidden
	return nil
}

func (c *cloud) upload(ctx context.Context, key string, data []byte, contentType string) error {
	options := blob.WriterOptions{ContentType: contentType, CacheControl: c.cacheControl}
	return c.explain(c.rights.write, c.connection.upload(ctx, c.prefix+key, data, options))
}

func (c *cloud) readMarker(ctx context.Context) error {
	text, err := c.connection.read(ctx, c.prefix+markerName)
	if err == nil && string(text) != markerText {
		return fmt.Errorf("%s holds in %s something else than was written there; correct the URL or start again", c.name, markerName)
	}
	return c.explain(c.rights.read, err)
}

func (c *cloud) read(ctx context.Context, key string) ([]byte, error) {
	jpeg, err := c.connection.read(ctx, c.prefix+key)
	if !c.perhapsMissing(err) {
		return jpeg, c.explain(c.rights.read, err)
	}
	if err := c.readMarker(ctx); err != nil {
		return nil, err
	}
	return nil, fmt.Errorf("%w: %s", gcerrors.ErrNotFound, brief(err))
}

func (c *cloud) put(ctx context.Context, key string, jpeg []byte) error {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	return c.upload(ctx, key, jpeg, contentType)
}

func (c *cloud) open(ctx context.Context, key string) (io.ReadSeekCloser, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	jpeg, err := c.read(ctx, key)
	if err != nil {
		return nil, err
	}
	return content{bytes.NewReader(jpeg), io.NopCloser(nil)}, nil
}

// delete looks for the object where the deletion was refused: so it is where
// there is none.
func (c *cloud) delete(ctx context.Context, key string) error {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	err := c.connection.delete(ctx, c.prefix+key)
	if c.perhapsMissing(err) {
		_, readErr := c.read(ctx, key)
		if status, _ := answer(err); readErr != nil || status == http.StatusNotFound {
			return readErr // nil: another call has put it since
		}
	}
	return c.explain(c.rights.remove, err)
}

func (c *cloud) address(key string) string { return c.base + c.prefix + key }

func (c *cloud) sign(ctx context.Context, key string, lifetime time.Duration) (string, error) {
	if lifetime < time.Second || lifetime > longestSigned {
		return "", fmt.Errorf("an address is signed for 1s to %s, which is 7 days, not for %s", longestSigned, lifetime)
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	address, err := c.connection.sign(ctx, c.prefix+key, lifetime)
	if err != nil {
		return "", c.explain(c.rights.sign, err)
	}
	return address, nil
}

func (c *cloud) close() error {
	if c.connection == nil {
		return nil
	}
	return c.connection.close()
}
