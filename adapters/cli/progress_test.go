package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/operator"
)

func TestProgressIsLogged(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	p := walkProgress{&progress{logger: newLogger(&log), next: time.Now()}}
	for range 2 { // the second one is too early
		p.passed(operator.Progress{Customers: 500, After: domain.CustomerRef{Fleet: 689, Customer: 452733}})
	}
	p.end()
	if got := log.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, `"customers":500,"after":"689/452733"`) {
		t.Errorf("got %s", got)
	}
}
