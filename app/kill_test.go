package app

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
	"github.com/fleetphoto/fleetphoto/ports"
)

const (
	killCustomers = 4
	killUpdates   = 100
)

// TestKilledServer kills the server without warning during a hundred updates,
// at several points: every photo is whole, old or new, and after a repair the
// records say what the files are.
func TestKilledServer(t *testing.T) {
	t.Parallel()
	for _, killAfter := range []int64{3, 20, 60} {
		t.Run(fmt.Sprintf("after %d answers", killAfter), func(t *testing.T) {
			t.Parallel()
			directory := t.TempDir()
			form := newFleet(t, directory)
			for n := 1; n < killCustomers; n++ {
				output(t, directory, nil, "customer", "add", "--fleet=689", fmt.Sprintf("--id=%d", n), fmt.Sprintf("--phone=44770090000%d", n))
			}
			photos := map[[sha256.Size]byte]bool{}
			var encoded []string
			for size := 300; size < 304; size++ {
				photo := bigJPEG(t, size)
				photos[sha256.Sum256(photo)] = true
				encoded = append(encoded, base64.StdEncoding.EncodeToString(photo))
			}
			encoded = append(encoded, "delete")

			killed := serve(t, directory)
			var answers atomic.Int64
			var callers sync.WaitGroup
			for n := range killCustomers {
				callers.Go(func() {
					own := withPhoto(form, "")
					if own.Del("customer_pin"); n > 0 {
						own.Set("phone_number", fmt.Sprintf("44770090000%d", n))
					}
					for i := range killUpdates / killCustomers {
						own.Set("photo_base64", encoded[(i+n)%len(encoded)])
						if _, err := postForm(killed.api, own); err != nil {
							return // the server is dead
						}
						if answers.Add(1) == killAfter {
							_ = killed.Process.Kill()
						}
					}
				})
			}
			callers.Wait()
			if n := answers.Load(); n < killAfter || n >= killUpdates {
				t.Fatalf("the server was not killed in the middle: %d answers", n)
			}
			_ = killed.Wait()

			again := serve(t, directory)
			checkStored(t, directory, photos, false)
			repairAll(t, directory)
			checkStored(t, directory, photos, true)
			if a, err := postForm(again.api, withPhoto(form, encoded[0])); err != nil || a.Result != "valid" {
				t.Errorf("after the repair: got %+v, %v", a, err)
			}
		})
	}
}

// bigJPEG makes a photo that takes a while to write.
func bigJPEG(t *testing.T, size int) []byte {
	t.Helper()
	picture := image.NewGray(image.Rect(0, 0, size, size))
	for i := range picture.Pix {
		picture.Pix[i] = byte(i * i >> 3)
	}
	var out bytes.Buffer
	check(t, jpeg.Encode(&out, picture, &jpeg.Options{Quality: 95}))
	return out.Bytes()
}

// sqliteAndFiles is the environment of a default configuration in a directory.
func sqliteAndFiles(directory string) *program {
	config, err := ConfigFromEnvironment()
	if err != nil {
		panic(err)
	}
	config.DatabaseURL = "sqlite://" + filepath.Join(directory, "fleetphoto-data/fleetphoto.db")
	config.PhotoStoreURL = "file://" + filepath.Join(directory, "fleetphoto-data/photos")
	return &program{config: config, catalogue: Adapters()}
}

// repairAll runs Repair as it runs when the calls are old enough for both looks.
func repairAll(t *testing.T, directory string) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(directory, "fleetphoto-data/fleetphoto.db"))
	check(t, err)
	_, err = db.ExecContext(t.Context(), `UPDATE api_log SET opened_at = opened_at - ?`, (usecase.LateAfter + time.Minute).Microseconds())
	check(t, errors.Join(err, db.Close()))
	check(t, sqliteAndFiles(directory).run(t.Context(), slog.New(slog.DiscardHandler), func(ctx context.Context, repair *usecase.Repair) error {
		report, err := repair.Do(ctx)
		t.Logf("settled %+v", report)
		if again, err := repair.Do(ctx); err != nil || again.Settled() != 0 {
			t.Errorf("a second repair found something: %+v, %v", again, err)
		}
		return err
	}))
}

// checkStored checks that each customer's photo is one of photos, whole, or
// none, and when agree is set, that the record says the same.
func checkStored(t *testing.T, directory string, photos map[[sha256.Size]byte]bool, agree bool) {
	t.Helper()
	check(t, sqliteAndFiles(directory).run(t.Context(), slog.New(slog.DiscardHandler), func(ctx context.Context, customers ports.CustomerRepo) error {
		for n := range killCustomers {
			phone := domain.PhoneNumber(447700900000 + n)
			if n == 0 {
				phone = 447700900123
			}
			customer, err := customers.FindByPhone(ctx, 689, phone)
			if err != nil {
				return err
			}
			var stored [sha256.Size]byte
			file, err := os.ReadFile(filepath.Join(directory, "fleetphoto-data/photos", string(customer.Ref.PhotoKey())))
			if err == nil {
				if stored = sha256.Sum256(file); !photos[stored] {
					t.Errorf("customer %d: the stored file of %d bytes is none of the photos that were sent", n, len(file))
				}
			} else if !errors.Is(err, os.ErrNotExist) {
				return err
			}
			if agree && stored != customer.Photo.Info.SHA256 {
				t.Errorf("customer %d: the file is %x, the record says %x", n, stored, customer.Photo.Info.SHA256)
			}
		}
		return nil
	}))
}

// TestNothingIsLeftRunning starts and stops everything in this process.
func TestNothingIsLeftRunning(t *testing.T) {
	ignored := goleak.IgnoreCurrent()
	for name, demo := range map[string]bool{"sqlite and files": false, "demo": true} {
		p := sqliteAndFiles(t.TempDir())
		p.config.Addr, p.config.AdminAddr = "127.0.0.1:0", "127.0.0.1:0"
		log, logIn := io.Pipe()
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			ended <- p.serve(ctx, slog.New(slog.NewTextHandler(logIn, nil)), demo, io.Discard)
		}()
		for line := ""; !strings.Contains(line, "FLEETPHOTO_ADMIN_ADDR"); {
			var err error
			line, err = readLine(log)
			check(t, err)
		}
		go func() { _, _ = io.Copy(io.Discard, log) }()
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("%s: %v", name, err)
		}
		check(t, logIn.Close())
	}
	goleak.VerifyNone(t, ignored)
}

// TestFailedStartLeavesNothing fails after the database was opened.
func TestFailedStartLeavesNothing(t *testing.T) {
	ignored := goleak.IgnoreCurrent()
	p := sqliteAndFiles(t.TempDir())
	p.config.PhotoStoreURL, p.config.Create = "file:///dev/null/photos", true
	err := p.run(t.Context(), slog.New(slog.DiscardHandler), func(context.Context, *usecase.Repair) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "FLEETPHOTO_PHOTO_STORE_URL") {
		t.Errorf("got %v", err)
	}
	goleak.VerifyNone(t, ignored)
}
