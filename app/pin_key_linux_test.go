package app

import (
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/fleetphoto/fleetphoto/domain"
)

// The directory above the data's may be closed to the server: it can be entered,
// and not read. As root reads everything, the test is nobody.
func TestPINKeyBelowAClosedDirectory(t *testing.T) {
	const nobody = 65534
	above := t.TempDir()
	directory := filepath.Join(above, "fleetphoto-data")
	check(t, os.Mkdir(directory, 0o700))
	if os.Geteuid() == 0 {
		check(t, os.Chown(directory, nobody, -1))
		check(t, os.Chmod(filepath.Dir(above), 0o711))
	}
	check(t, os.Chmod(above, 0o311))
	t.Cleanup(func() { _ = os.Chmod(above, 0o700) })
	made := make(chan error)
	go func() {
		runtime.LockOSThread() // the thread ends with this function, and so does who it is
		if os.Geteuid() == 0 {
			if err := syscall.Setfsuid(nobody); err != nil {
				made <- err
				return
			}
		}
		made <- createKeyFile(filepath.Join(directory, "pin.key"))
	}()
	check(t, <-made)
	if text, err := os.ReadFile(filepath.Join(directory, "pin.key")); err != nil || len(text) < 2*domain.MinPINKeyBytes {
		t.Errorf("got %d characters, %v", len(text), err)
	}
}
