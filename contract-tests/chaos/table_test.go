//go:build chaos

package chaos_test

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"time"
)

var (
	reports sync.Map // by the name of the set
	commit  = said("git", "rev-parse", "--short", "HEAD")
)

// A missed goal has this mark.
const missed = " ✗"

// writeTable writes what TestRandom reported into a document, between its marks.
func writeTable(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	const begin, end = "<!-- chaos: written by task chaos -->\n", "<!-- end of chaos -->"
	before, rest, found := strings.Cut(string(text), begin)
	_, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		return fmt.Errorf("%s has no %s and %s", file, strings.TrimSpace(begin), end)
	}
	return os.WriteFile(file, []byte(before+begin+table()+end+after), 0o644)
}

func table() string {
	const leastKills, leastAcknowledged, slowest = 1000, 100_000, 2 * time.Second
	var out strings.Builder
	_, _ = fmt.Fprintf(&out, "%s, commit %s, %s, %d cores, %s; seed %d, %d rounds of %v on each:\n\n", time.Now().UTC().Format(time.DateOnly), commit,
		found("/proc/cpuinfo", `model name\s*: (.*)`), runtime.NumCPU(), found("/etc/os-release", `PRETTY_NAME="(.*)"`), *seed, *rounds, *duration)
	out.WriteString("| | kills | faults | calls | acknowledged | lost | disagreements | told wrongly | undecided | slowest recovery |\n|---|---|---|---|---|---|---|---|---|---|\n")
	var all report
	line := func(name string, r report, goals bool) {
		mark := func(value any, misses bool) string {
			if misses {
				return fmt.Sprint(value, missed)
			}
			return fmt.Sprint(value)
		}
		_, _ = fmt.Fprintf(&out, "| %s | %s | %d | %d | %s | %s | %s | %s | %s | %s |\n", name, mark(r.kills, goals && r.kills < leastKills), r.faults, r.calls,
			mark(r.acknowledged, goals && r.acknowledged < leastAcknowledged), mark(r.lost, r.lost > 0), mark(r.disagreements, r.disagreements > 0),
			mark(r.toldWrongly, r.toldWrongly > 0), mark(r.undecided, r.undecided > 0), mark(r.slowest.Round(10*time.Millisecond), r.slowest > slowest))
	}
	for _, on := range sets {
		if r, is := reports.Load(on.name); is {
			r := r.(report)
			line(on.name, r, false)
			all.add(r)
		}
	}
	line("all", all, true)
	return out.String()
}

func said(program string, args ...string) string {
	out, err := exec.Command(program, args...).Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}

func found(file, pattern string) string {
	text, _ := os.ReadFile(file) // not there: unknown
	if match := regexp.MustCompile(pattern).FindSubmatch(text); match != nil {
		return string(match[1])
	}
	return "unknown"
}
