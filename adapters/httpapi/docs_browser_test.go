package httpapi

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/fleetphoto/fleetphoto/adapters/httpapi/internal/parameters"
)

// TestDocsInABrowser reads an example and tries the call with a real photo.
func TestDocsInABrowser(t *testing.T) {
	browser := newBrowser(t)
	for name, size := range map[string]struct {
		width int64
		dark  bool
	}{"desktop": {1280, false}, "desktop_dark": {1280, true}, "narrow": {320, false}, "phone_dark": {390, true}} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, withPages)
			p := browser.open(t, f, DocsPath, size.width, 800, size.dark)
			p.do(t, rendered())
			p.noScrollbar(t)
			p.picture(t, "rendered")
			expect(t, p, `getComputedStyle(viewer).backgroundColor`, map[bool]string{false: "rgb(255, 255, 255)", true: "rgb(25, 31, 40)"}[size.dark])
			for i, e := range examples() {
				tab := chromedp.CSS(".examples label:nth-of-type(" + string(rune('1'+i)) + ")")
				p.do(t, chromedp.Click(tab))
				got := value[string](t, p, `document.querySelector(".example:nth-of-type(`+string(rune('1'+i))+`) pre").innerText`)
				if want := strings.ReplaceAll(e.Code, shownBase, p.base); got != want {
					t.Errorf("%s: got %s, want %s", e.Language, got, want)
				}
			}
			tryIt(t, p, f)
			p.noScrollbar(t)
			expect(t, p, `viewer.scrollWidth - viewer.clientWidth`, 0)
			p.finish(t)
		})
	}
}

// TestDocsCopyExamples copies with a clipboard, with one that is denied to the page,
// and without one, as on a page without TLS.
func TestDocsCopyExamples(t *testing.T) {
	p := newBrowser(t).open(t, newFixture(t, withPages), DocsPath, 390, 844, false)
	p.do(t, chromedp.Evaluate[chromedp.Void](`document.addEventListener("copy", () => { window.taken = getSelection().toString() })`))
	const copied = "Copied"
	for clipboard, want := range map[string]string{
		`navigator.clipboard`: copied, // as it is
		`{ writeText: async (text) => { window.taken = text } }`:                             copied,
		`{ writeText: () => Promise.reject(new DOMException("closed", "NotAllowedError")) }`: copied,
		`undefined`: copied,
		`(document.execCommand = () => { window.taken = getSelection().toString(); return false }, undefined)`: "Selected; copy it with your keyboard or menu",
	} {
		p.do(t, chromedp.Evaluate[chromedp.Void](`delete document.execCommand; window.taken = "" ; Object.defineProperty(navigator, "clipboard", { configurable: true, value: `+clipboard+` }); 0`))
		for i := range examples() {
			example := fmt.Sprintf(".example:nth-of-type(%d)", i+1)
			said := fmt.Sprintf(`document.querySelector("%s [role=status]").innerText`, example)
			p.do(t, chromedp.Click(chromedp.CSS(fmt.Sprintf(".examples label:nth-of-type(%d)", i+1))),
				chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`document.querySelector("%s [role=status]").textContent = ""`, example)),
				chromedp.Click(chromedp.CSS(example+" button")), until(said))
			expect(t, p, said, want)
			if clipboard != `navigator.clipboard` {
				expect(t, p, fmt.Sprintf(`window.taken === document.querySelector("%s code").textContent`, example), true)
			}
		}
	}
	p.finish(t)
}

// rendered waits until Swagger UI shows the operation.
func rendered() action { return until(`document.querySelector(".opblock .responses-table")`) }

// tryIt makes Swagger UI send a photo as a file, the word delete and a call that is
// refused.
func tryIt(t *testing.T, p *tab, f *fixture) {
	const kind = ".opblock-section-request-body select.content-type"
	p.do(t, chromedp.Click(chromedp.CSS(".try-out__btn")), set(kind, "multipart/form-data"), until(`document.querySelector("[data-property-name=photo_base64] input[type=file]")`))
	for name, text := range map[string]string{parameters.APIKey: testKey, parameters.Phone: testPhone, parameters.PIN: testPIN} {
		p.do(t, set("[data-property-name="+name+"] input", text))
	}
	p.do(t, chromedp.SetUploadFiles(chromedp.CSS("[data-property-name=photo_base64] input"), []string{realPhoto(t)}),
		chromedp.Click(chromedp.CSS(".execute")), answeredBy("200", `"valid"`))
	if f.stored(t) == nil {
		t.Error("no photo is stored")
	}
	p.picture(t, "executed")

	p.do(t, set(kind, typeJSON), until(`document.querySelector("textarea.body-param__text")`))
	for _, call := range []struct{ body, status, word string }{
		{string(callJSON(t, "delete")), "200", `"url_customer_picture": ""`},
		{"{}", "400", "Type Error"},
	} {
		p.do(t, set("textarea.body-param__text", call.body), chromedp.Click(chromedp.CSS(".execute")), answeredBy(call.status, call.word))
	}
	if f.stored(t) != nil {
		t.Error("the photo is still stored")
	}
}

// answeredBy waits for Swagger UI to show an answer.
func answeredBy(status, text string) action {
	const row = `document.querySelector(".live-responses-table .response")`
	return until(fmt.Sprintf(`%s?.querySelector(".response-col_status").innerText.startsWith(%q) && %s.innerText.includes(%q)`, row, status, row, text))
}

// set changes the value of an element that React controls, as typing would.
func set(selector, text string) action {
	const program = `(() => {
		const e = document.querySelector(%q);
		Object.getOwnPropertyDescriptor(Object.getPrototypeOf(e), "value").set.call(e, %q);
		e.dispatchEvent(new Event(e.matches("select") ? "change" : "input", { bubbles: true }));
		e.dispatchEvent(new Event("focusout", { bubbles: true })); // until then Swagger UI may wait for more
	})()`
	return chromedp.Evaluate[chromedp.Void](fmt.Sprintf(program, selector, text))
}
