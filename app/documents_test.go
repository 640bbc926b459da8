package app_test

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// document is a file of the manual.
type document struct{ name, text string }

// documents returns the README, SECURITY.md and all of docs/, by their paths
// below the module's root.
func documents(t *testing.T) (all []document) {
	t.Helper()
	root := moduleRoot(t)
	for _, pattern := range []string{"*.md", "docs/*.md"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			name, err := filepath.Rel(root, file)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, document{filepath.ToSlash(name), read(t, file)})
		}
	}
	return all
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var fence = regexp.MustCompile("(?ms)^ *```(\\w*)\n(.*?)^ *```$")

// blocks returns what is in the document's fences of a language.
func (d document) blocks(language string) (all []string) {
	for _, found := range fence.FindAllStringSubmatch(d.text, -1) {
		if found[1] == language {
			all = append(all, found[2])
		}
	}
	return all
}

// commands returns the lines of shell blocks, whole, and the spans of code.
func (d document) commands() []string {
	var all []string
	for _, block := range d.blocks("sh") {
		all = append(all, strings.Split(strings.ReplaceAll(block, "\\\n", ""), "\n")...)
	}
	for _, span := range regexp.MustCompile("`([^`\n]+)`").FindAllStringSubmatch(fence.ReplaceAllString(d.text, ""), -1) {
		all = append(all, strings.ReplaceAll(span[1], `\|`, "|"))
	}
	return all
}

// anchors returns the names that GitHub gives the document's headings.
func (d document) anchors() (all []string) {
	for _, heading := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(fence.ReplaceAllString(d.text, ""), -1) {
		name := regexp.MustCompile(`[^\pL\pN _-]`).ReplaceAllString(strings.ToLower(heading[1]), "")
		all = append(all, strings.ReplaceAll(name, " ", "-"))
	}
	return all
}

// TestDocumentsLinks: what the manual links to is there.
func TestDocumentsLinks(t *testing.T) {
	t.Parallel()
	all := documents(t)
	for _, d := range all {
		for _, link := range regexp.MustCompile(`\]\(([^)\s]+)\)`).FindAllStringSubmatch(d.text, -1) {
			if strings.HasPrefix(link[1], "https://") {
				continue
			}
			file, anchor, _ := strings.Cut(link[1], "#")
			target := d.name
			if file != "" {
				target = path.Join(path.Dir(d.name), file)
			}
			if _, err := os.Stat(filepath.Join(moduleRoot(t), target)); err != nil {
				t.Errorf("%s links to %s: %v", d.name, link[1], err)
			}
			at := slices.IndexFunc(all, func(d document) bool { return d.name == target })
			if anchor != "" && (at < 0 || !slices.Contains(all[at].anchors(), anchor)) {
				t.Errorf("%s links to %s, which has no such heading", d.name, link[1])
			}
		}
	}
}

// help is what --help prints for the program and for each command, by the words
// of the command.
func help(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, section := range strings.Split(read(t, "testdata/script/help.txtar"), "\n$ fleetphoto")[1:] {
		words, text, _ := strings.Cut(section, "--help\n")
		all[strings.TrimSpace(words)] = text
	}
	return all
}

// TestDocumentsCommands: the commands that the manual names exist, and have the
// flags that it gives them.
func TestDocumentsCommands(t *testing.T) {
	t.Parallel()
	known := help(t)
	count := 0
	for _, d := range documents(t) {
		for _, line := range d.commands() {
			command, words := "", strings.Fields(line) // of a span, which may leave the program out
			called := regexp.MustCompile(`(?:^|[(/]|[A-Z_]=\S+ )fleetphoto ([a-z].*)`).FindStringSubmatch(line)
			if called != nil {
				words = strings.Fields(called[1])
			}
			for len(words) > 0 && known[strings.TrimSpace(command+" "+words[0])] != "" {
				command, words = strings.TrimSpace(command+" "+words[0]), words[1:]
			}
			if command == "" && called == nil {
				continue
			}
			if len(words) > 0 && strings.Contains(known[command], "<command>") {
				t.Errorf("%s: %q: there is no such command", d.name, line)
			}
			count++
			for _, word := range words {
				flag := regexp.MustCompile(`^\[?(--[a-z-]+)`).FindStringSubmatch(word)
				if flag != nil && !regexp.MustCompile(`(?m)^ .*`+flag[1]+`\b`).MatchString(known[command]+known[""]) {
					t.Errorf("%s: %q: %s has no flag %s", d.name, line, command, flag[1])
				}
			}
		}
	}
	if count < 50 {
		t.Errorf("only %d commands were found", count)
	}
}

