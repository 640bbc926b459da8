package customercsv_test

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/fleetphoto/fleetphoto/adapters/cli/customercsv"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/operator"
)

func pin(text string) domain.PIN {
	pin, err := domain.ParseNewPIN(text)
	if err != nil {
		panic(err)
	}
	return pin
}

// read reads all, as far as it goes.
func read(in io.Reader, from int) (rows []operator.ImportRow, err error) {
	for row, rowErr := range customercsv.Rows(in, from) {
		if err = rowErr; err == nil {
			rows = append(rows, row)
		}
	}
	return rows, err
}

func taken(line int, id domain.CustomerID, phone domain.PhoneNumber, pin domain.PIN) operator.ImportRow {
	return operator.ImportRow{Line: line, Customer: id, Phone: domain.DialledPhone{Number: phone}, PIN: pin}
}

func keeping(line int, id domain.CustomerID, phone domain.PhoneNumber) operator.ImportRow {
	return operator.ImportRow{Line: line, Customer: id, Phone: domain.DialledPhone{Number: phone}, KeepPIN: true}
}

func TestRows(t *testing.T) {
	t.Parallel()
	none := domain.PIN{}
	one := []operator.ImportRow{taken(2, 7, 447700900123, pin("1234"))}
	for name, test := range map[string]struct {
		text string
		want []operator.ImportRow
	}{
		"nothing":                   {"", nil},
		"a header alone":            {"id,phone,pin\n", nil},
		"a row":                     {"id,phone,pin\n7,447700900123,1234\n", one},
		"no end of the last line":   {"id,phone,pin\n7,447700900123,1234", one},
		"CRLF":                      {"id,phone,pin\r\n7,447700900123,1234\r\n", one},
		"a byte order mark":         {"\uFEFFid,phone,pin\n7,447700900123,1234\n", one},
		"semicolons":                {"id;phone;pin\n7;447700900123;1234\n", one},
		"tabs":                      {"id\tphone\tpin\n7\t447700900123\t1234\n", one},
		"quotes":                    {"\"id\",\"phone\",\"pin\"\n\"7\",\"447700900123\",\"1234\"\n", one},
		"capitals and spaces":       {" ID , Phone,PIN \n 7 , +44 (7700) 900-123 , 1234 \n", one},
		"another order":             {"pin,name,phone,town,id\n1234,Ann,00447700900123,Leeds,7\n", one},
		"a comma in another column": {"id,name,phone,pin\n7,\"Ann, Mrs\",447700900123,1234\n", one},
		"lines in another column":   {"id,note,phone,pin\n7,\"a\n\nb\",447700900123,1234\n8,,8,\n", append(slices.Clone(one), taken(5, 8, 8, none))},
		"other names":               {"Customer ID,Name,Mobile_Number,PIN code\n7,Ann,447700900123,1234\n", one},
		"our name before another":   {"Customer No.,id,Mobile,Phone,PIN\n9,7,1,447700900123,1234\n", one},
		"sep=":                      {"sep=;\r\nid;phone;pin\r\n7;447700900123;1234\r\n", []operator.ImportRow{taken(3, 7, 447700900123, pin("1234"))}},
		"sep= in quotes, no header": {"\uFEFF\"sep=|\"\n7|447700900123|1234", []operator.ImportRow{taken(2, 7, 447700900123, pin("1234"))}},
		"Windows-1252":              {"id;Stra\xdfe;phone;pin\n7;M\xfcller\x80;4477\xa0009\xa000123;1234\n", one},
		"decimals":                  {"id,phone,pin\n7.0,447700900123.0,\"1234,00\"\n", one},
		"apostrophes":               {"id,phone,pin\n'7,'447700900123,'1234\n", one},
		"thousands":                 {"id;phone;pin\n7;447,700,900,123;1,234\n", one},
		"thousands in dots":         {"id,phone,pin\n7,447.700.900.123,1.234\n", one},
		"thousands as in Zürich":    {"id;phone;pin\n7;447’700’900’123;1'234\n", one},
		"a formatted id, no header": {"'7.0,447700900123,1234\n", []operator.ImportRow{taken(1, 7, 447700900123, pin("1234"))}},
		"no header":                 {"7,447700900123,1234\n8,8,\n", []operator.ImportRow{taken(1, 7, 447700900123, pin("1234")), taken(2, 8, 8, none)}},
		"no header, no PINs":        {"\uFEFF7;447700900123\r\n", []operator.ImportRow{keeping(1, 7, 447700900123)}},
		"no column pin":             {"phone,id\n447700900123,7\n", []operator.ImportRow{keeping(2, 7, 447700900123)}},
		"nothing stands there": {"id,phone,pin\n\n,,\n\r\n \n;;\n7,447700900123,1234\n", []operator.ImportRow{
			{Line: 6, Rejected: "it has 1 columns, the first line 3; see that each has as many separators, and that text with one in it is in quotes"}, taken(7, 7, 447700900123, pin("1234"))}},
	} {
		for _, in := range []io.Reader{strings.NewReader(test.text), iotest.OneByteReader(strings.NewReader(test.text))} {
			if got, err := read(in, 1); err != nil || !slices.Equal(got, test.want) {
				t.Errorf("%s: got %+v, %v, want %+v", name, got, err, test.want)
			}
		}
	}
}

