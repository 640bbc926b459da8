package contracttests_test

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"

	"github.com/fleetphoto/fleetphoto/contract-tests/servers"
)

// adapter opens a port, or several, under URLs of a scheme.
type adapter[P any] struct {
	backend
	open func(*testing.T) P
}

// backend is what the matrix says of an adapter.
type backend struct {
	scheme string
	server string // that it needs, as FLEETPHOTO_REQUIRE names it; empty: none
}

func find[P any](adapters []adapter[P], scheme string) adapter[P] {
	return adapters[slices.IndexFunc(adapters, func(a adapter[P]) bool { return a.scheme == scheme })]
}

// columns are the suites.
var columns = []string{"FleetAuth", "CustomerRepo", "ApiLog", "PhotoStore", "HTTP"}

// row is what suites ran on, as docs/backends.md shows it: the schemes of the URLs,
// and the servers with their versions.
type row struct{ schemes, servers string }

func schemesOf(on ...backend) string {
	var schemes []string
	for _, b := range on {
		schemes = append(schemes, b.scheme+"://")
	}
	return strings.Join(schemes, " + ")
}

// What a cell holds unless it is the number of clauses that passed.
const (
	skipped = "skipped"
	failing = "FAILED"
)

// matrix is what was tested on what: by row and column, how it ended.
type matrix struct {
	mu    sync.Mutex
	cells map[row]map[string]string
}

var tested = matrix{cells: map[row]map[string]string{}}

// cell runs a suite of so many clauses on backends as a subtest and writes down
// how it ended.
func (m *matrix) cell(t *testing.T, column string, clauses int, suite func(*testing.T), on ...backend) {
	t.Helper()
	t.Run(strings.NewReplacer("://", "", " ", "").Replace(schemesOf(on...)), func(t *testing.T) {
		t.Parallel()
		at := row{schemes: schemesOf(on...)}
		t.Cleanup(func() { m.note(at, column, outcomeOf(t, clauses)) })
		var names []string
		for _, b := range on {
			if b.server != "" {
				names = append(names, servers.Name(t, b.server))
			}
		}
		at.servers = strings.Join(names, ", ")
		suite(t)
	})
}

func outcomeOf(t *testing.T, clauses int) string {
	switch {
	case t.Failed():
		return failing
	case t.Skipped():
		return skipped
	}
	return strconv.Itoa(clauses)
}

func (m *matrix) note(at row, column, outcome string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.cells[at] == nil {
		m.cells[at] = map[string]string{}
	}
	m.cells[at][column] = outcome
}

// rowsInOrder returns the rows in the order of the adapters and of the versions.
func (m *matrix) rowsInOrder() []row {
	order := orderOfRows()
	return slices.SortedFunc(maps.Keys(m.cells), func(a, b row) int {
		return cmp.Or(slices.Index(order, a.schemes)-slices.Index(order, b.schemes), strings.Compare(a.servers, b.servers))
	})
}

// orderOfRows returns the schemes of all rows.
func orderOfRows() []string {
	var order []string
	for _, a := range databases {
		order = append(order, schemesOf(a.backend))
	}
	for _, a := range photoStores {
		order = append(order, schemesOf(a.backend))
	}
	for _, on := range httpBackends {
		order = append(order, schemesOf(backend{scheme: on.database}, backend{scheme: on.photos}))
	}
	for _, c := range copies {
		order = append(order, schemesOf(copiedTo(c.from.backend, c.to.backend)))
	}
	return order
}

// String returns the matrix as a table of Markdown.
func (m *matrix) String() string {
	var out strings.Builder
	table := tabwriter.NewWriter(&out, 0, 0, 1, ' ', 0)
	line := func(cells []string) { _, _ = fmt.Fprintf(table, "| %s\t|\n", strings.Join(cells, "\t| ")) } // into memory
	line(slices.Concat([]string{"URL", "server"}, columns))
	line(slices.Repeat([]string{"---"}, 2+len(columns)))
	for _, at := range m.rowsInOrder() {
		cells := []string{at.schemes, at.servers}
		for _, column := range columns {
			cells = append(cells, m.cells[at][column])
		}
		line(cells)
	}
	_ = table.Flush()
	return out.String()
}
