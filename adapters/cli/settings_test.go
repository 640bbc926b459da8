package cli

import (
	"slices"
	"testing"

	"github.com/alecthomas/kong"
)

func TestWithoutSecrets(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"sqlite://data/fleetphoto.db":                   "sqlite://data/fleetphoto.db",
		"memory://":                                     "memory://",
		"postgres://db,standby/fleetphoto":              "postgres://db,standby/fleetphoto",
		"postgres://u:SECRET@db:5432/x?sslmode=require": "postgres://hidden@db:5432/x?sslmode=require",
		"dropbox://SECRET@photos":                       "dropbox://hidden@photos",
		"postgres://u:a@SECRET@db/x":                    "postgres://hidden@db/x",
		"postgres://u:a/SECRET@db/x":                    "postgres://hidden",
		"postgres://u:a?SECRET@db/x":                    "postgres://hidden",
		"postgres://u:a#SECRET@db/x":                    "postgres://hidden",
		"postgres://u:%SECRET@db/x":                     "postgres://hidden",
		"postgres://u:SECRET":                           "postgres://hidden",
		"postgres://db/x?user=u&password=SECRET":        "postgres://db/x?user=hidden&password=hidden",
		"postgres://db/x?sslpassword=SECRET":            "postgres://db/x?sslpassword=hidden",
		"postgres://db/x?password=a@SECRET&sslmode=a":   "postgres://hidden",
		"postgres://db/x?sslmode=a;password=SECRET":     "postgres://db/x?sslmode=hidden",
		"postgres://db/x?%70assword=SECRET":             "postgres://db/x?%70assword=hidden",
		"azblob://photos?sv=2&sig=SECRET&domain=d.net":  "azblob://photos?sv=hidden&sig=hidden&domain=d.net",
		"s3://b?endpoint=https%3A%2F%2Fu%3ASECRET%40h":  "s3://b?endpoint=hidden",
		"s3://b?endpoint=https://h?password=SECRET":     "s3://b?endpoint=hidden",
		"s3://b?region=%zzSECRET":                       "s3://b?region=hidden",
		"s3://b?SECRET":                                 "s3://b?hidden",
		"host=db password=SECRET":                       "hidden",
	} {
		if got := WithoutSecrets(url); got != want {
			t.Errorf("%s: got %s, want %s", url, got, want)
		}
	}
}

func TestUnknownSettings(t *testing.T) {
	t.Parallel()
	var settings struct {
		Addr          string `env:"FLEETPHOTO_ADDR"`
		PINKey        string `env:"FLEETPHOTO_PIN_KEY" secret:"whole"`
		MaxPhotoBytes int    `env:"FLEETPHOTO_MAX_PHOTO_BYTES"`
		DatabaseURL   string `env:"FLEETPHOTO_DATABASE_URL" secret:""`
	}
	parser, err := kong.New(&settings)
	if err != nil {
		t.Fatal(err)
	}
	got := unknownSettings([]string{
		"HOME=/", "FLEETPHOTO_ADDR=:1", "FLEETPHOTO_PIN_KEY_FILE=/x", "FLEETPHOTO_ADDR_FILE=/x", "FLEETPHOTO_MAX_PHOTO_BYTE=1", "FLEETPHOTO_DATABASE_ULR=secret",
		"FLEETPHOTO_SERVICE_HOST=10.0.0.1", "FLEETPHOTO_SERVICE_PORT_HTTP=80", "FLEETPHOTO_PORT=tcp://10.0.0.1:80", "FLEETPHOTO_DB_PORT_5432_TCP_ADDR=10.0.0.1",
		"FLEETPHOTO_TEST_AXE=x", "FLEETPHOTO_REQUIRE=node",
	}, parser.Model.Flags)
	if want := []string{"FLEETPHOTO_ADDR_FILE", "FLEETPHOTO_DATABASE_ULR", "FLEETPHOTO_MAX_PHOTO_BYTE"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
