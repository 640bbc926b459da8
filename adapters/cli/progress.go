package cli

import (
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/schollz/progressbar/v3"
)

// tellEvery is the least time between two lines of progress in the log.
const tellEvery = 3 * time.Second

// progress shows how far long work has come, with a bar on a terminal and with
// lines in the log elsewhere.
type progress struct {
	bar    *progressbar.ProgressBar // nil: no terminal
	logger *slog.Logger
	next   time.Time // when the next line is due
}

// newProgress begins to show progress towards total, or -1 if that is unknown.
// Options say how the bar counts.
func (e environment) newProgress(name string, total int64, options ...progressbar.Option) *progress {
	p := &progress{logger: e.logger, next: time.Now().Add(tellEvery)}
	if isTerminal(e.errOut) {
		p.bar = progressbar.NewOptions64(total, append(options, progressbar.OptionSetWriter(e.errOut), progressbar.OptionSetDescription(name),
			progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())...)
	}
	return p
}

// reading returns a reader of in whose bytes the bar counts.
func (p *progress) reading(in io.Reader) io.Reader {
	if p.bar == nil {
		return in
	}
	reader := progressbar.NewReader(in, p.bar)
	return &reader
}

// counted sets how many are done.
func (p *progress) counted(done int) {
	if p.bar != nil {
		_ = p.bar.Set(done) // if it fails, only the display is wrong
	}
}

// tell shows how far the work is. Counts go to the log only.
func (p *progress) tell(reached string, counts ...any) {
	reached = printable(reached)
	switch {
	case p.bar != nil:
		p.bar.Describe(reached)
	case !time.Now().Before(p.next):
		p.next = time.Now().Add(tellEvery)
		p.logger.Info(reached, counts...)
	}
}

// printf prints a line of the result without breaking the bar.
func (p *progress) printf(out io.Writer, format string, args ...any) {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
	_, _ = fmt.Fprintf(out, format, args...) // the summary fails too
}

func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Finish() // which clears it
	}
}
