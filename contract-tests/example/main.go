// Command example is fleetphoto with an adapter of somebody's own: it keeps the
// photos on any WebDAV server. Next to the adapter, this is all that it takes.
//
//	FLEETPHOTO_PHOTO_STORE_URL=webdav://user:password@photos.example.com/fleets example serve
package main

import (
	"context"
	"os"

	"github.com/fleetphoto/fleetphoto/app"
	"github.com/fleetphoto/fleetphoto/domain"
)

func main() {
	catalogue := app.Adapters()
	catalogue.PhotoStores["webdav"] = func(rawURL string) (app.Backend, error) {
		store, err := Open(rawURL)
		if err != nil {
			return app.Backend{}, err
		}
		return app.Backend{PhotoStore: store, PhotoAddresser: store, PhotoStoreName: domain.PhotoStoreName(store.URL(""))}, nil
	}
	os.Exit(app.Main(context.Background(), os.Args[1:], catalogue))
}
