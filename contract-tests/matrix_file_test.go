package contracttests_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// matrixFile is the file to write the matrix into; FLEETPHOTO_TEST_MATRIX may name it too.
var matrixFile = flag.String("matrix", os.Getenv("FLEETPHOTO_TEST_MATRIX"), "write the matrix into this file, between its markers")

const (
	matrixBegins = "<!-- matrix: written by task matrix -->\n"
	matrixEnds   = "<!-- end of the matrix -->\n"
	matrixIntro  = "The numbers are the clauses of a suite, or cases over HTTP, that passed. `task matrix` writes this table.\n\n"
)

// reportMatrix prints the matrix when the tests have run, and writes it where
// the flag says so. It returns the exit code.
func reportMatrix(code int) int {
	whole := !strings.Contains(flag.Lookup("test.run").Value.String()+flag.Lookup("test.skip").Value.String(), "/")
	if whole && len(tested.cells) > 0 {
		fmt.Printf("\nClauses and cases that passed:\n\n%v\n", &tested)
	}
	if *matrixFile == "" || code != 0 {
		return code
	}
	err := errors.New("not all clauses ran")
	if whole {
		err = tested.writeInto(*matrixFile)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "the matrix was not written: %v\n", err)
		return 1
	}
	return 0
}

func (m *matrix) writeInto(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	replaced, err := m.replaceIn(string(text))
	if err != nil {
		return err
	}
	return os.WriteFile(file, []byte(replaced), 0o644)
}

// replaceIn replaces the cells of text that were tested, and leaves the others:
// rows of other versions too.
func (m *matrix) replaceIn(text string) (string, error) {
	before, rest, found := strings.Cut(text, matrixBegins)
	old, after, ends := strings.Cut(rest, matrixEnds)
	if !found || !ends {
		return "", errors.New("the markers of the matrix are missing")
	}
	merged := matrix{cells: map[row]map[string]string{}}
	for _, line := range strings.Split(old, "\n") {
		merged.add(readRow(line))
	}
	for at, cells := range m.cells {
		merged.add(at, cells)
	}
	return before + matrixBegins + matrixIntro + merged.String() + matrixEnds + after, nil
}

// add adds the cells that say how many passed.
func (m *matrix) add(at row, cells map[string]string) {
	for column, cell := range cells {
		if _, err := strconv.Atoi(cell); err == nil && slices.Contains(orderOfRows(), at.schemes) {
			m.note(at, column, cell)
		}
	}
}

// readRow reads a line of a table that String made.
func readRow(line string) (row, map[string]string) {
	fields := strings.Split(strings.Trim(line, "|"), "|")
	if len(fields) != 2+len(columns) {
		return row{}, nil
	}
	cells := map[string]string{}
	for i, column := range columns {
		if cell := strings.TrimSpace(fields[2+i]); cell != "" {
			cells[column] = cell
		}
	}
	return row{strings.TrimSpace(fields[0]), strings.TrimSpace(fields[1])}, cells
}

func TestMatrixIsWritten(t *testing.T) {
	t.Parallel()
	const before, after = "# Product\n\n" + matrixBegins, matrixEnds + "\nMore.\n"
	old := before + `
| URL | server | FleetAuth | CustomerRepo | ApiLog | PhotoStore | HTTP |
|---|---|---|---|---|---|---|
| gone://     | Gone 1      | 1  |    | 1 |    |    |
| s3://       | Store 1.1   |    |    |   | 28 |    |
| postgres:// | Postgres 14 | 20 | 53 |   |    |    |
| postgres:// | Postgres 17 | 19 | 53 | 7 |    |    |
` + after
	run := matrix{cells: map[row]map[string]string{
		{"memory://", ""}:              {"PhotoStore": "29"},
		{"postgres://", "Postgres 17"}: {"FleetAuth": "20", "CustomerRepo": "54"},
		{"postgres://", "Postgres 18"}: {"CustomerRepo": failing},
		{"s3://", ""}:                  {"PhotoStore": skipped},
	}}
	want := before + matrixIntro + `| URL         | server      | FleetAuth | CustomerRepo | ApiLog | PhotoStore | HTTP |
| ---         | ---         | ---       | ---          | ---    | ---        | ---  |
| memory://   |             |           |              |        | 29         |      |
| postgres:// | Postgres 14 | 20        | 53           |        |            |      |
| postgres:// | Postgres 17 | 20        | 54           | 7      |            |      |
| s3://       | Store 1.1   |           |              |        | 28         |      |
` + after
	for _, text := range []string{old, want} {
		got, err := run.replaceIn(text)
		if err != nil || got != want {
			t.Errorf("got %v\n%s\nwant\n%s", err, got, want)
		}
	}
	if got, err := run.replaceIn("# Product\n"); err == nil {
		t.Errorf("without markers: got %q", got)
	}
}
