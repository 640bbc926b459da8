// The program sends a photo to a server as JSON or as a file and prints the answer:
//
//	send json|file URL KEY PHOTO_IN_BASE64
package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"mime/multipart"
	"os"

	"generators/oapi-codegen/fleetphoto"
)

func main() {
	if err := send(os.Args[1], os.Args[2], os.Args[3], os.Args[4]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func send(as, url, key, photo string) error {
	client, err := fleetphoto.NewClientWithResponses(url)
	if err != nil {
		return err
	}
	sendAs := sendJSON
	if as == "file" {
		sendAs = sendFile
	}
	answer, err := sendAs(client, key, photo)
	if err != nil {
		return err
	}
	if failure := cmp.Or(answer.JSON400, answer.JSON401); failure != nil { // each status has its own field
		fmt.Printf("%d %s: %s\n", answer.StatusCode(), failure.Error, failure.Detail)
		return nil
	}
	if answer.JSON200 == nil {
		return fmt.Errorf("%s", answer.Status())
	}
	fmt.Printf("%d %s: %s\n", answer.StatusCode(), answer.JSON200.Result, answer.JSON200.UrlCustomerPicture)
	return nil
}

func sendJSON(client *fleetphoto.ClientWithResponses, key, photo string) (*fleetphoto.UpdateCustomerPhotoResponse, error) {
	pin := int64(1234)
	call := fleetphoto.UpdateCustomerPhotoJSONRequestBody{ApiKey: key, PhoneNumber: 447700900123, CustomerPin: &pin, PhotoBase64: photo}
	return client.UpdateCustomerPhotoWithResponse(context.Background(), call)
}

// sendFile encodes the form itself: oapi-codegen generates no code for it.
func sendFile(client *fleetphoto.ClientWithResponses, key, photo string) (*fleetphoto.UpdateCustomerPhotoResponse, error) {
	var form bytes.Buffer
	parts := multipart.NewWriter(&form)
	for name, text := range map[string]string{"api_key": key, "phone_number": "447700900123", "customer_pin": "1234"} {
		if err := parts.WriteField(name, text); err != nil {
			return nil, err
		}
	}
	file, err := parts.CreateFormFile("photo_base64", "photo.jpg")
	if err != nil {
		return nil, err
	}
	content, err := base64.StdEncoding.DecodeString(photo)
	if err != nil {
		return nil, err
	}
	if _, err := file.Write(content); err != nil {
		return nil, err
	}
	if err := parts.Close(); err != nil {
		return nil, err
	}
	return client.UpdateCustomerPhotoWithBodyWithResponse(context.Background(), parts.FormDataContentType(), &form)
}
