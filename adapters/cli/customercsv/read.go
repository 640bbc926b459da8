// Package customercsv reads and writes lists of customers as CSV.
//
// App imports it; it imports usecase and domain.
package customercsv

import (
	"errors"
	"io"
	"iter"

	"github.com/fleetphoto/fleetphoto/domain/operator"
)

// Rows reads customers from CSV in UTF-8 or Windows-1252, those whose rows begin
// on the line from or a later one.
//
// A first line such as "sep=;" is passed over. One that doesn't begin with a
// number names the columns: id, phone and pin, or what columnNames have for
// them, in any order, in capitals or not; others are passed over. Without
// one they are id, phone and perhaps pin. What separates them is a tab where
// the first line has one, or a semicolon, and otherwise a comma. Where there is
// no column pin, the rows say KeepPIN. Rows in which nothing stands are passed
// over. Numbers are read as they were before a spreadsheet formatted them, or the
// row says what the spreadsheet did.
//
// A row that can't be taken says so in Rejected, which has no part of the row
// in it. Where its quotes are no CSV, the next row begins on the next line, so
// that a quote which is never closed costs one row. Rows ends with an error, a
// sentence for the operator, where the first line can't be understood, a line
// is longer than 64 KiB, or reading fails. It reads as it goes, and may be run
// once.
func Rows(in io.Reader, from int) iter.Seq2[operator.ImportRow, error] {
	return func(yield func(operator.ImportRow, error) bool) {
		t, err := newTable(in)
		for err == nil {
			var row operator.ImportRow
			row, err = t.next()
			if err == nil && row.Line >= from && !yield(row, nil) {
				return
			}
		}
		if !errors.Is(err, io.EOF) {
			yield(operator.ImportRow{}, err)
		}
	}
}
