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
	if _, err := strconv.ParseInt(strings.TrimSpace(first[0]), 10, 64); err != nil {
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

func namedColumns(header []string) (columns, error) {
	places := map[string]int{"id": -1, "phone": -1, "pin": -1}
	for i, field := range header {
		name := strings.ToLower(strings.TrimSpace(field))
		place, known := places[name]
		if known && place >= 0 {
			return columns{}, fmt.Errorf("the first line names the column %s twice", name)
		}
		if known {
			places[name] = i
		}
	}
	for _, name := range []string{"id", "phone"} {
		if places[name] < 0 {
			return columns{}, fmt.Errorf("the first line names no column %s; want id, phone and, where PINs are to be set, pin", name)
		}
	}
	return columns{places["id"], places["phone"], places["pin"], len(header)}, nil
}

// row reads a row. It doesn't keep fields.
func (c columns) row(line int, fields []string) operator.ImportRow {
	row := operator.ImportRow{Line: line, KeepPIN: c.pin < 0}
	if len(fields) != c.count { // nobody can tell which one is missing
		row.Rejected = fmt.Sprintf("it has %d columns, the first line %d", len(fields), c.count)
		return row
	}
	var idErr, phoneErr, pinErr error
	row.Customer, idErr = parseID(fields[c.id])
	row.Phone, phoneErr = domain.ParseDialledPhone(fields[c.phone])
	if !row.KeepPIN {
		row.PIN, pinErr = domain.ParseNewPIN(fields[c.pin])
	}
	row.Rejected = reasons(idErr, phoneErr, pinErr)
	return row
}

func parseID(text string) (domain.CustomerID, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return 0, errors.New("id: it is missing")
	}
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id <= 0 {
		return 0, errors.New("id: want a positive integer")
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
