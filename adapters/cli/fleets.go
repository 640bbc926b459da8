package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/operator"
	"github.com/fleetphoto/fleetphoto/ports"
)

type fleetCommands struct {
	Add     fleetAddCommand    `cmd:"" help:"Add a fleet and print its API key, once."`
	List    fleetListCommand   `cmd:"" help:"List the fleets."`
	Set     fleetSetCommand    `cmd:"" help:"Set whether a fleet requires PINs, and its country."`
	Rename  fleetRenameCommand `cmd:"" help:"Rename a fleet."`
	Disable fleetSwitchCommand `cmd:"" help:"Switch a fleet off: its calls are refused."`
	Enable  fleetSwitchCommand `cmd:"" help:"Switch a fleet on again."`
	Remove  fleetRemoveCommand `cmd:"" help:"Remove a fleet without customers, and its API keys. Its log entries are kept."`
	Key     fleetKeyCommands   `cmd:"" help:"Manage the API keys of a fleet."`
}

type fleetAddCommand struct {
	ID    domain.FleetID   `arg:"" help:"The fleet's number."`
	Name  domain.FleetName `placeholder:"NAME" help:"Its name, for operators."`
	Label domain.KeyLabel  `default:"first" placeholder:"LABEL" help:"The label of its first key in lists and in the API log (${default})."`
}

// Run prints only the key on standard output.
func (c *fleetAddCommand) Run(ctx context.Context, e environment) error {
	return e.change(ctx, func(ctx context.Context, fleets *operator.Fleets) error {
		key, err := fleets.Add(ctx, domain.Fleet{ID: c.ID, Name: c.Name}, c.Label)
		if err != nil {
			return err
		}
		e.say("fleet %d is added; its API key is printed now and never again", c.ID)
		_, err = fmt.Fprintln(e.out, key.Reveal())
		return err
	})
}

type fleetListCommand struct {
	JSON bool `name:"json" help:"Print a line of JSON for each."`
}

// fleetLine is a fleet in the list.
type fleetLine struct {
	ID         domain.FleetID     `json:"id"`
	Name       domain.FleetName   `json:"name,omitempty"`
	Disabled   bool               `json:"disabled"`
	RequirePIN bool               `json:"require_pin"`
	Country    domain.CountryCode `json:"country,omitzero"`
	Keys       int                `json:"keys"`
}

// Run prints the fleets, ordered by number.
func (c *fleetListCommand) Run(ctx context.Context, e environment) error {
	return e.run(ctx, func(ctx context.Context, directory ports.FleetDirectory) error {
		fleets, err := directory.Fleets(ctx)
		if err != nil {
			return err
		}
		var lines []fleetLine
		for _, fleet := range fleets {
			keys, err := directory.Keys(ctx, fleet.ID)
			if err != nil {
				return err
			}
			lines = append(lines, fleetLine{fleet.ID, fleet.Name, fleet.Disabled, fleet.RequirePIN, fleet.Country, len(keys)})
		}
		return printLines(e.out, c.JSON, []string{"fleet", "name", "state", "require-pin", "country", "keys"}, lines, fleetLine.row)
	})
}

func (l fleetLine) row() []string {
	return []string{fmt.Sprint(l.ID), string(l.Name), onOrOff(!l.Disabled), onOrOff(l.RequirePIN), l.Country.String(), fmt.Sprint(l.Keys)}
}

func onOrOff(on bool) string { return map[bool]string{true: "on", false: "off"}[on] }

type fleetSetCommand struct {
	ID         domain.FleetID      `arg:"" help:"The fleet's number."`
	RequirePIN *string             `name:"require-pin" enum:"on,off" placeholder:"on|off" help:"Whether every call needs the customer's PIN. A call without it, or for a customer without one, is then refused as Invalid PIN."`
	Country    *domain.CountryCode `placeholder:"CODE|none" help:"The country code that replaces the leading 0 of phone numbers in calls, imports and commands: with 44, 07700 900123 is 447700900123."`
}

// Validate is called by kong.
func (c *fleetSetCommand) Validate() error {
	if c.RequirePIN == nil && c.Country == nil {
		return errors.New("nothing to set; give --require-pin=on|off or --country=CODE|none")
	}
	return nil
}

// Run changes the fleet's policy.
func (c *fleetSetCommand) Run(ctx context.Context, e environment) error {
	return e.change(ctx, func(ctx context.Context, fleets *operator.Fleets) error {
		if err := fleets.Change(ctx, c.ID, c.change); err != nil {
			return err
		}
		if c.RequirePIN != nil {
			e.say("fleet %d requires the PIN: %s", c.ID, *c.RequirePIN)
		}
		if c.Country != nil {
			e.say("fleet %d has the country code: %s", c.ID, c.Country)
		}
		return nil
	})
}

func (c *fleetSetCommand) change(fleet *domain.Fleet) {
	if c.RequirePIN != nil {
		fleet.RequirePIN = *c.RequirePIN == "on"
	}
	if c.Country != nil {
		fleet.Country = *c.Country
	}
}

