// Command example is fleetphoto with an adapter of somebody's own: it keeps the
// photos on any WebDAV server. Next to the adapter, this is all that it takes.
//
//	FLEETPHOTO_PHOTO_STORE_URL=webdav://user:password@photos.example.com/fleets example serve
package main

import (
	"context"
	"os"

	"github.com/fleetphoto/fleetphoto/app"
)

func main() {
	catalogue := app.Adapters()
	catalogue.PhotoStores["webdav"] = func(rawURL string) (app.Backend, error) {
		store, err := Open(rawURL)
		return app.Backend{PhotoStore: store, PhotoAddresser: store}, err
	}
	os.Exit(app.Main(context.Background(), os.Args[1:], catalogue))
}
