package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/fleetphoto/fleetphoto/adapters/customercsv"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/operator"
)

// tellEvery is how often an import says how far it is, where there is no bar.
const tellEvery = 3 * time.Second

type customerImportCommand struct {
	Fleet    int64  `required:"" placeholder:"ID" help:"The fleet's number."`
	File     string `arg:"" help:"CSV with the columns id, phone and pin; -: from the standard input."`
	DryRun   bool   `help:"Only say what would be added and changed, as compared with what is stored now."`
	Rejected string `placeholder:"PATH" help:"Where to list the rows that aren't taken, with line and reason; left out: customers.rejected.csv for customers.csv."`
	FromLine int    `default:"1" placeholder:"N" help:"Go on with this line, after an import that was cut off."`
}

// Run imports until all is in or a signal comes. It fails where a row isn't taken.
func (c *customerImportCommand) Run(ctx context.Context, e environment, out io.Writer) error {
	fleet, err := domain.NewFleetID(c.Fleet)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	in, err := c.open()
	if err != nil {
		return fmt.Errorf("cannot read the customers: %w", err)
	}
	defer func() { _ = in.Close() }() // it was only read
	rejections := &rejections{path: c.rejectedPath(), input: in, goOn: c.FromLine > 1}
	return provision(ctx, e, func(ctx context.Context, customers *operator.ImportCustomers) error {
		progress := newImportProgress(e, in)
		report, err := customers.Do(ctx, operator.Import{
			Fleet: fleet, Rows: customercsv.Rows(untilEnded(ctx, progress.reading(in)), c.FromLine), DryRun: c.DryRun,
			Reject: rejections.add,
			Progress: func(report operator.ImportReport) {
				if rejections.flush() == nil { // or the end says it
					progress.tell(report)
				}
			},
		})
		progress.end()
		err = errors.Join(c.explain(ctx, report, err), rejections.close())
		return errors.Join(c.print(out, report), err, c.complain(report, rejections.path))
	})
}

func (c *customerImportCommand) open() (*os.File, error) {
	if c.File == standardStream {
		return os.Stdin, nil
	}
	return os.Open(c.File)
}

func (c *customerImportCommand) rejectedPath() string {
	switch {
	case c.Rejected != "":
		return c.Rejected
	case c.File == standardStream:
		return "customers.rejected.csv"
	}
	return strings.TrimSuffix(c.File, ".csv") + ".rejected.csv"
}

// explain says how to go on after an import that didn't come to its end.
func (c *customerImportCommand) explain(ctx context.Context, report operator.ImportReport, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		err = errors.New("a signal came")
	}
	if c.DryRun || report.Line == 0 {
		return err
	}
	return fmt.Errorf("the import was cut off: %w; all rows up to line %d are stored: go on with --from-line %d, or from the first line, which does no harm", err, report.Line, report.Line+1)
}

func (c *customerImportCommand) print(out io.Writer, report operator.ImportReport) error {
	would := ""
	if c.DryRun {
		would = "dry run, nothing is changed: "
	}
	_, err := fmt.Fprintf(out, "%s%d rows: %d added, %d changed, %d unchanged, %d rejected\n", would,
		report.Rows, report.Added, report.Changed, report.Unchanged, report.Rejected)
	return err
}

func (c *customerImportCommand) complain(report operator.ImportReport, path string) error {
	if report.Rejected == 0 {
		return nil
	}
	return fmt.Errorf("not all rows are in, %d rejected; %s has their lines and the reasons", report.Rejected, path)
}

// untilEnded reads from in, and fails once ctx ends even where in is waited for.
func untilEnded(ctx context.Context, in io.Reader) io.Reader {
	out, into := io.Pipe()
	context.AfterFunc(ctx, func() { _ = into.CloseWithError(ctx.Err()) })
	go func() {
		_, err := io.Copy(into, in)
		_ = into.CloseWithError(err)
	}()
	return out
}

// importProgress shows how far an import is: by a bar on a terminal, elsewhere
// by a line now and then.
type importProgress struct {
	bar    *progressbar.ProgressBar // nil: lines
	logger *slog.Logger
	next   time.Time // when the next line is due
}

func newImportProgress(e environment, in *os.File) *importProgress {
	p := &importProgress{logger: e.logger, next: time.Now().Add(tellEvery)}
	if !isTerminal(e.errOut) {
		return p
	}
	size := int64(-1) // unknown
	if info, err := in.Stat(); err == nil && info.Mode().IsRegular() {
		size = info.Size()
	}
	p.bar = progressbar.NewOptions64(size, progressbar.OptionSetWriter(e.errOut), progressbar.OptionShowBytes(true),
		progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish(), progressbar.OptionSetDescription("importing"))
	return p
}

// reading counts what is read.
func (p *importProgress) reading(in io.Reader) io.Reader {
	if p.bar == nil {
		return in
	}
	reader := progressbar.NewReader(in, p.bar)
	return &reader
}

func (p *importProgress) tell(report operator.ImportReport) {
	switch {
	case p.bar != nil:
		p.bar.Describe(fmt.Sprintf("up to line %d, %d rejected", report.Line, report.Rejected))
	case !time.Now().Before(p.next):
		p.next = time.Now().Add(tellEvery)
		p.logger.Info(fmt.Sprintf("all rows up to line %d are done", report.Line), slog.Int("rows", report.Rows),
			slog.Int("added", report.Added), slog.Int("changed", report.Changed), slog.Int("rejected", report.Rejected))
	}
}

func (p *importProgress) end() {
	if p.bar != nil {
		_ = p.bar.Finish() // it is cleared
	}
}

// rejections is the file of the rows that weren't taken. It is made when there
// is the first one.
type rejections struct {
	path  string
	input *os.File // which it must not be
	goOn  bool     // adds to what is there
	file  *os.File // nil: none yet
	csv   *customercsv.Rejections
}

func (r *rejections) add(line int, reason string) error {
	if r.file == nil {
		if err := r.open(); err != nil {
			return fmt.Errorf("cannot list the rejected rows, name another file with --rejected: %w", err)
		}
	}
	return r.csv.Write(line, reason)
}

func (r *rejections) open() error {
	there, err := os.Stat(r.path)
	if err == nil {
		if input, inputErr := r.input.Stat(); inputErr == nil && os.SameFile(there, input) {
			return fmt.Errorf("%s is what is imported", r.path)
		}
	}
	how := os.O_TRUNC
	if r.goOn && err == nil && there.Size() > 0 {
		how = os.O_APPEND
	}
	if r.file, err = os.OpenFile(r.path, os.O_WRONLY|os.O_CREATE|how, 0o640); err != nil {
		return err
	}
	r.csv = customercsv.NewRejections(r.file)
	if how == os.O_APPEND {
		return nil
	}
	return r.csv.Head()
}

func (r *rejections) flush() error {
	if r.file == nil {
		return nil
	}
	return r.csv.Flush()
}

func (r *rejections) close() error {
	if r.file == nil {
		return nil
	}
	if err := errors.Join(r.csv.Flush(), r.file.Close()); err != nil {
		return fmt.Errorf("not all rejected rows could be listed: %w", err)
	}
	return nil
}
