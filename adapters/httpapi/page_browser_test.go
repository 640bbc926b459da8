package httpapi

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// realPhoto returns the path of a photograph of 150 × 103 pixels that comes with Go.
func realPhoto(t *testing.T) string {
	t.Helper()
	root, err := exec.CommandContext(t.Context(), "go", "env", "GOROOT").Output()
	check(t, err)
	return filepath.Join(strings.TrimSpace(string(root)), "src/image/testdata/video-001.jpeg")
}

// writeFile creates a file and returns its path.
func writeFile(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	check(t, os.WriteFile(path, data, 0o600))
	return path
}

// answered waits until the page's result has this title.
func answered(word string) action {
	return until(fmt.Sprintf(`document.querySelector("#said .word").textContent === %q`, word))
}

// stored waits until the page shows the stored photo with this width.
func stored(width int) action {
	return until(fmt.Sprintf(`document.querySelector("#after img")?.naturalWidth === %d`, width))
}

func choose(files ...string) action { return chromedp.SetUploadFiles(chromedp.CSS("#file"), files) }

func TestPageInABrowser(t *testing.T) {
	browser := newBrowser(t)
	for name, size := range map[string]struct {
		width, height int64
		dark          bool
	}{"desktop": {1280, 800, false}, "desktop_dark": {1280, 800, true}, "narrow": {320, 640, false}, "phone": {390, 844, false}, "phone_dark": {390, 844, true}} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, withPages)
			p := browser.open(t, f, PagePath, size.width, size.height, size.dark)
			p.picture(t, "empty")
			expect(t, p, `getComputedStyle(document.querySelector(".camera")).display !== "none"`, size.width < 600)
			uploadAndDelete(t, p, f)
			p.finish(t)
		})
	}
}

// uploadAndDelete sends a photo, replaces it, causes errors and deletes it.
func uploadAndDelete(t *testing.T, p *tab, f *fixture) {
	p.do(t, chromedp.SendKeys(chromedp.CSS("#key"), testKey), chromedp.SendKeys(chromedp.CSS("#phone"), testPhone), chromedp.SendKeys(chromedp.CSS("#pin"), testPIN),
		choose(realPhoto(t)), until(`!before.hidden && before.naturalWidth === 150`),
		chromedp.Click(chromedp.CSS("form button[type=submit]")), answered("Stored"), stored(150))
	expect(t, p, `document.getElementById("log-id").textContent`, "1")
	expect(t, p, `JSON.parse(json.textContent).url_customer_picture`, p.base+PhotosPath+string(testCustomer.PhotoKey()))
	if f.stored(t) == nil {
		t.Error("nothing is stored")
	}
	p.noScrollbar(t)
	p.picture(t, "stored")

	p.do(t, choose(writeFile(t, "other.jpg", testJPEG(t, 300, 200))), until(`before.naturalWidth === 300`),
		chromedp.Click(chromedp.CSS("form button[type=submit]")), stored(300)) // the address is the same
	second := f.stored(t)

	p.do(t, chromedp.SetValue(chromedp.CSS("#pin"), "9999"), chromedp.Click(chromedp.CSS("form button[type=submit]")), answered("Not accepted"))
	expect(t, p, `document.querySelector("#said .sentence").textContent`, "Nothing was changed. The reason is beside “PIN”.")
	expect(t, p, `document.querySelector("#pin-error .wire").textContent.split(";")[0]`, "Invalid PIN · customer_pin: it does not match")
	expect(t, p, `document.getElementById("status").textContent`, "403")
	p.noScrollbar(t)
	p.picture(t, "wrong_pin")
	p.do(t, chromedp.SetValue(chromedp.CSS("#pin"), testPIN), choose(writeFile(t, "notes.txt", []byte("no image"))),
		chromedp.Click(chromedp.CSS("form button[type=submit]")), until(`!document.getElementById("file-error").hidden`))
	expect(t, p, `document.querySelector("#file-error .words").textContent`, "This file can’t be read as a photo. Choose another one: JPEG, PNG, GIF or WebP, up to 1.0 MiB.")
	p.noScrollbar(t)
	p.picture(t, "no_image")
	if !bytes.Equal(f.stored(t), second) {
		t.Error("a refused call changed the photo")
	}

	p.do(t, chromedp.Click(chromedp.CSS("#delete")), chromedp.Click(chromedp.CSS("#delete-now")), answered("Deleted"), until(`after.hidden`))
	if f.stored(t) != nil {
		t.Error("the photo is still stored")
	}
	p.picture(t, "deleted")
	expect(t, p, `localStorage.length + sessionStorage.length + document.cookie.length`, 0)
	expect(t, p, `location.href`, p.base+PagePath)
	p.do(t, chromedp.Reload())
	expect(t, p, `key.value + phone.value + pin.value`, "")
}

