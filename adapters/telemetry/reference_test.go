package telemetry

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"
)

var writeReference = flag.Bool("write", false, "write the table of metrics into docs/observe.md, between its markers")

const (
	referenceBegins = "<!-- metrics: written by task generate -->\n"
	referenceEnds   = "<!-- end of the metrics -->\n"
)

// exported returns the metrics that a scrape yields.
func exported(t *testing.T) map[string]*dto.MetricFamily {
	t.Helper()
	families, err := newFixture(t, nil).metrics.registry.Gather()
	check(t, err)
	byName := map[string]*dto.MetricFamily{}
	for _, family := range families {
		byName[family.GetName()] = family
	}
	return byName
}

func isOurs(name string) bool { return strings.HasPrefix(name, "fleetphoto_") }

// TestMetricsReference: the table in docs/observe.md is what the registry exports.
func TestMetricsReference(t *testing.T) {
	const file = "../../docs/observe.md"
	text, err := os.ReadFile(file)
	check(t, err)
	before, rest, begins := strings.Cut(string(text), referenceBegins)
	got, after, ends := strings.Cut(rest, referenceEnds)
	if !begins || !ends {
		t.Fatal("the markers of the metrics are missing from docs/observe.md")
	}
	want := metricsReference(t)
	if *writeReference {
		check(t, os.WriteFile(file, []byte(before+referenceBegins+want+referenceEnds+after), 0o644))
	} else if got != want {
		t.Errorf("the table in docs/observe.md differs from the metrics; task generate writes it again. Got\n%s\nwant\n%s", got, want)
	}
}

func metricsReference(t *testing.T) string {
	table := "| metric | type | labels | |\n|---|---|---|---|\n"
	families := exported(t)
	var names []string
	for name := range families {
		if isOurs(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		family := families[name]
		var labels []string
		for _, label := range family.GetMetric()[0].GetLabel() {
			labels = append(labels, "`"+label.GetName()+"`")
		}
		table += fmt.Sprintf("| `%s` | %s | %s | %s |\n", name, strings.ToLower(family.GetType().String()), strings.Join(labels, ", "), family.GetHelp())
	}
	return table
}

// TestMetricNames follow Prometheus's conventions.
func TestMetricNames(t *testing.T) {
	problems, err := testutil.GatherAndLint(newFixture(t, nil).metrics.registry)
	check(t, err)
	for _, problem := range problems {
		if isOurs(problem.Metric) {
			t.Errorf("%s: %s", problem.Metric, problem.Text)
		}
	}
}

// namedMetric finds the metrics that a query names.
var namedMetric = regexp.MustCompile(`\b(fleetphoto|go|process)_[a-z_]+`)

// TestAlerts: every metric that a rule names is exported, and every one of ours
// has the labels that it is chosen by.
func TestAlerts(t *testing.T) {
	text, err := os.ReadFile("../../docs/examples/alerts.yaml")
	check(t, err)
	families := exported(t)
	expressions := regexp.MustCompile(`(?m)^ +expr: (.*)$`).FindAllString(string(text), -1)
	if rules := strings.Count(string(text), "- alert: "); rules == 0 || len(expressions) != rules {
		t.Fatalf("%d rules have %d expressions in a line", rules, len(expressions))
	}
	all := strings.Join(expressions, "\n")
	for _, found := range namedMetric.FindAllString(all, -1) {
		if familyOf(families, found) == "" {
			t.Errorf("nobody exports %s", found)
		}
	}
	label := regexp.MustCompile(`(\w+)=`)
	for _, selector := range regexp.MustCompile(`(fleetphoto_\w+)\{([^}]*)\}`).FindAllStringSubmatch(all, -1) {
		for _, chosen := range label.FindAllStringSubmatch(selector[2], -1) {
			if name := chosen[1]; name != "job" && !hasLabel(families[familyOf(families, selector[1])], name) {
				t.Errorf("%s has no label %s", selector[1], name)
			}
		}
	}
}

func hasLabel(family *dto.MetricFamily, name string) bool {
	for _, metric := range family.GetMetric() {
		if slices.ContainsFunc(metric.GetLabel(), func(label *dto.LabelPair) bool { return label.GetName() == name }) {
			return true
		}
	}
	return false
}

// TestDashboard: every metric that it names is exported, and every one of ours
// is on it.
func TestDashboard(t *testing.T) {
	text, err := os.ReadFile("../../docs/examples/grafana-dashboard.json")
	check(t, err)
	var dashboard struct {
		Panels []struct {
			ID      int
			Title   string
			GridPos struct{ X, Y, W, H int }
			Targets []struct{ Expr string }
		}
	}
	check(t, json.Unmarshal(text, &dashboard))
	families, shown := exported(t), map[string]bool{}
	covered := map[[2]int]string{}
	for i, panel := range dashboard.Panels {
		if panel.ID != i+1 || len(panel.Targets) == 0 {
			t.Errorf("%s: its id is %d, want %d; it has %d queries", panel.Title, panel.ID, i+1, len(panel.Targets))
		}
		for _, target := range panel.Targets {
			for _, found := range namedMetric.FindAllString(target.Expr, -1) {
				metric := familyOf(families, found)
				if metric == "" {
					t.Errorf("%s: nobody exports %s", panel.Title, found)
				}
				shown[metric] = true
			}
		}
		for x := range panel.GridPos.W {
			for y := range panel.GridPos.H {
				at := [2]int{panel.GridPos.X + x, panel.GridPos.Y + y}
				if covered[at] != "" || at[0] > 23 {
					t.Errorf("%s lies over %q or beyond the 24 columns, at %v", panel.Title, covered[at], at)
				}
				covered[at] = panel.Title
			}
		}
	}
	for metric := range families {
		if isOurs(metric) && !shown[metric] {
			t.Errorf("%s is on no panel", metric)
		}
	}
}

// familyOf returns the metric that a series belongs to; empty: none.
func familyOf(families map[string]*dto.MetricFamily, series string) string {
	for _, suffix := range []string{"", "_bucket", "_sum", "_count"} {
		name, has := strings.CutSuffix(series, suffix)
		family := families[name]
		if has && family != nil && (suffix == "") == (family.GetType() != dto.MetricType_HISTOGRAM) {
			return name
		}
	}
	return ""
}
