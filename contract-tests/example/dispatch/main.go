// Command dispatch is fleetphoto on the customers of somebody's dispatch system:
// it reads their table, in which it may write nothing, and keeps what a call
// stores in tables of its own beside it. Next to the adapter, this is all that
// it takes.
//
//	FLEETPHOTO_CUSTOMER_REPO_URL=dispatch://fleetphoto:password@db.example.com/dispatch?country=44 dispatch serve
package main

import (
	"context"
	"os"

	"github.com/fleetphoto/fleetphoto/app"
)

func main() {
	catalogue := app.Adapters()
	catalogue.Databases["dispatch"] = func(rawURL string) (app.Backend, error) {
		customers, err := Open(rawURL)
		if err != nil {
			return app.Backend{}, err
		}
		return app.Backend{CustomerRepo: customers, Migrate: customers.Migrate, Close: customers.Close}, nil
	}
	os.Exit(app.Main(context.Background(), os.Args[1:], catalogue))
}
