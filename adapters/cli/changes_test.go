package cli

import (
	"context"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// TestCommandsThatChange: each command that uses the backends says whether it
// changes what is stored.
func TestCommandsThatChange(t *testing.T) {
	tried := map[string]bool{}
	for line, want := range map[string]bool{
		"fleet add 689":                                true,
		"fleet list":                                   false,
		"fleet set 689 --country=44":                   true,
		"fleet rename 689 City":                        true,
		"fleet disable 689":                            true,
		"fleet enable 689":                             true,
		"fleet remove 689":                             true,
		"fleet key add 689 --label=second":             true,
		"fleet key list 689":                           false,
		"fleet key revoke 689 second":                  true,
		"customer add --fleet=1 --id=1 --phone=4470":   true,
		"customer set --fleet=1 --id=1 --no-pin":       true,
		"customer show --fleet=1 --id=1":               false,
		"customer show --fleet=1 --phone=4470":         false,
		"customer unlock --fleet=1 --id=1":             true,
		"customer remove --fleet=1 --id=1":             true,
		"customer import --fleet=1 -":                  true,
		"customer import --fleet=1 --dry-run -":        false,
		"customer export --fleet=1":                    false,
		"log show 1":                                   false,
		"log list":                                     false,
		"log prune --older-than=90d":                   true,
		"photos verify":                                false,
		"photos verify --repair":                       true,
		"photos verify --orphans":                      false,
		"photos verify --orphans --repair":             true,
		"photos verify --delete-orphans":               false,
		"photos verify --delete-orphans --yes":         true,
		"photos copy --from=file://a --to=file://b":    true,
		"copy --from=sqlite://a.db --to=sqlite://b.db": false, // the settings don't name what it changes
		"repair": true,
	} {
		ran := 0
		app := App{Settings: &struct{}{}, Validate: func() error { return nil }, Run: func(_ context.Context, _ *slog.Logger, _ any, supply ...any) error {
			if ran++; slices.Contains(supply, any(Changes{})) != want {
				t.Errorf("%s: got %v, want that it changes: %v", line, supply, want)
			}
			return nil
		}}
		args := strings.Fields(line)
		if code := Main(t.Context(), args, app, io.Discard, t.Output()); code != 0 || ran != 1 {
			t.Errorf("%s: got %d, and it ran %d times", line, code, ran)
		}
		for i := range args {
			tried[strings.Join(args[:i+1], " ")] = true
		}
	}
	parser, err := kong.New(&commands{})
	if err != nil {
		t.Fatal(err)
	}
	// migrate has no f to run; doctor leaves out by itself what changes a database.
	others := []string{"serve", "doctor", "migrate", "openapi", "healthcheck", "version", "help"}
	for _, leaf := range parser.Model.Leaves(false) {
		if path := strings.TrimPrefix(leaf.FullPath(), parser.Model.Name+" "); !tried[path] && !slices.Contains(others, path) {
			t.Errorf("%s isn't among the commands above", path)
		}
	}
}
