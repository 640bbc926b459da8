//go:build chaos

package chaos_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// What a process does to itself, by the product's hooks under the tag chaos.
const (
	killAt  = "FLEETPHOTO_CHAOS_STEP="  // step:n
	pauseAt = "FLEETPHOTO_CHAOS_PAUSE=" // step:n
	clock   = "FLEETPHOTO_CHAOS_CLOCK=" // a duration
)

// steps of the protocol at which it does so.
var steps = []string{"intent", "locked", "sent", "recorded", "closed"}

// product is the command with its settings.
type product struct {
	directory string
	settings  []string
}

func (p product) command(args ...string) *exec.Cmd {
	c := exec.Command(*program, args...)
	c.Dir = p.directory
	c.Env = append(os.Environ(), p.settings...)
	return c
}

// output runs a command, which must succeed, and returns what it prints.
func (p product) output(t *testing.T, input string, args ...string) string {
	t.Helper()
	c := p.command(args...)
	c.Stdin = strings.NewReader(input)
	out, err := c.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			out = append(out, exit.Stderr...)
		}
		t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// replica is a server that is started again whenever it dies.
type replica struct {
	product
	t    *testing.T
	name string

	mu                 sync.Mutex
	process            *os.Process
	api                string   // its base URL; empty: it doesn't listen
	next               []string // settings of the next start alone
	log                []string // its last lines
	kills              int
	stops              int         // after SIGTERM
	stopping, listened bool        // what its process does, and has done
	deaths             []time.Time // of its processes
	ended              bool
	done               chan struct{}
}

// start starts a replica and waits until it listens.
func (p product) start(t *testing.T, name string, settings ...string) *replica {
	t.Helper()
	p.settings = append(slices.Clone(p.settings), settings...)
	r := &replica{product: p, t: t, name: name, done: make(chan struct{})}
	go r.keepRunning()
	t.Cleanup(r.end)
	r.waitListens()
	return r
}

func (r *replica) keepRunning() {
	defer close(r.done)
	for {
		c, lines, err := r.spawn()
		if errors.Is(err, errEnded) {
			return
		}
		if err != nil {
			r.t.Errorf("start %s: %v", r.name, err)
			return
		}
		for lines.Scan() {
			r.read(lines.Text())
		}
		_ = c.Wait() // its state says more
		r.died(c.ProcessState)
	}
}

// died notes why a process has ended. One that hadn't listened yet is started
// again as it would be by whoever runs it: its disk may be full.
func (r *replica) died(state *os.ProcessState) {
	r.mu.Lock()
	listened, stopping := r.listened, r.stopping
	r.api, r.process, r.listened, r.stopping = "", nil, false, false
	r.deaths = append(r.deaths, time.Now())
	status, _ := state.Sys().(syscall.WaitStatus)
	switch {
	case status.Signal() == syscall.SIGKILL:
		r.kills++
	case stopping && state.Success():
		r.stops++
	case listened && !r.ended:
		r.t.Errorf("%s ended by itself: %v, stopping: %v\n%s", r.name, state, stopping, strings.Join(r.log, "\n"))
	}
	r.mu.Unlock()
	if !listened {
		time.Sleep(100 * time.Millisecond)
	}
}

var errEnded = errors.New("the test has ended")

func (r *replica) spawn() (*exec.Cmd, *bufio.Scanner, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		return nil, nil, errEnded
	}
	c := r.command("serve")
	c.Env = append(c.Env, r.next...)
	r.next = nil
	errOut, err := c.StderrPipe()
	if err == nil {
		err = c.Start()
	}
	r.process = c.Process
	lines := bufio.NewScanner(errOut)
	lines.Buffer(nil, 1<<20)
	return c, lines, err
}

// read reads a line of the log.
func (r *replica) read(line string) {
	const kept = 60
	r.mu.Lock()
	defer r.mu.Unlock()
	var entry struct{ Msg, Setting, Address string }
	if json.Unmarshal([]byte(line), &entry) == nil && entry.Address != "" && entry.Setting == "FLEETPHOTO_ADDR" {
		r.api, r.listened = "http://"+entry.Address, true
	}
	if entry.Msg != "request" {
		r.log = append(r.log, line)[max(0, len(r.log)+1-kept):]
	}
	if strings.Contains(line, "DATA RACE") || strings.Contains(line, "panic") {
		r.t.Errorf("%s: %s", r.name, line)
	}
}

// address is the base URL; empty while it doesn't listen.
func (r *replica) address() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.api
}

func (r *replica) waitListens() {
	r.t.Helper()
	eventually(r.t, 30*time.Second, r.name+" listens", func() bool { return r.address() != "" })
}

// kill ends the process without warning; it starts again at once, for once with
// these settings too.
func (r *replica) kill(settings ...string) {
	r.mu.Lock()
	r.next = settings
	r.api = ""
	r.mu.Unlock()
	r.signal(syscall.SIGKILL)
}

// restart kills, and waits until it listens again.
func (r *replica) restart(settings ...string) {
	r.t.Helper()
	r.kill(settings...)
	r.waitListens()
}

// waitKilled waits until it has been killed for the n-th time, and listens again.
func (r *replica) waitKilled(n int) {
	r.t.Helper()
	eventually(r.t, 30*time.Second, r.name+" is killed", func() bool { return r.killed() >= n })
	r.waitListens()
}

func (r *replica) killed() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.kills
}

// stop has the process end in its own time and waits until it has.
func (r *replica) stop() {
	r.mu.Lock()
	stops, kills := r.stops, r.kills
	r.stopping = r.process != nil
	r.mu.Unlock()
	r.signal(syscall.SIGTERM)
	const patience = 20 * time.Second
	for end := time.Now().Add(patience); r.stopped() == stops && r.killed() == kills; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			r.t.Errorf("%s doesn't end within %v of SIGTERM", r.name, patience)
			r.kill()
			return
		}
	}
}

func (r *replica) stopped() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stops
}

// diedWithin says whether a process of it ended between these times.
func (r *replica) diedWithin(from, to time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.ContainsFunc(r.deaths, func(at time.Time) bool { return at.After(from) && at.Before(to) })
}

// signal sends a signal, if the process runs.
func (r *replica) signal(s syscall.Signal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.process != nil {
		_ = r.process.Signal(s)
	}
}

// isStopped says whether SIGSTOP has stopped the process.
func (r *replica) isStopped() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.process == nil {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", r.process.Pid))
	_, state, found := strings.Cut(string(stat), ") ")
	return err == nil && found && state[0] == 'T'
}

// end ends the process for good.
func (r *replica) end() {
	r.mu.Lock()
	r.ended = true
	r.mu.Unlock()
	r.signal(syscall.SIGKILL)
	<-r.done
	if r.t.Failed() {
		r.t.Logf("the last lines of %s:\n%s", r.name, strings.Join(r.log, "\n"))
	}
}
