package usecase_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/fleetphoto/fleetphoto/adapters/memory"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/operator"
	"github.com/fleetphoto/fleetphoto/domain/photo"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
)

func ExampleUpdateCustomerPhoto() {
	ctx := context.Background()
	backend := memory.New() // or any other four ports
	pinKey, _ := domain.NewPINKey([]byte("32 random bytes, the same forever"))

	fleets := &operator.Fleets{Directory: backend.FleetAuth, Random: rand.Reader, Clock: time.Now}
	key, _ := fleets.Add(ctx, domain.Fleet{ID: 689}, domain.FirstKey)
	customers := &operator.Customers{Fleets: backend.FleetAuth, Directory: backend.CustomerRepo, PINKey: pinKey}
	_ = customers.Add(ctx, domain.CustomerRef{Fleet: 689, Customer: 452733}, domain.DialledPhone{Number: 491701234567}, domain.PIN{})

	update := &usecase.UpdateCustomerPhoto{
		Fleets: backend.FleetAuth,
		Changes: &usecase.ChangePhoto{
			Customers: backend.CustomerRepo, Photos: backend.PhotoStore, Store: "memory",
			Log: backend.ApiLog, Recorder: backend.ChangeRecorder(), Clock: time.Now,
		},
		PINKeys: domain.PINKeys{Current: pinKey},
		Reader:  photo.NewReader(photo.Limits{MaxBytes: 10 << 20, MaxPixels: 50_000_000, MaxDimension: 1024}, 2),
	}
	answer, err := update.Do(ctx, usecase.Request{APIKey: key, Phone: domain.DialledPhone{Number: 491701234567}, Photo: picture(640)})
	fmt.Println(answer.ApiLogID, answer.PhotoKey, err)
	answer, err = update.Do(ctx, usecase.Request{APIKey: key, Phone: domain.DialledPhone{Number: 491701234567}, Photo: []byte("<html>")})
	fmt.Println(answer.ApiLogID, err)
	// Output:
	// 1 fleet-689/customer_photos/452733_photo.jpg <nil>
	// 2 Type Error: photo_base64: want an image in JPEG, PNG, GIF or WebP format, got HTML; send the photo itself, not a page
}
