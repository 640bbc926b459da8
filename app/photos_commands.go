package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"github.com/dustin/go-humanize"
	"go.uber.org/fx"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/operator"
	"github.com/fleetphoto/fleetphoto/domain/photo"
	"github.com/fleetphoto/fleetphoto/ports"
)

// mostParallel is the most customers that are looked at at once. A database may
// let fewer be changed.
const mostParallel = 256

type photosCommands struct {
	Verify photosVerifyCommand `cmd:"" help:"Compare the customers' records with the stored photos. Nothing is changed unless you say so."`
	Copy   photosCopyCommand   `cmd:"" help:"Copy all photos to another store, while servers run."`
}

// walking is what the commands that look at all customers have in common.
type walking struct {
	After    place `placeholder:"FLEET/CUSTOMER" help:"Begin after this customer, where a run before was interrupted."`
	Parallel int   `default:"8" placeholder:"N" help:"Customers at once (${default})."`
}

// Validate is called by kong.
func (w walking) Validate() error {
	if w.Parallel < 1 || w.Parallel > mostParallel {
		return settingError("--parallel", fmt.Errorf("want 1 to %d, got %d", mostParallel, w.Parallel))
	}
	return nil
}

// ended is the error of a walk: where it was interrupted, it says how to go on.
func (w walking) ended(err error, reached operator.Progress) error {
	if !errors.Is(err, context.Canceled) {
		return err
	}
	how := "start again"
	if (reached.After != domain.CustomerRef{}) {
		how = "go on with --after " + place(reached.After).String()
	}
	return fmt.Errorf("interrupted, and what was begun is done; %s (%w)", how, err)
}

type photosVerifyCommand struct {
	walking
	Repair        bool          `help:"Make the records say what the store holds."`
	Orphans       bool          `help:"List the store too, and find photos whose customer doesn't exist."`
	DeleteOrphans bool          `help:"As --orphans, and delete them where --yes is given."`
	Yes           bool          `help:"Really delete."`
	Grace         time.Duration `default:"24h" placeholder:"DURATION" help:"Leave orphans that were changed since (${default})."`
}

// Validate is called by kong.
func (c *photosVerifyCommand) Validate() error {
	switch {
	case c.Grace < 0:
		return settingError("--grace", fmt.Errorf("want 0 or longer, got %v", c.Grace))
	case c.Yes && !c.DeleteOrphans:
		return settingError("--yes", errors.New("it is for --delete-orphans alone"))
	}
	return c.walking.Validate()
}

// Run fails when something is wrong in the end.
func (c *photosVerifyCommand) Run(ctx context.Context, e environment, out io.Writer) error {
	ctx, stop := untilInterrupted(ctx)
	defer stop()
	type needed struct {
		fx.In
		Backends *backends
	}
	return do(ctx, e, func(ctx context.Context, n needed) error {
		wrong, err := c.verify(ctx, e, n.Backends, out)
		if c.Orphans || c.DeleteOrphans {
			if ctx.Err() == nil {
				left, orphansErr := c.orphans(ctx, n.Backends, out)
				wrong, err = wrong+left, errors.Join(err, orphansErr)
			}
		}
		if err == nil && wrong > 0 {
			err = fmt.Errorf("%d photos are not as they should be", wrong)
		}
		return err
	})
}

// verify returns how many photos are not as their record says.
func (c *photosVerifyCommand) verify(ctx context.Context, e environment, b *backends, out io.Writer) (int, error) {
	limits := e.config.photoLimits()
	limits.MaxDimension, limits.Verify = 0, photo.VerifyDecode
	progress := newProgress(e.logger)
	verify := operator.VerifyPhotos{
		Directory: b.directory.customers, Customers: b.customers, Photos: b.photos, Reader: photo.NewReader(limits, runtime.GOMAXPROCS(0)), Clock: time.Now,
		Parallel: c.Parallel, Repair: c.Repair, Passed: progress.passed,
		Found: func(f operator.Finding) {
			progress.printf(out, "%s%s\n", f, map[bool]string{true: " repaired"}[f.Settled])
		},
	}
	report, err := verify.Do(ctx, domain.CustomerRef(c.After))
	progress.end()
	found := report.Found
	_, printErr := fmt.Fprintf(out, "%d customers looked at: %d photos missing, %d different, %d unrecorded, %d broken; %d records repaired\n", report.Customers,
		found[operator.Missing], found[operator.Different], found[operator.Unrecorded], found[operator.Broken], report.Settled)
	return report.Wrong(), errors.Join(c.ended(err, report.Progress), printErr)
}

