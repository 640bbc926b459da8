//go:build unix

package files

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
)

// A process may be paused for as long as it takes to lose its customer's lock.
func TestProcessThatWasPausedGetsConflict(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	older, _ := killedPhotos(t)
	later := newPhoto(t, 90, 3)
	store := started(t, root)
	mustPut(t, store, older)
	child := startProcess(t, root, 3)
	if said := child.line(t); said != "still" {
		t.Fatalf("the process says %q", said)
	}
	pause(t, child.Process.Pid)
	version := mustPut(t, store, later)
	if err := child.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	child.goOn(t)
	if end := child.end(t); end != conflicted {
		t.Errorf("its Put ended as %q, want %q", end, conflicted)
	}
	if read, held := opened(t, store); !bytes.Equal(read, later.JPEG()) || held != version {
		t.Error("the later photo is not there")
	}
	if left := temporaries(t, root); left != nil {
		t.Errorf("it left %q", left)
	}
}

// pause returns when the child stands still.
func pause(t *testing.T, pid int) {
	t.Helper()
	err := syscall.Kill(pid, syscall.SIGSTOP)
	var status syscall.WaitStatus
	for err == nil && !status.Stopped() {
		if _, err = syscall.Wait4(pid, &status, syscall.WUNTRACED, nil); errors.Is(err, syscall.EINTR) {
			err = nil
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

// fullRoot makes TestProcessOnAFullDisk a process that can't write as much as a
// photo to a file; it is the directory.
const fullRoot = "FILES_TEST_FULL_ROOT"

func TestProcessOnAFullDisk(t *testing.T) {
	root := os.Getenv(fullRoot)
	if root == "" {
		t.Skip("another test starts this one")
	}
	store := started(t, root)
	_, newer := killedPhotos(t)
	_, over := opened(t, store)
	signal.Ignore(syscall.SIGXFSZ)
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 1000, Max: 1000}); err != nil {
		t.Fatal(err)
	}
	_, err := store.Put(t.Context(), key, newer, over)
	fmt.Println(outcome(err))
}

func TestFullDiskChangesNothing(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	store := started(t, root)
	older, _ := killedPhotos(t)
	version := mustPut(t, store, older)
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestProcessOnAFullDisk$")
	child.Env = append(os.Environ(), fullRoot+"="+root)
	if said, err := child.Output(); err != nil || !strings.HasPrefix(string(said), harmless+"\n") {
		t.Errorf("the process says %q, %v; want %q", said, err, harmless)
	}
	if read, held := opened(t, store); !bytes.Equal(read, older.JPEG()) || held != version {
		t.Error("the old photo is not there")
	}
	if left := temporaries(t, root); left != nil {
		t.Errorf("it left %q", left)
	}
}
