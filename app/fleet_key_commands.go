package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/operator"
)

type fleetKeyCommands struct {
	Add    fleetKeyAddCommand    `cmd:"" help:"Give a fleet one more API key and print it, once."`
	List   fleetKeyListCommand   `cmd:"" help:"List a fleet's keys: their labels, never the keys."`
	Revoke fleetKeyRevokeCommand `cmd:"" help:"Take a key away: it works no more."`
}

type fleetKeyAddCommand struct {
	Fleet int64  `arg:"" help:"The fleet's number."`
	Label string `required:"" placeholder:"LABEL" help:"What the key is called in lists and in the API log, for instance who has it."`
}

// Run prints the key alone on the standard output.
func (c *fleetKeyAddCommand) Run(ctx context.Context, e environment, out io.Writer) error {
	fleet, fleetErr := domain.NewFleetID(c.Fleet)
	label, labelErr := domain.ParseKeyLabel(c.Label)
	if err := errors.Join(fleetErr, labelErr); err != nil {
		return err
	}
	return provision(ctx, e, func(ctx context.Context, fleets *operator.Fleets) error {
		key, err := fleets.AddKey(ctx, fleet, label)
		if err != nil {
			return err
		}
		e.logger.Info(fmt.Sprintf("fleet %d has the key %q too; it is printed now and never again", fleet, label))
		_, err = fmt.Fprintln(out, key.Reveal())
		return err
	})
}

type fleetKeyListCommand struct {
	Fleet int64 `arg:"" help:"The fleet's number."`
	JSON  bool  `name:"json" help:"Print a line of JSON for each."`
}

// keyLine is a key as it is listed.
type keyLine struct {
	Label   domain.KeyLabel `json:"label"`
	AddedAt time.Time       `json:"added_at,omitzero"` // zero: not known
}

// Run prints the labels in their order.
func (c *fleetKeyListCommand) Run(ctx context.Context, e environment, out io.Writer) error {
	fleet, err := domain.NewFleetID(c.Fleet)
	if err != nil {
		return err
	}
	return provision(ctx, e, func(ctx context.Context, fleets *operator.Fleets) error {
		keys, err := fleets.Directory.Keys(ctx, fleet)
		if err != nil {
			return err
		}
		var lines []keyLine
		for _, key := range keys {
			lines = append(lines, keyLine{key.Label, key.AddedAt})
		}
		if c.JSON {
			return printJSON(out, lines)
		}
		return printTable(out, []string{"label", "added"}, lines, keyLine.row)
	})
}

func (l keyLine) row() []string { return []string{string(l.Label), clock(l.AddedAt)} }

type fleetKeyRevokeCommand struct {
	Fleet int64  `arg:"" help:"The fleet's number."`
	Label string `arg:"" help:"The key's label."`
}

// Run takes the key away and says so where that was the last one.
func (c *fleetKeyRevokeCommand) Run(ctx context.Context, e environment) error {
	fleet, fleetErr := domain.NewFleetID(c.Fleet)
	label, labelErr := domain.ParseKeyLabel(c.Label)
	if err := errors.Join(fleetErr, labelErr); err != nil {
		return err
	}
	return provision(ctx, e, func(ctx context.Context, fleets *operator.Fleets) error {
		if err := fleets.Directory.RevokeKey(ctx, fleet, label); err != nil {
			return err
		}
		revoked := fmt.Sprintf("the key %q of fleet %d is revoked", label, fleet)
		keys, err := fleets.Directory.Keys(ctx, fleet)
		if err == nil && len(keys) == 0 {
			e.logger.Warn(fmt.Sprintf("%s, and the fleet has none left: its calls are refused; add one with: fleetphoto fleet key add %d --label LABEL", revoked, fleet))
			return nil
		}
		e.logger.Info(revoked)
		return err
	})
}