// TestDocumentsSettings: the variables that the manual names exist.
func TestDocumentsSettings(t *testing.T) {
	t.Parallel()
	var sources strings.Builder // of the variables that only tests read
	for _, file := range goFiles(t) {
		if strings.HasSuffix(file, "_test.go") || strings.Contains(file, "contract-tests") {
			sources.WriteString(read(t, file))
		}
	}
	variable := regexp.MustCompile(`FLEETPHOTO_[A-Z_]*[A-Z]`)
	for _, d := range documents(t) {
		for _, name := range variable.FindAllString(d.text, -1) {
			setting := strings.TrimSuffix(name, "_FILE")
			test := strings.HasPrefix(name, "FLEETPHOTO_TEST_") || name == "FLEETPHOTO_REQUIRE"
			if !test && !strings.Contains(help(t)[""], "$"+setting+")") || test && !strings.Contains(sources.String(), strings.TrimSuffix(name, "_POSTGRES_URL")) {
				t.Errorf("%s names %s, which nobody reads", d.name, name)
			}
		}
	}
}

// TestDocumentsTests: the tests, benchmarks and tasks that the manual tells one
// to run exist.
func TestDocumentsTests(t *testing.T) {
	t.Parallel()
	root := moduleRoot(t)
	taskfile := read(t, filepath.Join(root, "Taskfile.yml"))
	for _, d := range documents(t) {
		for _, line := range d.commands() {
			if task := regexp.MustCompile(`^task ([a-z]\S*)`).FindStringSubmatch(line); task != nil && !strings.Contains(taskfile, "\n  "+task[1]+":\n") {
				t.Errorf("%s: %q: there is no such task", d.name, line)
			}
			folder := regexp.MustCompile(`go test (\./\S+[a-z])( |$)`).FindStringSubmatch(line)
			if folder == nil {
				continue
			}
			var sources strings.Builder
			tests, _ := filepath.Glob(filepath.Join(root, folder[1], "*_test.go")) // of a good pattern
			for _, file := range tests {
				sources.WriteString(read(t, file))
			}
			for _, name := range regexp.MustCompile(`-(run|bench) '?\^?(\w+)`).FindAllStringSubmatch(line, -1) {
				if !regexp.MustCompile(`func (Test|Benchmark)?` + name[2]).MatchString(sources.String()) {
					t.Errorf("%s: %q: there is no %s in %s", d.name, line, name[2], folder[1])
				}
			}
		}
	}
}

// goFiles returns the paths of the module's Go files.
func goFiles(t *testing.T) (all []string) {
	t.Helper()
	root := moduleRoot(t)
	for _, folder := range []string{"domain", "ports", "adapters", "app", "contract-tests"} {
		if err := filepath.WalkDir(filepath.Join(root, folder), func(file string, _ fs.DirEntry, err error) error {
			if strings.HasSuffix(file, ".go") {
				all = append(all, file)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// TestDocumentsGo: each Go block of the manual is in a file that is compiled.
func TestDocumentsGo(t *testing.T) {
	t.Parallel()
	flat := func(code string) string { return regexp.MustCompile(`(?m)^\s+`).ReplaceAllString(code, "") }
	var sources strings.Builder
	for _, file := range goFiles(t) {
		sources.WriteString(flat(read(t, file)))
	}
	count := 0
	for _, d := range documents(t) {
		for _, block := range d.blocks("go") {
			if count++; !strings.Contains(sources.String(), flat(block)) {
				t.Errorf("%s: no file has this:\n%s", d.name, block)
			}
		}
	}
	if count == 0 {
		t.Error("no Go blocks were found")
	}
}

// TestReadmeLayout: the folders in the README's tree exist, and no package is
// outside of them.
func TestReadmeLayout(t *testing.T) {
	t.Parallel()
	root := moduleRoot(t)
	readme := document{"README.md", read(t, filepath.Join(root, "README.md"))}
	tree := readme.blocks("")[0]
	var got, want []string
	parent := ""
	for _, line := range regexp.MustCompile(`(?m)^( *)([a-z-]+)/`).FindAllStringSubmatch(tree, -1) {
		name := line[2]
		if line[1] == "" {
			parent = name
		} else {
			name = parent + "/" + name
		}
		got = append(got, name)
	}
	for _, pattern := range []string{"*", "domain/*", "adapters/*"} {
		found, _ := filepath.Glob(filepath.Join(root, pattern)) // a good pattern
		for _, folder := range found {
			info, err := os.Stat(folder)
			name, _ := filepath.Rel(root, folder) // both are absolute
			if err == nil && info.IsDir() && !strings.HasPrefix(name, ".") && isKnownFolder(strings.Split(filepath.ToSlash(name), "/")[0], "") && path.Base(folder) != "internal" && path.Base(folder) != "testdata" {
				want = append(want, filepath.ToSlash(name))
			}
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("the README has %q, want %q", got, want)
	}
}
