package client_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http/httptest"
	"os"

	"github.com/fleetphoto/fleetphoto/adapters/httpapi/client"
)

func Example() {
	handler, err := newHandler(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	server := httptest.NewServer(handler) // in place of your server
	defer server.Close()

	api, err := client.NewClientWithResponses(server.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	photo, err := os.ReadFile("testdata/portrait.jpg")
	if err != nil {
		fmt.Println(err)
		return
	}
	pin := int64(1234)
	response, err := api.UpdateCustomerPhotoWithResponse(context.Background(), client.UpdateCustomerPhotoJSONRequestBody{
		ApiKey:      "TEST1TEST1TEST1TEST1TEST1",
		PhoneNumber: 447700900123,
		CustomerPin: &pin,
		PhotoBase64: base64.StdEncoding.EncodeToString(photo), // or "delete"
	})
	if err != nil {
		fmt.Println(err) // the server wasn't reached
		return
	}
	if failure := response.Failure(); failure != nil {
		fmt.Println(failure.Error, failure.Detail, failure.ApiLogId)
		return
	}
	if response.JSON200 == nil {
		fmt.Println(response.Status()) // not the server's answer but, for instance, a proxy's
		return
	}
	fmt.Println(response.JSON200.Result, response.JSON200.ApiLogId)
	// Output: valid 1
}
