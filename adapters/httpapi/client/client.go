// Package client calls a fleetphoto server. It is generated from the server's
// OpenAPI document, but for what this file adds.
//
// Any program may import it; it imports nothing of this module.
package client

import (
	"bytes"
	"cmp"
	"encoding/json"
	"io"
	"mime/multipart"
)

// Failure returns what a failed call was answered, whatever its status, also
// that of a server which sends failures with status 200. It is nil where the
// call succeeded, or where the answer is no server's of this API, such as a
// proxy's page: JSON200 is nil too then.
func (r UpdateCustomerPhotoResponse) Failure() *Failure {
	if r.JSON200 != nil && r.JSON200.Result != Valid {
		var failure Failure
		_ = json.Unmarshal(r.Body, &failure) // JSON200 was read from it
		return &failure
	}
	return cmp.Or(r.JSON400, r.JSON401, r.JSON403, r.JSON404, r.JSON405, r.JSON413, r.JSON415, r.JSON421, r.JSON429, r.JSON431, r.JSON500, r.JSON503)
}

// Multipart writes a call as a multipart form, with the photo's own bytes. Its
// results are what UpdateCustomerPhotoWithBodyWithResponse takes.
func Multipart(call UpdateCustomerPhotoMultipartBody) (contentType string, body io.Reader, err error) {
	var form bytes.Buffer
	parts := multipart.NewWriter(&form)
	texts := map[string]string{"api_key": call.ApiKey, "phone_number": call.PhoneNumber}
	if call.CustomerPin != nil {
		texts["customer_pin"] = *call.CustomerPin
	}
	for name, text := range texts {
		if err := parts.WriteField(name, text); err != nil {
			return "", nil, err
		}
	}
	photo, err := call.PhotoBase64.Bytes()
	if err != nil {
		return "", nil, err
	}
	// A part is a file by its name, and what is sent is told by its content.
	file, err := parts.CreateFormFile("photo_base64", cmp.Or(call.PhotoBase64.Filename(), "photo"))
	if err != nil {
		return "", nil, err
	}
	if _, err := file.Write(photo); err != nil {
		return "", nil, err
	}
	return parts.FormDataContentType(), &form, parts.Close()
}
