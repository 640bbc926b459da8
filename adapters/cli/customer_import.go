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
	File       string         `arg:"" help:"CSV with the columns id, phone and pin; - reads standard input."`
	RemovePINs bool           `name:"remove-pins" help:"Remove a customer's PIN if the file's is blank. Without this it is kept."`
	DryRun     bool           `help:"Change nothing; report what would be added and changed."`
	Rejected   string         `placeholder:"PATH" help:"The file for rejected rows, with line and reason; by default customers.rejected.csv for customers.csv."`
	FromLine   int            `default:"1" placeholder:"N" help:"Continue an interrupted import at this line."`
}

// Run imports until the end of the file or a signal. It fails if a row is rejected.
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
				if rejections.flush() == nil { // close reports it otherwise
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

// sizeOf returns the size of a regular file, or -1.
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

// explain adds to an error how to continue the import.
func (c *customerImportCommand) explain(ctx context.Context, report operator.ImportReport, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		err = errors.New("a signal arrived")
	}
	if c.DryRun || report.Line == 0 {
		return err
	}
	return fmt.Errorf("the import was interrupted: %w; all rows up to line %d are stored; continue with --from-line %d, or import the whole file again", err, report.Line, report.Line+1)
}

func (c *customerImportCommand) print(out io.Writer, report operator.ImportReport) error {
	would := ""
	if c.DryRun {
		would = "dry run, nothing was changed: "
	}
	_, err := fmt.Fprintf(out, "%s%d rows: %d added, %d changed, %d unchanged, %d rejected; PINs: %d set, %d removed\n", would,
		report.Rows, report.Added, report.Changed, report.Unchanged, report.Rejected, report.PINsSet, report.PINsGone)
	if err == nil && c.DryRun && report.Rows > operator.PlanBatch {
		_, err = fmt.Fprintf(out, "rows were compared with the database %d at a time; if a row depends on an earlier one outside its group, the import may differ\n", operator.PlanBatch)
	}
	return err
}

func (c *customerImportCommand) complain(report operator.ImportReport, path string) error {
	if report.Rejected == 0 {
		return nil
	}
	return fmt.Errorf("%d rows were rejected; %s has their lines and the reasons", report.Rejected, path)
}

// rejections is the file of rejected rows. It is created with the first one.
type rejections struct {
	path  string
	input *os.File // must be another file
	goOn  bool     // append
	file  *os.File // nil: not yet created
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
			return fmt.Errorf("%s is the file being imported", r.path)
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
