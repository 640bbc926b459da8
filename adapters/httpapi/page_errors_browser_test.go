package httpapi

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// told is the page's message about a failed call: either beside a field, which has
// the focus, or under a title.
type told struct{ Field, Title, Words, Wire string }

const readTold = `(() => {
	const error = document.querySelector(".error:not([hidden])");
	const at = error ?? said;
	const field = document.querySelector("[aria-invalid=true]")?.id ?? "";
	const whole = !error || field === document.activeElement.id && document.activeElement.getAttribute("aria-describedby").split(" ").includes(error.id);
	return {
		field: whole ? field : "not described, or without the focus: " + field,
		title: error ? "" : said.querySelector(".word").innerText,
		words: at.querySelector(error ? ".words" : ".sentence").innerText,
		wire: at.querySelector(".wire").innerText,
	};
})()`

// press sends the form and waits for the call to fail.
func press() []action {
	return []action{
		chromedp.Evaluate[chromedp.Void](`said.className = ""`),
		chromedp.Click(chromedp.CSS("form button[type=submit]")), until(`said.className === "failed"`),
	}
}

// answerWith replaces the answers to the page's calls.
func answerWith(status int, retryAfter, body string) action {
	const program = `fetch = async () => new Response(%q, { status: %d, headers: { "Retry-After": %q } }); 0`
	return chromedp.Evaluate[chromedp.Void](fmt.Sprintf(program, body, status, retryAfter))
}

// openDemo opens the prefilled page in London at 13:50:10.
func openDemo(t *testing.T, b browser, width int64) (*tab, *fixture) {
	t.Helper()
	f := newFixture(t, withPages, func(o *Options) { o.Prefill = Prefill{testKey, testPhone, testPIN} })
	p := b.open(t, f, PagePath, width, 844, false)
	_, err := chromedp.Call(p, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: "Europe/London"})
	check(t, err)
	_, err = chromedp.Call(p, emulation.SetLocaleOverride, emulation.SetLocaleOverrideParams{Locale: "en-GB"})
	check(t, err)
	p.do(t, chromedp.Evaluate[chromedp.Void](`Date.now = () => Date.UTC(2026, 0, 5, 13, 50, 10); 0`))
	return p, f
}

const (
	notUnderstood   = "The API refused the call, or something between it and this page answered in its place. The answer is below."
	tooManyHeaders  = "The browser, an extension or a proxy adds more to the call than the server takes. Try a private window."
	wrongServerName = "The API doesn’t answer under the name in this page’s address. Open the page under the name that its operator gave you."
)

// TestPageHasWordsForEveryFailure goes through the server's failures, with the table's
// statuses and with status 200.
func TestPageHasWordsForEveryFailure(t *testing.T) {
	want := map[string]told{
		"400 Type Error":          {Field: "phone", Words: "Enter the number in digits, beginning with the country code, such as 447700900123."},
		"415 Type Error":          {Title: "Not understood", Words: notUnderstood},
		"431 Type Error":          {Title: "Too many headers", Words: tooManyHeaders},
		"401 Invalid Hash ID":     {Field: "key", Words: "The server knows no such key. Compare it with the one that your fleet gave out; it may have been replaced."},
		"403 Fleet Disabled":      {Field: "key", Words: "The key is right, but its fleet is switched off. Ask whoever runs this server."},
		"403 Invalid PIN":         {Field: "pin", Words: "This isn’t the customer’s PIN. A few wrong ones in a row lock it."},
		"404 Customer Not Found":  {Field: "phone", Words: "The fleet has no customer with this number. Check its digits, and that it begins with the country code."},
		"404 Not Found":           {Title: "Not understood", Words: notUnderstood},
		"405 Method Not Allowed":  {Title: "Not understood", Words: notUnderstood},
		"413 Photo Too Large":     {Field: "file", Words: "The photo is too large. Choose a smaller one, or save this one smaller."},
		"421 Not Found":           {Title: "Wrong server name", Words: wrongServerName},
		"429 PIN Locked":          {Field: "pin", Words: "Too many wrong PINs came, so the PIN is locked. It can be tried again at 14:06, in 15 minutes."},
		"429 Too Many Requests":   {Title: "Too many calls", Words: "The server is getting too many calls. Send this one again in 5 seconds."},
		"500 Internal Error":      {Title: "The server failed", Words: "That is its mistake, not yours. Tell whoever runs it the api_log_id below."},
		"503 Service Unavailable": {Title: "Not possible now", Words: "The server is busy, or can’t reach its storage. Send the call again in 5 seconds; that is safe."},
	}
	p, f := openDemo(t, newBrowser(t), 1280)
	seen := 0
	for _, failure := range f.exampleFailures() {
		name := fmt.Sprintf("%d %s", failure.status, failure.Word)
		expected := want[name]
		expected.Wire = string(failure.Word) + " · " + failure.Detail
		recorder := httptest.NewRecorder()
		failure.write(recorder)
		for _, status := range []int{failure.status, http.StatusOK} {
			p.do(t, append([]action{answerWith(status, recorder.Header().Get("Retry-After"), recorder.Body.String())}, press()...)...)
			if got := value[told](t, p, readTold); got != expected {
				t.Errorf("%s as %d: got %+v, want %+v", name, status, got, expected)
			}
		}
		seen++
	}
	if seen != len(want) {
		t.Errorf("got %d failures, want %d", seen, len(want))
	}
	p.finish(t)
}

