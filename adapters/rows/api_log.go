package rows

import (
	"fmt"
	"strings"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
)

// Where is domain.ApiLogFilter.Matches as a WHERE clause, empty where all match.
// Its placeholders are numbered from $1. ceil rounds a time up to the microsecond,
// as the database compares it with a stored one.
func Where(f domain.ApiLogFilter, ceil func(time.Time) any) (clause string, args []any) {
	var all []string
	when := func(wanted bool, condition string, values ...any) {
		if !wanted {
			return
		}
		for _, value := range values {
			args = append(args, value)
			condition = strings.Replace(condition, "@", fmt.Sprint("$", len(args)), 1)
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

// EntryColumns are the columns of a log entry but for its id.
const EntryColumns = `received_at, came_from, fleet_id, key_label, customer_id, phone, operation, details,
	intent_sha256, photo_store, ` + OutcomeColumns

// OutcomeColumns are those of an entry's outcome.
const OutcomeColumns = `result, error, detail, ended_at, settled_at, outcome_details`

// EntryValues are the values of EntryColumns.
func (d Dialect) EntryValues(call domain.ApiCall, outcome domain.Outcome) []any {
	return append([]any{
		d.Time(call.ReceivedAt), d.Text(call.From), call.Fleet, d.Text(string(call.Key)), call.Customer, call.Phone, call.Operation,
		CallDetails(call.Details), Digest(call.Intent), d.Text(string(call.Store)),
	}, d.OutcomeValues(outcome)...)
}

// OutcomeValues are the values of OutcomeColumns.
func (d Dialect) OutcomeValues(outcome domain.Outcome) []any {
	return []any{
		outcome.Result, outcome.Error, d.Text(outcome.Detail), d.Time(outcome.EndedAt), d.Time(outcome.SettledAt), OutcomeDetails(outcome.Details),
	}
}

// SelectEntry yields log entries for ScanEntry.
const SelectEntry = `SELECT id, ` + EntryColumns + ` FROM api_log `

// ScanEntry reads a row of SelectEntry.
func (d Dialect) ScanEntry(row Row) (entry domain.ApiLogEntry, err error) {
	call, outcome := &entry.Call, &entry.Outcome
	err = row.Scan(&entry.ID, (*Time)(&call.ReceivedAt), &call.From, &call.Fleet, &call.Key, &call.Customer, &call.Phone,
		&call.Operation, (*CallDetails)(&call.Details), (*Digest)(&call.Intent), &call.Store, &outcome.Result, &outcome.Error, &outcome.Detail,
		(*Time)(&outcome.EndedAt), (*Time)(&outcome.SettledAt), (*OutcomeDetails)(&outcome.Details))
	call.From, call.Key, outcome.Detail = d.Original(call.From), domain.KeyLabel(d.Original(string(call.Key))), d.Original(outcome.Detail)
	call.Store = domain.PhotoStoreName(d.Original(string(call.Store)))
	return entry, err
}
