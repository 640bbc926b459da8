package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/fleetphoto/fleetphoto/adapters/cli/customercsv"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/operator"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
	"github.com/fleetphoto/fleetphoto/ports"
)

type customerCommands struct {
	Add    customerAddCommand    `cmd:"" help:"Add a customer to a fleet."`
	Set    customerSetCommand    `cmd:"" help:"Change a customer's phone number or PIN."`
	Show   customerShowCommand   `cmd:"" help:"Print a customer and the customer's photo, by --id or --phone."`
	Unlock customerUnlockCommand `cmd:"" help:"Unlock a customer's PIN after too many wrong ones."`
	Remove customerRemoveCommand `cmd:"" help:"Remove a customer and delete the photo."`
	Import customerImportCommand `cmd:"" help:"Add and change many customers from CSV."`
	Export customerExportCommand `cmd:"" help:"Write a fleet's customers as CSV."`
}

// standardStream stands for standard input or output instead of a file.
const standardStream = "-"

// whichCustomer are the flags that name one customer.
type whichCustomer struct {
	Fleet domain.FleetID    `required:"" placeholder:"ID" help:"The fleet's number."`
	ID    domain.CustomerID `required:"" placeholder:"ID" help:"The customer's number within the fleet."`
}

func (w whichCustomer) ref() domain.CustomerRef {
	return domain.CustomerRef{Fleet: w.Fleet, Customer: w.ID}
}

type customerAddCommand struct {
	whichCustomer
	Phone domain.DialledPhone `required:"" placeholder:"NUMBER" help:"The mobile number, international, or with its 0 if the fleet has a country."`
	PIN   string              `name:"pin" placeholder:"PIN|-" help:"4 to 12 digits, or - to read them from standard input, which hides them from process lists. Without this the customer has no PIN."`
}

// Run adds the customer.
func (c *customerAddCommand) Run(ctx context.Context, e environment) error {
	pin, err := c.pin(ctx)
	if err != nil {
		return err
	}
	return e.change(ctx, func(ctx context.Context, customers *operator.Customers) error {
		if err := customers.Add(ctx, c.ref(), c.Phone, pin); err != nil {
			return err
		}
		e.say("customer %d of fleet %d is added", c.ID, c.Fleet)
		return nil
	})
}

func (c *customerAddCommand) pin(ctx context.Context) (domain.PIN, error) {
	if c.PIN == "" {
		return domain.PIN{}, nil
	}
	return readPIN(ctx, c.PIN, "leave --pin out for a customer without one")
}

// readPIN parses the given PIN, or one from standard input. without says how to
// leave a customer without one.
func readPIN(ctx context.Context, given, without string) (domain.PIN, error) {
	if given != standardStream {
		pin, err := domain.ParseNewPIN(given)
		if err == nil && pin.IsBlank() {
			err = errors.New("--pin is blank; " + without)
		}
		return pin, err
	}
	line, err := bufio.NewReader(untilEnded(ctx, os.Stdin)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return domain.PIN{}, fmt.Errorf("cannot read the PIN from standard input: %w", err)
	}
	pin, err := domain.ParseNewPIN(line)
	if err == nil && pin.IsBlank() {
		err = errors.New("standard input has no PIN; " + without)
	}
	return pin, err
}

type customerSetCommand struct {
	whichCustomer
	Phone *domain.DialledPhone `placeholder:"NUMBER" help:"The new mobile number, international, or with its 0 if the fleet has a country. Without this it is kept."`
	PIN   *string              `name:"pin" xor:"pin" placeholder:"PIN|-" help:"The new PIN, 4 to 12 digits, or - to read it from standard input. Without this it is kept. To end a lock, use customer unlock."`
	NoPIN bool                 `name:"no-pin" xor:"pin" help:"Remove the customer's PIN."`
}

// Validate is called by kong.
func (c *customerSetCommand) Validate() error {
	if c.Phone == nil && c.PIN == nil && !c.NoPIN {
		return errors.New("nothing to set; give --phone, --pin or --no-pin")
	}
	return nil
}

// Run changes the phone number, the PIN or both.
func (c *customerSetCommand) Run(ctx context.Context, e environment) error {
	var pin *domain.PIN
	if c.NoPIN {
		pin = new(domain.PIN)
	}
	if c.PIN != nil {
		read, err := readPIN(ctx, *c.PIN, "--no-pin removes the PIN")
		if err != nil {
			return err
		}
		pin = &read
	}
	return e.change(ctx, func(ctx context.Context, customers *operator.Customers) error {
		if err := customers.Set(ctx, c.ref(), c.Phone, pin); err != nil {
			return err
		}
		e.say("customer %d of fleet %d is changed", c.ID, c.Fleet)
		return nil
	})
}

// untilEnded returns a reader of in that fails once ctx ends, even during a Read.
func untilEnded(ctx context.Context, in io.Reader) io.Reader {
	out, into := io.Pipe()
	context.AfterFunc(ctx, func() { _ = into.CloseWithError(ctx.Err()) })
	go func() {
		_, err := io.Copy(into, in)
		_ = into.CloseWithError(err)
	}()
	return out
}

type customerShowCommand struct {
	Fleet     domain.FleetID      `required:"" placeholder:"ID" help:"The fleet's number."`
	ID        domain.CustomerID   `xor:"who" required:"" placeholder:"ID" help:"The customer's number within the fleet. This or --phone is required."`
	Phone     domain.DialledPhone `xor:"who" required:"" placeholder:"NUMBER" help:"The customer's mobile number, international. This or --id is required."`
	ShowPhone bool                `help:"Print the whole phone number."`
}

