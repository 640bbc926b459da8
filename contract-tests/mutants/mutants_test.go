// Package mutants shows that the clauses of the suites can fail: each is failed
// by a mutant of package memory, which is changed in one place, or by a saboteur,
// an adapter with one defect. It also lists the mutants that pass all clauses.
package mutants

import (
	"bufio"
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// asWorker is the variable that has the test run mutants, which it lists with
// their files: "7:api_log.go 8:api_log.go".
const asWorker = "FLEETPHOTO_MUTANTS"

// The first words of what a worker prints.
const begins, fails, ends = "MUTANT-BEGINS", "MUTANT-FAILS", "MUTANT-ENDS"

// patience is how long a worker may be silent. Whoever waits in a bubble takes
// no time, so that only a mutant that holds a mutex, or loops, is.
const patience = 5 * time.Second

// verdicts is what came of the mutants.
type verdicts struct {
	mu       sync.Mutex
	failures map[int][]string // the clauses that a mutant fails
}

func TestMutants(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: the mutants take a while")
	}
	program, mutants := build(t)
	found := verdicts{failures: map[int][]string{}}
	jobs := make(chan int, len(mutants))
	for _, n := range slices.Sorted(maps.Keys(mutants)) {
		jobs <- n
	}
	close(jobs)
	var workers sync.WaitGroup
	for range runtime.NumCPU() {
		workers.Go(func() { found.work(t, program, mutants, jobs) })
	}
	workers.Wait()
	t.Logf("%d mutants, of which %d fail a clause", len(mutants), len(found.failures))
	found.checkSurvivors(t, mutants)
	found.checkClauses(t)
}

// work takes jobs until there are none.
func (v *verdicts) work(t *testing.T, program string, mutants map[int]mutant, jobs <-chan int) {
	const batch = 20
	for {
		var mine []int
		for n := range jobs {
			if mine = append(mine, n); len(mine) == batch {
				break
			}
		}
		if len(mine) == 0 {
			return
		}
		for len(mine) > 0 {
			done := v.run(t, program, mutants, mine)
			mine = mine[done:]
		}
	}
}

// run runs mutants in a process, and returns how many are done with: a mutant
// that hangs or crashes is the last.
func (v *verdicts) run(t *testing.T, program string, mutants map[int]mutant, numbers []int) (done int) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	silence := time.AfterFunc(patience, cancel)
	defer silence.Stop()
	var list []string
	for _, n := range numbers {
		list = append(list, fmt.Sprintf("%d:%s", n, mutants[n].file))
	}
	worker := exec.CommandContext(ctx, program, "-test.run=^TestClauses$")
	worker.Env = append(os.Environ(), asWorker+"="+strings.Join(list, " "), "GOMAXPROCS=1") // else what is made at once isn't the same each time
	out, err := worker.StdoutPipe()
	if err == nil {
		err = worker.Start()
	}
	if err != nil {
		t.Error(err)
		return len(numbers)
	}
	running := ""
	for lines := bufio.NewScanner(out); lines.Scan(); {
		silence.Reset(patience)
		word, rest, _ := strings.Cut(lines.Text(), " ")
		number, name, _ := strings.Cut(rest, " ")
		n, _ := strconv.Atoi(number) // other lines don't matter
		switch word {
		case begins:
			running = name
		case fails:
			v.note(n, strings.Fields(name)[0])
		case ends:
			running = ""
			done++
		}
	}
	_ = worker.Wait() // that it fails is what comes next
	if done < len(numbers) {
		if running == "" {
			t.Errorf("a worker ended before it ran mutant %d, %v", numbers[done], mutants[numbers[done]])
		} else {
			v.note(numbers[done], running) // it crashed, or was silent for long
		}
		done++
	}
	return done
}

func (v *verdicts) note(n int, clause string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.failures[n] = append(v.failures[n], clause)
}

// checkSurvivors compares the mutants that fail no clause with those of which
// it is known why.
func (v *verdicts) checkSurvivors(t *testing.T, mutants map[int]mutant) {
	t.Helper()
	excused := map[string]bool{}
	for _, line := range readLines(t, "testdata/survivors.txt") {
		name, reason, _ := strings.Cut(line, " # ")
		if excused[name] = true; reason == "" {
			t.Errorf("no reason is given for %s", name)
		}
	}
	survivors := map[string]bool{}
	for _, n := range slices.Sorted(maps.Keys(mutants)) {
		if name := mutants[n].String(); v.failures[n] == nil {
			survivors[name] = true
			if !excused[name] {
				t.Errorf("a mutant passes all clauses: %s", name)
			}
		}
	}
	for name := range excused {
		if !survivors[name] {
			t.Errorf("there is no such mutant that passes all clauses, so drop it from testdata/survivors.txt: %s", name)
		}
	}
}

// checkClauses wants each clause to be failed by a mutant that fails at most a
// third of its suite: one that breaks everything doesn't show what the clause
// looks at. The other clauses need a saboteur.
func (v *verdicts) checkClauses(t *testing.T) {
	t.Helper()
	size := map[string]int{}
	for _, c := range allClauses() {
		size[c.suite]++
	}
	shown := map[string]bool{}
	for _, s := range saboteurs() {
		for _, name := range s.fails {
			shown[s.suite[0].suite+"/"+name] = true // as TestSaboteurs shows
		}
	}
	for _, names := range v.failures {
		in := map[string]int{}
		for _, name := range names {
			suite, _, _ := strings.Cut(name, "/")
			in[suite]++
		}
		for _, name := range names {
			suite, _, _ := strings.Cut(name, "/")
			shown[name] = shown[name] || 3*in[suite] <= size[suite]
		}
	}
	for _, c := range allClauses() {
		// The clauses of these include those of two others.
		elsewhere := (c.suite == "ChangeRecorder" || c.suite == "FleetCustomers") && (shown["CustomerRepo/"+c.name] || shown["CustomerDirectory/"+c.name])
		if !shown[c.String()] && !elsewhere {
			t.Errorf("no mutant fails the clause %v and few others: write a saboteur", c)
		}
	}
}

func readLines(t *testing.T, path string) (lines []string) {
	t.Helper()
	text, err := os.ReadFile(path)
	must(t, err)
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}
