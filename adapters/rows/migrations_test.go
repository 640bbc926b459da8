package rows

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
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

// Servers of older releases go on using the tables, beside the one that
// migrates, and after it was rolled back: docs/contributing.md.
func TestMigrationsOnlyAdd(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../*/migrations/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d migrations, %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		number, err := strconv.Atoi(filepath.Base(file)[:5])
		if err != nil {
			t.Fatal(err)
		}
		isLocking := strings.Contains(filepath.ToSlash(file), "/postgres/")
		for _, why := range breaks(string(text), number, isLocking) {
			t.Errorf("%s: %s", file, why)
		}
	}
}

var (
	comment  = regexp.MustCompile(`(?m)--.*$`)
	space    = regexp.MustCompile(`\s+`)
	raising  = regexp.MustCompile(`^UPDATE SCHEMA_NEEDS SET TABLES_VERSION = (\d+)$`)
	breaking = regexp.MustCompile(`^DROP (TABLE|VIEW)|^CREATE UNIQUE|^(TRUNCATE|DELETE)\b|` +
		`^ALTER TABLE .*\b(RENAME|DROP|TYPE|SET NOT NULL|ADD (CONSTRAINT|CHECK|UNIQUE|PRIMARY|FOREIGN|EXCLUDE))\b`)
	required  = regexp.MustCompile(`^ALTER TABLE .*\bNOT NULL\b`)
	newIndex  = regexp.MustCompile(`^CREATE (?:UNIQUE )?INDEX (\w+)(?: IF NOT EXISTS \w+| \w+)? ON (\w+)`)
	madeTable = regexp.MustCompile(`^CREATE TABLE (?:IF NOT EXISTS )?(\w+)`)
)

// breaks tells what a migration does that servers beside it don't go on with.
func breaks(migration string, number int, isLocking bool) (all []string) {
	const firstNeeds, firstLimited = 3, 7 // what came before was never run beside other releases
	if number <= firstNeeds {
		return nil
	}
	text := strings.ToUpper(comment.ReplaceAllString(migration, ""))
	var statements, made []string
	raises, limited := false, number < firstLimited || !isLocking
	for statement := range strings.SplitSeq(text, ";") {
		statement = strings.TrimSpace(space.ReplaceAllString(statement, " "))
		statements = append(statements, statement)
		limited = limited || strings.HasPrefix(statement, "SET LOCAL LOCK_TIMEOUT")
		if found := madeTable.FindStringSubmatch(statement); found != nil {
			made = append(made, found[1])
		}
		if found := raising.FindStringSubmatch(statement); found != nil {
			raises = true
			if to, err := strconv.Atoi(found[1]); err != nil || to > number {
				all = append(all, "no program knows the version that it says is needed")
			}
		}
	}
	if raises && !slices.ContainsFunc(statements, breaking.MatchString) {
		all = append(all, "older programs that run go on writing: rename what they write")
	}
	for _, statement := range statements {
		index := newIndex.FindStringSubmatch(statement)
		switch {
		case !raises && (breaking.MatchString(statement) || required.MatchString(statement) && !strings.Contains(statement, "DEFAULT")):
			all = append(all, "older programs can't go on, so it has to raise schema_needs: "+statement)
		case !limited && strings.HasPrefix(statement, "ALTER TABLE"):
			all = append(all, "all calls may wait for as long as this one waits: SET LOCAL lock_timeout = '5s' before "+statement)
		case isLocking && index != nil && index[1] != "CONCURRENTLY" && !slices.Contains(made, index[2]):
			all = append(all, "no call can write meanwhile: CREATE INDEX CONCURRENTLY, in a file of its own with NO TRANSACTION, in place of "+statement)
		}
	}
	return all
}

func TestBreaks(t *testing.T) {
	t.Parallel()
	const limit = "SET LOCAL lock_timeout = '5s';\n"
	for migration, want := range map[string]int{
		limit + `ALTER TABLE customers ADD COLUMN note TEXT; -- DROP TABLE customers`:                                    0,
		limit + `ALTER TABLE customers ADD COLUMN note TEXT NOT NULL DEFAULT ''`:                                         0,
		`CREATE TABLE notes (id BIGINT NOT NULL UNIQUE); CREATE INDEX n ON notes (id)`:                                   0,
		"DROP INDEX CONCURRENTLY IF EXISTS n;\nCREATE INDEX CONCURRENTLY n ON customers (id)":                            0,
		`INSERT INTO notes (id) VALUES (1)`:                                                                              0,
		`ALTER TABLE customers ADD COLUMN note TEXT`:                                                                     1,
		`CREATE INDEX n ON customers (id)`:                                                                               1,
		limit + `ALTER TABLE customers ADD COLUMN note TEXT NOT NULL`:                                                    1,
		limit + "ALTER TABLE customers\n\tRENAME COLUMN phone TO number":                                                 1,
		limit + `ALTER TABLE customers RENAME TO people`:                                                                 1,
		limit + `alter table customers drop column phone`:                                                                1,
		limit + `ALTER TABLE customers ALTER COLUMN phone TYPE TEXT`:                                                     1,
		limit + `ALTER TABLE customers ALTER COLUMN pin_hash SET NOT NULL`:                                               1,
		limit + `ALTER TABLE customers ADD CONSTRAINT c CHECK (phone > 1)`:                                               1,
		`DROP TABLE pin_key; DELETE FROM api_log; TRUNCATE api_log`:                                                      3,
		`CREATE UNIQUE INDEX CONCURRENTLY n ON customers (pin_hash)`:                                                     1,
		limit + `UPDATE schema_needs SET tables_version = 7; ALTER TABLE customers RENAME TO people; DROP TABLE pin_key`: 0,
		`UPDATE schema_needs SET tables_version = 7`:                                                                     1,
		`UPDATE schema_needs SET tables_version = 6; DROP TABLE pin_key`:                                                 0,
		`UPDATE schema_needs SET tables_version = 8; DROP TABLE pin_key`:                                                 1,
	} {
		if got := breaks(migration, 7, true); len(got) != want {
			t.Errorf("%s: got %q, want %d", migration, got, want)
		}
	}
	if got := breaks(`ALTER TABLE customers ADD COLUMN note TEXT; CREATE INDEX n ON customers (note)`, 7, false); got != nil {
		t.Errorf("on SQLite, which has one writer anyway: got %q", got)
	}
}
