package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/operator"
	"github.com/fleetphoto/fleetphoto/ports"
)

type doctorCommand struct{}

// Run fails when a step does. It migrates nothing.
func (*doctorCommand) Run(ctx context.Context, e environment, out io.Writer, line *kong.Context) error {
	ctx, stop := untilInterrupted(ctx)
	defer stop()
	c := checkup{out: out, config: e.config, line: line, opening: opening{config: e.config, byURL: map[string]Backend{}}}
	c.configuration(ctx, e.catalogue)
	doctor, err := operator.NewDoctor(c.ports, time.Now, c.fetcher())
	if err != nil {
		return err
	}
	for _, s := range c.sections(doctor) {
		c.section(ctx, s)
	}
	if doctor.HasProbes() {
		c.begin("what was there only to try")
		c.try(context.WithoutCancel(ctx), "remove it", func(ctx context.Context) (string, error) { return "", doctor.Remove(ctx) })
	}
	for _, opened := range c.opening.opened {
		err = errors.Join(err, opened.close())
	}
	return errors.Join(c.result(ctx), err)
}

// checkup says of each step how it went.
type checkup struct {
	out           io.Writer
	tried, failed int

	config  *Config
	line    *kong.Context
	opening opening
	ports   operator.DoctorPorts
	key     domain.PINKey
	binder  ports.PINKeyBinder
	own     bool      // the photos have addresses that need no server of this product
	fetched time.Time // the photo store's clock when the photo was fetched; zero: it wasn't
}

func (c *checkup) begin(section string) { c.printf("%s\n", section) }

func (c *checkup) printf(format string, args ...any) {
	_, _ = fmt.Fprintf(c.out, format, args...) // result fails too
}

// try does a step, which may return a word on what it found.
func (c *checkup) try(ctx context.Context, name string, step func(context.Context) (string, error)) bool {
	if ctx.Err() != nil {
		c.skip(name)
		return false
	}
	c.tried++
	found, err := step(ctx)
	if err != nil {
		c.failed++
		c.printf("  ✗ %s\n      %s\n", name, operatorSentence(err))
		return false
	}
	if found != "" {
		name += ": " + found
	}
	c.printf("  ✓ %s\n", name)
	return true
}

func (c *checkup) skip(name string) { c.printf("  – %s: not tried\n", name) }

// tryAll does steps in their order until one fails that the others need.
func (c *checkup) tryAll(ctx context.Context, works bool, steps []operator.Step) {
	for _, step := range steps {
		if !works {
			c.skip(step.Name)
			continue
		}
		works = c.try(ctx, step.Name, func(ctx context.Context) (string, error) { return "", step.Do(ctx) }) || step.Alone
	}
}

func (c *checkup) result(ctx context.Context) error {
	switch {
	case c.failed > 0:
		return fmt.Errorf("%d of %d steps failed; the line below each ✗ says what to change", c.failed, c.tried)
	case ctx.Err() != nil:
		return fmt.Errorf("interrupted after %d steps", c.tried)
	}
	_, err := fmt.Fprintf(c.out, "all %d steps went well\n", c.tried)
	return err
}

// operatorSentence is what err says to operators, in one line: of what callers
// may read, the cause instead.
func operatorSentence(err error) string {
	text := err.Error()
	var known *domain.Error
	if errors.As(err, &known) && strings.HasSuffix(text, known.Error()) {
		text = strings.TrimSuffix(text, known.Error())
		if known.Cause == nil {
			return text + known.Public
		}
		return text + operatorSentence(known.Cause)
	}
	return strings.ReplaceAll(text, "\n", "; ")
}