// A row that can't be taken is told with its line, and the others are read.
func TestRejectedRows(t *testing.T) {
	t.Parallel()
	const badQuote = "a quote is not closed, or stands in the middle of a field; take it out, or write the field in quotes and each quote in it twice"
	const shortened = "Excel shortened this number; format the column as text there, so that all digits are seen, and save it again"
	const columns = "it has %d columns, the first line 3; see that each has as many separators, and that text with one in it is in quotes"
	many := strings.Repeat("8,8,\n", 50_000)
	for name, test := range map[string]struct {
		text string
		want []string // why, for the lines from the second on; empty: taken
	}{
		"an id that is none":              {"x,8,\n0,8,\n-1,8,\n9223372036854775808,8,\n1.5,8,\n ,8,\n", append(slices.Repeat([]string{"id: want a positive integer, digits alone"}, 5), "id: it is missing; give each customer a number")},
		"a phone that is none":            {"8,4.477E+11,\n8,,\n8,1234567890123456,\n", []string{"phone: " + shortened, "phone: it is missing; send the digits of the customer's mobile number", "phone: want 1 to 15 digits after leading zeros, got 16"}},
		"a PIN that is none":              {"8,8,123\n8,8,12e4\n8,8,1234567890123\n", []string{"pin: want 4 to 12 digits or nothing, got 3 digits", "pin: " + shortened, "pin: want 4 to 12 digits or nothing, got 13 digits"}},
		"more than one thing":             {"x,8,1\n", []string{"id: want a positive integer, digits alone; pin: want 4 to 12 digits or nothing, got 1 digits"}},
		"too few and too many columns":    {"8,8\n8,8,,\n8,8,\n", []string{fmt.Sprintf(columns, 2), fmt.Sprintf(columns, 4), ""}},
		"a quote in the middle":           {"8,\"8\"8,\n8,8,\n8,8\",\n8,8,\n", []string{badQuote, "", badQuote, ""}},
		"a quote that is never closed":    {"8,8,\n8,\"8,\n8,8,\n8,8,\n", []string{"", badQuote, "", ""}},
		"two that are never closed":       {"8,\"8,\n8,8,\n8,\"8,\n8,8,\n", []string{badQuote, "", badQuote, ""}},
		"quotes that close another row's": {"8,8\n,\"8,\n8,8,\n8\",\n", []string{fmt.Sprintf(columns, 2), "id: it is missing; give each customer a number; phone: want digits, with +, 00, spaces, dashes, dots and parentheses at most; got another character; it has several lines: perhaps a quote is not closed"}},
		"at the end":                      {"8,8,\n8,8,\"", []string{"", badQuote}},
		"long before the end":             {"8,8,\"\n" + many, append([]string{badQuote}, make([]string, 50_000)...)},
		"a NUL, no UTF-8":                 {"8,8,\x001234\n8,\xff8,\n8,8,\n", []string{"pin: want 4 to 12 digits or nothing, got another character", "phone: want digits, with +, 00, spaces, dashes, dots and parentheses at most; got another character", ""}},
	} {
		rows, err := read(strings.NewReader("id,phone,pin\n"+test.text), 1)
		var got []string
		for i, row := range rows {
			if got = append(got, row.Rejected); row.Line != i+2 {
				t.Fatalf("%s: row %d is said to be on line %d", name, i, row.Line)
			}
		}
		if err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%s: got %.300q, %v, want %.300q", name, got, err, test.want)
		}
	}
}

