package customercsv

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/operator"
)

// columns says where in a row what stands.
type columns struct {
	id, phone int
	pin       int // -1: nowhere
	count     int
}

// newColumns understands the first row, which may be a header. It doesn't keep it.
func newColumns(first []string) (c columns, isHeader bool, err error) {
	text, err := digits(first[0])
	if err == nil {
		_, err = strconv.ParseInt(text, 10, 64)
	}
	if err != nil {
		c, err = namedColumns(first)
		return c, true, err
	}
	switch len(first) {
	case 2:
		return columns{0, 1, -1, 2}, false, nil
	case 3:
		return columns{0, 1, 2, 3}, false, nil
	}
	return columns{}, false, fmt.Errorf("the first line begins with a number, so it should be id, phone and perhaps pin; it has %d columns. Name them in a first line, or separate them by commas", len(first))
}

// row reads a row. It doesn't keep fields.
func (c columns) row(line int, fields []string) operator.ImportRow {
	row := operator.ImportRow{Line: line, KeepPIN: c.pin < 0}
	if len(fields) != c.count { // nobody can tell which one is missing
		row.Rejected = fmt.Sprintf("it has %d columns, the first line %d; see that each has as many separators, and that text with one in it is in quotes", len(fields), c.count)
		return row
	}
	var idErr, phoneErr, pinErr error
	row.Customer, idErr = parsed("id", fields[c.id], parseID)
	row.Phone, phoneErr = parsed("phone", fields[c.phone], domain.ParseDialledPhone)
	if !row.KeepPIN {
		row.PIN, pinErr = parsed("pin", fields[c.pin], domain.ParseNewPIN)
	}
	row.Rejected = reasons(idErr, phoneErr, pinErr)
	return row
}

func parsed[T any](column, cell string, parse func(string) (T, error)) (T, error) {
	text, err := digits(cell)
	if err != nil {
		var none T
		return none, fmt.Errorf("%s: %w", column, err)
	}
	return parse(text)
}

func parseID(text string) (domain.CustomerID, error) {
	if text == "" {
		return 0, errors.New("id: it is missing; give each customer a number")
	}
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id <= 0 {
		return 0, errors.New("id: want a positive integer, digits alone")
	}
	return domain.CustomerID(id), nil
}

// reasons joins what is wrong, in the names of the columns.
func reasons(errs ...error) string {
	var all []string
	for _, err := range errs {
		var known *domain.Error
		switch {
		case errors.As(err, &known):
			text := strings.Replace(known.Public, "phone_number: ", "phone: ", 1)
			all = append(all, strings.Replace(text, "customer_pin: ", "pin: ", 1))
		case err != nil:
			all = append(all, err.Error())
		}
	}
	return strings.Join(all, "; ")
}
