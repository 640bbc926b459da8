package contracttests_test

import (
	"context"
	"flag"
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
	const parallel = "8" // unless the command line says otherwise: most tests wait for servers
	if err := flag.Set("test.parallel", parallel); err != nil {
		panic(err)
	}
	os.Exit(reportMatrix(servers.Main(m)))
}
