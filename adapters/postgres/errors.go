package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fleetphoto/fleetphoto/domain"
)

// SQLSTATEs with a meaning of their own here.
const (
	uniqueViolation      = "23505"
	readOnlyTransaction  = "25006"
	idleTooLong          = "25P03"
	transactionTooLong   = "25P04"
	serializationFailure = "40001"
	deadlock             = "40P01"
	insufficientRights   = "42501"
	undefinedColumn      = "42703"
	undefinedTable       = "42P01"
	lockNotAvailable     = "55P03"
)

// errRaced says that another process changed the same rows since they were read.
var errRaced = errors.New("another process changed the same customers meanwhile")

// noConnection is why no statement was sent.
type noConnection struct{ error }

func (n noConnection) Unwrap() error { return n.error }

// translate makes err, which came while doing action, an error as the ports
// promise it. Nil and what is a *domain.Error already stay as they are. What a
// missing or a duplicate row means, each port says before.
func translate(action string, err error) error {
	if err == nil || errors.As(err, new(*domain.Error)) {
		return err
	}
	cause := fmt.Errorf("postgres: %s: %w", action, err)
	switch {
	case wasGivenUp(err):
		return domain.Errorf(domain.Unavailable, "the call was given up before it was done; try again").WithCause(cause)
	case isOutage(err):
		return domain.Errorf(domain.Unavailable, "the database did not answer; try again").WithCause(cause)
	}
	return domain.AsError(cause)
}

func wasGivenUp(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// isOutage says that the server, the network or the moment is at fault, rather
// than the SQL or a value.
func isOutage(err error) bool {
	if errors.As(err, new(noConnection)) || isLost(err) || errors.Is(err, errRaced) {
		return true
	}
	switch code := code(err); code {
	case lockNotAvailable, idleTooLong, transactionTooLong:
		return true
	default:
		const rollback, resources, intervention, system = "40", "53", "57", "58"
		return len(code) == 5 && slices.Contains([]string{rollback, resources, intervention, system}, code[:2])
	}
}

// isLost says that the connection is of no use any more: it broke, or its
// server doesn't write any more.
func isLost(err error) bool {
	if code := code(err); code != "" {
		return strings.HasPrefix(code, "08") || strings.HasPrefix(code, "57P") || code == readOnlyTransaction
	}
	return isNetwork(err) || errors.Is(err, pgconn.ErrConnClosed)
}

func isNetwork(err error) bool {
	return errors.As(err, new(net.Error)) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// isWorthRepeating says that a transaction of which nothing is stored may get
// further when it is repeated at once.
func isWorthRepeating(err error) bool {
	if errors.As(err, new(*domain.Error)) {
		return false
	}
	return isLost(err) || errors.Is(err, errRaced) || code(err) == serializationFailure || code(err) == deadlock
}

// isSurelyUndone says that a statement that failed without a row was not carried
// out and never will be: it wasn't sent, or the server answered with this error
// in place of the row. Class 08 may come from a pooler that lost its server.
func isSurelyUndone(err error) bool {
	code := code(err)
	return pgconn.SafeToRetry(err) || code != "" && !strings.HasPrefix(code, "08")
}

// isDuplicate says that a row with the same key exists already.
func isDuplicate(err error) bool { return code(err) == uniqueViolation }

// code is the server's SQLSTATE; empty where err isn't from a server.
func code(err error) string {
	var failure *pgconn.PgError
	if errors.As(err, &failure) {
		return failure.Code
	}
	return ""
}

// startError is what an operator reads whose database can't start. It is
// Unavailable where waiting may help.
func startError(database string, err error) error {
	// pgx says in lines what it has tried, and the same for a try with TLS and one without.
	lines := slices.Compact(strings.Split(strings.ReplaceAll(err.Error(), "\n\t", "\n"), "\n"))
	sentence := fmt.Errorf("cannot use the PostgreSQL database %s: %s", database, strings.ReplaceAll(strings.Join(lines, "; "), ":; ", ": "))
	if wasGivenUp(err) || isOutage(err) && !isRefused(err) {
		return domain.Errorf(domain.Unavailable, "the database does not answer").WithCause(sentence)
	}
	return sentence
}

// isRefused says that the server is reached and doesn't let this program in,
// which only an operator can change: the password, the database, TLS. A server
// that is a standby for now is none of these.
func isRefused(err error) bool {
	if code := code(err); code != "" {
		const authorization, noSuchDatabase = "28", "3D000"
		return strings.HasPrefix(code, authorization) || code == noSuchDatabase || code == insufficientRights
	}
	return errors.As(err, new(*pgconn.ConnectError)) && !isNetwork(err) && !strings.Contains(err.Error(), "ValidateConnect failed") // pgx has no value for it
}
