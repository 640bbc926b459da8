package httpapi

import (
	"cmp"
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// artefactsVariable is the variable with the folder for screenshots. The default is
// in the temporary folder.
const artefactsVariable = "FLEETPHOTO_TEST_ARTEFACTS"

// browserFlags let the browser reach this machine and nothing else.
var browserFlags = []chromedp.ExecAllocatorOption{
	chromedp.Flag("headless", true), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
	chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
	chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
	chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("disable-extensions", true),
	chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"),
}

// browser is a running Chromium.
type browser struct{ context.Context }

// newBrowser starts a browser that ends with the test.
func newBrowser(t *testing.T) browser {
	t.Helper()
	var program string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if found, err := exec.LookPath(name); err == nil && program == "" {
			program = found
		}
	}
	if program == "" {
		lacks(t, "browser", "neither Chromium nor Chrome is installed: the pages were not tried in a browser")
	}
	const enough = 3 * time.Minute
	ctx, cancelTime := context.WithTimeout(context.Background(), enough)
	folder, err := os.MkdirTemp("", "chromium") //nolint:usetesting // a child that ends late must not fail the test
	check(t, err)
	ctx, cancelAllocator := chromedp.NewExecAllocator(ctx, append(slices.Clone(browserFlags), chromedp.ExecPath(program), chromedp.Env("TMPDIR="+folder))...)
	ctx, _ = chromedp.NewContext(ctx) // ended by Cancel
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx) // it is killed next
		cancelAllocator()
		cancelTime()
		_ = os.RemoveAll(folder) // temporary
	})
	check(t, chromedp.Do(ctx))
	return browser{ctx}
}

// tab is a page in a browser. It collects what must not happen.
type tab struct {
	context.Context
	base  string
	width int64
	mutex sync.Mutex
	amiss []string // messages, violations of the policy, requests to other hosts
}

// open opens a tab at a path of a server with the pages, of the given size.
func (b browser) open(t *testing.T, f *fixture, path string, width, height int64, dark bool) *tab {
	t.Helper()
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	ctx, cancel := chromedp.NewContext(b)
	t.Cleanup(cancel)
	p := &tab{Context: ctx, base: server.URL, width: width}
	check(t, chromedp.Listen(ctx, p.notice))
	scheme := map[bool]string{false: "light", true: "dark"}[dark]
	_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}})
	check(t, err)
	p.do(t, chromedp.EmulateViewport(width, height, phone(width)), chromedp.Navigate(p.base+path))
	return p
}

// phone emulates a phone if the screen is narrow.
func phone(width int64) chromedp.EmulateViewportOption {
	return func(screen *emulation.SetDeviceMetricsOverrideParams, touch *emulation.SetTouchEmulationEnabledParams) {
		screen.Mobile, touch.Enabled = width < 600, width < 600
	}
}

func (p *tab) notice(event any) {
	amiss := ""
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		const here = "http://127.0.0.1:"
		if u := e.Request.URL; !strings.HasPrefix(strings.TrimPrefix(u, "blob:"), here) && !strings.HasPrefix(u, "data:") {
			amiss = "a request to " + u
		}
	case *log.EventEntryAdded: // the status of a failed call is a "network" entry
		if e.Entry.Source != log.EntrySourceNetwork {
			amiss = fmt.Sprintf("%s: %s", e.Entry.Source, e.Entry.Text)
		}
	case *runtime.EventConsoleAPICalled:
		amiss = fmt.Sprintf("console.%s", e.Type)
		for _, argument := range e.Args {
			amiss += " " + string(argument.Value)
		}
	case *runtime.EventExceptionThrown:
		amiss = fmt.Sprintf("%s %v", e.ExceptionDetails.Text, e.ExceptionDetails.Exception)
	}
	if amiss != "" {
		p.mutex.Lock()
		defer p.mutex.Unlock()
		p.amiss = append(p.amiss, amiss)
	}
}

// finish fails the test for everything in amiss.
func (p *tab) finish(t *testing.T) {
	t.Helper()
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for _, a := range p.amiss {
		t.Error(a)
	}
}

// action does something in a tab.
type action = chromedp.Action[chromedp.Void]

// do runs actions. If one fails, it takes a screenshot and fails the test.
func (p *tab) do(t *testing.T, actions ...action) {
	t.Helper()
	ctx, cancel := context.WithTimeout(p, 30*time.Second)
	defer cancel()
	for i, a := range actions {
		if err := chromedp.Do(ctx, a); err != nil {
			p.picture(t, "failed")
			t.Fatalf("step %d: %v", i+1, err)
		}
	}
}

// until waits for a JavaScript expression to be true.
func until(expression string) action {
	return func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.Poll[bool]("!!("+expression+")")(ctx, target)
		return chromedp.Void{}, err
	}
}

// value evaluates a JavaScript expression, which may be a promise.
func value[T any](t *testing.T, p *tab, expression string) T {
	t.Helper()
	v, err := chromedp.Run(p, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		p.picture(t, "failed")
		t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// expect compares the value of a JavaScript expression.
func expect[T comparable](t *testing.T, p *tab, expression string, want T) {
	t.Helper()
	if got := value[T](t, p, expression); got != want {
		t.Errorf("%s: got %v, want %v", expression, got, want)
	}
}

// picture keeps a screenshot of the whole page.
func (p *tab) picture(t *testing.T, name string) {
	t.Helper()
	data, err := chromedp.Run(p, chromedp.FullScreenshot(100))
	if err != nil {
		t.Logf("no screenshot of %s: %v", name, err)
		return
	}
	file := filepath.Join(artefacts(t), strings.ReplaceAll(t.Name(), "/", "_")+"_"+name+".png")
	check(t, os.WriteFile(file, data, 0o600))
	t.Logf("screenshot: %s", file)
}

// noScrollbar fails if an element is wider than the screen. Phones then enlarge the
// window, so it checks that too.
func (p *tab) noScrollbar(t *testing.T) {
	t.Helper()
	wider := fmt.Sprintf(`[...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > %d && !e.closest("pre")).map(e => e.outerHTML.slice(0, 80))`, p.width)
	if wide := value[int64](t, p, "Math.max(innerWidth, document.documentElement.scrollWidth)"); wide > p.width {
		t.Errorf("the page is %d wide on a screen of %d; too wide are:\n%s", wide, p.width, strings.Join(value[[]string](t, p, wider), "\n"))
	}
}

// artefacts returns the folder for screenshots, which outlives the test.
func artefacts(t *testing.T) string {
	t.Helper()
	folder := cmp.Or(os.Getenv(artefactsVariable), filepath.Join(os.TempDir(), "fleetphoto-artefacts"))
	check(t, os.MkdirAll(folder, 0o750))
	return folder
}
