package app

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/operator"
)

// sayEvery is how often the log says how far a walk has come.
const sayEvery = 5 * time.Second

// place is a customer, written as FLEET/CUSTOMER.
type place domain.CustomerRef

// String returns FLEET/CUSTOMER.
func (p place) String() string { return fmt.Sprintf("%d/%d", p.Fleet, p.Customer) }

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *place) UnmarshalText(text []byte) error {
	var read place
	var rest string
	if n, _ := fmt.Sscanf(string(text)+" .", "%d/%d %s", &read.Fleet, &read.Customer, &rest); n != 3 || rest != "." || read.Fleet < 0 || read.Customer < 0 {
		return errors.New("want FLEET/CUSTOMER, such as 689/452733")
	}
	*p = read
	return nil
}

// progress shows how far a walk over all customers has come: as a counter on a
// terminal, elsewhere as lines in the log.
type progress struct {
	logger  *slog.Logger
	counter *progressbar.ProgressBar // nil where there is no terminal
	said    time.Time
}

func newProgress(logger *slog.Logger) *progress {
	p := &progress{logger: logger, said: time.Now()}
	if info, err := os.Stderr.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
		p.counter = progressbar.NewOptions(-1, progressbar.OptionSetWriter(os.Stderr), progressbar.OptionSetDescription("customers"),
			progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString("customers"), progressbar.OptionClearOnFinish())
	}
	return p
}

// passed is told after each page.
func (p *progress) passed(reached operator.Progress) {
	switch {
	case p.counter != nil:
		p.counter.Describe("up to " + place(reached.After).String())
		_ = p.counter.Set(reached.Customers) // only what is shown fails
	case time.Since(p.said) >= sayEvery:
		p.said = time.Now()
		p.logger.Info("going on", slog.Int("customers", reached.Customers), slog.String("after", place(reached.After).String()))
	}
}

// printf prints a line of the result, not into the counter.
func (p *progress) printf(out io.Writer, format string, args ...any) {
	if p.counter != nil {
		_ = p.counter.Clear()
	}
	_, _ = fmt.Fprintf(out, format, args...) // the summary fails too
}

func (p *progress) end() {
	if p.counter != nil {
		_ = p.counter.Finish()
	}
}
