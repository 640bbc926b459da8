//go:build chaos

package chaos_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestKillAtEachStep kills the process at each step of an update and of a
// deletion.
func TestKillAtEachStep(t *testing.T) {
	t.Parallel()
	for _, on := range []struct {
		name string
		make func(*testing.T) *backends
	}{{"sqlite+files", sqliteAndFiles}, {"postgres+s3", postgresAndS3}, {"the log elsewhere", logElsewhere}} {
		t.Run(on.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, on.make(t), 2*len(steps)+1, nil)
			before, after := newPhoto(1), map[int][]byte{}
			for i, step := range steps {
				w.killAt(step, 1+2*i, before, newPhoto(2))
				w.killAt(step, 2+2*i, before, nil)
				after[1+2*i] = newPhoto(2)
			}
			w.check()
			for i, step := range steps {
				for customer := 1 + 2*i; customer <= 2+2*i; customer++ {
					if step == "intent" || step == "locked" {
						after[customer] = before
					}
					w.holds(customer, after[customer])
					w.lastEntryIs(customer, map[bool]string{false: "interrupted", true: "valid"}[step == "recorded" || step == "closed"])
				}
			}
		})
	}
}

func (w *world) killAt(step string, customer int, before, photo []byte) {
	w.t.Helper()
	r := w.replicas[0]
	w.mustChange(r, customer, before)
	r.restart(killAt + step + ":1")
	kills := r.killed()
	if a, _ := w.change(r, customer, photo); a.Result != "" {
		w.t.Errorf("a process that is to die at the step %q answers %+v", step, a)
	}
	r.waitKilled(kills + 1)
}

// lastEntryIs fails the test unless the log tells this of the customer's last call.
func (w *world) lastEntryIs(customer int, wanted string) {
	w.t.Helper()
	var result string
	must(w.t, w.log.QueryRow(fmt.Sprintf("SELECT result FROM api_log WHERE customer_id = %d ORDER BY id DESC LIMIT 1", customer)).Scan(&result))
	if result != wanted {
		w.t.Errorf("customer %d: the log tells that the last call was %q, want %q", customer, result, wanted)
	}
}

// TestFrozenWithoutLock freezes a process that has the customer's lock, takes the
// lock from it, and has another one change the photo: when the first goes on, the
// later photo stays.
func TestFrozenWithoutLock(t *testing.T) {
	t.Parallel()
	b := postgresAndFiles(t)
	w := newWorld(t, b, 3, nil, []string{"PGAPPNAME=frozen"})
	alive, frozen := w.replicas[0], w.replicas[1]
	for customer, photo := range map[int][]byte{1: newPhoto(2), 2: nil} {
		w.mustChange(alive, customer, newPhoto(1))
		frozen.restart(pauseAt + "locked:1")
		answered := make(chan answer)
		go func() {
			a, _ := w.change(frozen, customer, photo)
			answered <- a
		}()
		eventually(t, 10*time.Second, "the process is stopped", frozen.isStopped)
		var ended int
		must(t, w.customers.QueryRow("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'frozen'").Scan(&ended))
		if ended == 0 {
			t.Fatal("the frozen process had no connection that could be ended")
		}
		later := newPhoto(3)
		w.mustChange(alive, customer, later)
		frozen.signal(syscall.SIGCONT)
		if a := <-answered; a.Result == "valid" {
			t.Errorf("customer %d: the frozen process answers %+v", customer, a)
		}
		w.holds(customer, later)
	}
	w.check()
}

// TestDatabaseFileRemoved removes SQLite's files under load, and brings them back
// under other names that they had beside: all that was acknowledged is there.
func TestDatabaseFileRemoved(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sqliteAndFiles(t), 10, nil, nil)
	ctx, cancel := context.WithCancel(t.Context())
	loaded := make(chan struct{})
	go func() { defer close(loaded); w.loadUntil(ctx, 4, 1) }()
	time.Sleep(time.Second) // under load
	beside := t.TempDir()
	files := []string{"", "-wal", "-shm"}
	for _, suffix := range files {
		must(t, os.Link(w.databaseFile()+suffix, filepath.Join(beside, "db"+suffix)))
	}
	for _, suffix := range files {
		must(t, os.Remove(w.databaseFile()+suffix))
	}
	time.Sleep(time.Second) // as above
	cancel()
	<-loaded
	for _, r := range w.replicas {
		if a, _ := w.change(r, 1, nil); a.Result == "valid" {
			t.Errorf("%s goes on without its database: %+v", r.name, a)
		}
		r.end()
	}
	for _, suffix := range files {
		must(t, os.Rename(filepath.Join(beside, "db"+suffix), w.databaseFile()+suffix))
	}
	w.replicas = append(w.replicas, w.product.start(t, "replica after it"))
	w.check()
}
