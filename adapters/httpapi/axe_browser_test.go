package httpapi

import (
	"os"
	"testing"

	"github.com/chromedp/chromedp"
)

// axeVariable is the variable with the path of axe-core's axe.min.js.
const axeVariable = "FLEETPHOTO_TEST_AXE"

// TestPagesAreAccessible runs axe-core, which finds missing names and roles, too
// little contrast and elements that a keyboard can't reach.
func TestPagesAreAccessible(t *testing.T) {
	path := os.Getenv(axeVariable)
	if path == "" {
		lacks(t, "axe", axeVariable+" names no axe.min.js: accessibility was not checked")
	}
	program, err := os.ReadFile(path)
	check(t, err)
	browser := newBrowser(t)
	for name, screen := range map[string]struct {
		width int64
		dark  bool
	}{"light": {1280, false}, "dark": {1280, true}, "phone": {390, false}, "phone_dark": {390, true}} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, withPages, func(o *Options) { o.Prefill = Prefill{testKey, testPhone, testPIN} })
			open := func(path string) *tab {
				p := browser.open(t, f, path, screen.width, 844, screen.dark)
				p.do(t, chromedp.Evaluate[chromedp.Void](string(program)))
				return p
			}
			p := open(PagePath)
			p.accessible(t)
			p.do(t, choose(realPhoto(t)), chromedp.Click(chromedp.CSS("form button[type=submit]")), answered("Stored"), stored(150))
			p.accessible(t)
			p.do(t, chromedp.Click(chromedp.CSS("#delete")), until(`sure.open`))
			p.accessible(t)
			p.picture(t, "confirm")
			p.do(t, chromedp.SetValue(chromedp.CSS("#pin"), "9999"), chromedp.Click(chromedp.CSS("#delete-now")), answered("Not accepted"))
			p.accessible(t)
			p.do(t, chromedp.Evaluate[chromedp.Void](`fetch = () => Promise.reject(new TypeError("cut off")); 0`))
			p.do(t, press()...)
			p.accessible(t)
			p.picture(t, "no_answer")

			p = open("/nothing")
			p.accessible(t)
			p.picture(t, "unknown")

			p = open(DocsPath)
			p.do(t, rendered())
			p.accessible(t)
			p.do(t, chromedp.Click(chromedp.CSS(".try-out__btn")), until(`document.querySelector(".execute")`))
			p.accessible(t)
		})
	}
}

// accessible fails for each violation that axe-core finds in the page.
func (p *tab) accessible(t *testing.T) {
	t.Helper()
	const run = `axe.run().then(r => r.violations.flatMap(v => v.nodes.map(n => v.id + ": " + n.html + " " + n.failureSummary)))`
	for _, violation := range value[[]string](t, p, run) {
		t.Error(violation)
	}
}
