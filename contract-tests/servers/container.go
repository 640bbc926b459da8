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
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/log"
)

// label marks the containers of this package.
const label = "fleetphoto.test.server"

// leftAfter is the age at which a container is one that a killed process left.
const leftAfter = time.Hour

var errNoEngine = errors.New("no container engine answers, so nothing is tested on Postgres, S3, GCS and Azure: " +
	"start Docker, or set FLEETPHOTO_TEST_POSTGRES_URL, FLEETPHOTO_TEST_S3_URL, FLEETPHOTO_TEST_GS_URL and FLEETPHOTO_TEST_AZBLOB_URL to servers that run")

// engine fails with errNoEngine, which it prints where somebody looks: go test
// hides skips, and what a package that passes prints.
var engine = sync.OnceValue(func() error {
	const patience = 10 * time.Second
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	log.SetDefault(log.NewNoopLogger()) // what matters is in the errors
	docker, err := testcontainers.NewDockerClientWithOpts(ctx)
	if err == nil {
		_, err = docker.Ping(ctx, client.PingOptions{})
	}
	if err != nil {
		err = fmt.Errorf("%w (%w)", errNoEngine, err)
		_, _ = fmt.Fprintf(terminal(), "SKIPPED: %v\n", err)
		return err
	}
	return removeLeft(ctx, docker)
})

// terminal is the one that the tests were started from, or else the standard error.
func terminal() io.Writer {
	if tty, err := os.OpenFile("/dev/tty", os.O_WRONLY, 0); err == nil {
		return tty // open until the process ends
	}
	return os.Stderr
}

// removeLeft removes the containers of processes that were killed.
func removeLeft(ctx context.Context, docker *testcontainers.DockerClient) error {
	list, err := docker.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: client.Filters{}.Add("label", label)})
	for _, c := range list.Items {
		if time.Since(time.Unix(c.Created, 0)) > leftAfter {
			_, _ = docker.ContainerRemove(ctx, c.ID, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true}) // another process may be at it
		}
	}
	return err
}

// container is what to run.
type container struct {
	image string
	port  string // that the server listens on, for instance "5432/tcp"
	env   map[string]string
	cmd   []string
}

// start runs the container until the process ends, and returns its address
// once ready succeeds for it.
func (c container) start(ctx context.Context, ready func(ctx context.Context, address string) error) (address string, err error) {
	onLoopback := func(host *dockercontainer.HostConfig) {
		host.PortBindings = network.PortMap{network.MustParsePort(c.port): {{HostIP: netip.MustParseAddr("127.0.0.1")}}}
	}
	running, err := testcontainers.Run(ctx, c.image, testcontainers.WithEnv(c.env), testcontainers.WithCmd(c.cmd...),
		testcontainers.WithExposedPorts(c.port), testcontainers.WithHostConfigModifier(onLoopback), testcontainers.WithLabels(map[string]string{label: ""}))
	atEnd.add(func() error { return testcontainers.TerminateContainer(running, testcontainers.StopTimeout(0)) })
	if err != nil {
		return "", err
	}
	port, err := running.MappedPort(ctx, c.port)
	if err != nil {
		return "", err
	}
	address = "127.0.0.1:" + port.Port()
	if err := poll(ctx, func(ctx context.Context) error { return ready(ctx, address) }); err != nil {
		return "", fmt.Errorf("%w; it says:\n%s", err, logOf(running))
	}
	return address, nil
}

// poll calls ready again and again until it succeeds.
func poll(ctx context.Context, ready func(context.Context) error) error {
	const patience, interval = time.Minute, 50 * time.Millisecond
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		err := ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("it does not get ready: %w", err)
		}
	}
}

// logOf returns the end of what the container says.
func logOf(running testcontainers.Container) []byte {
	const most = 4 << 10
	output, err := running.Logs(context.Background())
	if err != nil {
		return nil
	}
	defer func() { _ = output.Close() }()
	text, _ := io.ReadAll(output) // what there is
	return text[max(0, len(text)-most):]
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
