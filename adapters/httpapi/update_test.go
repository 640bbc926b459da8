package httpapi

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func TestContentType(t *testing.T) {
	for header, want := range map[string]string{
		"":                                    typeForm,
		"text/plain":                          typeForm,
		"Text/Plain;charset=UTF-8":            typeForm,
		"APPLICATION/JSON":                    typeJSON,
		"application/json; charset=\"utf-8":   typeJSON,
		"application/json; charset":           typeJSON,
		"application/x-www-form-urlencoded; ": typeForm,
		"application/jsonp":                   "415",
		"text/json":                           "415",
		";":                                   "415",
		"multipart/mixed; boundary=x":         "415",
		"multipart/form-data":                 "415",
		"multipart/form-data; boundary=":      "415",
		"multipart/form-data; boundary=\"\"":  "415",
		"multipart/form-data; boundary=x":     typeMultipart + " x",
		"multipart/form-data; boundary=\"a b:=/\"; charset=utf-8":       typeMultipart + " a b:=/",
		"multipart/form-data; boundary====1616056691487==":              typeMultipart + " ===1616056691487==",
		"multipart/form-data; charset=utf-8; Boundary = ----a/b:c=d; x": typeMultipart + " ----a/b:c=d",
		"multipart/form-data;boundary=(a)?[b]@c,d":                      typeMultipart + " (a)?[b]@c,d",
		"multipart/form-data; boundary=a b":                             typeMultipart + " a b",
		"multipart/form-data; boundary=\"a=b\"; charset":                typeMultipart + " a=b",
	} {
		mediaType, boundary, err := contentType(&http.Request{Header: http.Header{"Content-Type": {header}}})
		got := strings.TrimSpace(mediaType + " " + boundary)
		if err != nil {
			got = fmt.Sprint(newFailure(err, 0).status)
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", header, got, want)
		}
	}
}
