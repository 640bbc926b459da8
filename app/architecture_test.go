package app_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	standard   = "standard library"
	thirdParty = "third party"
)

// importRules says what each folder's packages may import, tests aside. In a
// pattern "*" stands for one folder and a last "/..." for any below, or none.
var importRules = []struct {
	folder  string
	allowed []string // folders of this module, import paths, standard, thirdParty
}{
	{"domain", []string{standard}},
	{"domain/photo", []string{standard, "domain", "domain/photo/jpeg", "golang.org/x/image/..."}},
	{"domain/photo/jpeg", []string{standard}},
	{"ports", []string{standard, "domain"}},
	{"domain/usecase", []string{standard, "domain", "domain/photo", "ports"}},
	{"domain/operator", []string{standard, "domain", "domain/photo", "domain/usecase", "ports"}},
	{"domain/internal/usecasetest", []string{standard, "domain", "domain/photo", "domain/usecase", "ports", "adapters/memory"}},
	{"adapters/rows", []string{standard, "domain"}},
	{"adapters/locks", []string{standard, thirdParty}},
	{"adapters/files", []string{standard, "domain", "domain/usecase", "ports", "adapters/locks"}},
	{"adapters/sqlite/...", []string{standard, thirdParty, "domain/...", "ports", "adapters/rows", "adapters/locks"}},
	{"adapters/postgres/...", []string{standard, thirdParty, "domain/...", "ports", "adapters/rows", "adapters/locks"}},
	{"adapters/*/...", []string{standard, thirdParty, "domain/...", "ports"}},
	{"contract-tests/servers", []string{standard, thirdParty}},
	{"contract-tests/example", []string{standard, "domain", "ports", "app"}}, // a main of somebody else's
	{"contract-tests/example/dispatch", []string{standard, "github.com/jackc/pgx/v5/...", "domain", "ports", "app"}},
	{"contract-tests/testserver", []string{standard, "domain/...", "ports", "adapters/*"}},
	{"contract-tests/clause", []string{standard, "domain"}},
	{"contract-tests/fleetauth", []string{standard, "domain", "ports", "contract-tests/clause"}},
	{"contract-tests/customerrepo", []string{standard, "domain", "ports", "contract-tests/clause", "contract-tests/apilog"}},
	{"contract-tests/photostore", []string{standard, "domain", "ports", "contract-tests/clause"}},
	{"contract-tests/apilog", []string{standard, "domain", "ports", "contract-tests/clause"}},
	{"contract-tests/http", []string{standard, thirdParty}},
	{"contract-tests/chaos", []string{standard}},   // its tests import more
	{"contract-tests/mutants", []string{standard}}, // its tests import more
	{"contract-tests/attacks", []string{standard}},
	{"contract-tests/bench", []string{standard}}, // its tests import more
	{"contract-tests", []string{standard, "domain", "ports", "contract-tests/clause", "contract-tests/fleetauth", "contract-tests/customerrepo",
		"contract-tests/photostore", "contract-tests/apilog", "contract-tests/http"}},
	{"app/...", []string{standard, thirdParty, "domain/...", "ports", "adapters/*/...", "app/..."}},
}

// homes says where alone a package, or a folder of this module, may be imported,
// whatever importRules allow.
var homes = map[string][]string{
	"adapters/rows":                     {"adapters/sqlite", "adapters/postgres"},
	"adapters/locks":                    {"adapters/sqlite", "adapters/postgres", "adapters/files"},
	"go.uber.org/fx/...":                {"app/..."},
	"github.com/alecthomas/kong/...":    {"adapters/cli/..."},
	"github.com/danielgtaylor/huma/...": {"adapters/httpapi/..."},
	"database/sql/...":                  {"adapters/*/..."},
	"net/http/...":                      {"adapters/*/...", "app/...", "contract-tests/..."},

	"github.com/testcontainers/testcontainers-go/...": {"contract-tests/servers"},
	"gocloud.dev/...": {"adapters/gocloud", "contract-tests/servers"},

	// What is measured and where it is sent is decided in one place. The API of
	// OpenTelemetry, which does nothing by itself, any adapter may import.
	"go.opentelemetry.io/otel/sdk/...":        {"adapters/telemetry"},
	"go.opentelemetry.io/otel/exporters/...":  {"adapters/telemetry"},
	"github.com/prometheus/client_golang/...": {"adapters/telemetry"},
	"github.com/exaring/otelpgx/...":          {"adapters/postgres"},
}

// matches tells whether name is of the pattern.
func matches(pattern, name string) bool {
	base, below := strings.CutSuffix(pattern, "/...")
	parts := strings.Split(name, "/")
	depth := strings.Count(base, "/") + 1
	if len(parts) < depth || len(parts) > depth && !below {
		return false
	}
	matched, err := path.Match(base, strings.Join(parts[:depth], "/"))
	return err == nil && matched
}

func matchesAny(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool { return matches(pattern, name) })
}

