package photo_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/photo"
)

// bombVariable names the file that TestBombGoesOff reads. If it is empty, that
// test is skipped.
const bombVariable = "PHOTO_TEST_BOMB"

// What one photo may cost. The time is promised for one core of a server; as the
// test runs on any machine, it allows ten times as much and logs the figure.
const (
	mostMemory   = 200 << 20 // bytes
	mostTime     = time.Second
	timeAllowed  = 10 * mostTime
	hardMemory   = 2 << 30 // kills the process before it harms the machine
	bombDeadline = time.Minute
)

// cost is what it took to read one photo.
type cost struct {
	Kind   domain.Kind // empty: the photo was read
	Detail string
	Size   string
	CPU    time.Duration
	Peak   int64 // the most bytes that the process had
}

// TestBombGoesOff runs only in a process that TestBombs starts and measures.
func TestBombGoesOff(t *testing.T) {
	file := os.Getenv(bombVariable)
	if file == "" {
		t.Skip("this test runs only in a process that TestBombs starts")
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_DATA, &syscall.Rlimit{Cur: hardMemory, Max: hardMemory}); err != nil {
		t.Fatal(err)
	}
	debug.SetMemoryLimit(mostMemory)
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	reader := photo.NewReader(productLimits(), 1)
	reader.Wait(bombDeadline) // so that the limits alone hold
	before := processorTime(t)
	got, _, refusal := reader.Read(t.Context(), 689, data)
	result := cost{CPU: processorTime(t) - before, Peak: peakMemory(t)}
	if refusal != nil {
		known := domain.AsError(refusal)
		result.Kind, result.Detail = known.Kind, known.Public
	} else {
		if _, err := checkStored(got, productLimits()); err != nil {
			t.Error(err)
		}
		result.Size = fmt.Sprintf("%d × %d", got.Info().Width, got.Info().Height)
	}
	report, err := json.Marshal(result)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file+".json", report, 0o600); err != nil {
		t.Fatal(err)
	}
}

func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// peakMemory reads the process's own peak. The one in its rusage starts from
// that of its parent.
func peakMemory(t *testing.T) int64 {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if text, found := strings.CutPrefix(line, "VmHWM:"); found {
			kilobytes, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(text), " kB"), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return kilobytes << 10
		}
	}
	t.Fatal("the kernel gives no VmHWM")
	return 0
}

// goOff reads data in a process of its own, on one processor.
func goOff(t *testing.T, data []byte) cost {
	t.Helper()
	folder := t.TempDir()
	writeFile(t, folder, "bomb", data)
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestBombGoesOff$", "-test.timeout="+bombDeadline.String())
	child.Env = append(os.Environ(), bombVariable+"="+filepath.Join(folder, "bomb"), "GOMAXPROCS=1")
	if output, err := child.CombinedOutput(); err != nil {
		t.Fatalf("the process failed: %v\n%.2000s", err, output)
	}
	var result cost
	if err := json.Unmarshal(readFile(t, folder, "bomb.json"), &result); err != nil {
		t.Fatal(err)
	}
	return result
}

// bomb is what an attacker may send, or a file that is just as large as allowed.
type bomb struct {
	name string
	want domain.Kind // how it must be refused; either: it may be read or refused
	make func(t testing.TB, side int) []byte
}

const either = domain.Kind("")

