package bench

import (
	"cmp"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/perf/benchfmt"
	"golang.org/x/perf/benchmath"
)

var tablesFile = flag.String("tables", "", "write the tables into this file, between their markers, from the files that are named after the flags")

// results are the figures of a file, each of all runs.
type results struct {
	names   []string // in the order of the file, without "/by=…"
	values  map[figure][]float64
	machine string
}

// figure is what was measured of one program.
type figure struct{ name, by, unit string }

func readResults(from io.Reader) (*results, error) {
	r := &results{values: map[figure][]float64{}}
	lines := benchfmt.NewReader(from, "results")
	for lines.Scan() {
		result, is := lines.Result().(*benchfmt.Result)
		if !is {
			return nil, fmt.Errorf("%v", lines.Result())
		}
		name, by, _ := strings.Cut(result.Name.String(), "/by=")
		if !slices.Contains(r.names, name) {
			r.names = append(r.names, name)
		}
		for _, v := range result.Values {
			if v.OrigUnit != "" { // the reader prefers bytes and seconds
				v.Value, v.Unit = v.OrigValue, v.OrigUnit
			}
			at := figure{name, by, v.Unit}
			r.values[at] = append(r.values[at], v.Value)
		}
		r.machine = fmt.Sprintf("%s, commit %s, %s; %s.", result.GetConfig("date"), result.GetConfig("commit"), result.GetConfig("machine"), result.GetConfig("turns"))
	}
	return r, lines.Err()
}

// median is NaN where nothing was measured.
func (r *results) median(name, by, unit string) float64 {
	if values := r.values[figure{name, by, unit}]; len(values) > 0 {
		return r.summary(name, by, unit).Center
	}
	return math.NaN()
}

func (r *results) summary(name, by, unit string) benchmath.Summary {
	sample := benchmath.NewSample(slices.Clone(r.values[figure{name, by, unit}]), &benchmath.DefaultThresholds)
	return benchmath.AssumeNothing.Summary(sample, 0.95)
}

// cell is a median, with how far the runs lie from it where that is asked for.
func (r *results) cell(name, by, unit string, spread bool) string {
	center := r.median(name, by, unit)
	if math.IsNaN(center) {
		return "–"
	}
	if spread {
		return number(center) + " ± " + r.summary(name, by, unit).PctRangeString()
	}
	return number(center)
}

// number has three significant digits, unless it is a whole one.
func number(value float64) string {
	if value == math.Trunc(value) {
		return fmt.Sprintf("%.0f", value)
	}
	decimals := 2 - int(math.Floor(math.Log10(max(math.Abs(value), 1e-9))))
	return fmt.Sprintf("%.*f", min(max(decimals, 0), 3), value)
}

// column is a program's figure in a table.
type column struct {
	title, by, unit string
	spread          bool
}

// table has a row for each name that has the first column's figure.
func (r *results) table(first string, columns []column) string {
	text, line := "| "+first+" | on |", "\n|---|---|"
	for _, c := range columns {
		text += " " + c.title + " |"
		line += "---:|"
	}
	text += line + "\n"
	for _, name := range r.names {
		if math.IsNaN(r.median(name, columns[0].by, columns[0].unit)) {
			continue
		}
		varied, on, _ := strings.Cut(strings.TrimPrefix(name, "Call/"), "/on=")
		text += "| " + varied + " | " + on + " |"
		for _, c := range columns {
			text += " " + r.cell(name, c.by, c.unit, c.spread) + " |"
		}
		text += "\n"
	}
	return text
}

func (r *results) calls() string {
	return r.table("varied", []column{
		{"CPU ms", product, "cpu-ms/call", true}, {"bare", asBare, "cpu-ms/call", false}, {"× bare", product, "x-bare", true},
		{"calls/s", product, "calls/s", true}, {"bare", asBare, "calls/s", false},
		{"p50 ms", product, "p50-ms", true}, {"p99 ms", product, "p99-ms", true},
		{"allocations", product, "allocs/call", false}, {"kB allocated", product, "kB/call", false}, {"peak MB", product, "peak-MB", false},
	})
}

func (r *results) postgres() string {
	return r.table("varied", []column{
		{"CPU ms", product, "db-cpu-ms/call", true}, {"bare", asBare, "db-cpu-ms/call", false},
		{"transactions", product, "db-tx/call", false}, {"WAL bytes", product, "db-wal-B/call", true}, {"bare", asBare, "db-wal-B/call", false},
	})
}

