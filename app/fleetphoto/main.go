// Command fleetphoto serves the call that changes a customer's photo.
package main

import (
	"context"
	"os"

	"github.com/fleetphoto/fleetphoto/app"
)

func main() {
	os.Exit(app.Main(context.Background(), os.Args[1:], app.Adapters()))
}
