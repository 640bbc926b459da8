package app

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

var writeReference = flag.Bool("write", false, "write the table of settings into docs/operate.md, between its markers")

const (
	referenceBegins = "<!-- configuration: written by task generate -->\n"
	referenceEnds   = "<!-- end of the configuration -->\n"
)

// TestConfigReference: the table in docs/operate.md is what the tags of Config say.
func TestConfigReference(t *testing.T) {
	t.Parallel()
	const file = "../docs/operate.md"
	text, err := os.ReadFile(file)
	check(t, err)
	before, rest, begins := strings.Cut(string(text), referenceBegins)
	got, after, ends := strings.Cut(rest, referenceEnds)
	if !begins || !ends {
		t.Fatal("the markers of the configuration are missing from docs/operate.md")
	}
	want := configReference(t)
	if *writeReference {
		check(t, os.WriteFile(file, []byte(before+referenceBegins+want+referenceEnds+after), 0o644))
	} else if got != want {
		t.Errorf("the table in docs/operate.md differs from the tags of Config; task generate writes it again. Got\n%s\nwant\n%s", got, want)
	}
}

func configReference(t *testing.T) string {
	parser, err := kong.New(&Config{})
	check(t, err)
	code := regexp.MustCompile(`FLEETPHOTO_[A-Z_]+|[a-z0-9]+://[A-Za-z.…]*[A-Za-z…]|[a-z0-9]+://|openssl rand -hex 32|/photos/|/docs`)
	table := "| variable | default | |\n|---|---|---|\n"
	for _, flag := range parser.Model.Flags {
		if len(flag.Envs) == 0 {
			continue
		}
		variable, preset := "`"+flag.Envs[0]+"`", ""
		if flag.Tag.Has("secret") {
			variable += ", `…_FILE`"
		}
		if flag.Default != "" {
			preset = "`" + flag.Default + "`"
		}
		help := strings.Replace(flag.OrigHelp, " (${default})", "", 1)
		table += fmt.Sprintf("| %s | %s | %s |\n", variable, preset, code.ReplaceAllString(help, "`$0`"))
	}
	return table
}