// Run prints the customer.
func (c *customerShowCommand) Run(ctx context.Context, e environment) error {
	if c.ID != 0 {
		return e.run(ctx, func(ctx context.Context, directory ports.CustomerDirectory, address usecase.PhotoAddress) error {
			customer, err := directory.FindCustomer(ctx, domain.CustomerRef{Fleet: c.Fleet, Customer: c.ID})
			if err != nil {
				return err
			}
			return c.show(ctx, e, customer, address)
		})
	}
	return e.run(ctx, func(ctx context.Context, fleets ports.FleetDirectory, repo ports.CustomerRepo, address usecase.PhotoAddress) error {
		customer, err := operator.FindByPhone(ctx, fleets, repo, c.Fleet, c.Phone)
		if err != nil {
			return err
		}
		return c.show(ctx, e, customer, address)
	})
}

func (c *customerShowCommand) show(ctx context.Context, e environment, customer domain.Customer, address usecase.PhotoAddress) (err error) {
	at := e.PhotosPath + string(customer.Ref.PhotoKey())
	if address != nil {
		if at, err = address(ctx, customer.Ref.PhotoKey()); err != nil {
			return err
		}
	}
	if strings.HasPrefix(at, "/") {
		at = "at a server of this program, " + at
	}
	return c.print(e.out, customer, at)
}

func (c *customerShowCommand) print(out io.Writer, customer domain.Customer, address string) error {
	phone := string(customer.Phone.Masked())
	if c.ShowPhone {
		phone = fmt.Sprint(customer.Phone)
	}
	pin := map[bool]string{true: "none", false: "set"}[customer.PIN == domain.PINHash{}]
	text := fmt.Sprintf("fleet:    %d\ncustomer: %d\nphone:    %s\nPIN:      %s\n", customer.Ref.Fleet, customer.Ref.Customer, phone, pin)
	info := customer.Photo.Info
	if info.Exists() {
		text += fmt.Sprintf("photo:    %s\nsize:     %d bytes, %d × %d pixels\nSHA-256:  %s\n", address, info.Size, info.Width, info.Height, info.SHA256)
	} else {
		text += "photo:    none\n"
	}
	return write(out, []byte(text+changed(customer.Photo)))
}

// changed says when a photo was changed, and by which call.
func changed(record domain.PhotoRecord) string {
	switch {
	case record.ChangedAt.IsZero():
		return ""
	case record.ChangedBy == 0:
		return fmt.Sprintf("changed:  %s, by a repair\n", record.ChangedAt.Format(time.RFC3339Nano))
	}
	return fmt.Sprintf("changed:  %s, by call %d\n", record.ChangedAt.Format(time.RFC3339Nano), record.ChangedBy)
}

type customerUnlockCommand struct{ whichCustomer }

// Run resets the lock, even if the PIN isn't locked.
func (c *customerUnlockCommand) Run(ctx context.Context, e environment) error {
	return e.change(ctx, func(ctx context.Context, customers ports.CustomerDirectory) error {
		if err := customers.UnlockPIN(ctx, c.ref()); err != nil {
			return err
		}
		e.say("the PIN of customer %d of fleet %d is not locked", c.ID, c.Fleet)
		return nil
	})
}

type customerRemoveCommand struct{ whichCustomer }

// Run removes the customer and the photo.
func (c *customerRemoveCommand) Run(ctx context.Context, e environment) error {
	return e.change(ctx, func(ctx context.Context, remove *operator.RemoveCustomer) error {
		if err := remove.Do(ctx, c.ref()); err != nil {
			return err
		}
		e.say("customer %d of fleet %d is removed, and the photo is deleted", c.ID, c.Fleet)
		return nil
	})
}

type customerExportCommand struct {
	Fleet domain.FleetID `required:"" placeholder:"ID" help:"The fleet's number."`
	File  string         `arg:"" optional:"" default:"-" help:"The file to write; - is standard output, the default."`
}

// Run writes the customers without PINs, of which only hashes are stored.
func (c *customerExportCommand) Run(ctx context.Context, e environment) error {
	return e.run(ctx, func(ctx context.Context, export *operator.ExportCustomers) error {
		file := &exportFile{name: c.File}
		out := e.out
		if c.File != standardStream {
			out = file
		}
		csv, count := customercsv.NewExport(out), 0
		err := export.Do(ctx, c.Fleet, func(customer domain.Customer) error {
			count++
			return csv.Write(customer)
		})
		if err == nil {
			err = csv.Flush()
		}
		if err := errors.Join(err, file.close()); err != nil {
			return err
		}
		e.say("%d customers of fleet %d are written", count, c.Fleet)
		return nil
	})
}

// exportFile is created or emptied at the first write, so a failed export leaves
// the old file.
type exportFile struct {
	name string
	file *os.File // nil: not yet
}

// Write implements io.Writer.
func (f *exportFile) Write(p []byte) (int, error) {
	if f.file == nil {
		var err error
		if f.file, err = os.OpenFile(f.name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o640); err != nil {
			return 0, fmt.Errorf("cannot write the export: %w", err)
		}
	}
	return f.file.Write(p)
}

func (f *exportFile) close() error {
	if f.file == nil {
		return nil
	}
	return f.file.Close()
}
