package gocloud

import (
	"os"
	"testing"

	"github.com/fleetphoto/fleetphoto/contract-tests/servers"
)

func TestMain(m *testing.M) { os.Exit(servers.Main(m)) }