func TestRowsEnd(t *testing.T) {
	t.Parallel()
	broken := errors.New("the disk is broken")
	long := strings.Repeat("8", 100_000)
	for name, test := range map[string]struct {
		in   io.Reader
		rows int
		want string
	}{
		"no column phone":             {strings.NewReader("id,number\n"), 0, `the first line names no column phone; want id, phone and, where PINs are to be set, pin; it has "id", "number". Rename the columns in the first line`},
		"no column id":                {strings.NewReader("phone\n"), 0, `the first line names no column id; want id, phone and, where PINs are to be set, pin; it has "phone". Rename the columns in the first line`},
		"a customer for a header":     {strings.NewReader("Ann,447700900123,1234\n"), 0, `the first line names no column id; want id, phone and, where PINs are to be set, pin; it has "Ann", "…", "…". Rename the columns in the first line`},
		"two that may be phone":       {strings.NewReader("id,Mobile,Telephone\n"), 0, "the first line names two columns for phone, mobile and telephone; rename the right one to phone"},
		"sep= alone, and a long line": {strings.NewReader("sep=;\n" + long), 0, "the first line is longer than 64 KiB; this is no list of customers as CSV"},
		"a column twice":              {strings.NewReader("id,phone,Phone\n"), 0, "the first line names the column phone twice"},
		"no header, one column":       {strings.NewReader("7\n"), 0, "the first line begins with a number, so it should be id, phone and perhaps pin; it has 1 columns. Name them in a first line, or separate them by commas"},
		"no header, four":             {strings.NewReader("7,8,1234,x\n"), 0, "the first line begins with a number, so it should be id, phone and perhaps pin; it has 4 columns. Name them in a first line, or separate them by commas"},
		"UTF-16":                      {strings.NewReader("\xFF\xFEi\x00d\x00"), 0, "this is UTF-16; save it as CSV in UTF-8"},
		"a header with a quote":       {strings.NewReader("id,\"phone\n"), 0, "the first line can't be read as CSV: a quote is not closed, or stands in the middle of a field; take it out, or write the field in quotes and each quote in it twice"},
		"a long first line":           {strings.NewReader(long), 0, "the first line is longer than 64 KiB; this is no list of customers as CSV"},
		"a long line":                 {strings.NewReader("id,phone\n8,8\n\n" + long + "\n8,8\n"), 1, "line 4 is longer than 64 KiB; this is no list of customers as CSV"},
		"a reader that fails":         {io.MultiReader(strings.NewReader("id,phone\n8,8\n"), iotest.ErrReader(broken)), 1, broken.Error()},
		"one that fails at first":     {iotest.ErrReader(broken), 0, broken.Error()},
	} {
		rows, err := read(test.in, 1)
		if err == nil || err.Error() != test.want || len(rows) != test.rows {
			t.Errorf("%s: got %d rows and %v, want %d and %q", name, len(rows), err, test.rows, test.want)
		}
	}
}

func TestRowsFromALine(t *testing.T) {
	t.Parallel()
	const text = "phone,id\n1,1\n\n2,2\n\"\n3,3\n"
	for from, want := range map[int]int{-1: 4, 0: 4, 1: 4, 2: 4, 3: 3, 4: 3, 5: 2, 6: 1, 7: 0} {
		if rows, err := read(strings.NewReader(text), from); err != nil || len(rows) != want {
			t.Errorf("from line %d: got %+v, %v, want %d rows", from, rows, err, want)
		}
	}
}

func TestRowsStop(t *testing.T) {
	t.Parallel()
	for row, err := range customercsv.Rows(strings.NewReader("1,1\n2,2\n"), 1) {
		if err != nil || row.Line != 1 {
			t.Errorf("got %+v, %v", row, err)
		}
		break // and nothing is yielded after it
	}
}

// FuzzRows checks what holds for any text: rows come in the order of their
// lines, are either whole or rejected, and no reason repeats what stands there.
func FuzzRows(f *testing.F) {
	for _, text := range []string{
		"id,phone,pin\n452733,447700900123,1234\n", "\uFEFFid;phone\r\n7;+44 7700 900123\r\n", "7\t8\t\n", "id,phone,note\n7,8,\"a\nb\"\n8,\"9,\n",
		"id,phone\n\"\n\"\n7,8\n", "\n\nid,phone\n", "7,8\n,\n\r\n9",
	} {
		f.Add(text, 2)
	}
	number := regexp.MustCompile(`[0-9]{4,}`)
	f.Fuzz(func(t *testing.T, text string, from int) {
		if len(text) > 999 { // so no number of columns has four digits
			t.Skip("longer than this looks at")
		}
		all, err := read(strings.NewReader(text), 1)
		line, lines := 0, strings.Count(text, "\n")+1
		for _, row := range all {
			if row.Line <= line || row.Line > lines {
				t.Fatalf("line %d comes after line %d of %d", row.Line, line, lines)
			}
			line = row.Line
			if row.Rejected == "" && (row.Customer <= 0 || row.Phone.Number <= 0 || row.KeepPIN && !row.PIN.IsBlank()) || number.MatchString(row.Rejected) {
				t.Errorf("got %+v", row)
			}
		}
		rest, restErr := read(strings.NewReader(text), from)
		want := slices.DeleteFunc(all, func(row operator.ImportRow) bool { return row.Line < from })
		if !slices.Equal(rest, want) || (err == nil) != (restErr == nil) {
			t.Errorf("from line %d: got %+v, %v, want %+v, %v", from, rest, restErr, want, err)
		}
	})
}
