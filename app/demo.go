package app

import (
	"context"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"time"

	"go.uber.org/fx"

	"github.com/fleetphoto/fleetphoto/adapters/httpapi"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/operator"
	"github.com/fleetphoto/fleetphoto/ports"
)

// The demo's fleet and customer. The key is accepted by nothing but a demo.
const (
	demoKey   = "DEMO0DEMO0DEMO0DEMO0DEMO0"
	demoPhone = "447700900123"
	demoPIN   = "1234"
)

var demoCustomer = domain.CustomerRef{Fleet: 689, Customer: 452733}

//go:embed demo.jpg
var demoPhoto []byte

// demoConfig is config with everything in memory.
func demoConfig(config Config) Config {
	config.DatabaseURL, config.PhotoStoreURL = "memory://", "memory://"
	config.FleetAuthURL, config.CustomerRepoURL, config.ApiLogURL = "", "", ""
	config.PINKey = ""
	config.PhotoURL, config.PhotoBaseURL = "public", ""
	config.TLSCert, config.TLSKey = "", "" // its addresses are printed with http
	config.Prefill = httpapi.Prefill{APIKey: demoKey, Phone: demoPhone, PIN: demoPIN}
	if config.Addr == defaultAddr {
		config.Addr = "localhost" + defaultAddr // its key is public: let nobody else in, unless told to
	}
	return config
}

// addDemo adds the demo's fleet and customer before the servers start.
var addDemo = fx.Module("demo", fx.Invoke(func(fleets ports.FleetDirectory, customers *operator.Customers, lifecycle fx.Lifecycle) {
	lifecycle.Append(fx.StartHook(func(ctx context.Context) error {
		key, keyErr := domain.ParseAPIKey(demoKey)
		phone, phoneErr := domain.ParseDialledPhone(demoPhone)
		pin, pinErr := domain.ParseNewPIN(demoPIN)
		if err := errors.Join(keyErr, phoneErr, pinErr); err != nil {
			return err
		}
		first := domain.FleetKey{Hash: key.Hash(), Label: domain.FirstKey, AddedAt: domain.Instant(time.Now())}
		if err := fleets.AddFleet(ctx, domain.Fleet{ID: demoCustomer.Fleet, Name: "Demo"}, first); err != nil {
			return err
		}
		return customers.Add(ctx, demoCustomer, phone, pin)
	}))
}))

// printDemo tells what to paste.
func printDemo(out io.Writer, config Config) error {
	host := localHost(config.Addr)
	page := ""
	if config.Pages == "on" {
		page = fmt.Sprintf("Try it in a browser: http://%s%s\nThe docs are at http://%s%s\n\n", host, httpapi.PagePath, host, httpapi.DocsPath)
	}
	call := fmt.Sprintf("curl -s http://%s%s -F api_key=%s -F phone_number=%s -F customer_pin=%s", host, httpapi.UpdatePath, demoKey, demoPhone, demoPIN)
	_, err := fmt.Fprintf(out, `
A demo is running, wholly in memory.

%[1]sOr give customer %[2]d of fleet %[3]d a photo from another terminal, where FILE is its path:

%[4]s -F photo_base64=@FILE

Without a photo at hand, paste this, which brings one:

%[4]s -F photo_base64=%[5]s

Then open http://%[6]s%[7]s%[8]s
Stop the demo with Ctrl-C.

`, page, demoCustomer.Customer, demoCustomer.Fleet, call, base64.StdEncoding.EncodeToString(demoPhoto), host, httpapi.PhotosPath, demoCustomer.PhotoKey())
	return err
}
