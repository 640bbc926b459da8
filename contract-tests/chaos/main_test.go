//go:build chaos

package chaos_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/fleetphoto/fleetphoto/contract-tests/servers"
)

// The settings of a run, after `go test -tags chaos ./contract-tests/chaos -args`.
var (
	seed      = flag.Int64("seed", time.Now().UnixNano()%1_000_000, "draws the faults and the calls of TestRandom")
	duration  = flag.Duration("load", 25*time.Second, "how long a round of TestRandom is")
	rounds    = flag.Int("rounds", 1, "how many rounds TestRandom has on each of its backends")
	tableFile = flag.String("table", "", "the document that TestRandom's table is written into")
	program   = flag.String("program", "", "the product's command, built with -tags chaos; empty: it is built")
	race      = flag.Bool("race-program", false, "build the product with the race detector")
)

func TestMain(m *testing.M) {
	const parallel = "6" // unless the command line says otherwise: scenarios mostly wait
	err := flag.Set("test.parallel", parallel)
	flag.Parse()
	zerolog.SetGlobalLevel(zerolog.Disabled) // Toxiproxy's
	var remove func()
	if err == nil && *program == "" {
		remove, err = build()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := servers.Main(m)
	if *tableFile != "" {
		if err := writeTable(*tableFile); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	if remove != nil {
		remove()
	}
	os.Exit(code)
}

func build() (remove func(), err error) {
	directory, err := os.MkdirTemp("", "fleetphoto-chaos-")
	if err != nil {
		return nil, err
	}
	*program = filepath.Join(directory, "fleetphoto")
	args := []string{"build", "-tags", "chaos", "-o", *program}
	if *race {
		args = append(args, "-race")
	}
	command := exec.Command("go", append(args, "github.com/fleetphoto/fleetphoto/app/fleetphoto")...)
	command.Stdout, command.Stderr = os.Stderr, os.Stderr
	return func() { _ = os.RemoveAll(directory) }, command.Run()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// eventually asks again and again until it is so.
func eventually(t *testing.T, patience time.Duration, what string, isSo func() bool) {
	t.Helper()
	const interval = 20 * time.Millisecond
	for end := time.Now().Add(patience); !isSo(); time.Sleep(interval) {
		if time.Now().After(end) {
			t.Fatalf("after %v still not: %s", patience, what)
		}
	}
}
