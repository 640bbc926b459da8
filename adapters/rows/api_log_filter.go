package rows

import (
	"fmt"
	"strings"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
)

// Where is domain.ApiLogFilter.Matches as a WHERE clause, empty where all match.
// Its placeholders are the mark and a number from 1. ceil is how the database
// compares a time with a stored one: rounded up to the microsecond.
func Where(f domain.ApiLogFilter, mark string, ceil func(time.Time) any) (clause string, args []any) {
	var all []string
	when := func(wanted bool, condition string, values ...any) {
		if !wanted {
			return
		}
		for _, value := range values {
			args = append(args, value)
			condition = strings.Replace(condition, "@", fmt.Sprint(mark, len(args)), 1)
		}
		all = append(all, condition)
	}
	when(f.Fleet != 0, "fleet_id = @", f.Fleet)
	when(f.Customer != 0, "customer_id = @", f.Customer)
	when(f.Result == domain.Open, "result = ''")
	when(f.Result != "" && f.Result != domain.Open, "result = @", f.Result)
	when(f.Error != "", "error = @", f.Error)
	when(!f.Since.IsZero(), "received_at >= @", ceil(f.Since))
	when(!f.Until.IsZero(), "received_at < @", ceil(f.Until))
	when(f.Before != domain.ApiLogPosition{}, "(received_at, id) < (@, @)", ceil(f.Before.ReceivedAt.Truncate(time.Microsecond)), f.Before.ID)
	if len(all) == 0 {
		return "", nil
	}
	return "WHERE " + strings.Join(all, " AND "), args
}