// goals are what figures should be at most.
var goals = []struct {
	what, name, unit string
	most             float64
}{
	{"50 KB, structure alone is verified: CPU, × bare", "Call/treatment=verify-structure/on=" + onSQLite, "x-bare", 2},
	{"1280×960, rotated: CPU ms", "Call/treatment=rotated-1MP/on=" + onSQLite, "cpu-ms/call", 26},
	{"12 MP, rotated: CPU ms", "Call/treatment=rotated-12MP/on=" + onSQLite, "cpu-ms/call", 75},
	{"12 MP, rotated, 64 at once: peak MB", "Call/treatment=rotated-12MP-crowd/on=" + onSQLite, "peak-MB", 500},
	{"50 KB: kB allocated", "Call/base/on=" + onSQLite, "kB/call", 28},
}

func (r *results) goals() string {
	text := "| goal | at most | measured | |\n|---|---:|---:|---|\n"
	for _, g := range goals {
		mark := "met"
		switch got := r.median(g.name, product, g.unit); {
		case math.IsNaN(got):
			mark = "not measured"
		case got > g.most:
			mark = "**missed**"
		}
		text += fmt.Sprintf("| %s | %s | %s | %s |\n", g.what, number(g.most), r.cell(g.name, product, g.unit, true), mark)
	}
	return text
}

// capacity counts what rates of the base's calls take, with photos on S3 where
// that was measured.
func (r *results) capacity() string {
	const busy, processors, pool = 0.6, 2, 20
	name := "Call/backend=s3/on=" + onS3
	if !slices.Contains(r.names, name) {
		name = "Call/base/on=" + onPostgres
	}
	one := func(unit string) float64 { return r.median(name, product, unit) }
	photo := float64(len(jpeg50KB.photos()[0])) / 1e6
	servers := func(rate float64) float64 {
		return max(1, math.Ceil(rate*one("cpu-ms/call")/1000/busy/processors))
	}
	text := "| updates a second | 10 | 1,000 | 100,000 |\n|---|---:|---:|---:|\n"
	for _, row := range []struct {
		what string
		of   func(rate float64) float64
	}{
		{"servers with two processors, at 60 %", servers},
		{"their connections to Postgres at most, 20 each", func(rate float64) float64 { return servers(rate) * pool }},
		{"calls at once, each of the median time", func(rate float64) float64 { return rate * one("p50-ms") / 1000 }},
		{"Postgres: processors in use", func(rate float64) float64 { return rate * one("db-cpu-ms/call") / 1000 }},
		{"Postgres: transactions a second", func(rate float64) float64 { return rate * one("db-tx/call") }},
		{"Postgres: WAL, MB a second", func(rate float64) float64 { return rate * one("db-wal-B/call") / 1e6 }},
		{"the same, each call on a page that hadn't changed since a checkpoint", func(rate float64) float64 {
			return rate * r.median("Call/customers=1000000/on="+onPostgres, product, "db-wal-B/call") / 1e6
		}},
		{"object store: puts a second", func(rate float64) float64 { return rate }},
		{"network: MB a second from callers, in JSON", func(rate float64) float64 { return rate * photo * 4 / 3 }},
		{"network: MB a second to the object store", func(rate float64) float64 { return rate * photo }},
	} {
		text += "| " + row.what + " |"
		for _, rate := range []float64{10, 1000, 100_000} {
			text += " " + number(row.of(rate)) + " |"
		}
		text += "\n"
	}
	return text
}

// peers has a row for each program.
func (r *results) peers() string {
	text := "| job | by | CPU ms | jobs/s | p50 ms | p99 ms | peak MB |\n|---|---|---:|---:|---:|---:|---:|\n"
	programs := map[string][]string{}
	for at := range r.values {
		if !slices.Contains(programs[at.name], at.by) {
			programs[at.name] = append(programs[at.name], at.by)
		}
	}
	for _, name := range r.names {
		for _, by := range slices.Sorted(slices.Values(programs[name])) {
			text += "| " + name + " | " + by + " |"
			for _, c := range []column{{unit: "cpu-ms/call", spread: true}, {unit: "calls/s"}, {unit: "p50-ms"}, {unit: "p99-ms"}, {unit: "peak-MB"}} {
				text += " " + r.cell(name, by, c.unit, c.spread) + " |"
			}
			text += "\n"
		}
	}
	return text
}

