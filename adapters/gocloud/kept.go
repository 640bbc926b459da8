package gocloud

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// kept is for how many days a bucket keeps objects that were deleted or
// replaced: as versions, or as what can be restored. It may be keptNot,
// keptForEver or, where the credentials may not look, keptUnknown.
type kept struct{ versions, deleted int }

const (
	keptNot     = 0
	keptForEver = -1
	keptUnknown = -2
)

// Kept says what the bucket keeps of photos that were removed or replaced, and
// who sees it; empty: nothing. told is false where the credentials may not look,
// or the server doesn't know; then it says that. It comes after Start and
// changes no photo.
func (s *PhotoStore) Kept(ctx context.Context) (what string, told bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	found, err := s.connection.kept(ctx, s.prefix)
	if status, _ := answer(err); slices.Contains([]int{http.StatusForbidden, http.StatusNotFound, http.StatusNotImplemented, http.StatusMethodNotAllowed, http.StatusBadRequest}, status) {
		return fmt.Sprintf("whether %s keeps versions or deleted objects isn't told; grant %s to have it looked at (%s)", s.name, s.rights.look, brief(err)), false, nil
	}
	if err != nil {
		return "", false, s.explain(s.rights.look, err)
	}
	return found.String(), true, nil
}

// String is a sentence, or empty.
func (k kept) String() string {
	var all []string
	for _, one := range []struct {
		what string
		days int
	}{{"versions", k.versions}, {"deleted objects", k.deleted}} {
		switch one.days {
		case keptNot:
		case keptForEver:
			all = append(all, one.what+" until somebody or a lifecycle rule deletes them")
		case keptUnknown:
			all = append(all, one.what+", for how long these credentials may not see")
		default:
			all = append(all, fmt.Sprintf("%s for %d days", one.what, one.days))
		}
	}
	if all == nil {
		return ""
	}
	return "it keeps " + strings.Join(all, " and ") + "; so long a photo that was removed or replaced can be read by whoever may read those"
}

// soonest returns the shorter of two times, of which keptForEver is the longest.
func soonest(one, other int) int {
	if one == keptForEver || other != keptForEver && other < one {
		return other
	}
	return one
}
