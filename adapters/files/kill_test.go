package files

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/fleetphoto/fleetphoto/domain"
)

// The variables that make TestProcess a process that another test starts.
const (
	processRoot = "FILES_TEST_ROOT" // its directory
	processStop = "FILES_TEST_STOP" // the sync of its only Put to stop at; 0: go on putting
)

func killedPhotos(t testing.TB) (older, newer domain.Photo) {
	return newPhoto(t, 300, 1), newPhoto(t, 200, 2)
}

// TestProcess runs only in a process that another test starts. It puts over what
// is there, and writes a line when it stands still and after each Put.
func TestProcess(t *testing.T) {
	root := os.Getenv(processRoot)
	if root == "" {
		t.Skip("other tests start this one")
	}
	stop, err := strconv.Atoi(os.Getenv(processStop))
	if err != nil {
		t.Fatal(err)
	}
	store := started(t, root)
	older, newer := killedPhotos(t)
	_, over := opened(t, store)
	var syncs int
	store.sync = func(file *os.File) error {
		if syncs++; syncs == stop {
			fmt.Println("still")
			if n, _ := os.Stdin.Read(make([]byte, 1)); n == 0 {
				os.Exit(1) // the parent is gone
			}
		}
		return file.Sync()
	}
	for i := 0; err == nil && (i == 0 || stop == 0); i++ {
		over, err = store.Put(t.Context(), key, []domain.Photo{newer, older}[i%2], over)
		fmt.Println(outcome(err))
	}
}

// process is one that runs TestProcess.
type process struct {
	*exec.Cmd
	input io.Writer // a byte lets it go on
	said  *bufio.Scanner
}

func startProcess(t *testing.T, root string, stop int) process {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestProcess$")
	child.Env = append(os.Environ(), processRoot+"="+root, processStop+"="+strconv.Itoa(stop))
	output, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	// The child sees the end of its input if this process dies first.
	input, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	return process{child, input, bufio.NewScanner(output)}
}

// line returns the next line that the process writes.
func (p process) line(t *testing.T) string {
	t.Helper()
	if !p.said.Scan() {
		t.Fatalf("the process ended: %v", p.Wait())
	}
	return p.said.Text()
}

// goOn lets a process that stands still go on.
func (p process) goOn(t *testing.T) {
	t.Helper()
	if _, err := p.input.Write([]byte{'\n'}); err != nil {
		t.Fatal(err)
	}
}

// end returns how the only Put of a process ended.
func (p process) end(t *testing.T) string {
	t.Helper()
	said := p.line(t)
	for p.said.Scan() { // what the test package says
	}
	if err := p.Wait(); err != nil {
		t.Error(err)
	}
	return said
}

// runAndKill starts a process on root and kills it when it has written so many lines.
func runAndKill(t *testing.T, root string, stop, lines int) {
	t.Helper()
	child := startProcess(t, root, stop)
	for range lines {
		if said := child.line(t); said != "still" && said != changed {
			t.Errorf("the process says %q", said)
		}
	}
	if err := child.Process.Kill(); err != nil {
		t.Error(err)
	}
	_ = child.Wait() // it was killed
}

func TestKilledPutLeavesOldOrNew(t *testing.T) {
	t.Parallel()
	skipWithoutDirectorySync(t)
	older, newer := killedPhotos(t)
	for _, c := range []struct {
		name        string
		before      *domain.Photo
		stop        int
		want        []byte
		temporaries int
	}{
		{"first Put, fleet's directory not synced", nil, 1, nil, 0},
		{"first Put, photos' directory not synced", nil, 2, nil, 0},
		{"first Put, file not synced", nil, 3, nil, 1},
		{"first Put, rename not synced", nil, 4, newer.JPEG(), 0},
		{"overwrite, file not synced", &older, 3, older.JPEG(), 1},
		{"overwrite, rename not synced", &older, 4, newer.JPEG(), 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			if c.before != nil {
				store := started(t, root)
				mustPut(t, store, *c.before)
			}
			runAndKill(t, root, c.stop, 1)
			left := temporaries(t, root)
			if len(left) != c.temporaries {
				t.Errorf("the kill left %q, want %d", left, c.temporaries)
			}
			if store := started(t, root); !bytes.Equal(stored(t, store), c.want) {
				t.Error("the photo is not the one that it should be")
			}
			checkSweep(t, root)
		})
	}
}

func TestKilledAnywhereLeavesOneWhole(t *testing.T) {
	t.Parallel()
	older, newer := killedPhotos(t)
	root := t.TempDir()
	for round := range 12 {
		runAndKill(t, root, 0, 1+round*5)
		store := started(t, root)
		if !isOneOf(stored(t, store), []domain.Photo{older, newer}) {
			t.Fatalf("round %d: neither photo is there", round)
		}
	}
	checkSweep(t, root)
}

// checkSweep checks that a Sweep keeps temporary files that are young, which
// may be another process's, and removes them when they are old.
func checkSweep(t *testing.T, root string) {
	t.Helper()
	young := temporaries(t, root)
	store := started(t, root)
	before := stored(t, store)
	mustSweep(t, store)
	if still := temporaries(t, root); len(still) != len(young) {
		t.Errorf("Sweep removed young files: of %q it left %q", young, still)
	}
	for _, name := range young {
		age(t, name)
	}
	mustSweep(t, store)
	if left := temporaries(t, root); left != nil {
		t.Errorf("Sweep left %q", left)
	}
	if !bytes.Equal(stored(t, store), before) {
		t.Error("the sweep changed the photo")
	}
}
