// Package peers measures other programs beside fleetphoto: PocketBase, which
// stores a photo in a record's field, and govips, which does the job of an image
// alone. `task bench-peers` runs it. It is a module of its own, as they bring
// dependencies and need cgo and libvips-dev.
package peers

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"math/rand/v2"
	"mime/multipart"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/davidbyttow/govips/v2/vips"
	"github.com/pocketbase/pocketbase"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"

	"github.com/fleetphoto/fleetphoto/app"
	"github.com/fleetphoto/fleetphoto/domain/photo"
)

var (
	runs    = flag.Int("runs", 6, "how often each program takes its turn")
	turn    = flag.Duration("turn", time.Second, "how long a turn is")
	outFile = flag.String("out", "", "write the figures into this file too")
)

const (
	runAs       = "FLEETPHOTO_TEST_AS"
	address     = "127.0.0.1:18090"
	connections = 8
	records     = 64
)

func TestMain(m *testing.M) {
	switch os.Getenv(runAs) {
	case "pocketbase":
		if err := servePocketBase(); err != nil {
			panic(err)
		}
	case "fleetphoto":
		os.Exit(app.Main(context.Background(), os.Args[1:], app.Adapters()))
	default:
		os.Exit(m.Run())
	}
}

// servePocketBase serves a collection whose records have a file that anybody may
// replace.
func servePocketBase() error {
	base := pocketbase.NewWithConfig(pocketbase.Config{DefaultDataDir: "pb_data", HideStartBanner: true})
	if err := base.Bootstrap(); err != nil {
		return err
	}
	if err := base.RunAllMigrations(); err != nil {
		return err
	}
	photos := core.NewBaseCollection("photos")
	anybody := ""
	photos.UpdateRule = &anybody
	photos.Fields.Add(&core.FileField{Name: "photo", MaxSelect: 1, MaxSize: 5 << 20})
	if err := base.Save(photos); err != nil {
		return err
	}
	for i := range records {
		r := core.NewRecord(photos)
		r.Id = recordID(i)
		if err := base.Save(r); err != nil {
			return err
		}
	}
	return apis.Serve(base, apis.ServeConfig{HttpAddr: address})
}

func recordID(i int) string { return fmt.Sprintf("record%09d", i) }

// output prints the figures of turns in Go's benchmark format.
type output struct{ io.Writer }

