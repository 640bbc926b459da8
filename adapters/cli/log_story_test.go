package cli

import (
	"crypto/sha256"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/fleetphoto/fleetphoto/domain"
)

var writeGoldens = flag.Bool("write", false, "write the goldens again")

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestStories compares the story and the line of JSON of each kind of call with
// testdata/stories.txtar, which -args -write writes again.
func TestStories(t *testing.T) {
	t.Parallel()
	const file = "testdata/stories.txtar"
	var got txtar.Archive
	for _, test := range stories() {
		var text strings.Builder
		check(t, printStory(&text, test.entry))
		text.WriteString("\n")
		check(t, printLines(&text, true, nil, []logLine{newLogLine(test.entry)}, nil))
		got.Files = append(got.Files, txtar.File{Name: test.name, Data: []byte(text.String())})
	}
	if *writeGoldens {
		check(t, os.WriteFile(file, txtar.Format(&got), 0o600))
	}
	want, err := os.ReadFile(file)
	check(t, err)
	if string(txtar.Format(&got)) != string(want) {
		t.Errorf("got\n%s", txtar.Format(&got))
	}
}

// TestManualTellsAStory: the example in docs/operate.md is what the command prints.
func TestManualTellsAStory(t *testing.T) {
	t.Parallel()
	var story strings.Builder
	check(t, printStory(&story, stories()[0].entry))
	want := "```\n" + strings.TrimSpace(story.String()) + "\n```\n"
	manual, err := os.ReadFile("../../docs/operate.md")
	check(t, err)
	if !strings.Contains(string(manual), want) {
		t.Errorf("want this in docs/operate.md:\n%s", want)
	}
}

type story struct {
	name  string
	entry domain.ApiLogEntry
}

// stories are entries of each kind; the first has all that there is.
func stories() []story {
	received := time.Date(2026, 7, 28, 14, 3, 27, 120_450_000, time.UTC)
	call := domain.ApiCall{
		ReceivedAt: received, From: "203.0.113.7", Fleet: 689, Key: "PHP of 2026", Customer: 452733, Phone: "…0123", Operation: domain.UpdatePhoto,
		Details: domain.CallDetails{
			TraceID: "4bf92f3577b34da6a3ce929d0e0e4736", ContentType: "application/x-www-form-urlencoded", BodyBytes: 68_412,
			PhotoBytes: 51_204, Format: "JPEG", Treatment: domain.Kept,
			Timings: domain.Timings{
				Receive: 1_204 * time.Microsecond, Identify: 318 * time.Microsecond, Find: 402 * time.Microsecond,
				CheckPIN: 2_107 * time.Microsecond, ReadPhoto: 3_950 * time.Microsecond,
			},
		},
	}
	older := domain.PhotoInfo{SHA256: sha256.Sum256([]byte("older")), Size: 23_911, Width: 640, Height: 480}
	newer := domain.PhotoInfo{SHA256: sha256.Sum256([]byte("newer")), Size: 49_870, Width: 512, Height: 512}
	changed := domain.Outcome{
		Result: domain.Valid, EndedAt: received.Add(18_733 * time.Microsecond),
		Details: domain.OutcomeDetails{Before: older, After: newer, Timings: domain.Timings{
			OpenEntry: 1_388 * time.Microsecond, Wait: 411 * time.Microsecond,
			StorePhoto: 8_020 * time.Microsecond, StoreRecord: 1_903 * time.Microsecond,
		}},
	}
	entry := func(call domain.ApiCall, outcome domain.Outcome) domain.ApiLogEntry {
		return domain.ApiLogEntry{ID: 2288346, Call: call, Outcome: outcome}
	}
	ended := func(outcome domain.Outcome) domain.Outcome {
		outcome.EndedAt = received.Add(3 * time.Millisecond)
		return outcome
	}
	bare := call
	bare.Details = domain.CallDetails{}
	kept := bare
	kept.Store = "s3://photos/prefix/"
	asked := func(operation domain.Operation) domain.ApiCall {
		call := bare
		call.Operation = operation
		return call
	}
	before, after := domain.OutcomeDetails{Before: older}, domain.OutcomeDetails{After: newer}
	return []story{
		{"replaced", entry(call, changed)},
		{"replaced by the same", entry(bare, ended(domain.Outcome{Result: domain.Valid, Details: domain.OutcomeDetails{Before: newer, After: newer}}))},
		{"added", entry(bare, ended(domain.Outcome{Result: domain.Valid, Details: after}))},
		{"found done by a repair", entry(bare, ended(domain.Outcome{Result: domain.Valid}))},
		{"deleted", entry(asked(domain.DeletePhoto), ended(domain.Outcome{Result: domain.Valid, Details: before}))},
		{"deleted what wasn't there", entry(asked(domain.DeletePhoto), ended(domain.Outcome{Result: domain.Valid}))},
		{"customer removed", entry(asked(domain.RemoveCustomer), ended(domain.Outcome{Result: domain.Valid, Details: before}))},
		{"wrong PIN", entry(bare, ended(domain.Outcome{Result: domain.Failed, Error: domain.InvalidPIN, Detail: "customer_pin: it does not match"}))},
		{"interrupted", entry(bare, ended(domain.Outcome{Result: domain.Interrupted}))},
		{"open", entry(bare, domain.Outcome{})},
		{"settled once", entry(kept, domain.Outcome{SettledAt: received.Add(3 * time.Minute)})},
		{"not understood", entry(domain.ApiCall{ReceivedAt: received}, ended(domain.Outcome{Result: domain.Failed, Error: domain.TypeError, Detail: "Content-Type: it is missing"}))},
		{"probe", entry(domain.ApiCall{ReceivedAt: received, Operation: domain.ProbeLog}, ended(domain.Outcome{Result: domain.Valid}))},
	}
}
