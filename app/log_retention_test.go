package app

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/adapters/sqlite"
	"github.com/fleetphoto/fleetphoto/domain"
)

// TestLogRetention: a server that starts removes the calls that are older than
// FLEETPHOTO_LOG_RETENTION, and says how many; younger ones and open ones stay.
func TestLogRetention(t *testing.T) {
	t.Parallel()
	const old = pruneBatch + 5
	directory := t.TempDir()
	output(t, directory, nil, "migrate")
	db, err := sqlite.Open("sqlite://" + filepath.ToSlash(filepath.Join(directory, "fleetphoto-data/fleetphoto.db")))
	check(t, err)
	t.Cleanup(func() { check(t, db.Close()) })
	check(t, db.Start(t.Context()))
	day := func(days int) domain.ApiCall {
		return domain.ApiCall{ReceivedAt: time.Now().AddDate(0, 0, -days)}
	}
	for range old {
		_, err := db.ApiLog().Record(t.Context(), day(91), domain.Outcome{Result: domain.Valid})
		check(t, err)
	}
	young, youngErr := db.ApiLog().Record(t.Context(), day(89), domain.Outcome{Result: domain.Valid})
	open, openErr := db.ApiLog().Open(t.Context(), day(91))
	check(t, youngErr)
	check(t, openErr)

	server := serve(t, directory, "FLEETPHOTO_LOG_RETENTION=90d")
	said := fmt.Sprintf(`"msg":"removed old calls from the API log","removed":%d}`, old)
	for line := server.logged; !strings.Contains(line, said); {
		var more bool
		if line, more = <-server.lines; !more {
			t.Fatal("the server ended before it removed what is old")
		}
	}
	left, err := db.ApiLog().List(t.Context(), domain.ApiLogFilter{}, 10)
	var ids []domain.ApiLogID
	for _, entry := range left {
		ids = append(ids, entry.ID)
	}
	if want := []domain.ApiLogID{young, open}; err != nil || !slices.Equal(ids, want) {
		t.Errorf("the log holds %v, %v, want %v", ids, err, want)
	}
	server.stop(t)
}