// writeTables replaces the tables of a text that the results have figures for.
func (r *results) writeTables(text string) (string, error) {
	tables := map[string]func() string{"calls": r.calls, "postgres": r.postgres, "goals": r.goals, "capacity": r.capacity}
	if len(r.names) > 0 && !strings.HasPrefix(r.names[0], "Call/") {
		tables = map[string]func() string{"peers": r.peers}
	}
	for name, table := range tables {
		begin, end := "<!-- "+name+": written by task bench-tables -->\n", "<!-- end of "+name+" -->\n"
		before, rest, found := strings.Cut(text, begin)
		_, after, ended := strings.Cut(rest, end)
		if !found || !ended {
			return "", fmt.Errorf("the markers of the table %q are missing", name)
		}
		text = before + begin + table() + "\n" + r.machine + "\n" + end + after
	}
	return text, nil
}

// readme are figures in rows of the README, by how the rows begin.
func (r *results) readme() map[string]string {
	cost := func(name, by string) string { return r.cell(name, by, "cpu-ms/call", false) + " ms of processor time" }
	baseName := "Call/base/on=" + onSQLite
	return map[string]string{
		"| [a photo of 50 KB](":        cost(baseName, product) + ", " + r.cell(baseName, product, "x-bare", false) + " times a bare handler's",
		"| [50 KB beside PocketBase](": cost("Store/50KB", product) + ", PocketBase " + r.cell("Store/50KB", "PocketBase", "cpu-ms/call", false) + " ms",
	}
}

// writeReadme replaces the figures of a text that were measured.
func (r *results) writeReadme(text string) string {
	lines := strings.SplitAfter(text, "\n")
	for i, line := range lines {
		for start, figure := range r.readme() {
			if cells := strings.Split(line, " | "); strings.HasPrefix(line, start) && !strings.Contains(figure, "–") {
				lines[i] = cells[0] + " | " + figure + " | " + cells[len(cells)-1]
			}
		}
	}
	return strings.Join(lines, "")
}

// TestTables writes the tables that the flag asks for, and the README's figures.
func TestTables(t *testing.T) {
	if *tablesFile == "" {
		t.Skip("task bench-tables runs it")
	}
	for _, path := range flag.Args() {
		file, err := os.Open(path)
		must(t, err)
		r, err := readResults(file)
		must(t, cmp.Or(err, file.Close()))
		rewrite(t, *tablesFile, r.writeTables)
		rewrite(t, "../../README.md", func(text string) (string, error) { return r.writeReadme(text), nil })
	}
}

func rewrite(t *testing.T, file string, by func(text string) (string, error)) {
	t.Helper()
	old, err := os.ReadFile(file)
	must(t, err)
	text, err := by(string(old))
	must(t, err)
	must(t, os.WriteFile(file, []byte(text), 0o644))
}

func TestTablesAreWritten(t *testing.T) {
	t.Parallel()
	const start, end = "# Figures\n\n<!-- peers: written by task bench-tables -->\n", "<!-- end of peers -->\n\nMore.\n"
	const lines = `date: 2026-11-30
commit: 0123456789
machine: 2 × CPU
turns: 6 of 2s
`
	input := lines
	for _, value := range []string{"1.01", "1.02", "1.00", "1.02", "1.01", "0.98"} {
		input += "BenchmarkStore/by=other 7 " + value + " cpu-ms/call 1234 calls/s 75.5 peak-MB\n"
		input += "BenchmarkStore/by=fleetphoto 9 0.0441 cpu-ms/call 5 p50-ms\n"
	}
	r, err := readResults(strings.NewReader(input))
	must(t, err)
	got, err := r.writeTables(start + "old" + end)
	must(t, err)
	want := start + `| job | by | CPU ms | jobs/s | p50 ms | p99 ms | peak MB |
|---|---|---:|---:|---:|---:|---:|
| Store | fleetphoto | 0.044 ± 0% | – | 5 | – | – |
| Store | other | 1.01 ± 3% | 1234 | – | – | 75.5 |

2026-11-30, commit 0123456789, 2 × CPU; 6 of 2s.
` + end
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got, want := r.writeReadme("| [a photo of 50 KB](docs) | 2 | `task` |\n"), "| [a photo of 50 KB](docs) | 2 | `task` |\n"; got != want {
		t.Errorf("what wasn't measured: got %q, want %q", got, want)
	}
}