// orphans returns how many orphans are left.
func (c *photosVerifyCommand) orphans(ctx context.Context, b *backends, out io.Writer) (int, error) {
	if b.directory.photos == nil {
		return 0, settingError(photoStoreVariable, errors.New("this store can't list its photos, so that nobody can tell whose customers don't exist; leave --orphans out"))
	}
	orphans := operator.OrphanPhotos{
		Customers: b.directory.customers, Lister: b.directory.photos, Photos: b.photos, Clock: time.Now, Parallel: c.Parallel, Delete: c.DeleteOrphans && c.Yes, Grace: c.Grace,
		Found: func(f operator.Finding) {
			_, _ = fmt.Fprintf(out, "%s%s\n", f, map[bool]string{true: " deleted"}[f.Settled]) // the summary fails too
		},
	}
	report, err := orphans.Do(ctx)
	text := fmt.Sprintf("%d photos listed: %d of customers who don't exist", report.Photos, report.Orphans)
	switch {
	case orphans.Delete:
		text += fmt.Sprintf("; %d deleted, %d left because they were changed in the last %v", report.Deleted, report.Young, c.Grace)
	case c.DeleteOrphans:
		text += "; none deleted, as --yes is missing"
	}
	_, printErr := fmt.Fprintln(out, text)
	return report.Orphans - report.Deleted, errors.Join(err, printErr)
}

type photosCopyCommand struct {
	walking
	From string `required:"" placeholder:"URL" help:"The store that has the photos."`
	To   string `required:"" placeholder:"URL" help:"The store that gets them."`
}

// Run fails unless the other store has every photo in the end.
func (c *photosCopyCommand) Run(ctx context.Context, e environment, out io.Writer) error {
	ctx, stop := untilInterrupted(ctx)
	defer stop()
	o := opening{config: e.config, byURL: map[string]Backend{}}
	_, customers, _ := o.databases(e.catalogue)
	offers := func(b Backend) bool { return b.PhotoStore != nil }
	from := o.open(e.catalogue.PhotoStores, "--from", c.From, offers)
	to := o.open(e.catalogue.PhotoStores, "--to", c.To, offers)
	switch {
	case o.err != nil:
		return o.err
	case c.From == c.To:
		return settingError("--to", errors.New("it is the same store as --from; name another"))
	case customers.Ephemeral:
		return settingError("FLEETPHOTO_DATABASE_URL", errors.New("memory:// has no customers whose photos could be copied; name the servers' database"))
	}
	return o.run(ctx, e, func() error {
		return c.copy(ctx, e, customers, from.PhotoStore, to.PhotoStore, out)
	})
}

func (c *photosCopyCommand) copy(ctx context.Context, e environment, customers Backend, from, to ports.PhotoStore, out io.Writer) error {
	progress := newProgress(e.logger)
	copying := operator.CopyPhotos{
		Directory: customers.CustomerDirectory, Customers: customers.CustomerRepo, From: from, To: to, Parallel: c.Parallel, Passed: progress.passed,
		Lost: func(key domain.PhotoKey) { progress.printf(out, "%s lost\n", key) },
	}
	report, err := copying.Do(ctx, domain.CustomerRef(c.After))
	progress.end()
	_, printErr := fmt.Fprintf(out, "%d customers looked at: %d photos copied, %s; %d deleted where they were deleted since; %d were as they should be\n",
		report.Customers, report.Copied, humanize.IBytes(uint64(report.Bytes)), report.Deleted, report.There)
	err = c.ended(err, report.Progress)
	if report.Lost > 0 {
		err = errors.Join(err, fmt.Errorf("%d photos are in neither store as their records say, perhaps because a call was cut off; "+
			"have them sent again, or let fleetphoto photos verify --repair make the records say what the servers' store holds", report.Lost))
	}
	return errors.Join(err, printErr)
}

// run starts what is open, without migrating it, does f and closes all.
func (o *opening) run(ctx context.Context, e environment, f func() error) (err error) {
	for _, opened := range o.opened {
		hook := opened.hook(false, e.waiting, e.logger)
		if err := hook.OnStart(ctx); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, hook.OnStop(context.WithoutCancel(ctx))) }()
	}
	return f()
}

// untilInterrupted ends with the first signal. The second one ends the process.
func untilInterrupted(ctx context.Context) (context.Context, func()) {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}
