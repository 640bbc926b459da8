package httpapi

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// inView waits until the whole element is on the screen.
func inView(t *testing.T, p *tab, element string) {
	t.Helper()
	p.do(t, until(fmt.Sprintf(`((r) => r.height > 0 && r.top >= 0 && r.bottom <= innerHeight)(%s.getBoundingClientRect())`, element)))
}

func TestPageRefusesAFileOverTheLimit(t *testing.T) {
	p, f := openDemo(t, newBrowser(t), 390)
	most := f.Update.Reader.Limits().MaxBytes
	p.do(t, choose(writeFile(t, "whole.jpg", make([]byte, most))), until(`photo?.name === "whole.jpg"`))
	expect(t, p, `!!document.querySelector("[aria-invalid]")`, false)
	p.do(t, choose(writeFile(t, "over.jpg", make([]byte, most+1))), until(`document.querySelector("[aria-invalid]")`))
	want := told{"file", "", "over.jpg has 1.1 MiB; the limit is 1.0 MiB. Choose a smaller one.", "Photo Too Large · refused by this page; nothing was sent"}
	if got := value[told](t, p, readTold); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	expect(t, p, `photo === null && file.value === "" && document.getElementById("remove").hidden`, true)
	inView(t, p, `document.getElementById("file-error")`)
	p.noScrollbar(t)
	p.picture(t, "over")
	p.do(t, choose(realPhoto(t)), until(`before.naturalWidth === 150 && !document.querySelector("[aria-invalid]")`))
	p.finish(t)
}

func TestPageTakesAChosenPhotoAway(t *testing.T) {
	p, _ := openDemo(t, newBrowser(t), 390)
	invitation := value[string](t, p, `chosen.innerHTML`)
	for range 2 { // the same file again
		p.do(t, choose(realPhoto(t)), until(`!before.hidden && before.naturalWidth === 150`), chromedp.Click(chromedp.CSS("#remove")), until(`before.hidden`))
		expect(t, p, `chosen.innerHTML`, invitation)
		expect(t, p, `photo === null && file.value === "" && document.getElementById("remove").hidden`, true)
		expect(t, p, `document.activeElement.id`, "file")
	}
	p.do(t, press()...)
	want := told{"file", "", "Choose a photo first.", "Type Error · photo_base64: it is missing; send the image in Base64, or the word delete"}
	if got := value[told](t, p, readTold); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	p.finish(t)
}

func TestPageAsksBeforeItDeletes(t *testing.T) {
	p, f := openDemo(t, newBrowser(t), 390)
	p.do(t, choose(realPhoto(t)), chromedp.Click(chromedp.CSS("form button[type=submit]")), answered("Stored"))
	for _, back := range []action{chromedp.KeyEvent(kb.Escape), chromedp.KeyEvent(kb.Enter), chromedp.Click(chromedp.CSS("#keep"))} {
		p.do(t, chromedp.Click(chromedp.CSS("#delete")), until(`sure.open && document.activeElement.id === "keep"`))
		expect(t, p, `whose.innerText`, testPhone)
		p.do(t, back, until(`!sure.open && document.activeElement.id === "delete"`))
	}
	expect(t, p, `said.className`, "done")
	if f.stored(t) == nil {
		t.Fatal("the photo is gone")
	}
	p.do(t, chromedp.Click(chromedp.CSS("#delete")), until(`sure.open`))
	p.noScrollbar(t)
	p.picture(t, "asked")
	p.do(t, chromedp.Click(chromedp.CSS("#delete-now")), answered("Deleted"))
	if f.stored(t) != nil {
		t.Error("the photo is still stored")
	}
	p.finish(t)
}

// TestPageShowsTheAnswerOnAPhone: the page scrolls to the answer below the form, and
// respects the system's setting for reduced motion.
func TestPageShowsTheAnswerOnAPhone(t *testing.T) {
	p, _ := openDemo(t, newBrowser(t), 390)
	p.do(t, choose(realPhoto(t)), until(`!before.hidden`), chromedp.Click(chromedp.CSS("form button[type=submit]")), answered("Stored"), stored(150))
	inView(t, p, `said`)
	inView(t, p, `document.querySelector("#after img")`)
	p.do(t, chromedp.Evaluate[chromedp.Void](`scrollTo(0, 0)`), answerWith(http.StatusInternalServerError, "", `{"result":"error","error":"Internal Error","detail":""}`))
	p.do(t, press()...)
	inView(t, p, `said`)

	p.do(t, chromedp.Evaluate[chromedp.Void](`Element.prototype.scrollIntoView = (options) => { window.moved = options.behavior }; 0`))
	for setting, want := range map[string]string{"reduce": "auto", "no-preference": "smooth"} {
		_, err := chromedp.Call(p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-reduced-motion", Value: setting}}})
		check(t, err)
		p.do(t, press()...)
		expect(t, p, `window.moved`, want)
	}
	p.finish(t)
}

// TestUnknownPathInABrowser: the page's links and style sheet work at any depth, also
// below a proxy's path.
func TestUnknownPathInABrowser(t *testing.T) {
	browser := newBrowser(t)
	for _, path := range []string{"/nothing", "/a/b%2Fc/d", "//x/"} {
		p := browser.open(t, newFixture(t, withPages), path, 390, 844, false)
		expect(t, p, `[...document.links].map((a) => a.href).join(" ")`, fmt.Sprintf("%[1]s/ %[1]s/ %[1]s/docs %[1]s/ %[1]s/docs", p.base))
		expect(t, p, `getComputedStyle(document.querySelector(".brand")).display`, "flex")
		p.noScrollbar(t)
		p.finish(t)
	}
}
