//go:build unix

package postgres

import (
	"bufio"
	"io"
	"os/exec"
	"syscall"
	"testing"

	"github.com/fleetphoto/fleetphoto/domain"
)

// A process that holds alice's row and dies, or is frozen, loses it. One that
// thaws learns that its change wasn't stored.
func TestHolderLosesTheRow(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		stop   syscall.Signal
		resume bool
	}{
		"killed": {syscall.SIGKILL, false},
		"frozen": {syscall.SIGSTOP, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rawURL := newURL(t)
			db := started(t, rawURL)
			bob := domain.CustomerRef{Fleet: alice.Fleet, Customer: 7}
			addCustomer(t, db, alice)
			addCustomer(t, db, bob)
			holder, stdin, stdout := holding(t, rawURL)

			must(t, holder.Process.Signal(test.stop))
			ctx := bounded(t)
			must(t, db.CustomerRepo().ChangePhoto(ctx, bob, grow))
			must(t, increment(ctx, db))
			if got := size(t, db, alice); got != increments {
				t.Errorf("size = %d, want %d", got, increments)
			}
			if !test.resume {
				_ = holder.Wait()
				return
			}
			must(t, holder.Process.Signal(syscall.SIGCONT))
			must(t, stdin.Close())
			if line, err := stdout.ReadString('\n'); line != string(domain.Unavailable)+"\n" {
				t.Errorf("the change of the one that was frozen ended with %q, %v; want Unavailable", line, err)
			}
			must(t, holder.Wait())
			if got := size(t, db, alice); got != increments {
				t.Errorf("size = %d, want %d", got, increments)
			}
		})
	}
}

// holding is a process that holds alice's row until its stdin ends.
func holding(t *testing.T, rawURL string) (*exec.Cmd, io.Closer, *bufio.Reader) {
	t.Helper()
	holder := child(t, taskHold, rawURL)
	stdout, err := holder.StdoutPipe()
	must(t, err)
	stdin, err := holder.StdinPipe()
	must(t, err)
	must(t, holder.Start())
	said := bufio.NewReader(stdout)
	if line, err := said.ReadString('\n'); line != "held\n" {
		t.Fatalf("the child said %q, %v", line, err)
	}
	return holder, stdin, said
}
