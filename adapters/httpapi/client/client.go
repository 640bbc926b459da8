// Package client calls a fleetphoto server. It is generated from the server's
// OpenAPI document, except for the functions in this file.
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

// Failure returns the answer to a failed call, whatever its status: a server may be
// configured to send failures with status 200. It returns nil if the call succeeded,
// or if the answer isn't the API's own but, for instance, a proxy's error page: then
// JSON200 is nil too.
func (r UpdateCustomerPhotoResponse) Failure() *Failure {
	if r.JSON200 != nil && r.JSON200.Result != Valid {
		var failure Failure
		_ = json.Unmarshal(r.Body, &failure) // Body is valid JSON: JSON200 was parsed from it
		return &failure
	}
	return cmp.Or(r.JSON400, r.JSON401, r.JSON403, r.JSON404, r.JSON405, r.JSON413, r.JSON415, r.JSON421, r.JSON429, r.JSON431, r.JSON500, r.JSON503)
}

// Multipart encodes a call as a multipart form with the photo as a file part. Pass
// its results to UpdateCustomerPhotoWithBodyWithResponse.
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
	// A part needs a file name to count as a file. The name itself doesn't matter.
	file, err := parts.CreateFormFile("photo_base64", cmp.Or(call.PhotoBase64.Filename(), "photo"))
	if err != nil {
		return "", nil, err
	}
	if _, err := file.Write(photo); err != nil {
		return "", nil, err
	}
	return parts.FormDataContentType(), &form, parts.Close()
}
