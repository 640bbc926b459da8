package app

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"github.com/fleetphoto/fleetphoto/adapters/httpapi"
	"github.com/fleetphoto/fleetphoto/domain/photo"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
)

type openAPICommand struct {
	Version string `enum:"3.0,3.1" default:"3.1" placeholder:"3.0|3.1" help:"The version of OpenAPI (${default})."`
	Format  string `enum:"json,yaml" default:"json" placeholder:"json|yaml" help:"How it is written (${default})."`
}

// Run prints the document without opening a backend.
func (c *openAPICommand) Run(e environment, out io.Writer) error {
	update := &usecase.UpdateCustomerPhoto{Reader: photo.NewReader(e.config.photoLimits(), 1)}
	options := httpapi.Options{Update: update, FailureStatus: e.config.failureStatus(), Logger: e.logger}
	document := httpapi.New(options).OpenAPI()
	render := map[openAPICommand]func() ([]byte, error){
		{"3.1", "json"}: document.MarshalJSON, {"3.1", "yaml"}: document.YAML,
		{"3.0", "json"}: document.Downgrade, {"3.0", "yaml"}: document.DowngradeYAML,
	}[*c]
	text, err := render()
	if err != nil || c.Format == "yaml" {
		return errors.Join(err, write(out, text))
	}
	var indented bytes.Buffer
	err = json.Indent(&indented, append(text, '\n'), "", "  ")
	return errors.Join(err, write(out, indented.Bytes()))
}
