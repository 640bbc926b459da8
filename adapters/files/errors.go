package files

import (
	"context"
	"errors"
	"fmt"

	"github.com/fleetphoto/fleetphoto/domain"
)

// translate makes err, which came while doing action, an error as the ports
// promise it. Nil stays nil.
func translate(action string, err error) error {
	if err == nil {
		return nil
	}
	cause := fmt.Errorf("files: %s: %w", action, err)
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return domain.Errorf(domain.Unavailable, "the call was given up before it was done; try again").WithCause(cause)
	}
	return domain.Errorf(domain.Unavailable, "the photo store doesn't answer as it should; try again later").WithCause(cause)
}