// bombs are the files to read. Some grow with side, the others ignore it.
var bombs = []bomb{
	{"PNG of 30,000² pixels", domain.PhotoTooLarge, func(t testing.TB, _ int) []byte { return squarePNG(t, 30_000, 8, pngRGB, 0) }},
	{"PNG, 16-bit RGBA, interlaced", either, func(t testing.TB, side int) []byte { return squarePNG(t, side, 16, pngRGBA, 1) }},
	{"PNG, 16-bit RGBA", either, func(t testing.TB, side int) []byte { return squarePNG(t, side, 16, pngRGBA, 0) }},
	{"PNG, 8-bit RGBA", either, func(t testing.TB, side int) []byte { return squarePNG(t, side, 8, pngRGBA, 0) }},
	{"PNG, 8-bit RGB, interlaced", either, func(t testing.TB, side int) []byte { return squarePNG(t, side, 8, pngRGB, 1) }},
	{"PNG, 1-bit palette", either, func(t testing.TB, side int) []byte { return squarePNG(t, side, 1, pngPalette, 0) }},
	{"PNG, 16-bit grey", either, func(t testing.TB, side int) []byte { return squarePNG(t, side, 16, pngGrey, 0) }},
	{"PNG of one endless row", either, func(t testing.TB, side int) []byte { return pngBomb{side * side, 1, 8, pngGrey, 0, nil}.file(t) }},
	{"PNG of one endless column", either, func(t testing.TB, side int) []byte { return pngBomb{1, side * side, 8, pngGrey, 0, nil}.file(t) }},
	{"PNG of one endless column, interlaced", either, func(t testing.TB, side int) []byte { return pngBomb{1, side * side, 8, pngRGBA, 1, nil}.file(t) }},
	{"PNG of empty deflate blocks", domain.PhotoTooLarge, func(t testing.TB, _ int) []byte { return emptyBlocks(t) }},
	{"PNG whose profile inflates", either, func(t testing.TB, _ int) []byte { return profileBomb(t) }},
	{"PNG whose raw profiles inflate", either, func(t testing.TB, _ int) []byte { return rawProfileBomb(t) }},
	{"PNG of small raw profiles", either, func(t testing.TB, _ int) []byte { return rawProfileFlood(t) }},
	{"PNG to be corrected, 8-bit RGB", either, func(t testing.TB, side int) []byte {
		return pngBomb{side, side, 8, pngRGB, 0, nil}.file(t, gamaOf(100_000), chrmOf(31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000))
	}},
	{"PNG to be corrected, 16-bit RGBA", either, func(t testing.TB, side int) []byte {
		return pngBomb{side, side, 16, pngRGBA, 0, nil}.file(t, gamaOf(100_000))
	}},
	{"PNG of IDAT of one byte", either, func(t testing.TB, _ int) []byte { return idatFlood(t) }},
	{"PNG of empty tEXt", either, func(t testing.TB, _ int) []byte { return chunkFlood(t, "tEXt") }},
	{"PNG of empty IDAT", either, func(t testing.TB, _ int) []byte { return chunkFlood(t, "IDAT") }},
	{"JPEG header of 65,500² pixels", domain.PhotoTooLarge, func(testing.TB, int) []byte { return hugeHeader() }},
	{"JPEG of 1,000 scans", domain.TypeError, func(testing.TB, int) []byte { return thousandScans() }},
	{"JPEG of 64 bands", either, func(_ testing.TB, side int) []byte { return bandScans(side) }},
	{"JPEG of 64 scans, 4:2:0", either, func(_ testing.TB, side int) []byte { return emptyProgressive(square(side, 0x22, 0x11, 0x11)) }},
	{"JPEG of 64 scans, 4:4:4", either, func(_ testing.TB, side int) []byte { return emptyProgressive(square(side, 0x11, 0x11, 0x11)) }},
	{"JPEG of 64 scans, CMYK", either, func(_ testing.TB, side int) []byte {
		return emptyProgressive(square(side, 0x11, 0x11, 0x11, 0x11))
	}},
	{"JPEG of dense refinements", either, func(testing.TB, int) []byte { return denseRefinements() }},
	{"JPEG of sparse refinements", either, func(_ testing.TB, side int) []byte { return sparseRefinements(side) }},
	{"JPEG, baseline, of empty blocks, CMYK", either, func(_ testing.TB, side int) []byte {
		return baselineFlat(square(side, 0x11, 0x11, 0x11, 0x11))
	}},
	{"JPEG, baseline, painted again and again", either, func(_ testing.TB, side int) []byte { return baselineScans(side) }},
	{"JPEG, baseline, grey", either, func(_ testing.TB, side int) []byte { return baselineDetail(square(side, 0x11)) }},
	{"JPEG, baseline, 4:2:0, to be turned", either, func(_ testing.TB, side int) []byte {
		return withSegments(baselineDetail(square(side, 0x22, 0x11, 0x11)), app(markerAPP1, nameEXIF, phoneEXIF(binary.BigEndian, 6)))
	}},
	{"JPEG, baseline, 4:4:4", either, func(_ testing.TB, side int) []byte { return baselineDetail(square(side, 0x11, 0x11, 0x11)) }},
	{"JPEG, baseline, RGB", either, func(_ testing.TB, side int) []byte {
		return withSegments(baselineDetail(square(side, 0x11, 0x11, 0x11)), adobeRGB)
	}},
	{"JPEG, baseline, CMYK", either, func(_ testing.TB, side int) []byte {
		return withSegments(baselineDetail(square(side, 0x11, 0x11, 0x11, 0x11)), adobeRGB)
	}},
	{"JPEG of restarts", either, func(testing.TB, int) []byte { return restartFlood() }},
	{"JPEG of empty comments", either, func(t testing.TB, _ int) []byte { return segmentFlood(t) }},
	{"JPEG of fill bytes", either, func(t testing.TB, _ int) []byte { return fillFlood(t) }},
	{"JPEG of Huffman tables", either, func(t testing.TB, _ int) []byte { return tableFlood(t) }},
	{"GIF of 65,535² pixels", domain.PhotoTooLarge, func(t testing.TB, _ int) []byte { return gifFile(65535, 65535, gifFrame(t, 1, 1, false)) }},
	{"GIF of large frames", either, func(t testing.TB, side int) []byte {
		return gifFile(side, side, manyFrames(gifFrame(t, side, side, true)))
	}},
	{"GIF of half a million frames", either, func(t testing.TB, side int) []byte {
		return gifFile(side, side, manyFrames(gifFrame(t, 1, 1, false)))
	}},
	{"GIF, a frame beyond its canvas", either, func(t testing.TB, side int) []byte { return gifFile(1, 1, gifFrame(t, side, side, false)) }},
	{"GIF of stray bytes", either, func(t testing.TB, side int) []byte {
		return gifFile(side, side, make([]byte, nearlyAll/2), gifFrame(t, side, side, true))
	}},
	{"GIF of empty extensions", either, func(t testing.TB, side int) []byte {
		return gifFile(side, side, bytes.Repeat([]byte("!\xf9\x00"), nearlyAll/6), gifFrame(t, side, side, true))
	}},
	{"GIF of sub-blocks of one byte", either, func(testing.TB, int) []byte { return subBlockFlood() }},
	{"WebP, lossless, 16,384² pixels", domain.PhotoTooLarge, func(testing.TB, int) []byte { return webpFile(losslessFrame(16384, 16384)) }},
	{"WebP, lossless", either, func(_ testing.TB, side int) []byte { return webpFile(losslessFrame(side, side)) }},
	{"WebP, lossy", either, func(t testing.TB, side int) []byte { return webpFile(lossyFrame(t, side, side)) }},
	{"WebP whose canvas lies", either, func(testing.TB, int) []byte {
		return webpFile(webpHeader(webpAlpha, 10, 10), losslessFrame(16384, 16384))
	}},
	{"WebP, animated, huge canvas", domain.PhotoTooLarge, func(testing.TB, int) []byte {
		return animated(1<<24, 255, animatedFrame(1, 1, losslessFrame(1, 1)))
	}},
	{"WebP, animated, small frames", either, func(_ testing.TB, side int) []byte {
		return animated(side, side, manyFrames(animatedFrame(1, 1, losslessFrame(1, 1))))
	}},
	{"WebP, animated, large frames", either, func(_ testing.TB, side int) []byte {
		return animated(side, side, manyFrames(animatedFrame(side/4, side/4, losslessFrame(side/4, side/4))))
	}},
	{"WebP, animated, a frame beyond its canvas", either, func(testing.TB, int) []byte {
		return animated(10, 10, animatedFrame(10, 10, losslessFrame(16384, 16384)))
	}},
}