func openOut(b *testing.B) output {
	b.Helper()
	out := output{os.Stdout}
	if *outFile != "" {
		must(b, os.MkdirAll(filepath.Dir(*outFile), 0o755))
		file, err := os.OpenFile(*outFile, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		must(b, err)
		b.Cleanup(func() { must(b, file.Close()) })
		out.Writer = io.MultiWriter(os.Stdout, file)
	}
	commit, _ := exec.Command("git", "describe", "--always", "--dirty", "--abbrev=10", "--exclude=*").Output() // fails outside of a checkout
	cpu, _ := os.ReadFile("/proc/cpuinfo")
	_, model, _ := strings.Cut(string(cpu), "model name\t: ")
	model, _, _ = strings.Cut(model, "\n")
	_, _ = fmt.Fprintf(out, "date: %s\ncommit: %s\nmachine: %d × %s, libvips %s, PocketBase 0.36.8\nturns: %d of %v\n",
		time.Now().UTC().Format(time.DateOnly), bytes.TrimSpace(commit), runtime.NumCPU(), model, vips.Version, *runs, *turn)
	return out
}

// BenchmarkImage has govips and photo.Reader take turns with the same bytes.
func BenchmarkImage(b *testing.B) {
	out := openOut(b)
	vips.LoggingSettings(nil, vips.LogLevelError)
	vips.Startup(&vips.Config{ConcurrencyLevel: 1})
	b.Cleanup(vips.Shutdown)
	large, small := draw(4000, 3000, 92, 1), draw(512, 512, 82, 1)
	for _, job := range []struct {
		name  string
		photo []byte
	}{{"12MP-scaled", large}, {"12MP-rotated", turned(large)}, {"50KB-rotated", turned(small)}} {
		reader := photo.NewReader(photo.Limits{MaxBytes: 10 << 20, MaxPixels: 50_000_000, MaxDimension: 1024, Verify: photo.VerifyDecode}, 1)
		for range *runs {
			for _, p := range []struct {
				by string
				do func(data []byte) error
			}{{"fleetphoto", func(data []byte) error {
				_, _, err := reader.Read(b.Context(), 689, data)
				return err
			}}, {"govips", thumbnail}} {
				var took []float64
				before, start := ownTime(), time.Now()
				for time.Since(start) < *turn {
					begun := time.Now()
					must(b, p.do(bytes.Clone(job.photo)))
					took = append(took, milliseconds(time.Since(begun)))
				}
				out.report("Image/job="+job.name, p.by, took, time.Since(start), ownTime()-before, 0)
			}
		}
	}
}

// thumbnail has libvips do what photo.Reader does.
func thumbnail(data []byte) error {
	picture, err := vips.NewThumbnailWithSizeFromBuffer(data, 1024, 1024, vips.InterestingNone, vips.SizeDown) // turns it upright, and decodes no more than it needs
	if err != nil {
		return err
	}
	defer picture.Close()
	_, _, err = picture.ExportJpeg(&vips.JpegExportParams{Quality: 85, StripMetadata: true})
	return err
}

// BenchmarkStore has PocketBase and fleetphoto store photos of 50 KB.
func BenchmarkStore(b *testing.B) {
	out := openOut(b)
	pictures := [2][]byte{draw(512, 512, 82, 1), draw(512, 512, 82, 2)}
	pocket := start(b, "pocketbase")
	waitFor(b, "http://"+address+"/api/health")
	fleet := startFleetphoto(b)
	var called atomic.Int64
	programs := []struct {
		by      string
		pid     int
		request func() (*http.Request, error)
	}{
		{"fleetphoto", fleet.pid, func() (*http.Request, error) {
			n := called.Add(1)
			body := fmt.Appendf(nil, `{"api_key":%q,"phone_number":%d,"photo_base64":%q}`, fleet.key, firstPhone+n%records, base64.StdEncoding.EncodeToString(pictures[n/records%2]))
			r, err := http.NewRequest(http.MethodPost, fleet.url+"/update_customer_photo.json", bytes.NewReader(body))
			if err == nil {
				r.Header.Set("Content-Type", "application/json")
			}
			return r, err
		}},
		{"PocketBase", pocket.Process.Pid, func() (*http.Request, error) {
			var body bytes.Buffer
			form := multipart.NewWriter(&body)
			part, err := form.CreateFormFile("photo", "portrait.jpg")
			if err != nil {
				return nil, err
			}
			n := called.Add(1)
			_, err = part.Write(pictures[n/records%2])
			r, newErr := http.NewRequest(http.MethodPatch, "http://"+address+"/api/collections/photos/records/"+recordID(int(n%records)), &body)
			if err := errors.Join(err, newErr, form.Close()); err != nil {
				return nil, err
			}
			r.ContentLength = int64(body.Len())
			r.Header.Set("Content-Type", form.FormDataContentType())
			return r, nil
		}},
	}
	for range *runs {
		for _, p := range programs {
			before, begun := processTime(p.pid), time.Now()
			took := load(b, p.request)
			out.report("Store/50KB", p.by, took, time.Since(begun), processTime(p.pid)-before, peakMemory(p.pid))
		}
	}
}

// load has connections make calls for a turn, all of which must succeed.
func load(b *testing.B, newRequest func() (*http.Request, error)) (took []float64) {
	b.Helper()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections}}
	defer client.CloseIdleConnections()
	var mu sync.Mutex
	var failed error
	var running sync.WaitGroup
	end := time.Now().Add(*turn)
	for range connections {
		running.Go(func() {
			for time.Now().Before(end) {
				begun := time.Now()
				err := send(client, newRequest)
				mu.Lock()
				took, failed = append(took, milliseconds(time.Since(begun))), errors.Join(failed, err)
				mu.Unlock()
				if err != nil {
					return
				}
			}
		})
	}
	running.Wait()
	must(b, failed)
	return took
}

func send(client *http.Client, newRequest func() (*http.Request, error)) error {
	r, err := newRequest()
	if err != nil {
		return err
	}
	response, err := client.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", response.Status, body)
	}
	return err
}

