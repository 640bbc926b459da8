package memory

import (
	"context"
	"fmt"

	"github.com/fleetphoto/fleetphoto/domain"
)

// ended is the error of a call whose ctx has ended; nil while it goes on.
func ended(ctx context.Context, action string) error {
	if err := ctx.Err(); err != nil {
		return domain.Errorf(domain.Unavailable, "the call was given up before it was done; try again").
			WithCause(fmt.Errorf("memory: %s: %w", action, err))
	}
	return nil
}
