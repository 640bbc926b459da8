package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"syscall"

	"modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"

	"github.com/fleetphoto/fleetphoto/domain"
)

// translate turns an error of action into one that the ports promise. It returns
// nil and a *domain.Error unchanged. Callers handle missing and duplicate rows
// first, as their meaning differs.
func translate(action string, err error) error {
	var known *domain.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	cause := fmt.Errorf("sqlite: %s: %w", action, err)
	switch {
	case wasGivenUp(err):
		return domain.Errorf(domain.Unavailable, "the call was given up before it was done; try again").WithCause(cause)
	case isOutage(err):
		return unanswered(cause)
	}
	return domain.AsError(cause)
}

func unanswered(cause error) error {
	return domain.Errorf(domain.Unavailable, "the database did not answer; try again").WithCause(cause)
}

// wasGivenUp reports whether ctx ended. A transaction that ctx rolled back fails
// with sql.ErrTxDone.
func wasGivenUp(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, sql.ErrTxDone) || code(err) == codes.SQLITE_INTERRUPT
}

// isOutage says that the disk, the file or the moment is at fault, rather than
// the SQL or a value.
func isOutage(err error) bool {
	switch code(err) & 0xFF { // without the extension
	case 0:
		var number syscall.Errno // from the lock files
		return errors.As(err, &number) || errors.Is(err, sql.ErrConnDone) || errors.Is(err, driver.ErrBadConn) ||
			strings.Contains(err.Error(), "sql: database is closed") // database/sql has no value for it
	case codes.SQLITE_ERROR, codes.SQLITE_INTERNAL, codes.SQLITE_CONSTRAINT, codes.SQLITE_MISMATCH,
		codes.SQLITE_MISUSE, codes.SQLITE_RANGE, codes.SQLITE_TOOBIG:
		return false
	}
	return true
}

// isDuplicate says that a row with the same key exists already.
func isDuplicate(err error) bool {
	switch code(err) {
	case codes.SQLITE_CONSTRAINT_UNIQUE, codes.SQLITE_CONSTRAINT_PRIMARYKEY, codes.SQLITE_CONSTRAINT_ROWID:
		return true
	}
	return false
}

// code is SQLite's extended result code; 0 where err isn't from SQLite.
func code(err error) int {
	var failure *sqlite.Error
	if errors.As(err, &failure) {
		return failure.Code()
	}
	return 0
}

// startError is the sentence for an operator whose database at path can't start.
func startError(path string, err error) error {
	if code(err)&0xFF == codes.SQLITE_NOTADB {
		return fmt.Errorf("the file %s is not a SQLite database; name another file, or move this one away", path)
	}
	return fmt.Errorf("cannot use the database %s: %w", path, err)
}
