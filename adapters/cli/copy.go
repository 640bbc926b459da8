package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/schollz/progressbar/v3"

	"github.com/fleetphoto/fleetphoto/domain/operator"
)

type copyCommand struct {
	From   string   `required:"" placeholder:"URL" help:"The database to copy from; servers may be using it."`
	To     string   `required:"" placeholder:"URL" help:"The database to copy to, created if missing; no server may be using it."`
	Only   []string `enum:"fleets,customers,log" placeholder:"PART" help:"Copy only these parts: fleets, customers, log. Without this, all."`
	Delete bool     `help:"Remove what --from no longer has."`
}

// Run fails if anything still differs at the end.
func (c *copyCommand) Run(ctx context.Context, e environment) error {
	var parts []operator.Part
	for _, part := range operator.Parts() {
		if len(c.Only) == 0 || slices.Contains(c.Only, string(part)) {
			parts = append(parts, part)
		}
	}
	return e.run(ctx, func(ctx context.Context, copying *operator.CopyDatabase) error { return c.copy(ctx, e, copying) },
		AsIs{}, CopyParts{CopyBetween{From: c.From, To: c.To}, parts})
}

// CopyParts is a value to supply to App.Run, for an operator.CopyDatabase: the URLs of the
// flags --from and --to, and what is to be copied.
type CopyParts struct {
	CopyBetween
	Parts []operator.Part
}

func (c *copyCommand) copy(ctx context.Context, e environment, copying *operator.CopyDatabase) error {
	progress := e.newProgress("copying", -1, progressbar.OptionShowCount(), progressbar.OptionShowIts())
	copying.Delete = c.Delete
	copying.Differs = func(what string) { progress.printf(e.out, "%s\n", what) }
	copying.Passed = func(part operator.Part, looked int) {
		progress.counted(looked)
		progress.tell(fmt.Sprintf("copying %s", part), slog.Int(string(part), looked))
	}
	reports, err := copying.Do(ctx)
	progress.end()
	wrong := 0
	for _, r := range reports {
		wrong += r.Wrong()
		_, printErr := fmt.Fprintf(e.out, "%s: %d looked at, %d copied; %d gone, %d of them removed; %d not copied\n", r.Part, r.Looked, r.Copied, r.Gone, r.Removed, r.Kept)
		err = errors.Join(err, printErr)
	}
	switch {
	case err != nil && ctx.Err() != nil:
		return errors.New("interrupted; start it again: what is copied by now is only read then")
	case err == nil && wrong > 0:
		return fmt.Errorf("%d still differ, as the lines above say", wrong)
	}
	return err
}
