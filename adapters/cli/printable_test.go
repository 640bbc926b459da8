package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/fleetphoto/fleetphoto/domain"
)

// hostile has a character of each kind that a terminal obeys or doesn't show.
const hostile = "a\x00\x1b[2J\x7f\u0085\u009b\u00ad\u061c\u200b\u200e\u200f\u202a\u202e\u2028\u2029\u2066\u2069\ufeff\U000e0041\xffz"

// escapedHostile is hostile as it is printed.
const escapedHostile = `a\u0000\u001b[2J\u007f\u0085\u009b\u00ad\u061c\u200b\u200e\u200f\u202a\u202e\u2028\u2029\u2066\u2069\ufeff\udb40\udc41\xffz`

func TestPrintable(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"": "", "City Cabs": "City Cabs", `Größe "🚕" \ …`: `Größe "🚕" \ …`, "a\nb\tc\r": `a\u000ab\u0009c\u000d`, hostile: escapedHostile,
	} {
		if got := printable(text); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
}

// TestNothingUnprintableIsPrinted, wherever it came from.
func TestNothingUnprintableIsPrinted(t *testing.T) {
	t.Parallel()
	text := hostile + "\nfleetphoto: all is well"
	entry := domain.ApiLogEntry{
		ID: 1, Call: domain.ApiCall{
			From: text, Fleet: 1, Key: domain.KeyLabel(text), Phone: domain.MaskedPhone(text), Operation: domain.Operation(text), Store: domain.PhotoStoreName(text),
			Details: domain.CallDetails{TraceID: text, ContentType: text, Format: text, Treatment: domain.Treatment(text)},
		}, Outcome: domain.Outcome{Result: domain.Failed, Error: domain.Kind(text), Detail: text},
	}
	var story, row, fleet, complaint bytes.Buffer
	check(t, printStory(&story, entry))
	check(t, printLines(&row, false, nil, []domain.ApiLogEntry{entry}, logRow))
	check(t, printLines(&fleet, false, nil, []fleetLine{{ID: 1, Name: domain.FleetName(text)}}, fleetLine.row))
	complain(&complaint, errors.New(text))
	for name, test := range map[string]struct {
		got   string
		times int // the text is in it
		lines int
	}{"story": {story.String(), 11, 12}, "row": {row.String(), 4, 1}, "fleet": {fleet.String(), 1, 1}, "complaint": {complaint.String(), 1, 2}} {
		lines := strings.Split(strings.TrimSuffix(test.got, "\n"), "\n")
		if times := strings.Count(test.got, escapedHostile); times != test.times || len(lines) != test.lines {
			t.Errorf("%s: the text is in it %d times, in %d lines; want %d in %d: %q", name, times, len(lines), test.times, test.lines, test.got)
		}
		for _, line := range lines {
			if line != printable(line) || strings.HasPrefix(line, "fleetphoto: all") {
				t.Errorf("%s: got the line %q", name, line)
			}
		}
	}
}

// TestJSONStaysJSON: where lines of JSON are written, they say what they said.
func TestJSONStaysJSON(t *testing.T) {
	t.Parallel()
	valid := strings.TrimSuffix(hostile, "\xffz")
	var lines, log bytes.Buffer
	check(t, printLines(printableLines{&lines}, true, nil, []fleetLine{{ID: 1, Name: domain.FleetName(valid)}}, nil))
	newLogger(&log).Info("said", slog.String("name", valid))
	for _, got := range []string{lines.String(), log.String()} {
		var read struct{ Name string }
		check(t, json.Unmarshal([]byte(got), &read))
		if plain := strings.TrimSuffix(got, "\n"); read.Name != valid || plain != printable(plain) {
			t.Errorf("got %q from %q", read.Name, got)
		}
	}
}