// violation says what is wrong with a package of the folder, a path below
// module, importing imported; empty if nothing is.
func violation(module, folder, imported string) string {
	target, own := strings.CutPrefix(imported, module+"/")
	for name, places := range homes {
		if matches(name, target) && !matchesAny(places, folder) {
			return fmt.Sprintf("%s imports %s, which only %s may", folder, imported, strings.Join(places, " and "))
		}
	}
	for _, rule := range importRules {
		if !matches(rule.folder, folder) {
			continue
		}
		if own && sharesAdapter(folder, target) || matchesAny(rule.allowed, target) || !own && slices.Contains(rule.allowed, origin(imported)) {
			return ""
		}
		return fmt.Sprintf("%s imports %s; it may import: %s", folder, imported, strings.Join(rule.allowed, ", "))
	}
	return folder + " is in no row of importRules"
}

// origin tells the standard library from third parties, whose paths begin with a host.
func origin(imported string) string {
	if host, _, _ := strings.Cut(imported, "/"); strings.Contains(host, ".") {
		return thirdParty
	}
	return standard
}

// sharesAdapter tells whether both folders belong to one adapter.
func sharesAdapter(folder, other string) bool {
	parts, others := strings.Split(folder, "/"), strings.Split(other, "/")
	return parts[0] == "adapters" && len(parts) > 1 && len(others) > 1 && slices.Equal(parts[:2], others[:2])
}

type goPackage struct {
	ImportPath string
	Imports    []string
	Module     struct{ Path string }
}

