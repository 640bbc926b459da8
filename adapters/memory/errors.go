package memory

import (
	"context"
	"fmt"

	"github.com/fleetphoto/fleetphoto/domain"
)

// ended returns an error if ctx has ended.
func ended(ctx context.Context, action string) error {
	if err := ctx.Err(); err != nil {
		return domain.Errorf(domain.Unavailable, "the call was given up before it was done; try again").
			WithCause(fmt.Errorf("memory: %s: %w", action, err))
	}
	return nil
}
