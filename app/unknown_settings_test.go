package app

import (
	"slices"
	"testing"

	"github.com/alecthomas/kong"
)

func TestUnknownSettings(t *testing.T) {
	t.Parallel()
	parser, err := kong.New(&commands{})
	check(t, err)
	got := unknownSettings([]string{
		"HOME=/", "FLEETPHOTO_ADDR=:1", "FLEETPHOTO_PIN_KEY_FILE=/x", "FLEETPHOTO_ADDR_FILE=/x", "FLEETPHOTO_MAX_PHOTO_BYTE=1", "FLEETPHOTO_DATABASE_ULR=secret",
		"FLEETPHOTO_SERVICE_HOST=10.0.0.1", "FLEETPHOTO_SERVICE_PORT_HTTP=80", "FLEETPHOTO_PORT=tcp://10.0.0.1:80", "FLEETPHOTO_DB_PORT_5432_TCP_ADDR=10.0.0.1",
		"FLEETPHOTO_TEST_AXE=x", "FLEETPHOTO_REQUIRE=node",
	}, parser.Model.Flags)
	if want := []string{"FLEETPHOTO_ADDR_FILE", "FLEETPHOTO_DATABASE_ULR", "FLEETPHOTO_MAX_PHOTO_BYTE"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
