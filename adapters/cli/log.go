package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/operator"
	"github.com/fleetphoto/fleetphoto/ports"
)

type logCommands struct {
	Show  logShowCommand  `cmd:"" help:"Show all that is logged about a call."`
	List  logListCommand  `cmd:"" help:"List calls, newest first."`
	Prune logPruneCommand `cmd:"" help:"Remove old calls from the log, while servers run."`
}

// withLog runs f with the API log alone, which works while other backends are
// down. It migrates nothing.
func (e environment) withLog(ctx context.Context, f func(context.Context, ports.ApiLogArchive) error) error {
	return e.run(ctx, f, AsIs{})
}

type logShowCommand struct {
	ID   int64 `arg:"" help:"The call's api_log_id."`
	JSON bool  `name:"json" help:"Print it as a line of JSON."`
}

// Run prints the entry of a call.
func (c *logShowCommand) Run(ctx context.Context, e environment) error {
	return e.withLog(ctx, func(ctx context.Context, log ports.ApiLogArchive) error {
		entry, err := log.Entry(ctx, domain.ApiLogID(c.ID))
		if err != nil {
			return err
		}
		if c.JSON {
			return printLines(e.out, true, nil, []logLine{newLogLine(entry)}, nil)
		}
		return printStory(e.out, entry)
	})
}

// logPage is how many entries are read at once.
const logPage = 500

type logListCommand struct {
	Fleet    domain.FleetID    `placeholder:"N" help:"Only calls of this fleet."`
	Customer domain.CustomerID `placeholder:"N" help:"Only calls for this customer of --fleet."`
	Result   result            `placeholder:"valid|error|interrupted|open" help:"Only calls with this result; open calls haven't ended."`
	Error    errorWord         `placeholder:"WORD" help:"Only calls that failed with this error, such as \"Invalid PIN\"."`
	Since    moment            `placeholder:"TIME" help:"Only calls received since then: a time such as 2026-07-28T14:03:00Z, or an age such as 24h or 7d."`
	Until    moment            `placeholder:"TIME" help:"Only calls received before then."`
	Limit    int               `default:"50" placeholder:"N" help:"List at most this many (${default})."`
	JSON     bool              `name:"json" help:"Print a line of JSON for each."`
}

// Run prints the calls page by page, as a log may not fit into memory.
func (c *logListCommand) Run(ctx context.Context, e environment) error {
	filter, err := c.filter(time.Now())
	if err != nil {
		return err
	}
	header := []string{"call", "received", "fleet", "key", "customer", "phone", "asked", "result", "took"}
	return e.withLog(ctx, func(ctx context.Context, log ports.ApiLogArchive) error {
		for left := c.Limit; left > 0; {
			wanted := min(left, logPage)
			entries, err := log.List(ctx, filter, wanted)
			if err != nil {
				return err
			}
			if err := c.print(e.out, header, entries); err != nil || len(entries) < wanted {
				return err
			}
			header, left, filter.Before = nil, left-wanted, entries[wanted-1].Position()
		}
		return nil
	})
}

func (c *logListCommand) filter(now time.Time) (domain.ApiLogFilter, error) {
	switch {
	case c.Customer != 0 && c.Fleet == 0:
		return domain.ApiLogFilter{}, errors.New("--customer: give its --fleet too, as each fleet numbers its own customers")
	case c.Limit < 1:
		return domain.ApiLogFilter{}, fmt.Errorf("--limit: want at least 1, got %d", c.Limit)
	}
	return domain.ApiLogFilter{
		Fleet: c.Fleet, Customer: c.Customer, Result: domain.Result(c.Result), Error: domain.Kind(c.Error),
		Since: c.Since.time(now), Until: c.Until.time(now),
	}, nil
}

func (c *logListCommand) print(out io.Writer, header []string, entries []domain.ApiLogEntry) error {
	if !c.JSON {
		return printLines(out, false, header, entries, logRow)
	}
	var lines []logLine
	for _, entry := range entries {
		lines = append(lines, newLogLine(entry))
	}
	return printLines(out, true, nil, lines, nil)
}

type logPruneCommand struct {
	OlderThan Age `required:"" placeholder:"AGE" help:"Remove calls received longer ago than this, such as 90d or 12h. Open ones are kept."`
	Batch     int `default:"1000" placeholder:"N" help:"Calls removed at once (${default}); servers wait while a batch is removed."`
}

// Run removes batches until nothing is left or a signal arrives.
func (c *logPruneCommand) Run(ctx context.Context, e environment) error {
	const most = 100_000
	if c.Batch < 1 || c.Batch > most {
		return fmt.Errorf("--batch: want 1 to %d, got %d", most, c.Batch)
	}
	return e.change(ctx, func(ctx context.Context, log ports.ApiLogArchive) error {
		prune := operator.PruneLog{Log: log, Clock: time.Now, Batch: c.Batch}
		removed, err := prune.Do(ctx, time.Duration(c.OlderThan))
		if err != nil && ctx.Err() != nil {
			err = errors.New("stopped by a signal; run it again to remove the rest")
		}
		_, printErr := fmt.Fprintf(e.out, "%d calls removed\n", removed)
		return errors.Join(err, printErr)
	}, AsIs{})
}