func (p goPackage) violations() []string {
	folder := strings.TrimPrefix(p.ImportPath, p.Module.Path+"/")
	var found []string
	for _, imported := range append(p.Imports, "unsafe") { // a package that imports nothing needs its row too
		if wrong := violation(p.Module.Path, folder, imported); wrong != "" {
			found = append(found, wrong)
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

func TestImportsPointInward(t *testing.T) {
	t.Parallel()
	list := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports,Module", "./...")
	list.Dir = moduleRoot(t)
	out, err := list.Output()
	if err != nil {
		t.Fatalf("%v: %v", list, err)
	}
	packages := json.NewDecoder(bytes.NewReader(out))
	for count := 0; ; count++ {
		var p goPackage
		if err := packages.Decode(&p); errors.Is(err, io.EOF) {
			if count < 5 {
				t.Errorf("only %d packages were looked at", count)
			}
			return
		} else if err != nil {
			t.Fatal(err)
		}
		for _, wrong := range p.violations() {
			t.Error(wrong)
		}
	}
}

func TestImportRulesFindBadImports(t *testing.T) {
	t.Parallel()
	const module = "example.com/m"
	const fx, huma, sqlite = "go.uber.org/fx", "github.com/danielgtaylor/huma/v2", "modernc.org/sqlite"
	const containers = "github.com/testcontainers/testcontainers-go"
	const sdk, prometheus = "go.opentelemetry.io/otel/sdk/trace", "github.com/prometheus/client_golang/prometheus"
	for _, test := range []struct {
		folder    string
		good, bad []string // own packages begin with "/"
	}{
		{
			"domain", []string{"fmt", "crypto/sha256", "net/url"},
			[]string{"net/http", "net/http/httptest", "database/sql", "database/sql/driver", fx, huma, sqlite, "/ports", "/domain/photo", "/domain/usecase", "/adapters/memory", "/app", "/contract-tests", "golang.org/x/image/draw"},
		},
		{
			"domain/photo", []string{"image/png", "/domain", "/domain/photo/jpeg", "golang.org/x/image/draw", "golang.org/x/image/webp"},
			[]string{"net/http", "database/sql", sqlite, "golang.org/x/imagery", "golang.org/x/text", "/ports", "/domain/usecase", "/adapters/memory"},
		},
		{
			"ports", []string{"context", "/domain"},
			[]string{"net/http", "database/sql", "/domain/photo", "/domain/usecase", "/adapters/memory", sqlite},
		},
		{
			"domain/usecase", []string{"context", "/domain", "/domain/photo", "/ports"},
			[]string{"net/http", "database/sql", "/adapters/memory", "/app", "/contract-tests", fx, sqlite, "golang.org/x/image/draw"},
		},
		{
			"adapters/files", []string{"os", "/domain", "/domain/usecase", "/ports"},
			[]string{"/adapters/gocloud", "/app", "/domain/operator", "gocloud.dev/blob", "golang.org/x/sys/unix"},
		},
		{
			"adapters/sqlite", []string{"database/sql", "database/sql/driver", "net/http", "/domain", "/domain/photo", "/domain/usecase", "/ports", "/adapters/rows", "/adapters/sqlite/migrations", sqlite},
			[]string{"/adapters/memory", "/adapters/sqlite2", "/app", "/contract-tests", fx, fx + "/fxevent", huma},
		},
		{
			"adapters/sqlite/migrations", []string{"/adapters/sqlite", "database/sql"},
			[]string{"/adapters/postgres", "/adapters/postgres/migrations", "/app"},
		},
		{"adapters/rows", []string{"crypto/sha256", "/domain"}, []string{"/ports", "/adapters/sqlite", sqlite}},
		{"adapters/memory", []string{"/domain", "/ports"}, []string{"/adapters/rows"}},
		{
			"adapters/telemetry", []string{"net/http", sdk, prometheus, "/domain/usecase", "/ports"},
			[]string{"/adapters/httpapi", "/adapters/sqlite", "/app", fx, huma},
		},
		{"adapters/postgres", []string{"go.opentelemetry.io/otel/trace", "github.com/exaring/otelpgx"}, []string{"/adapters/telemetry", sdk, prometheus}},
		{"app", []string{"/adapters/telemetry"}, []string{sdk, prometheus}},
		{"adapters/httpapi", []string{huma, huma + "/adapters/humachi", "net/http", "/domain/usecase"}, []string{"/adapters/memory", fx}},
		{
			"contract-tests", []string{"testing", "net/http", "/domain", "/ports", "/contract-tests/clause", "/contract-tests/http"},
			[]string{"/adapters/memory", "/adapters/httpapi", "/app", "/contract-tests/servers", "database/sql", fx, huma, containers},
		},
		{
			"contract-tests/servers", []string{"testing", "net/http", containers, containers + "/log"},
			[]string{"/domain", "/ports", "/adapters/postgres", "/contract-tests", "database/sql"},
		},
		{"contract-tests/example", []string{"os", "net/http", "/domain", "/ports", "/app"}, []string{sqlite, "/adapters/memory", "/contract-tests"}},
		{"contract-tests/example/dispatch", []string{"github.com/jackc/pgx/v5", "github.com/jackc/pgx/v5/pgxpool", "/ports", "/app"}, []string{sqlite, "/adapters/postgres", "/adapters/locks"}},
		{"contract-tests/fleetauth", []string{"/domain", "/ports", "/contract-tests/clause"}, []string{"/adapters/memory", "/contract-tests/apilog"}},
		{"contract-tests/util", nil, []string{"fmt"}},
		{
			"app", []string{fx, fx + "/fxevent", "net/http", "/adapters/memory", "/adapters/sqlite", "/domain/usecase", "/ports", "/app/fleetphoto"},
			[]string{huma, "database/sql", "/contract-tests", "/adapters/rows"},
		},
		{"app/fleetphoto", []string{"os", "/app", fx}, []string{"database/sql", huma}},
		{"adapters", nil, []string{"fmt"}},
		{"domain/util", nil, []string{"fmt"}},
		{"ports/common", nil, []string{"fmt"}},
		{"internal", nil, []string{"fmt"}},
		{"applications", nil, []string{"fmt"}},
	} {
		for allowed, imports := range map[bool][]string{true: test.good, false: test.bad} {
			for _, imported := range imports {
				if strings.HasPrefix(imported, "/") {
					imported = module + imported
				}
				if wrong := violation(module, test.folder, imported); (wrong == "") != allowed {
					t.Errorf("%s importing %s: got %q, want allowed: %v", test.folder, imported, wrong, allowed)
				}
			}
		}
	}
}

func TestViolationsNameThePackageAndTheImport(t *testing.T) {
	t.Parallel()
	p := goPackage{ImportPath: "example.com/m/ports", Imports: []string{"net/http", "context", "example.com/m/adapters/memory"}}
	p.Module.Path = "example.com/m"
	unknown := goPackage{ImportPath: "example.com/m/helpers", Imports: nil, Module: p.Module}
	want := []string{
		"ports imports example.com/m/adapters/memory; it may import: standard library, domain",
		"ports imports net/http, which only adapters/*/... and app/... and contract-tests/... may",
		"helpers is in no row of importRules",
	}
	if got := append(p.violations(), unknown.violations()...); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTopLevelFolders(t *testing.T) {
	t.Parallel()
	root := moduleRoot(t)
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	ignore, err := os.ReadFile(filepath.Join(root, ".gitignore"))
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if entry.IsDir() && !isKnownFolder(entry.Name(), string(ignore)) {
			t.Errorf("%s/ is no part of the layout", entry.Name())
		}
	}
}

// isKnownFolder takes the folders of the layout, dot-folders and what ignore,
// a .gitignore of plain names, lists.
func isKnownFolder(name, ignore string) bool {
	for _, pattern := range strings.Fields(ignore) {
		if matched, err := path.Match(strings.Trim(pattern, "/"), name); err == nil && matched {
			return true
		}
	}
	return strings.HasPrefix(name, ".") || slices.Contains([]string{"adapters", "app", "contract-tests", "docs", "domain", "ports"}, name)
}

func TestUnknownFoldersAreFound(t *testing.T) {
	t.Parallel()
	for name, known := range map[string]bool{
		"domain": true, "ports": true, "adapters": true, "app": true, "contract-tests": true, "docs": true, ".github": true,
		"fleetphoto-data": true, "x.test": true,
		"internal": false, "pkg": false, "util": false, "Domain": false, "fleetphoto-data2": false, "doc": false, "deploy": false,
	} {
		if got := isKnownFolder(name, "/fleetphoto-data/\n*.test\n"); got != known {
			t.Errorf("%s: known is %v, want %v", name, got, known)
		}
	}
}

func moduleRoot(t *testing.T) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "env", "GOMOD").Output()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Dir(strings.TrimSpace(string(out)))
}
