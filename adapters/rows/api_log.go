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

// EntryColumns are the columns of a log entry but for its id.
const EntryColumns = `received_at, came_from, fleet_id, key_label, customer_id, phone, operation, details,
	intent_sha256, photo_store, ` + OutcomeColumns

// OutcomeColumns are those of an entry's outcome.
const OutcomeColumns = `result, error, detail, ended_at, settled_at, outcome_details`

// EntryValues are the values of EntryColumns. instant makes a time one that the
// database takes, text a string that may hold anything.
func EntryValues(call domain.ApiCall, outcome domain.Outcome, instant func(time.Time) any, text func(string) string) []any {
	return append([]any{
		instant(call.ReceivedAt), text(call.From), call.Fleet, text(string(call.Key)), call.Customer, call.Phone, call.Operation,
		CallDetails(call.Details), Digest(call.Intent), text(string(call.Store)),
	}, OutcomeValues(outcome, instant, text)...)
}

// OutcomeValues are the values of OutcomeColumns.
func OutcomeValues(outcome domain.Outcome, instant func(time.Time) any, text func(string) string) []any {
	return []any{
		outcome.Result, outcome.Error, text(outcome.Detail), instant(outcome.EndedAt), instant(outcome.SettledAt), OutcomeDetails(outcome.Details),
	}
}

// SelectEntry yields log entries for ScanEntry.
const SelectEntry = `SELECT id, ` + EntryColumns + ` FROM api_log `

// ScanEntry reads a row of SelectEntry. original undoes EntryValues's text.
func ScanEntry(row Row, original func(string) string) (entry domain.ApiLogEntry, err error) {
	call, outcome := &entry.Call, &entry.Outcome
	err = row.Scan(&entry.ID, (*Time)(&call.ReceivedAt), &call.From, &call.Fleet, &call.Key, &call.Customer, &call.Phone,
		&call.Operation, (*CallDetails)(&call.Details), (*Digest)(&call.Intent), &call.Store, &outcome.Result, &outcome.Error, &outcome.Detail,
		(*Time)(&outcome.EndedAt), (*Time)(&outcome.SettledAt), (*OutcomeDetails)(&outcome.Details))
	call.From, call.Key, outcome.Detail = original(call.From), domain.KeyLabel(original(string(call.Key))), original(outcome.Detail)
	call.Store = domain.PhotoStoreName(original(string(call.Store)))
	return entry, err
}
