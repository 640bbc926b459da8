package contracttests_test

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"image"
	"image/jpeg"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

// TestPeakMemory has the shipped command take 64 uploads of 3 MB, whose photos
// have 12 megapixels and are turned, and PNGs that take as much memory as they may, all
// at once, and holds it to the README's number.
func TestPeakMemory(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the callers have addresses that only Linux gives, and memory is read from /proc")
	}
	const fleets, uploads, pngs = 4, 64, 16
	p := newProduct(t, "GOMAXPROCS=2", "GOMEMLIMIT=off")
	p.program = shippedCommand(t)
	forms := p.addFleets(t, fleets, (uploads+pngs)/fleets)
	s := p.serve(t)
	photo, large, small := turnedPhoto(t), plainPNG(t, 4000, 16, 6), plainPNG(t, 3900, 8, 2)
	var mu sync.Mutex
	var calls sync.WaitGroup
	answers := map[string]int{}
	for i, form := range forms {
		sent := photo
		if i >= uploads {
			sent = [...]string{large, small}[i%2]
		}
		calls.Go(func() {
			result, err := s.changeFrom(fmt.Sprintf("127.0.2.%d", 1+i%8), form, sent)
			mu.Lock()
			defer mu.Unlock()
			answers[result]++
			if err != nil {
				t.Error(err)
			}
		})
	}
	calls.Wait()
	for result := range answers {
		if result != "valid" && result != "Service Unavailable" && result != "Too Many Requests" {
			t.Errorf("got the answers %v", answers)
		}
	}
	peak, most := s.peakMemory(t), promisedMemory(t)
	t.Logf("the process took %.0f MB at most, its answers were %v", peak, answers)
	if answers["valid"] == 0 || peak > most {
		t.Errorf("it took %.0f MB, the README says at most %.0f; its answers were %v", peak, most, answers)
	}
}

// shippedCommand builds the command, as the race detector that these tests may have takes
// many times the memory.
func shippedCommand(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fleetphoto")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", path, "../app/fleetphoto").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

// addFleets adds fleets with so many customers each, and returns the start of a
// call in JSON for each customer, one fleet's after another's.
func (p product) addFleets(t *testing.T, fleets, customers int) (calls []string) {
	t.Helper()
	p.output(t, "migrate")
	var keys []string
	for fleet := range fleets {
		keys = append(keys, p.output(t, "fleet", "add", fmt.Sprint(1+fleet)))
		var list strings.Builder
		for i := range customers {
			_, _ = fmt.Fprintf(&list, "%d,4477009%02d%03d\n", 1+i, fleet, i)
		}
		must(t, os.WriteFile(filepath.Join(p.directory, "customers.csv"), []byte(list.String()), 0o600))
		p.output(t, "customer", "import", fmt.Sprintf("--fleet=%d", 1+fleet), "customers.csv")
	}
	for i := range customers {
		for fleet, key := range keys {
			calls = append(calls, fmt.Sprintf(`{"api_key":%q,"phone_number":4477009%02d%03d,"photo_base64":"`, key, fleet, i))
		}
	}
	return calls
}

// changeFrom makes a call from an address of this machine. It returns "valid"
// or the error.
func (s *process) changeFrom(address, start, photo string) (result string, err error) {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	client := http.Client{Transport: &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true}}
	request, err := http.NewRequest(http.MethodPost, s.api+"/update_customer_photo.json", io.MultiReader(strings.NewReader(start), strings.NewReader(photo), strings.NewReader(`"}`)))
	if err != nil {
		return "", err
	}
	request.ContentLength = int64(len(start) + len(photo) + len(`"}`))
	request.Header.Set("Content-Type", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	var a answer
	err = json.NewDecoder(response.Body).Decode(&a)
	if a.Result == "error" {
		return a.Error, err
	}
	return a.Result, err
}

// peakMemory returns how many MB of the process were resident at most.
func (s *process) peakMemory(t *testing.T) (megabytes float64) {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.Process.Pid))
	must(t, err)
	_, rest, _ := strings.Cut(string(text), "VmHWM:")
	_, err = fmt.Sscan(rest, &megabytes) // of 1024 bytes
	must(t, err)
	return megabytes * 1024 / 1e6
}

// promisedMemory is the number of MB that the README gives.
func promisedMemory(t *testing.T) (megabytes float64) {
	t.Helper()
	text, err := os.ReadFile("../README.md")
	must(t, err)
	found := regexp.MustCompile(`at most \*\*(\d+) MB\*\* of memory`).FindSubmatch(text)
	if found == nil {
		t.Fatal("the README doesn't say how much memory the service takes at most")
	}
	_, err = fmt.Sscan(string(found[1]), &megabytes)
	must(t, err)
	return megabytes
}

// turnedPhoto is a JPEG, in Base64, of a phone that was held upright.
func turnedPhoto(t *testing.T) string {
	t.Helper()
	picture, random := image.NewYCbCr(image.Rect(0, 0, 4000, 3000), image.YCbCrSubsampleRatio420), rand.New(rand.NewPCG(1, 2))
	for i := range picture.Y {
		picture.Y[i] = 100 + byte(random.Uint32()>>27)
	}
	var out bytes.Buffer
	must(t, jpeg.Encode(&out, picture, &jpeg.Options{Quality: 85}))
	const start = 2 // the length of SOI
	// An Exif segment with one tag, the orientation 6 (CIPA DC-008, 4.5 and 4.7.2).
	const rightTop = "\xff\xe1\x00\x22Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00\x00\x00\x00\x00"
	if size := out.Len(); size < 3e6 || size > 3.5e6 {
		t.Fatalf("the photo has %d bytes", size)
	}
	return base64.StdEncoding.EncodeToString(slices.Insert(out.Bytes(), start, []byte(rightTop)...))
}

// plainPNG is a PNG, in Base64, of zeros: side² pixels of a colour type with 3 or
// 4 channels of so many bits (W3C PNG, third edition, 11.2.1).
func plainPNG(t *testing.T, side int, bits, colour byte) string {
	t.Helper()
	channels := map[byte]int{2: 3, 6: 4}[colour]
	var packed bytes.Buffer
	w, err := zlib.NewWriterLevel(&packed, zlib.BestSpeed)
	must(t, err)
	row := make([]byte, 1+side*channels*int(bits)/8)
	for range side {
		_, err := w.Write(row)
		must(t, err)
	}
	must(t, w.Close())
	header := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, uint32(side)), uint32(side))
	file := []byte("\x89PNG\r\n\x1a\n")
	for _, c := range []struct {
		kind string
		data []byte
	}{{"IHDR", append(header, bits, colour, 0, 0, 0)}, {"IDAT", packed.Bytes()}, {"IEND", nil}} {
		file = binary.BigEndian.AppendUint32(file, uint32(len(c.data)))
		checked := append([]byte(c.kind), c.data...)
		file = binary.BigEndian.AppendUint32(append(file, checked...), crc32.ChecksumIEEE(checked))
	}
	return base64.StdEncoding.EncodeToString(file)
}
