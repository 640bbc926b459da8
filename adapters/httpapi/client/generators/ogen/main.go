// The program sends a photo to a server as JSON or as a file and prints the answer:
//
//	send json|file URL KEY PHOTO_IN_BASE64
package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"os"

	"github.com/ogen-go/ogen/http"

	"generators/ogen/fleetphoto"
)

func main() {
	if err := send(os.Args[1], os.Args[2], os.Args[3], os.Args[4]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func send(as, url, key, photo string) error {
	client, err := fleetphoto.NewClient(url)
	if err != nil {
		return err
	}
	var call fleetphoto.UpdateCustomerPhotoReq = &fleetphoto.UpdateCustomerPhotoReqApplicationJSON{
		APIKey: key, PhoneNumber: fleetphoto.NewInt64PhoneNumber(447700900123),
		CustomerPin: fleetphoto.NewOptCustomerPIN(fleetphoto.NewInt64CustomerPIN(1234)), PhotoBase64: photo,
	}
	if as == "file" {
		file, err := base64.StdEncoding.DecodeString(photo)
		if err != nil {
			return err
		}
		call = &fleetphoto.UpdateCustomerPhotoReqMultipartFormData{
			APIKey: key, PhoneNumber: "447700900123", CustomerPin: fleetphoto.NewOptString("1234"),
			PhotoBase64: http.MultipartFile{Name: "photo.jpg", File: bytes.NewReader(file)},
		}
	}
	answer, err := client.UpdateCustomerPhoto(context.Background(), call)
	switch answer := answer.(type) {
	case *fleetphoto.Success:
		fmt.Printf("200 %s: %s\n", answer.Result, answer.URLCustomerPicture)
	case *fleetphoto.UpdateCustomerPhotoBadRequest: // each status has its own type
		fmt.Printf("400 %s: %s\n", answer.Error, answer.Detail)
	case *fleetphoto.UpdateCustomerPhotoUnauthorized:
		fmt.Printf("401 %s: %s\n", answer.Error, answer.Detail)
	default:
		return fmt.Errorf("%T: %w", answer, err)
	}
	return nil
}