// TestBombs sends each bomb as large as the pixel limit allows. It may be read
// or refused, but must not cost more than a photo may. If a refusal says how
// many pixels of its kind are accepted, a bomb of that size follows until one is
// read, as that costs the most.
func TestBombs(t *testing.T) {
	t.Parallel()
	if raceDetector {
		t.Skip("the race detector takes its own memory and time: run without -race")
	}
	baseline := goOff(t, encoded(t, quadrants()))
	if baseline.Kind != "" {
		t.Fatal("a small photo was refused:", baseline.Detail)
	}
	for _, b := range bombs {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			const tries = 4
			side := limitSide
			for range tries {
				result := b.goOff(t, side, baseline)
				if b.want != either && result.Kind != b.want {
					t.Errorf("got %q, want %q", result.Kind, b.want)
				}
				pixels := allowedPixels(result.Detail)
				if b.want != either || pixels == 0 {
					return
				}
				side = int(0.99 * math.Sqrt(pixels))
			}
			t.Errorf("still refused after %d tries, each as small as the last refusal asked for", tries)
		})
	}
}

var pixelsAllowed = regexp.MustCompile(`at most ([0-9]+) pixels`)

// allowedPixels returns how many pixels a refusal says are accepted, or 0 if it
// doesn't say.
func allowedPixels(sentence string) float64 {
	found := pixelsAllowed.FindStringSubmatch(sentence)
	if found == nil {
		return 0
	}
	pixels, err := strconv.ParseFloat(found[1], 64)
	if err != nil {
		return 0
	}
	return pixels
}

// goOff makes the bomb, reads it in a process of its own and checks the cost.
func (b bomb) goOff(t *testing.T, side int, baseline cost) cost {
	t.Helper()
	data := b.make(t, side)
	if int64(len(data)) > productLimits().MaxBytes {
		t.Fatalf("the bomb has %d bytes, more than an upload: it tests nothing", len(data))
	}
	result := goOff(t, data)
	memory := result.Peak - baseline.Peak
	t.Logf("%5d KB, side %d: %4d ms of one processor, %3d MB above a small photo; %s %s%s",
		len(data)>>10, side, result.CPU.Milliseconds(), memory>>20, result.Kind, result.Detail, result.Size)
	if result.Kind != "" && result.Kind != domain.TypeError && result.Kind != domain.PhotoTooLarge {
		t.Errorf("got %q, want a Type Error, Photo Too Large or a photo", result.Kind)
	}
	if memory > mostMemory {
		t.Errorf("took %d MB, want at most %d", memory>>20, mostMemory>>20)
	}
	if result.CPU > timeAllowed {
		t.Errorf("took %v of one processor, want %v and at most %v", result.CPU, mostTime, timeAllowed)
	}
	return result
}
