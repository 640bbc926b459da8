package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/schollz/progressbar/v3"

	"github.com/fleetphoto/fleetphoto/adapters/cli/customercsv"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/operator"
)

type customerImportCommand struct {
	Fleet      domain.FleetID `required:"" placeholder:"ID" help:"The fleet's number."`
	File       string         `arg:"" help:"CSV with the columns id, phone and pin; -: from the standard input."`
	RemovePINs bool           `name:"remove-pins" help:"A blank PIN removes the customer's; without this it stays."`
	DryRun     bool           `help:"Only say what would be added and changed."`
	Rejected   string         `placeholder:"PATH" help:"Where to list the rows that aren't taken, with line and reason; left out: customers.rejected.csv for customers.csv."`
	FromLine   int            `default:"1" placeholder:"N" help:"Go on with this line, after an import that was cut off."`
}

// Run imports until all is in or a signal comes. It fails where a row isn't taken.
func (c *customerImportCommand) Run(ctx context.Context, e environment) error {
	in, err := c.open()
	if err != nil {
		return fmt.Errorf("cannot read the customers: %w", err)
	}
	defer func() { _ = in.Close() }() // it was only read
	rejections := &rejections{path: c.rejectedPath(), input: in, goOn: c.FromLine > 1}
	run := e.change
	if c.DryRun {
		run = e.run
	}
	return run(ctx, func(ctx context.Context, customers *operator.ImportCustomers) error {
		progress := e.newProgress("importing", sizeOf(in), progressbar.OptionShowBytes(true))
		report, err := customers.Do(ctx, operator.Import{
			Fleet: c.Fleet, Rows: customercsv.Rows(untilEnded(ctx, progress.reading(in)), c.FromLine), DryRun: c.DryRun, RemovePINs: c.RemovePINs,
			Reject: rejections.add,
			Progress: func(report operator.ImportReport) {
				if rejections.flush() == nil { // or the end says it
					progress.tell(fmt.Sprintf("all rows up to line %d are done", report.Line), slog.Int("rows", report.Rows),
						slog.Int("added", report.Added), slog.Int("changed", report.Changed), slog.Int("rejected", report.Rejected))
				}
			},
		})
		progress.end()
		err = errors.Join(c.explain(ctx, report, err), rejections.close())
		return errors.Join(c.print(e.out, report), err, c.complain(report, rejections.path))
	})
}

// sizeOf is the size of a file; -1 where it has none.
func sizeOf(file *os.File) int64 {
	if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
		return info.Size()
	}
	return -1
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
	_, err := fmt.Fprintf(out, "%s%d rows: %d added, %d changed, %d unchanged, %d rejected; PINs: %d set, %d removed\n", would,
		report.Rows, report.Added, report.Changed, report.Unchanged, report.Rejected, report.PINsSet, report.PINsGone)
	if err == nil && c.DryRun && report.Rows > operator.PlanBatch {
		_, err = fmt.Fprintf(out, "each %d rows are compared with what is stored now: where a row depends on one in the %d before, the import may end otherwise\n", operator.PlanBatch, operator.PlanBatch)
	}
	return err
}

func (c *customerImportCommand) complain(report operator.ImportReport, path string) error {
	if report.Rejected == 0 {
		return nil
	}
	return fmt.Errorf("not all rows are in, %d rejected; %s has their lines and the reasons", report.Rejected, path)
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
