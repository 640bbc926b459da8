package mutants

import (
	"slices"
	"testing"

	"github.com/fleetphoto/fleetphoto/contract-tests/clause"
	"github.com/fleetphoto/fleetphoto/domain"
)

// saboteur is a port with one defect, for clauses that no mutant speaks for.
type saboteur struct {
	defect string
	suite  []runnable // on the port
	fails  []string   // clauses, without their suite
}

// sabotage makes a saboteur, which open opens, for a suite.
func sabotage[P any](defect, suite string, clauses []clause.Clause[P], fails []string, open func(t *testing.T) P) saboteur {
	return saboteur{defect, runnables(suite, "", clauses, open), fails}
}

func saboteurs() []saboteur {
	return slices.Concat(badFleets(), badCustomers(), badCustomerDirectories(), badRecorders(), badPhotos(), badVersions(), badContents(), badLists(), badLogs())
}

// TestSaboteurs wants the clauses that are named to fail, and few others.
func TestSaboteurs(t *testing.T) {
	for _, s := range saboteurs() {
		t.Run(s.defect, func(t *testing.T) {
			failed := map[string]bool{}
			for _, c := range s.suite {
				if err := c.run(t); err != nil {
					failed[c.name] = true
				}
			}
			for _, name := range s.fails {
				if !failed[name] {
					t.Errorf("the clause %s passes", name)
				}
			}
			if 3*len(failed) > len(s.suite) {
				t.Errorf("%d of %d clauses fail", len(failed), len(s.suite))
			}
		})
	}
}

// errNone is what a saboteur says where it should say nothing.
var errNone = domain.Errorf(domain.NotFound, "there are none")
