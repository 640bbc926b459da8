package cli

import (
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/schollz/progressbar/v3"
)

// tellEvery is how often the log says how far long work has come.
const tellEvery = 3 * time.Second

// progress shows how far long work has come: by a bar on a terminal, elsewhere
// by a line in the log now and then.
type progress struct {
	bar    *progressbar.ProgressBar // nil: lines
	logger *slog.Logger
	next   time.Time // when the next line is due
}

// newProgress begins to show progress on so many of something; -1: nobody
// knows how many. Options say how the bar counts.
func (e environment) newProgress(name string, total int64, options ...progressbar.Option) *progress {
	p := &progress{logger: e.logger, next: time.Now().Add(tellEvery)}
	if isTerminal(e.errOut) {
		p.bar = progressbar.NewOptions64(total, append(options, progressbar.OptionSetWriter(e.errOut), progressbar.OptionSetDescription(name),
			progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())...)
	}
	return p
}

// reading counts what is read from in.
func (p *progress) reading(in io.Reader) io.Reader {
	if p.bar == nil {
		return in
	}
	reader := progressbar.NewReader(in, p.bar)
	return &reader
}

// counted says how many are done.
func (p *progress) counted(done int) {
	if p.bar != nil {
		_ = p.bar.Set(done) // only what is shown fails
	}
}

// tell says how far the work is; counts are for the log alone.
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

// printf prints a line of the result, not into the bar.
func (p *progress) printf(out io.Writer, format string, args ...any) {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
	_, _ = fmt.Fprintf(out, format, args...) // the summary fails too
}

func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Finish() // it is cleared
	}
}
