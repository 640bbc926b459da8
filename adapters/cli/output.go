package cli

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// printLines prints each line as one line of JSON or as a printable row of a
// table below header, which may be nil.
func printLines[Line any](out io.Writer, asJSON bool, header []string, lines []Line, row func(Line) []string) error {
	if asJSON {
		encoder := json.NewEncoder(out)
		encoder.SetEscapeHTML(false)
		for _, line := range lines {
			if err := encoder.Encode(line); err != nil {
				return err
			}
		}
		return nil
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	if header != nil {
		_, _ = fmt.Fprintln(table, strings.Join(header, "\t")) // Flush fails too
	}
	for _, line := range lines {
		cells := row(line)
		for i := range cells {
			cells[i] = cmp.Or(printable(cells[i]), "-")
		}
		_, _ = fmt.Fprintln(table, strings.Join(cells, "\t")) // as above
	}
	return table.Flush()
}

// clock returns a time in the form that flags take, or "" for zero.
func clock(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format("2006-01-02T15:04:05.000Z07:00")
}

func write(out io.Writer, text []byte) error {
	_, err := out.Write(text)
	return err
}