// TestPageTakesDropsAndKeys drops a photo on the zone and reaches every control with
// the Tab key.
func TestPageTakesDropsAndKeys(t *testing.T) {
	prefill := Prefill{testKey, testPhone, testPIN}
	f := newFixture(t, withPages, func(o *Options) { o.Prefill = prefill })
	p := newBrowser(t).open(t, f, PagePath, 1200, 800, false)
	x, y := value[float64](t, p, `drop.getBoundingClientRect().x + 50`), value[float64](t, p, `drop.getBoundingClientRect().y + 20`)
	data := &input.DragData{Items: []*input.DragDataItem{}, Files: []string{realPhoto(t)}, DragOperationsMask: 1}
	for _, event := range []input.DispatchDragEventType{input.DispatchDragEventTypeDragEnter, input.DispatchDragEventTypeDragOver, input.DispatchDragEventTypeDrop} {
		_, err := chromedp.Call(p, input.DispatchDragEvent, input.DispatchDragEventParams{Type: event, X: x, Y: y, Data: data})
		check(t, err)
	}
	p.do(t, until(`before.naturalWidth === 150`))

	var reached []string
	for range 9 {
		p.do(t, chromedp.KeyEvent(kb.Tab))
		reached = append(reached, value[string](t, p, `document.activeElement.id || document.activeElement.textContent`))
	}
	if got, want := strings.Join(reached, ", "), "fleetphoto, Try it, Docs, key, phone, pin, file, remove, Send the photo"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	expect(t, p, `getComputedStyle(document.activeElement).outlineStyle`, "solid")
	p.do(t, chromedp.KeyEvent(kb.Enter), answered("Stored"), stored(150))
	p.finish(t)
}

// TestPageShowsPhotosOfAStoreWithAnAddress: the page's policy allows the store's
// photos, and the page leaves a signed address unchanged.
func TestPageShowsPhotosOfAStoreWithAnAddress(t *testing.T) {
	const signed = "/b/452733_photo.jpg?signature=00ff"
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RequestURI() != signed {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		_, _ = w.Write(testJPEG(t, 31, 20))
	}))
	t.Cleanup(store.Close)
	f := newFixture(t, withPages, func(o *Options) {
		o.Prefill = Prefill{testKey, testPhone, testPIN}
		located(store.URL+signed, nil)(o)
		o.Photos = nil
	})
	p := newBrowser(t).open(t, f, PagePath, 600, 400, false)
	p.do(t, choose(realPhoto(t)), chromedp.Click(chromedp.CSS("form button[type=submit]")), answered("Stored"), stored(31))
	p.finish(t)
}

// TestWatchingATabNoticesWhatIsForbidden tests the tab that the other tests rely on.
func TestWatchingATabNoticesWhatIsForbidden(t *testing.T) {
	browser := newBrowser(t)
	for forbidden, want := range map[string]string{
		`new Image().src = "http://elsewhere.example/x.png"`:                                        "img-src",
		`document.body.append(Object.assign(document.createElement("script"), {textContent: "1"}))`: "script-src",
		`document.body.setAttribute("style", "color: red")`:                                         "style-src",
		`fetch("http://elsewhere.example/").catch(() => {})`:                                        "connect-src",
		`console.error("amiss")`:                                                                    "console.error",
		`setTimeout(() => { throw new Error("amiss") })`:                                            "amiss",
	} {
		p := browser.open(t, newFixture(t, withPages), PagePath, 600, 400, false)
		value[int](t, p, forbidden+"; new Promise(done => setTimeout(() => done(0)))")
		p.mutex.Lock()
		if !strings.Contains(strings.Join(p.amiss, "\n"), want) {
			t.Errorf("%s: got %q, want %s", forbidden, p.amiss, want)
		}
		p.mutex.Unlock()
	}
}
