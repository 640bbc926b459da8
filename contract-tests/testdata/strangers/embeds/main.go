// Command embeds is an fx application of a stranger's: it has the call beside a
// page of its own, and wraps one port.
package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync/atomic"

	"github.com/fleetphoto/fleetphoto/adapters/httpapi"
	"github.com/fleetphoto/fleetphoto/app"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
	"go.uber.org/fx"
)

// counted counts the photos that are put.
type counted struct {
	ports.PhotoStore
	puts *atomic.Int64
}

func (c counted) Put(ctx context.Context, key domain.PhotoKey, photo domain.Photo, over domain.PhotoVersion) (domain.PhotoVersion, error) {
	c.puts.Add(1)
	return c.PhotoStore.Put(ctx, key, photo, over)
}

func main() {
	config, err := app.ConfigFromEnvironment()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	var puts atomic.Int64
	fx.New(fx.NopLogger, app.Core, app.Handler, fx.Supply(config),
		fx.Decorate(func(store ports.PhotoStore) ports.PhotoStore { return counted{store, &puts} }),
		fx.Invoke(func(call *httpapi.Server, lifecycle fx.Lifecycle) {
			mux := http.NewServeMux()
			mux.Handle("/", call)
			mux.HandleFunc("GET /puts", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, puts.Load()) })
			lifecycle.Append(fx.StartHook(func(ctx context.Context) error {
				listener, err := new(net.ListenConfig).Listen(ctx, "tcp", config.Addr)
				if err != nil {
					return err
				}
				fmt.Println("http://" + listener.Addr().String())
				go func() { _ = http.Serve(listener, mux) }()
				return nil
			}))
		}),
	).Run()
}