type fleetRenameCommand struct {
	ID   domain.FleetID   `arg:"" help:"The fleet's number."`
	Name domain.FleetName `arg:"" help:"Its new name, for operators; may be empty."`
}

// Run changes the name.
func (c *fleetRenameCommand) Run(ctx context.Context, e environment) error {
	return e.change(ctx, func(ctx context.Context, fleets *operator.Fleets) error {
		if err := fleets.Change(ctx, c.ID, func(fleet *domain.Fleet) { fleet.Name = c.Name }); err != nil {
			return err
		}
		e.say("fleet %d is called %q", c.ID, c.Name)
		return nil
	})
}

type fleetSwitchCommand struct {
	ID domain.FleetID `arg:"" help:"The fleet's number."`
}

// Run switches the fleet off or on, depending on the command's name.
func (c *fleetSwitchCommand) Run(ctx context.Context, e environment) error {
	on := e.line.Selected().Name == "enable"
	return e.change(ctx, func(ctx context.Context, fleets *operator.Fleets) error {
		if err := fleets.Change(ctx, c.ID, func(fleet *domain.Fleet) { fleet.Disabled = !on }); err != nil {
			return err
		}
		e.say("fleet %d is switched %s", c.ID, onOrOff(on))
		return nil
	})
}

type fleetRemoveCommand struct {
	ID domain.FleetID `arg:"" help:"The fleet's number."`
}

// Run removes the fleet, or says how to remove its customers first.
func (c *fleetRemoveCommand) Run(ctx context.Context, e environment) error {
	return e.change(ctx, func(ctx context.Context, customers ports.FleetCustomers) error {
		err := customers.RemoveFleet(ctx, c.ID)
		if errors.Is(err, domain.Conflict) {
			return domain.Errorf(domain.Conflict, "%s; customer export --fleet %d lists them, and customer remove --fleet %d --id ID removes one with the photo",
				domain.AsError(err).Public, c.ID, c.ID)
		}
		if err == nil {
			e.say("fleet %d is removed, with its keys", c.ID)
		}
		return err
	})
}

type fleetKeyCommands struct {
	Add    fleetKeyAddCommand    `cmd:"" help:"Add another API key to a fleet and print it, once."`
	List   fleetKeyListCommand   `cmd:"" help:"List the labels of a fleet's keys, never the keys."`
	Revoke fleetKeyRevokeCommand `cmd:"" help:"Revoke a key."`
}

type fleetKeyAddCommand struct {
	Fleet domain.FleetID  `arg:"" help:"The fleet's number."`
	Label domain.KeyLabel `required:"" placeholder:"LABEL" help:"The key's label in lists and in the API log, for instance who uses it."`
}

// Run prints only the key on standard output.
func (c *fleetKeyAddCommand) Run(ctx context.Context, e environment) error {
	return e.change(ctx, func(ctx context.Context, fleets *operator.Fleets) error {
		key, err := fleets.AddKey(ctx, c.Fleet, c.Label)
		if err != nil {
			return err
		}
		e.say("fleet %d has another key, %q; it is printed now and never again", c.Fleet, c.Label)
		_, err = fmt.Fprintln(e.out, key.Reveal())
		return err
	})
}

type fleetKeyListCommand struct {
	Fleet domain.FleetID `arg:"" help:"The fleet's number."`
	JSON  bool           `name:"json" help:"Print a line of JSON for each."`
}

// keyLine is a key in the list.
type keyLine struct {
	Label   domain.KeyLabel `json:"label"`
	AddedAt time.Time       `json:"added_at,omitzero"` // zero: not known
}

// Run prints the labels, sorted.
func (c *fleetKeyListCommand) Run(ctx context.Context, e environment) error {
	return e.run(ctx, func(ctx context.Context, directory ports.FleetDirectory) error {
		keys, err := directory.Keys(ctx, c.Fleet)
		if err != nil {
			return err
		}
		var lines []keyLine
		for _, key := range keys {
			lines = append(lines, keyLine{key.Label, key.AddedAt})
		}
		return printLines(e.out, c.JSON, []string{"label", "added"}, lines, keyLine.row)
	})
}

func (l keyLine) row() []string { return []string{string(l.Label), clock(l.AddedAt)} }

type fleetKeyRevokeCommand struct {
	Fleet domain.FleetID  `arg:"" help:"The fleet's number."`
	Label domain.KeyLabel `arg:"" help:"The key's label."`
}

// Run revokes the key and warns if it was the last one.
func (c *fleetKeyRevokeCommand) Run(ctx context.Context, e environment) error {
	return e.change(ctx, func(ctx context.Context, directory ports.FleetDirectory) error {
		if err := directory.RevokeKey(ctx, c.Fleet, c.Label); err != nil {
			return err
		}
		revoked := fmt.Sprintf("the key %q of fleet %d is revoked", c.Label, c.Fleet)
		keys, err := directory.Keys(ctx, c.Fleet)
		if err == nil && len(keys) == 0 {
			e.logger.Warn(fmt.Sprintf("%s; it was the last one, so the fleet's calls are refused; to add one: fleetphoto fleet key add %d --label LABEL", revoked, c.Fleet))
			return nil
		}
		e.say("%s", revoked)
		return err
	})
}
