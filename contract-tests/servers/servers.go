// Package servers gives tests real servers to run on: to each test a database
// or a place for photos of its own, on servers that a test process shares.
//
// Tests import it, and call Main from their TestMain; it imports no other
// package of this module.
//
// The servers are containers, whose images FLEETPHOTO_TEST_POSTGRES_IMAGE,
// …_S3_IMAGE, …_GS_IMAGE and …_AZBLOB_IMAGE replace, or servers that run
// already: FLEETPHOTO_TEST_POSTGRES_URL names one with a role that may create
// databases, …_S3_URL, …_GS_URL and …_AZBLOB_URL name buckets that anyone may
// read, with credentials in the SDK's own environment. Without a URL and without a container engine
// tests are skipped, and fail where FLEETPHOTO_REQUIRE=postgres,s3,gcs,azure
// lists the server.
package servers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Main runs the tests, ends what they started and returns the exit code.
func Main(m *testing.M) int {
	code := m.Run()
	if err := atEnd.run(); err != nil {
		fmt.Fprintf(os.Stderr, "the servers of the tests did not end: %v\n", err)
		code = cmp.Or(code, 1)
	}
	return code
}

// S3 returns the URL of a photo store of the test's own on an S3 server.
func S3(t testing.TB) string {
	t.Helper()
	return s3Kind.place(t)
}

// GS returns the URL of a photo store of the test's own on a server of Google
// Cloud Storage.
func GS(t testing.TB) string {
	t.Helper()
	return gsKind.place(t)
}

// Azblob returns the URL of a photo store of the test's own on a server of
// Azure Blob Storage.
func Azblob(t testing.TB) string {
	t.Helper()
	return azblobKind.place(t)
}

// Name returns what a server is and its version, for instance "Postgres 17".
// required names it as FLEETPHOTO_REQUIRE does.
func Name(t testing.TB, required string) string {
	t.Helper()
	for _, k := range []*kind{postgresKind, s3Kind, gsKind, azblobKind} {
		if k.required == required {
			return k.server(t).name
		}
	}
	t.Fatalf("there is no server %q", required)
	return ""
}

const (
	postgresImage = "postgres:17-alpine"
	s3Image       = "versity/versitygw:v1.8.0"
)

// The servers that the tests of a process share.
var (
	postgresKind = newKind("postgres", "POSTGRES", postgresImage, startPostgres, namePostgres)
	s3Kind       = newKind("s3", "S3", s3Image, startS3, nameS3)
	gsKind       = newKind("gcs", "GS", "fsouza/fake-gcs-server:1.56.1", startGS, nameGS)
	azblobKind   = newKind("azure", "AZBLOB", "mcr.microsoft.com/azure-storage/azurite:3.35.0", startAzblob, nameAzblob)

	atEnd ends
)

// kind is a kind of server, of which a process has one at most.
type kind struct {
	required string // as in FLEETPHOTO_REQUIRE
	open     func() (server, error)
}

// server is one that runs.
type server struct {
	url, name string
	given     bool // it ran before the tests
}

type (
	starter func(ctx context.Context, image string) (url string, err error)
	namer   func(ctx context.Context, url, image string) (name string, err error) // without an image, the server is given
)

func newKind(required, variable, image string, start starter, name namer) *kind {
	const most = 5 * time.Minute // an image may have to be downloaded
	variable = "FLEETPHOTO_TEST_" + variable
	open := func() (server, error) {
		ctx, cancel := context.WithTimeout(context.Background(), most)
		defer cancel()
		image := cmp.Or(os.Getenv(variable+"_IMAGE"), image)
		url := os.Getenv(variable + "_URL")
		given := url != ""
		if given {
			image = ""
		} else {
			if err := engine(); err != nil {
				return server{}, err
			}
			var err error
			if url, err = start(ctx, image); err != nil {
				return server{}, fmt.Errorf("start the image %s, which %s_IMAGE replaces: %w", image, variable, err)
			}
		}
		name, err := name(ctx, url, image)
		if err != nil {
			return server{}, fmt.Errorf("ask the server for its name: %w", err)
		}
		return server{url, name, given}, nil
	}
	return &kind{required, sync.OnceValues(open)}
}

// server returns the server that runs, or skips the test, or fails it.
func (k *kind) server(t testing.TB) server {
	t.Helper()
	s, err := k.open()
	skipOrFail(t, err, k.required)
	return s
}

func skipOrFail(t testing.TB, err error, required string) {
	t.Helper()
	if errors.Is(err, errNoEngine) && !slices.Contains(strings.Split(os.Getenv("FLEETPHOTO_REQUIRE"), ","), required) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
}
