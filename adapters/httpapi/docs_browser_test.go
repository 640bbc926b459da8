package httpapi

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestDocsInABrowser reads an example and tries the call with a real photo.
func TestDocsInABrowser(t *testing.T) {
	browser := newBrowser(t)
	for name, size := range map[string]struct {
		width int64
		dark  bool
	}{"desktop": {1200, false}, "phone": {320, false}, "dark": {1200, true}} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, withPages)
			p := browser.open(t, f, DocsPath, size.width, 800, size.dark)
			p.do(t, rendered())
			p.noScrollbar(t)
			p.picture(t, "rendered")
			for i, e := range examples() {
				tab := chromedp.CSS(".examples label:nth-of-type(" + string(rune('1'+i)) + ")")
				p.do(t, chromedp.Click(tab))
				got := value[string](t, p, `document.querySelector(".examples pre:nth-of-type(`+string(rune('1'+i))+`)").innerText`)
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

// rendered waits until Swagger UI shows the operation.
func rendered() action { return until(`document.querySelector(".opblock .responses-table")`) }

// tryIt has Swagger UI send a photo as a file, the word delete, and a call
// that is refused.
func tryIt(t *testing.T, p *tab, f *fixture) {
	const kind = ".opblock-section-request-body select.content-type"
	p.do(t, chromedp.Click(chromedp.CSS(".try-out__btn")), set(kind, "multipart/form-data"), until(`document.querySelector("[data-property-name=photo_base64] input[type=file]")`))
	for name, text := range map[string]string{fieldAPIKey: testKey, fieldPhone: testPhone, fieldPIN: testPIN} {
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

// set gives an element of React's the value that a person would.
func set(selector, text string) action {
	const program = `(() => {
		const e = document.querySelector(%q);
		Object.getOwnPropertyDescriptor(Object.getPrototypeOf(e), "value").set.call(e, %q);
		e.dispatchEvent(new Event(e.matches("select") ? "change" : "input", { bubbles: true }));
		e.dispatchEvent(new Event("focusout", { bubbles: true })); // until then Swagger UI may wait for more
	})()`
	return chromedp.Evaluate[chromedp.Void](fmt.Sprintf(program, selector, text))
}
