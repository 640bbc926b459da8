package contracttests_test

import (
	"context"
	"os"
	"testing"

	"github.com/fleetphoto/fleetphoto/app"
	"github.com/fleetphoto/fleetphoto/contract-tests/servers"
)

// asCommand has the test binary act as the command, in a process of its own.
const asCommand = "FLEETPHOTO_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		os.Exit(app.Main(context.Background(), os.Args[1:], app.Adapters()))
	}
	os.Exit(reportMatrix(servers.Main(m)))
}
