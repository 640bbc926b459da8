package httpapi

import (
	"fmt"
	"os"
	"testing"

	"github.com/chromedp/chromedp"
)

// axeVariable names axe-core's axe.min.js.
const axeVariable = "FLEETPHOTO_TEST_AXE"

// TestPagesAreAccessible has axe-core look for what keeps people out: missing
// names and roles, too little contrast, what a keyboard doesn't reach.
func TestPagesAreAccessible(t *testing.T) {
	path := os.Getenv(axeVariable)
	if path == "" {
		lacks(t, "axe", axeVariable+" names no axe.min.js: accessibility was not checked")
	}
	program, err := os.ReadFile(path)
	check(t, err)
	browser := newBrowser(t)
	for name, dark := range map[string]bool{"light": false, "dark": true} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, withPages, func(o *Options) { o.Prefill = Prefill{testKey, testPhone, testPIN} })
			p := browser.open(t, f, PagePath, 800, 800, dark)
			p.do(t, chromedp.Evaluate[chromedp.Void](string(program)))
			p.accessible(t, "body")
			p.do(t, choose(realPhoto(t)), chromedp.Click(chromedp.CSS("form button[type=submit]")), answered("Stored"), stored(150))
			p.accessible(t, "body")
			p.do(t, chromedp.SetValue(chromedp.CSS("#pin"), "9999"), chromedp.Click(chromedp.CSS("#delete")), answered("Invalid PIN"))
			p.accessible(t, "body")

			p = browser.open(t, f, DocsPath, 800, 800, dark)
			p.do(t, rendered(), chromedp.Evaluate[chromedp.Void](string(program)))
			p.accessible(t, "header, main > :not(#viewer)")
			p.do(t, chromedp.Click(chromedp.CSS(".try-out__btn")), until(`document.querySelector(".execute")`))
			p.readable(t, "#viewer") // the rest of Swagger UI is as it is
		})
	}
}

// accessible fails for what axe-core finds in the elements of a CSS selector.
func (p *tab) accessible(t *testing.T, selector string) {
	t.Helper()
	p.axe(t, fmt.Sprintf("%q", selector))
}

// readable fails for too little contrast in the elements of a CSS selector.
func (p *tab) readable(t *testing.T, selector string) {
	t.Helper()
	p.axe(t, fmt.Sprintf(`%q, {runOnly: ["color-contrast"]}`, selector))
}

func (p *tab) axe(t *testing.T, arguments string) {
	t.Helper()
	const run = `axe.run(%s).then(r => r.violations.flatMap(v => v.nodes.map(n => v.id + ": " + n.html + " " + n.failureSummary)))`
	for _, violation := range value[[]string](t, p, fmt.Sprintf(run, arguments)) {
		t.Error(violation)
	}
}
