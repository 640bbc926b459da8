package cli

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
)

// printStory prints an entry for people. Unknown facts are left out.
func printStory(out io.Writer, entry domain.ApiLogEntry) error {
	call, details := entry.Call, entry.Call.Details
	story := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	tell := func(name string, facts ...string) {
		if text := printable(listed(facts...)); text != "" {
			_, _ = fmt.Fprintf(story, "%s\t%s\n", name, text) // Flush fails too
		}
	}
	tell("call", number(entry.ID))
	tell("received", call.ReceivedAt.Format(time.RFC3339Nano))
	tell("from", call.From)
	tell("fleet", number(call.Fleet), about(`by the key "%s"`, call.Key))
	tell("customer", number(call.Customer), about("phone %s", call.Phone))
	tell("asked", asked(call.Operation))
	tell("store", string(call.Store))
	tell("body", details.ContentType, byteCount(details.BodyBytes))
	tell("image", details.Format, byteCount(details.PhotoBytes), string(details.Treatment))
	tell("result", ended(entry))
	tell("detail", entry.Outcome.Detail)
	tell("photo", effect(entry))
	tell("was", described(entry.Outcome.Details.Before))
	tell("is", described(entry.Outcome.Details.After))
	tell("trace", details.TraceID)
	for name, took := range stages(entry) {
		_, _ = fmt.Fprintf(story, "stage\t%s\t%v\n", name, took) // as above
	}
	return story.Flush()
}

// listed joins the known facts with commas.
func listed(facts ...string) string {
	var known []string
	for _, fact := range facts {
		if fact != "" {
			known = append(known, fact)
		}
	}
	return strings.Join(known, ", ")
}

// about puts text into a phrase. It returns "" if text is empty.
func about[Text ~string](phrase string, text Text) string {
	if text == "" {
		return ""
	}
	return fmt.Sprintf(phrase, text)
}

func byteCount(count int64) string {
	if count == 0 {
		return ""
	}
	return humanize.Comma(count) + " bytes"
}

func asked(operation domain.Operation) string {
	switch operation {
	case domain.UpdatePhoto:
		return "update the photo"
	case domain.DeletePhoto:
		return "delete the photo"
	case domain.RemoveCustomer:
		return "remove the customer, by an operator"
	case domain.CopyPhoto:
		return "copy the photo to another store, by an operator"
	case domain.ProbeLog:
		return "nothing: an operator tried the log"
	}
	return string(operation)
}

func ended(entry domain.ApiLogEntry) string {
	outcome := entry.Outcome
	after := outcome.EndedAt.Sub(entry.Call.ReceivedAt)
	switch outcome.Status() {
	case domain.Open:
		at := func(age time.Duration) string { return entry.Call.ReceivedAt.Add(age).Format(time.RFC3339) }
		if outcome.SettledAt.IsZero() {
			return "open: it is running, or was interrupted and will be settled after " + at(usecase.SettleAfter)
		}
		return fmt.Sprintf("open: it was interrupted; settled at %s, and to be settled again after %s, as a request may arrive late",
			outcome.SettledAt.Format(time.RFC3339), at(usecase.LateAfter))
	case domain.Failed:
		return fmt.Sprintf("error: %s, after %v", outcome.Error, after)
	case domain.Interrupted:
		return fmt.Sprintf("interrupted, and settled after %v", after)
	default:
		return fmt.Sprintf("%s, after %v", outcome.Result, after)
	}
}

// effect says what the call did to the photo.
func effect(entry domain.ApiLogEntry) string {
	before, after := entry.Outcome.Details.Before, entry.Outcome.Details.After
	key := entry.Call.CustomerRef().PhotoKey()
	switch {
	case entry.Call.Operation == domain.ProbeLog || entry.Call.Customer == 0:
		return ""
	case entry.Outcome.Result == domain.Failed:
		return "not changed"
	case entry.Outcome.Result == domain.Interrupted:
		return fmt.Sprintf("%s was changed as asked or not at all; the customer's record says what is stored", key)
	case entry.Outcome.IsOpen():
		return ""
	case after.Exists() && after == before:
		return fmt.Sprintf("%s was replaced by the same photo", key)
	case after.Exists() && before.Exists():
		return fmt.Sprintf("%s was replaced", key)
	case after.Exists():
		return fmt.Sprintf("%s was added", key)
	case entry.Call.Operation == domain.UpdatePhoto: // settled by Repair, which doesn't know what was there before
		return fmt.Sprintf("%s was stored", key)
	case before.Exists():
		return fmt.Sprintf("%s was deleted", key)
	}
	return "there is none"
}

func described(photo domain.PhotoInfo) string {
	if !photo.Exists() {
		return ""
	}
	return fmt.Sprintf("%d × %d pixels, %s, SHA-256 %v", photo.Width, photo.Height, byteCount(photo.Size), photo.SHA256)
}
