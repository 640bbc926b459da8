package app

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/adapters/memory"
	"github.com/fleetphoto/fleetphoto/domain"
)

// logOf returns a catalogue whose log:// is a log of so many calls, every three
// of them received at once.
func logOf(t *testing.T, count int) Catalogue {
	t.Helper()
	log := memory.New().ApiLog
	for i := range count {
		received := time.Date(2026, 7, 28, 14, 3, i/3, 0, time.UTC)
		_, err := log.Record(t.Context(), domain.ApiCall{ReceivedAt: received}, domain.Outcome{Result: domain.Valid, EndedAt: received})
		check(t, err)
	}
	return Catalogue{Databases: map[string]Opener{"log": func(string) (Backend, error) { return Backend{ApiLog: log, ApiLogArchive: log}, nil }}}
}

// TestListsAreWhole across pages, and each call is once in them.
func TestListsAreWhole(t *testing.T) {
	t.Parallel()
	const logPage = 500 // what the command reads at once
	const all = 2*logPage + 7
	catalogue := logOf(t, all)
	for limit, want := range map[string]int{"1": 1, "500": logPage, "501": logPage + 1, "1006": all - 1, "1007": all, "5000": all} {
		args := []string{"log", "list", "--database-url=log://", "--limit=" + limit}
		var table, lines, errOut bytes.Buffer
		if run(t.Context(), args, catalogue, &table, &errOut) != 0 || run(t.Context(), append(args, "--json"), catalogue, &lines, &errOut) != 0 {
			t.Fatal(errOut.String())
		}
		if got := strings.Count(table.String(), "\n"); got != 1+want || strings.Count(table.String(), "received") != 1 {
			t.Errorf("--limit=%s: got %d lines, want %d below one header", limit, got, want)
		}
		next := domain.ApiLogID(all)
		for decoder := json.NewDecoder(&lines); ; next-- {
			var line struct{ ID domain.ApiLogID }
			if err := decoder.Decode(&line); errors.Is(err, io.EOF) {
				break
			} else if err != nil || line.ID != next {
				t.Fatalf("--limit=%s: got call %d, %v, want %d", limit, line.ID, err, next)
			}
		}
		if got := int(all - next); got != want {
			t.Errorf("--limit=%s: got %d calls, want %d", limit, got, want)
		}
	}
}
