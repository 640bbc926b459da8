package gocloud

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// kept says for how many days a bucket keeps objects that were deleted or
// replaced: as old versions, and as deleted objects that can be restored.
// Instead of a number of days it may hold keptNot, keptForEver or, if the
// credentials may not read the setting, keptUnknown.
type kept struct{ versions, deleted int }

const (
	keptNot     = 0
	keptForEver = -1
	keptUnknown = -2
)

// Kept returns a sentence that says for how long the bucket keeps photos that
// were removed or replaced; it is empty if the bucket keeps none. If the
// credentials may not read the settings, or the server doesn't know them, told
// is false and the sentence says so. Call Kept after Start. It changes no
// photo.
func (s *PhotoStore) Kept(ctx context.Context) (what string, told bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	found, err := s.connection.kept(ctx, s.prefix)
	if status, _ := answer(err); slices.Contains([]int{http.StatusForbidden, http.StatusNotFound, http.StatusNotImplemented, http.StatusMethodNotAllowed, http.StatusBadRequest}, status) {
		return fmt.Sprintf("can't tell whether %s keeps versions or deleted objects; grant %s to find out (%s)", s.name, s.rights.look, brief(err)), false, nil
	}
	if err != nil {
		return "", false, s.explain(s.rights.look, err)
	}
	return found.String(), true, nil
}

// String returns a sentence; it is empty if nothing is kept.
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
			all = append(all, one.what+", but these credentials may not read for how long")
		default:
			all = append(all, fmt.Sprintf("%s for %d days", one.what, one.days))
		}
	}
	if all == nil {
		return ""
	}
	return "it keeps " + strings.Join(all, " and ") + "; until then, whoever may read those can read photos that were removed or replaced"
}

// soonest returns the shorter of two times; keptForEver is the longest.
func soonest(one, other int) int {
	if one == keptForEver || other != keptForEver && other < one {
		return other
	}
	return one
}
