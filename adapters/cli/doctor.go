package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/fleetphoto/fleetphoto/domain/operator"
)

type doctorCommand struct{}

// Run fails when a step does. It migrates nothing.
func (*doctorCommand) Run(ctx context.Context, e environment) error {
	c := checkup{out: e.out}
	for section := range e.Doctor(e.cameFrom) {
		c.printf("%s\n", section.Name)
		works := true
		for step := range section.Steps {
			works = c.try(ctx, works, step) || step.Alone && works
		}
	}
	return c.result(ctx)
}

// checkup tries steps and prints the outcome of each.
type checkup struct {
	out           io.Writer
	tried, failed int
	noted         bool
}

func (c *checkup) printf(format string, args ...any) {
	_, _ = fmt.Fprintf(c.out, format, args...) // result fails too
}

// try tries a step, unless an earlier one that it needs failed.
func (c *checkup) try(ctx context.Context, works bool, step operator.Step) bool {
	if step.Regardless {
		ctx = context.WithoutCancel(ctx)
	}
	if !works || ctx.Err() != nil {
		c.printf("  – %s: not tried\n", step.Name)
		return false
	}
	c.tried++
	found, err := step.Do(ctx)
	var note operator.Note
	switch {
	case errors.As(err, &note):
		c.noted = true
		c.printf("  ! %s\n      %s\n", step.Name, printable(string(note)))
		return true
	case err != nil:
		c.failed++
		c.printf("  ✗ %s\n      %s\n", step.Name, printable(operator.Sentence(err)))
		return false
	}
	name := step.Name
	if found != "" {
		name += ": " + printable(found)
	}
	c.printf("  ✓ %s\n", name)
	return true
}

func (c *checkup) result(ctx context.Context) error {
	switch {
	case c.failed > 0:
		return fmt.Errorf("%d of %d steps failed; the line below each ✗ says what to change", c.failed, c.tried)
	case ctx.Err() != nil:
		return fmt.Errorf("interrupted after %d steps", c.tried)
	}
	notes := ""
	if c.noted {
		notes = "; the line below each ! is worth knowing"
	}
	_, err := fmt.Fprintf(c.out, "all %d steps worked%s\n", c.tried, notes)
	return err
}
