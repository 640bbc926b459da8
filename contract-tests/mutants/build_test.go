package mutants

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// mutated is the folder of the adapter whose mutants are made.
const mutated = "../../adapters/memory"

// choice is what the mutants need, a file of the mutated package.
//
//go:embed testdata/mutants.go
var choice string

// chooses is the variable whose value is the number of the mutant that runs.
const chooses = "FLEETPHOTO_MUTANT"

// build compiles this test with a package memory that has all mutants in it,
// and returns the program and the mutants by their numbers.
func build(t *testing.T) (program string, mutants map[int]mutant) {
	t.Helper()
	sources := readSources(t)
	mutants = map[int]mutant{}
	for _, s := range sources {
		for _, f := range s.functions() {
			for _, m := range s.mutants(f) {
				mutants[len(mutants)+1] = m
			}
		}
	}
	directory := t.TempDir()
	for {
		overlay := writeOverlay(t, directory, sources, mutants)
		out, err := exec.CommandContext(t.Context(), "go", "build", "-gcflags=-e", "-overlay", overlay, mutated).CombinedOutput()
		if err == nil {
			program = filepath.Join(directory, "mutants.test")
			out, err = exec.CommandContext(t.Context(), "go", "test", "-c", "-o", program, "-overlay", overlay, ".").CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			return program, mutants
		}
		if !dropBroken(mutants, string(out)) {
			t.Fatalf("%v\n%s", err, out)
		}
	}
}

func readSources(t *testing.T) (sources []source) {
	t.Helper()
	paths, err := filepath.Glob(mutated + "/*.go")
	must(t, err)
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") || filepath.Base(path) == "open.go" { // which no port needs
			continue
		}
		text, err := os.ReadFile(path)
		must(t, err)
		s, err := readSource(path, string(text))
		must(t, err)
		sources = append(sources, s)
	}
	return sources
}

// writeOverlay writes the mutated package, whose functions begin with a switch
// over their mutants, and what tells Go to take it.
func writeOverlay(t *testing.T, directory string, sources []source, mutants map[int]mutant) string {
	t.Helper()
	replaced := map[string]string{}
	write := func(name, text string) {
		path := filepath.Join(directory, name)
		must(t, os.WriteFile(path, []byte(text), 0o600))
		original, err := filepath.Abs(filepath.Join(mutated, name))
		must(t, err)
		replaced[original] = path
	}
	write("mutants.go", strings.Replace(choice, "package mutants", "package memory", 1))
	for _, s := range sources {
		write(s.name, s.withMutants(mutants))
	}
	text, err := json.Marshal(map[string]any{"Replace": replaced})
	must(t, err)
	overlay := filepath.Join(directory, "overlay.json")
	must(t, os.WriteFile(overlay, text, 0o600))
	return overlay
}

func (s source) withMutants(mutants map[int]mutant) string {
	var out strings.Builder
	done := 0
	for _, f := range s.functions() {
		begin := s.offset(f.Body.Lbrace) + 1
		out.WriteString(withoutMutex(s.text[done:begin]))
		if isMethod(f) {
			out.WriteString("\ndefer mutantRuns(" + receiver(f) + ")()")
		}
		out.WriteString("\nswitch chosenMutant() {\n")
		for _, n := range slices.Sorted(maps.Keys(mutants)) {
			if m := mutants[n]; m.file == s.name && m.begin == begin {
				fmt.Fprintf(&out, "case %d:\n//line mutant-%d:1\n%s\n", n, n, m.body)
				if f.Type.Results == nil {
					out.WriteString("return\n")
				}
			}
		}
		fmt.Fprintf(&out, "}\n//line %s:%d\n", s.name, s.set.Position(f.Body.Lbrace).Line)
		done = begin
	}
	return out.String() + s.text[done:]
}

func withoutMutex(text string) string {
	return strings.NewReplacer("sync.RWMutex", "mutantMutex", "sync.Mutex", "mutantMutex", `"sync"`, `_ "sync"`).Replace(text)
}

// brokenLine is a line of a mutant that the compiler refuses.
var brokenLine = regexp.MustCompile(`mutant-(\d+):`)

// dropBroken drops the mutants that the compiler refuses, if there are any.
func dropBroken(mutants map[int]mutant, said string) bool {
	before := len(mutants)
	for _, found := range brokenLine.FindAllStringSubmatch(said, -1) {
		n, _ := strconv.Atoi(found[1]) // digits
		delete(mutants, n)
	}
	return len(mutants) < before
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
