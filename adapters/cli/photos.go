package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/schollz/progressbar/v3"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/operator"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
)

// mostParallel is the limit of --parallel. A database may allow fewer changes at
// once.
const mostParallel = 256

type photosCommands struct {
	Verify photosVerifyCommand `cmd:"" help:"Compare the customers' records with the stored photos."`
	Copy   photosCopyCommand   `cmd:"" help:"Copy all photos to another store, while servers run."`
}

// walking has the flags of commands that go through all customers.
type walking struct {
	After    place `placeholder:"FLEET/CUSTOMER" help:"Continue an interrupted run after this customer."`
	Parallel int   `default:"8" placeholder:"N" help:"Customers at once (${default})."`
}

// Validate is called by kong.
func (w walking) Validate() error {
	if w.Parallel < 1 || w.Parallel > mostParallel {
		return settingError("--parallel", fmt.Errorf("want 1 to %d, got %d", mostParallel, w.Parallel))
	}
	return nil
}

// ended adds to the error of an interrupted walk how to continue.
func (w walking) ended(err error, reached operator.Progress) error {
	if !errors.Is(err, context.Canceled) {
		return err
	}
	how := "start again"
	if (reached.After != domain.CustomerRef{}) {
		how = "continue with --after " + place(reached.After).String()
	}
	return fmt.Errorf("interrupted, after finishing the customers in hand; %s (%w)", how, err)
}

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

// walkProgress is the progress of a walk over all customers.
type walkProgress struct{ *progress }

func (e environment) newWalkProgress() walkProgress {
	return walkProgress{e.newProgress("customers", -1, progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString("customers"))}
}

// passed is called after each page.
func (p walkProgress) passed(reached operator.Progress) {
	p.counted(reached.Customers)
	p.tell("up to "+place(reached.After).String(), slog.Int("customers", reached.Customers), slog.String("after", place(reached.After).String()))
}

type photosVerifyCommand struct {
	walking
	Repair        bool          `help:"Correct the records to what the store has."`
	Orphans       bool          `help:"Also list the store, to find photos whose customer doesn't exist."`
	DeleteOrphans bool          `help:"Like --orphans, and with --yes delete them."`
	Yes           bool          `help:"Really delete."`
	Grace         time.Duration `default:"24h" placeholder:"DURATION" help:"Keep orphans that were changed within this time (${default})."`
}

// Validate is called by kong.
func (c *photosVerifyCommand) Validate() error {
	switch {
	case c.Grace < 0:
		return settingError("--grace", fmt.Errorf("want 0 or longer, got %v", c.Grace))
	case c.Yes && !c.DeleteOrphans:
		return settingError("--yes", errors.New("it works only with --delete-orphans"))
	}
	return c.walking.Validate()
}

// Run fails if photos are still damaged at the end.
func (c *photosVerifyCommand) Run(ctx context.Context, e environment) error {
	run := e.run
	if c.Repair || c.Yes {
		run = e.change
	}
	if c.Orphans || c.DeleteOrphans {
		return run(ctx, func(ctx context.Context, verify *operator.VerifyPhotos, orphans *operator.OrphanPhotos) error {
			wrong, err := c.verify(ctx, e, verify)
			if ctx.Err() == nil {
				left, orphansErr := c.orphans(ctx, e, orphans)
				wrong, err = wrong+left, errors.Join(err, orphansErr)
			}
			return judge(wrong, err)
		})
	}
	return run(ctx, func(ctx context.Context, verify *operator.VerifyPhotos) error { return judge(c.verify(ctx, e, verify)) })
}

// judge fails if photos are damaged.
func judge(wrong int, err error) error {
	if err == nil && wrong > 0 {
		err = fmt.Errorf("%d photos differ from their records, are broken or have no customer", wrong)
	}
	return err
}

