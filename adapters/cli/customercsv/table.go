package customercsv

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/fleetphoto/fleetphoto/domain/operator"
)

// maxRow is how long a row may be, in bytes.
const maxRow = 64 << 10

const badQuote = "a quote is not closed, or stands in the middle of a field; take it out, or write the field in quotes and each quote in it twice"

// table is CSV of which the first line is understood.
type table struct {
	in      *input
	csv     *csv.Reader
	comma   rune
	columns columns
	first   []string // the first row, where it is no header and isn't read yet
}

func newTable(from io.Reader) (*table, error) {
	buffered := bufio.NewReaderSize(from, maxRow)
	line, err := firstLine(buffered)
	comma, passed := namedSeparator(line), 0
	if comma != 0 {
		passed = 1
		line, err = firstLine(buffered)
	} else {
		comma = separator(line)
	}
	if err != nil {
		return nil, err
	}
	t := &table{in: &input{from: io.MultiReader(bytes.NewReader(line), buffered), lines: passed}, comma: comma}
	t.begin()
	first, err := t.csv.Read()
	if errors.As(err, new(*csv.ParseError)) {
		err = fmt.Errorf("the first line can't be read as CSV: %s", badQuote)
	}
	if err != nil {
		return nil, err // perhaps the end: nothing is in it
	}
	columns, isHeader, err := newColumns(first)
	if t.columns = columns; isHeader {
		t.in.passTo(t.csv.InputOffset())
	} else {
		t.first = first
	}
	return t, err
}

// firstLine reads the first line, without a byte order mark.
func firstLine(in *bufio.Reader) ([]byte, error) {
	line, err := in.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return nil, fmt.Errorf("the first line is longer than %d KiB; this is no list of customers as CSV", maxRow>>10)
	case err != nil && !errors.Is(err, io.EOF):
		return nil, err
	case bytes.HasPrefix(line, []byte("\xFF\xFE")) || bytes.HasPrefix(line, []byte("\xFE\xFF")):
		return nil, errors.New("this is UTF-16; save it as CSV in UTF-8")
	}
	return bytes.Clone(bytes.TrimPrefix(line, []byte("\uFEFF"))), nil
}

// namedSeparator is what a line such as "sep=;" names, which Excel reads and
// hides; 0: the line is none.
func namedSeparator(line []byte) rune {
	text := strings.ToLower(strings.Trim(strings.TrimRight(string(line), "\r\n"), `"`))
	after, found := strings.CutPrefix(text, "sep=")
	if !found || len(after) != 1 || strings.IndexByte(",;\t|", after[0]) < 0 {
		return 0
	}
	return rune(after[0])
}

func separator(line []byte) rune {
	for _, separator := range "\t;" {
		if bytes.ContainsRune(line, separator) {
			return separator
		}
	}
	return ','
}

// begin has csv read what the input holds, and on.
func (t *table) begin() {
	t.in.again()
	t.csv = csv.NewReader(t.in)
	t.csv.Comma, t.csv.ReuseRecord, t.csv.FieldsPerRecord = t.comma, true, -1
}

// next reads a row in which something stands.
func (t *table) next() (operator.ImportRow, error) {
	for {
		fields, err := t.fields()
		isBad := errors.As(err, new(*csv.ParseError)) || errors.Is(err, errTooLong)
		if err != nil && !isBad {
			return operator.ImportRow{}, err
		}
		line := t.in.passEmptyLines()
		if isBad {
			return operator.ImportRow{Line: line, Rejected: badQuote}, t.goOnBehind(line)
		}
		t.in.passTo(t.csv.InputOffset())
		if isBlank(fields) {
			continue
		}
		row := t.columns.row(line, fields)
		if row.Rejected != "" && haveLines(fields) {
			row.Rejected += "; it has several lines: perhaps a quote is not closed"
		}
		return row, nil
	}
}

func (t *table) fields() ([]string, error) {
	if first := t.first; first != nil {
		t.first = nil
		return first, nil
	}
	return t.csv.Read()
}

// goOnBehind has the next row begin behind this line, which the input holds.
func (t *table) goOnBehind(line int) error {
	if !t.in.passLine() {
		return fmt.Errorf("line %d is longer than %d KiB; this is no list of customers as CSV", line, maxRow>>10)
	}
	t.begin()
	return nil
}

func isBlank(fields []string) bool {
	return !slices.ContainsFunc(fields, func(field string) bool { return strings.TrimSpace(field) != "" })
}

func haveLines(fields []string) bool {
	return slices.ContainsFunc(fields, func(field string) bool { return strings.Contains(field, "\n") })
}
