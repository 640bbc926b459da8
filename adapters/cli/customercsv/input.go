package customercsv

import (
	"bytes"
	"errors"
	"io"
)

var errTooLong = errors.New("a row is too long")

// input holds what was read since the end of the last row, so that it can be
// read again.
type input struct {
	from   io.Reader
	held   []byte
	next   int   // where in held the reader goes on
	passed int64 // how much the reader has passed
	lines  int   // how many lines were passed, by all readers
}

// again has a new reader read what is held.
func (in *input) again() { in.next, in.passed = 0, 0 }

// Read fails with errTooLong where a row is longer than maxRow.
func (in *input) Read(p []byte) (int, error) {
	if in.next == len(in.held) {
		if in.next >= maxRow {
			return 0, errTooLong
		}
		n, err := in.from.Read(p)
		in.held = append(in.held, p[:n]...)
		in.next += n
		return n, err
	}
	n := copy(p, in.held[in.next:])
	in.next += n
	return n, nil
}

// passTo lets go of what the reader has read up to offset.
func (in *input) passTo(offset int64) { in.pass(int(offset - in.passed)) }

func (in *input) pass(n int) {
	in.lines += bytes.Count(in.held[:n], []byte("\n"))
	in.held = in.held[n:]
	in.next -= n
	in.passed += int64(n)
}

// passEmptyLines passes what csv.Reader passes over before a row, and returns
// the line on which the row begins.
func (in *input) passEmptyLines() int {
	for {
		rest := bytes.TrimPrefix(in.held, []byte("\r"))
		if len(rest) == 0 || rest[0] != '\n' {
			return in.lines + 1
		}
		in.pass(len(in.held) - len(rest) + 1)
	}
}

// passLine passes one line, or what is held where that is the last one; false
// where the line is longer than a row may be.
func (in *input) passLine() bool {
	end := bytes.IndexByte(in.held, '\n')
	if end < 0 && len(in.held) >= maxRow {
		return false
	}
	if end < 0 {
		end = len(in.held) - 1
	}
	in.pass(end + 1)
	return true
}
