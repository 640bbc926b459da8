package app_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"

	"go.uber.org/fx"

	"github.com/fleetphoto/fleetphoto/adapters/httpapi"
	"github.com/fleetphoto/fleetphoto/app"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/operator"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
	"github.com/fleetphoto/fleetphoto/ports"
)

// announced tells of each photo that is put.
type announced struct{ ports.PhotoStore }

func (a announced) Put(ctx context.Context, key domain.PhotoKey, photo domain.Photo, over domain.PhotoVersion) (domain.PhotoVersion, error) {
	version, err := a.PhotoStore.Put(ctx, key, photo, over)
	fmt.Println("put", key, err)
	return version, err
}

// An application of one's own has the call, with one port decorated.
func ExampleCore() {
	config, err := app.ConfigFromEnvironment()
	if err != nil {
		fmt.Println(err)
		return
	}
	config.DatabaseURL, config.PhotoStoreURL = "memory://", "memory://"
	var update *usecase.UpdateCustomerPhoto
	var fleets *operator.Fleets
	var customers *operator.Customers
	application := fx.New(
		fx.NopLogger, app.Core, fx.Supply(config),
		fx.Decorate(func(store ports.PhotoStore) ports.PhotoStore { return announced{store} }),
		fx.Populate(&update, &fleets, &customers),
	)
	ctx := context.Background()
	if err := application.Start(ctx); err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = application.Stop(ctx) }()

	key, _ := fleets.Add(ctx, domain.Fleet{ID: 689}, domain.FirstKey)
	_ = customers.Add(ctx, domain.CustomerRef{Fleet: 689, Customer: 452733}, domain.DialledPhone{Number: 447700900123}, domain.PIN{})
	portrait, _ := os.ReadFile("demo.jpg")
	answer, err := update.Do(ctx, usecase.Request{APIKey: key, Phone: domain.DialledPhone{Number: 447700900123}, Photo: portrait})
	fmt.Println("call", answer.ApiLogID, err)
	// Output:
	// put fleet-689/customer_photos/452733_photo.jpg <nil>
	// call 1 <nil>
}

// A server of one's own mounts the handler.
func ExampleHandler() {
	config, err := app.ConfigFromEnvironment()
	if err != nil {
		fmt.Println(err)
		return
	}
	config.DatabaseURL, config.PhotoStoreURL = "memory://", "memory://"
	var call *httpapi.Server
	application := fx.New(fx.NopLogger, app.Core, app.Handler, fx.Supply(config), fx.Populate(&call))
	ctx := context.Background()
	if err := application.Start(ctx); err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = application.Stop(ctx) }()

	mux := http.NewServeMux()
	mux.Handle(httpapi.UpdatePath, call)
	server := httptest.NewServer(mux) // or an http.Server
	defer server.Close()
	body := `{"api_key":"TEST1TEST1TEST1TEST1TEST1","phone_number":447700900123,"photo_base64":"delete"}`
	response, err := http.Post(server.URL+httpapi.UpdatePath, "application/json", strings.NewReader(body))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = response.Body.Close() }()
	fmt.Println(response.Status)
	// Output: 401 Unauthorized
}
