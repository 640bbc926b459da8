package rows

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A migration that a released program has run never changes: databases would
// differ by when they were made. A new file is added to SHA256SUMS with
// sha256sum *.sql > SHA256SUMS, in the folder of the migrations.
func TestMigrationsNeverChange(t *testing.T) {
	t.Parallel()
	for _, folder := range []string{"../sqlite/migrations", "../postgres/migrations"} {
		sums, err := os.ReadFile(filepath.Join(folder, "SHA256SUMS"))
		if err != nil {
			t.Fatal(err)
		}
		listed, there := map[string]string{}, map[string]string{}
		for line := range strings.Lines(string(sums)) {
			sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
			listed[name] = sum
		}
		files, err := filepath.Glob(filepath.Join(folder, "*.sql"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d migrations, %v", folder, len(files), err)
		}
		for _, file := range files {
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			there[filepath.Base(file)] = fmt.Sprintf("%x", sha256.Sum256(content))
		}
		if !maps.Equal(listed, there) {
			t.Errorf("%s holds %v, but SHA256SUMS says %v: a file was changed, added or removed", folder, there, listed)
		}
	}
}