// TestPageHasWordsForOtherFailures: answers other than the API's, no answer, and
// sentences that depend on the form.
func TestPageHasWordsForOtherFailures(t *testing.T) {
	envelope := func(word, detail string) string {
		return fmt.Sprintf(`{"result":"error","error":%q,"api_log_id":7,"detail":%q}`, word, detail)
	}
	const wide = "Too many wrong PINs came, so the PIN is locked. "
	p, _ := openDemo(t, newBrowser(t), 1280)
	for _, test := range []struct {
		status           int
		retryAfter, body string
		pin              string
		want             told
	}{
		{403, "", envelope("Invalid PIN", "customer_pin: it is blank"), "", told{"pin", "", "This fleet asks for the customer’s PIN. Enter it.", "Invalid PIN · customer_pin: it is blank"}},
		{429, "", envelope("PIN Locked", "customer_pin: ask"), testPIN, told{"pin", "", wide + "Only the fleet can unlock it: ask there.", "PIN Locked · customer_pin: ask"}},
		{429, "1", envelope("PIN Locked", "customer_pin: wait"), testPIN, told{"pin", "", wide + "It can be tried again in a second.", "PIN Locked · customer_pin: wait"}},
		{429, "60", envelope("PIN Locked", "customer_pin: wait"), testPIN, told{"pin", "", wide + "It can be tried again at 13:52, in 1 minute.", "PIN Locked · customer_pin: wait"}},
		{400, "", envelope("Type Error", "customer_pin: want 4"), testPIN, told{"pin", "", "A PIN has 4 to 12 digits. Leave it blank to send none.", "Type Error · customer_pin: want 4"}},
		{400, "", envelope("Type Error", "api_key: missing"), testPIN, told{"key", "", "Enter the API key that your fleet gave out: 25 letters and digits.", "Type Error · api_key: missing"}},
		{400, "", envelope("Type Error", "photo_base64: missing"), testPIN, told{"file", "", "Choose a photo first.", "Type Error · photo_base64: missing"}},
		{400, "", `null`, testPIN, told{"", "Not understood", notUnderstood, "Status 400"}},
		{413, "", `<h1>413</h1>`, testPIN, told{"file", "", "The file is too large for a server between this page and the API. Choose a smaller one.", "Status 413"}},
		{421, "", ``, testPIN, told{"", "Wrong server", "The connection reached a server that doesn’t serve this address. Reload the page and send again.", "Status 421"}},
		{429, "120", `<h1>429</h1>`, testPIN, told{"", "Too many calls", "A server between this page and the API is getting too many calls. Send this one again at 13:53, in 2 minutes.", "Status 429"}},
		{431, "", `431 Request Header Fields Too Large`, testPIN, told{"", "Too many headers", tooManyHeaders, "Status 431"}},
		{502, "", `<h1>502</h1>`, testPIN, told{"", "Not understood", notUnderstood, "Status 502"}},
	} {
		p.do(t, append([]action{answerWith(test.status, test.retryAfter, test.body), chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`pin.value = %q`, test.pin))}, press()...)...)
		if got := value[told](t, p, readTold); got != test.want {
			t.Errorf("%d %s: got %+v, want %+v", test.status, test.body, got, test.want)
		}
		expect(t, p, `document.getElementById("status").textContent`, strconv.Itoa(test.status))
	}

	p.do(t, append([]action{chromedp.Evaluate[chromedp.Void](`fetch = () => Promise.reject(new TypeError("cut off")); 0`)}, press()...)...)
	want := told{"", "No answer", "The connection failed or was cut off, so it is unknown whether anything was changed. Check your network and whether the server runs, then send the call again; that is safe.", ""}
	if got := value[told](t, p, readTold); got != want {
		t.Errorf("no answer: got %+v, want %+v", got, want)
	}
	p.finish(t)
}

// TestPageSaysHowLongAPINIsLocked with a real answer of the server, until the next
// input hides the error.
func TestPageSaysHowLongAPINIsLocked(t *testing.T) {
	p, _ := openDemo(t, newBrowser(t), 390)
	p.do(t, choose(realPhoto(t)), chromedp.SetValue(chromedp.CSS("#pin"), "9999"))
	for range 6 {
		p.do(t, press()...)
	}
	want := told{"pin", "", "Too many wrong PINs came, so the PIN is locked. It can be tried again at 14:06, in 15 minutes.", "PIN Locked · customer_pin: 5 wrong PINs in a row; wait until the lock ends"}
	if got := value[told](t, p, readTold); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	inView(t, p, `document.querySelector(".error:not([hidden])")`)
	p.picture(t, "locked")
	p.do(t, chromedp.SendKeys(chromedp.CSS("#pin"), "1"), until(`!document.querySelector(".error:not([hidden]), [aria-invalid]")`))
	p.finish(t)
}