const firstPhone = 447700900123

type fleetphoto struct {
	pid      int
	url, key string
}

func startFleetphoto(b *testing.B) (f fleetphoto) {
	b.Helper()
	directory := b.TempDir()
	run := func(input string, args ...string) string {
		c := command(directory, "fleetphoto", args...)
		c.Stdin = strings.NewReader(input)
		out, err := c.Output()
		must(b, err)
		return strings.TrimSpace(string(out))
	}
	run("", "migrate")
	f.key = run("", "fleet", "add", "689")
	var list strings.Builder
	for i := range records {
		_, _ = fmt.Fprintf(&list, "%d,%d\n", i+1, firstPhone+i)
	}
	run(list.String(), "customer", "import", "--fleet=689", "-")
	const own, admin = "127.0.0.1:18091", "127.0.0.1:18092"
	c := command(directory, "fleetphoto", "serve", "--addr="+own, "--admin-addr="+admin, "--fleet-rate=0")
	must(b, c.Start())
	b.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	waitFor(b, "http://"+admin+"/readyz")
	f.pid, f.url = c.Process.Pid, "http://"+own
	return f
}

func start(b *testing.B, program string) *exec.Cmd {
	b.Helper()
	c := command(b.TempDir(), program)
	must(b, c.Start())
	b.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	return c
}

func command(directory, program string, args ...string) *exec.Cmd {
	own, _ := os.Executable()
	c := exec.Command(own, args...)
	c.Dir, c.Env = directory, append(os.Environ(), runAs+"="+program)
	return c
}

// waitFor waits until a server answers.
func waitFor(b *testing.B, url string) {
	b.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if response, err := http.Get(url); err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return
			}
		}
	}
	b.Fatalf("%s doesn't answer", url)
}

func (o output) report(name, by string, took []float64, elapsed, cpu time.Duration, peakMB float64) {
	n := float64(len(took))
	slices.Sort(took)
	_, _ = fmt.Fprintf(o, "Benchmark%s/by=%s %d %g cpu-ms/call %g calls/s %g p50-ms %g p99-ms", name, by, len(took),
		milliseconds(cpu)/n, n/elapsed.Seconds(), took[len(took)/2], took[(len(took)-1)*99/100])
	if peakMB > 0 {
		_, _ = fmt.Fprintf(o, " %g peak-MB", peakMB)
	}
	_, _ = fmt.Fprintln(o)
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// ownTime returns the processor time of this process.
func ownTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // fails for other arguments alone
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// processTime returns the processor time of a process's threads.
func processTime(pid int) (sum time.Duration) {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	for _, thread := range threads {
		var used time.Duration
		text, _ := os.ReadFile(thread) // gone where the thread ended
		_, _ = fmt.Sscan(string(text), &used)
		sum += used
	}
	return sum
}

// peakMemory returns how many megabytes of a process were resident at most.
func peakMemory(pid int) (megabytes float64) {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	_, rest, _ := strings.Cut(string(text), "VmHWM:")
	_, _ = fmt.Sscan(rest, &megabytes)
	return megabytes * 1024 / 1e6
}

// rightTop is an Exif segment with the orientation 6.
const rightTop = "\xff\xe1\x00\x22Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08" +
	"\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00\x00\x00\x00\x00"

// turned makes a JPEG one of a phone that was held upright.
func turned(data []byte) []byte {
	return slices.Insert(slices.Clone(data), len("\xff\xd8"), []byte(rightTop)...)
}

// draw draws a gradient under grain, as the bench of the module above.
func draw(width, height, quality int, seed uint64) []byte {
	picture, random := image.NewRGBA(image.Rect(0, 0, width, height)), rand.New(rand.NewPCG(seed, seed))
	for y := range height {
		for x := range width {
			grain, across, down := random.IntN(24), 170*x/width, 170*y/height
			picture.SetRGBA(x, y, color.RGBA{uint8(across + grain), uint8(down + grain), uint8((across+down)/2 + grain), 255})
		}
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, picture, &jpeg.Options{Quality: quality}); err != nil {
		panic(err) // a buffer takes everything
	}
	return out.Bytes()
}

func must(b testing.TB, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}
