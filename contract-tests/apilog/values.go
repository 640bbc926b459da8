package apilog

import (
	"crypto/sha256"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
)

// noon is a time that is lost unless it is stored to the microsecond.
var noon = time.Date(2026, time.March, 29, 12, 0, 0, 123_457_000, time.UTC)

// late is after all calls of the suite.
var late = noon.Add(24 * time.Hour)

// apiCall is a call that came n minutes after noon.
func apiCall(n int) domain.ApiCall {
	return domain.ApiCall{
		ReceivedAt: noon.Add(time.Duration(n) * time.Minute),
		From:       fmt.Sprint("192.0.2.", n), Fleet: domain.FleetID(689 + n), Key: domain.KeyLabel(fmt.Sprint("key ", n)),
		Customer: domain.CustomerID(452_733 + n), Phone: domain.PhoneNumber(n).Masked(), Operation: domain.UpdatePhoto,
		Details: domain.CallDetails{
			TraceID: fmt.Sprintf("%032x", n), ContentType: fmt.Sprint("image/x-", n), BodyBytes: 400_000 + int64(n), PhotoBytes: 300_000 + int64(n),
			Format: fmt.Sprint("format ", n), Treatment: domain.Normalised, Timings: everyTiming(n),
		},
		Intent: photoInfo(n).SHA256, Store: domain.PhotoStoreName(fmt.Sprint("s3://photos/", n)),
	}
}

// everyTiming has a time for each step, which differs from those with another n.
func everyTiming(n int) (timings domain.Timings) {
	took := time.Duration(n + 1)
	for _, step := range timings.All() {
		*step = took
		took += time.Millisecond
	}
	return timings
}

func manyCalls(n int) []domain.ApiCall {
	calls := make([]domain.ApiCall, n)
	for i := range calls {
		calls[i] = apiCall(i + 1)
	}
	return calls
}

// oddCalls are calls that a careless adapter doesn't store whole: with every
// operation, with nothing but a time, with large numbers, with texts of all
// sorts, with a single time. The oldest is first.
func oddCalls() []domain.ApiCall {
	calls := []domain.ApiCall{{ReceivedAt: noon}, {ReceivedAt: noon.Add(time.Microsecond), From: "[2001:db8::1%eth0]:54321"}}
	for i, operation := range []domain.Operation{"", domain.UpdatePhoto, domain.DeletePhoto, domain.RemoveCustomer, domain.CopyPhoto, domain.ProbeLog} {
		call := apiCall(i + 1)
		call.Operation = operation
		calls = append(calls, call)
	}
	texts, single := apiCall(11), apiCall(12)
	texts.Key = `\x41 «Größe» 🚕 ' " %`
	texts.Details.ContentType = "text/«Größe» 📷; a=\"\\x41\\u0041 <&> ' % \u2028\t\""
	single.Details = domain.CallDetails{BodyBytes: 1, Treatment: domain.Kept}
	texts.Store = "file:///«Größe» 📷/\\x41?' \" %_; --\t\n"
	single.Details.Timings.OpenEntry = 1
	single.Intent, single.Store = domain.Digest{31: 1}, domain.PhotoStoreName(strings.Repeat("s3://long ", 200))
	return append(calls, texts, single, domain.ApiCall{
		ReceivedAt: late.Add(-time.Microsecond), Fleet: math.MaxInt64, Customer: math.MaxInt64,
		Phone:   domain.PhoneNumber(999_999_999_999_999).Masked(),
		Details: domain.CallDetails{BodyBytes: math.MaxInt64, PhotoBytes: math.MaxInt64 - 1, Timings: domain.Timings{Receive: math.MaxInt64}},
	})
}

// outcome is a failure that differs from those with another n.
func outcome(n int) domain.Outcome {
	return domain.Outcome{
		Result: domain.Failed, Error: domain.TypeError, Detail: fmt.Sprint("parameter ", n, " is missing"),
		EndedAt: late.Add(time.Duration(n) * time.Microsecond),
		Details: domain.OutcomeDetails{Before: photoInfo(n), After: photoInfo(n + 1), Timings: everyTiming(n)},
	}
}

func photoInfo(n int) domain.PhotoInfo {
	return domain.PhotoInfo{SHA256: sha256.Sum256(fmt.Append(nil, "photo ", n)), Size: 300_000 + int64(n), Width: 1024 + n, Height: 768 + n}
}

// EveryResult has an outcome for each Result.
func EveryResult() []domain.Outcome {
	return []domain.Outcome{
		{Result: domain.Valid, EndedAt: late}, outcome(1), {Result: domain.Interrupted, EndedAt: late.Add(time.Microsecond)},
	}
}

// EveryOutcome has each Result and, of the failures, each Kind, sentences of all
// sorts, and photos that are large or only before or after.
func EveryOutcome() []domain.Outcome {
	outcomes := EveryResult()
	for _, detail := range []string{"", "«Größe» 📷 \\ \" ' % _ ; --\tx\n", strings.Repeat("long ", 2000)} {
		outcomes = append(outcomes, domain.Outcome{Result: domain.Failed, Error: domain.TypeError, Detail: detail, EndedAt: late})
	}
	large := domain.PhotoInfo{SHA256: domain.Digest{0xFF}, Size: math.MaxInt64, Width: math.MaxInt, Height: math.MaxInt}
	for _, details := range []domain.OutcomeDetails{{Before: large}, {After: large}, {Timings: domain.Timings{StoreRecord: math.MaxInt64}}} {
		outcomes = append(outcomes, domain.Outcome{Result: domain.Valid, EndedAt: late, Details: details})
	}
	outcomes = append(outcomes, domain.Outcome{Result: domain.Valid, EndedAt: late, SettledAt: late.Add(-time.Microsecond)})
	for i, kind := range domain.Kinds() {
		failure := outcome(i)
		failure.Error = kind
		outcomes = append(outcomes, failure)
	}
	return outcomes
}