// verify returns how many photos are still damaged.
func (c *photosVerifyCommand) verify(ctx context.Context, e environment, verify *operator.VerifyPhotos) (int, error) {
	progress := e.newWalkProgress()
	verify.Parallel, verify.Repair, verify.Passed = c.Parallel, c.Repair, progress.passed
	verify.Found = func(f operator.Finding) {
		progress.printf(e.out, "%s%s\n", f, map[bool]string{true: " repaired"}[f.Settled])
	}
	report, err := verify.Do(ctx, domain.CustomerRef(c.After))
	progress.end()
	found := report.Found
	_, printErr := fmt.Fprintf(e.out, "%d customers looked at: %d photos missing, %d different, %d unrecorded, %d broken; %d records repaired\n", report.Customers,
		found[operator.Missing], found[operator.Different], found[operator.Unrecorded], found[operator.Broken], report.Settled)
	return report.Wrong(), errors.Join(c.ended(err, report.Progress), printErr)
}

// orphans returns how many orphans are left.
func (c *photosVerifyCommand) orphans(ctx context.Context, e environment, orphans *operator.OrphanPhotos) (int, error) {
	progress := e.newProgress("listing", -1)
	orphans.Parallel, orphans.Delete, orphans.Grace = c.Parallel, c.DeleteOrphans && c.Yes, c.Grace
	orphans.Found = func(f operator.Finding) {
		progress.printf(e.out, "%s%s\n", f, map[bool]string{true: " deleted"}[f.Settled])
	}
	report, err := orphans.Do(ctx)
	progress.end()
	text := fmt.Sprintf("%d photos listed: %d of customers who don't exist", report.Photos, report.Orphans)
	switch {
	case orphans.Delete:
		text += fmt.Sprintf("; %d deleted, %d kept as they were changed in the last %v", report.Deleted, report.Young, c.Grace)
	case c.DeleteOrphans:
		text += "; none deleted, as --yes is missing"
	}
	_, printErr := fmt.Fprintln(e.out, text)
	return report.Orphans - report.Deleted, errors.Join(err, printErr)
}

type photosCopyCommand struct {
	walking
	From string `required:"" placeholder:"URL" help:"The store to copy from."`
	To   string `required:"" placeholder:"URL" help:"The store to copy to."`

	Delete bool `help:"Remove what --from no longer has: photos of customers who don't exist."`
	Backup bool `help:"Copy for a backup, which no server will use: change nothing in the database."`
}

// Run fails unless the other store has every photo in the end, and no other.
func (c *photosCopyCommand) Run(ctx context.Context, e environment) error {
	if c.From == c.To {
		return settingError("--to", errors.New("it is the same store as --from; name another"))
	}
	run := e.change
	if c.Backup {
		run = e.run
	}
	return run(ctx, func(ctx context.Context, copying *operator.CopyPhotos) error { return c.copy(ctx, e, copying) },
		AsIs{}, CopyBetween{From: c.From, To: c.To})
}

// CopyBetween is a value to supply to App.Run, for an operator.CopyPhotos: the
// URLs of the flags --from and --to.
type CopyBetween struct{ From, To string }

func (c *photosCopyCommand) copy(ctx context.Context, e environment, copying *operator.CopyPhotos) error {
	progress := e.newWalkProgress()
	copying.Parallel, copying.Orphans.Parallel, copying.Passed, copying.Orphans.Delete = c.Parallel, c.Parallel, progress.passed, c.Delete
	copying.Backup = c.Backup
	copying.Found = func(f operator.Finding) {
		progress.printf(e.out, "%s%s\n", f, map[bool]string{true: " deleted"}[f.Settled])
	}
	report, err := copying.Do(ctx, domain.CustomerRef(c.After))
	progress.end()
	_, printErr := fmt.Fprintf(e.out, "%d customers looked at: %d photos copied, %s; %d deleted; %d unchanged; %d lost; %d of customers who don't exist, %d of them deleted\n",
		report.Customers, report.Copied, humanize.IBytes(uint64(report.Bytes)), report.Deleted, report.There, report.Lost, report.Orphans.Orphans, report.Orphans.Deleted)
	err = c.ended(err, report.Progress)
	if report.Lost > 0 {
		err = errors.Join(err, fmt.Errorf("%d photos are in neither store; a call that was interrupted in the last %v may be the cause, so copy again after that time; "+
			"then send those that are still lost again, or run fleetphoto photos verify --repair, which corrects the records", report.Lost, usecase.SettleAfter))
	}
	if left := report.Different() - report.Lost; left > 0 {
		err = errors.Join(err, fmt.Errorf("%d photos belong to customers who don't exist; --delete deletes them", left))
	}
	return errors.Join(err, printErr)
}
