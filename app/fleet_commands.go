package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/operator"
)

type fleetCommands struct {
	Add     fleetAddCommand     `cmd:"" help:"Add a fleet and print its API key, once."`
	List    fleetListCommand    `cmd:"" help:"List the fleets."`
	Disable fleetDisableCommand `cmd:"" help:"Switch a fleet off: its calls are refused."`
	Enable  fleetEnableCommand  `cmd:"" help:"Switch a fleet on again."`
	Key     fleetKeyCommands    `cmd:"" help:"Manage the API keys of a fleet."`
}

type fleetAddCommand struct {
	ID    int64  `arg:"" help:"The fleet's number."`
	Name  string `placeholder:"NAME" help:"Its name, for operators."`
	Label string `default:"first" placeholder:"LABEL" help:"What its first key is called in lists and in the API log (${default})."`
}

// Run prints the key alone on the standard output.
func (c *fleetAddCommand) Run(ctx context.Context, e environment, out io.Writer) error {
	id, idErr := domain.NewFleetID(c.ID)
	label, labelErr := domain.ParseKeyLabel(c.Label)
	if err := errors.Join(idErr, labelErr); err != nil {
		return err
	}
	return provision(ctx, e, func(ctx context.Context, fleets *operator.Fleets) error {
		key, err := fleets.Add(ctx, domain.Fleet{ID: id, Name: c.Name}, label)
		if err != nil {
			return err
		}
		e.logger.Info(fmt.Sprintf("fleet %d is added; its API key is printed now and never again", id))
		_, err = fmt.Fprintln(out, key.Reveal())
		return err
	})
}

type fleetListCommand struct {
	JSON bool `name:"json" help:"Print a line of JSON for each."`
}

// fleetLine is a fleet as it is listed.
type fleetLine struct {
	ID       domain.FleetID `json:"id"`
	Name     string         `json:"name,omitempty"`
	Disabled bool           `json:"disabled"`
	Keys     int            `json:"keys"`
}

// Run prints the fleets in the order of their numbers.
func (c *fleetListCommand) Run(ctx context.Context, e environment, out io.Writer) error {
	return provision(ctx, e, func(ctx context.Context, fleets *operator.Fleets) error {
		all, err := fleets.Directory.Fleets(ctx)
		if err != nil {
			return err
		}
		var lines []fleetLine
		for _, fleet := range all {
			keys, err := fleets.Directory.Keys(ctx, fleet.ID)
			if err != nil {
				return err
			}
			lines = append(lines, fleetLine{fleet.ID, fleet.Name, fleet.Disabled, len(keys)})
		}
		if c.JSON {
			return printJSON(out, lines)
		}
		return printTable(out, []string{"fleet", "name", "state", "keys"}, lines, fleetLine.row)
	})
}

func (l fleetLine) row() []string {
	state := map[bool]string{true: "off", false: "on"}[l.Disabled]
	return []string{strconv.FormatInt(int64(l.ID), 10), l.Name, state, strconv.Itoa(l.Keys)}
}

type fleetDisableCommand struct {
	ID int64 `arg:"" help:"The fleet's number."`
}

// Run switches the fleet off.
func (c *fleetDisableCommand) Run(ctx context.Context, e environment) error {
	return switchFleet(ctx, e, c.ID, true)
}

type fleetEnableCommand struct {
	ID int64 `arg:"" help:"The fleet's number."`
}

// Run switches the fleet on.
func (c *fleetEnableCommand) Run(ctx context.Context, e environment) error {
	return switchFleet(ctx, e, c.ID, false)
}

func switchFleet(ctx context.Context, e environment, number int64, disabled bool) error {
	id, err := domain.NewFleetID(number)
	if err != nil {
		return err
	}
	return provision(ctx, e, func(ctx context.Context, fleets *operator.Fleets) error {
		if err := fleets.Switch(ctx, id, disabled); err != nil {
			return err
		}
		e.logger.Info(fmt.Sprintf("fleet %d is switched %s", id, map[bool]string{true: "off", false: "on"}[disabled]))
		return nil
	})
}
