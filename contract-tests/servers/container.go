package servers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"sync"
	"time"

	dockercontainer "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/wait"
)

var errNoEngine = errors.New("no container engine answers, so nothing is tested on Postgres, S3, GCS and Azure: " +
	"start Docker, or set FLEETPHOTO_TEST_POSTGRES_URL, FLEETPHOTO_TEST_S3_URL, FLEETPHOTO_TEST_GS_URL and FLEETPHOTO_TEST_AZBLOB_URL to servers that run")

// engine fails with errNoEngine, which it prints where somebody looks: go test
// hides skips, and what a package that passes prints.
var engine = sync.OnceValue(func() error {
	const patience = 10 * time.Second
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	docker, err := testcontainers.NewDockerProvider()
	if err == nil {
		err = errors.Join(docker.Health(ctx), docker.Close())
	}
	if err != nil {
		err = fmt.Errorf("%w (%w)", errNoEngine, err)
		_, _ = fmt.Fprintf(terminal(), "SKIPPED: %v\n", err)
	}
	return err
})

// terminal is the one that the tests were started from, or else the standard error.
func terminal() io.Writer {
	if tty, err := os.OpenFile("/dev/tty", os.O_WRONLY, 0); err == nil {
		return tty // open until the process ends
	}
	return os.Stderr
}

// container is what to run.
type container struct {
	image      string
	ports      []string // that the server listens on, for instance "5432/tcp"
	hostPort   string   // of the one port; empty: any that is free
	entrypoint []string // empty: the image's
	env        map[string]string
	cmd        []string
	ready      wait.Strategy
}

// start runs the container until the process ends, and returns its address
// once it is ready.
func (c container) start(ctx context.Context) (address string, err error) {
	running, err := c.run(ctx)
	atEnd.add(func() error { return testcontainers.TerminateContainer(running, testcontainers.StopTimeout(0)) })
	if err != nil {
		return "", err
	}
	port, err := running.MappedPort(ctx, c.ports[0])
	return "127.0.0.1:" + port.Port(), err
}

func (c container) run(ctx context.Context) (testcontainers.Container, error) {
	onLoopback := func(host *dockercontainer.HostConfig) {
		host.PortBindings = network.PortMap{}
		for _, port := range c.ports {
			host.PortBindings[network.MustParsePort(port)] = []network.PortBinding{{HostIP: netip.MustParseAddr("127.0.0.1"), HostPort: c.hostPort}}
		}
	}
	options := []testcontainers.ContainerCustomizer{
		testcontainers.WithEnv(c.env), testcontainers.WithCmd(c.cmd...), testcontainers.WithExposedPorts(c.ports...),
		testcontainers.WithHostConfigModifier(onLoopback), testcontainers.WithWaitStrategy(c.ready),
	}
	if len(c.entrypoint) > 0 {
		options = append(options, testcontainers.WithEntrypoint(c.entrypoint...))
	}
	return testcontainers.Run(ctx, c.image, options...)
}

// ends are what to do when the process ends.
type ends struct {
	mu  sync.Mutex
	all []func() error
}

func (e *ends) add(end func() error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = append(e.all, end)
}

// run does the last that was added first.
func (e *ends) run() error {
	var errs []error
	for i := range e.all {
		errs = append(errs, e.all[len(e.all)-1-i]())
	}
	return errors.Join(errs...)
}
