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

// translate turns an error of action into one that the ports promise. It returns
// nil and a *domain.Error unchanged. Callers handle missing and duplicate rows
// first, as their meaning differs.
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

// isLost reports whether the connection is unusable: it broke, or its server is
// shutting down or has become read-only.
func isLost(err error) bool {
	if code := code(err); code != "" {
		return strings.HasPrefix(code, "08") || strings.HasPrefix(code, "57P") || code == readOnlyTransaction
	}
	return isNetwork(err) || errors.Is(err, pgconn.ErrConnClosed)
}

func isNetwork(err error) bool {
	return errors.As(err, new(net.Error)) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// isWorthRepeating reports whether a transaction that stored nothing may succeed
// if it is retried at once.
func isWorthRepeating(err error) bool {
	if errors.As(err, new(*domain.Error)) {
		return false
	}
	return isLost(err) || errors.Is(err, errRaced) || code(err) == serializationFailure || code(err) == deadlock
}

// isSurelyUndone reports whether a statement that failed without a row certainly
// had no effect: it wasn't sent, or the server itself answered with the error. An
// error of class 08 may come from a pooler that lost its server.
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

// startError is the sentence for an operator whose database can't start. It is
// Unavailable if waiting may help.
func startError(database string, err error) error {
	// pgx lists its attempts, a line each, with and without TLS, so lines repeat.
	lines := slices.Compact(strings.Split(strings.ReplaceAll(err.Error(), "\n\t", "\n"), "\n"))
	sentence := fmt.Errorf("cannot use the PostgreSQL database %s: %s", database, strings.ReplaceAll(strings.Join(lines, "; "), ":; ", ": "))
	if wasGivenUp(err) || isOutage(err) && !isRefused(err) {
		return domain.Errorf(domain.Unavailable, "the database does not answer").WithCause(sentence)
	}
	return sentence
}

// isRefused reports whether the server was reached but rejects this program for a
// reason that only an operator can fix: the password, the database, TLS. A standby
// doesn't count: it may be promoted.
func isRefused(err error) bool {
	if code := code(err); code != "" {
		const authorization, noSuchDatabase = "28", "3D000"
		return strings.HasPrefix(code, authorization) || code == noSuchDatabase || code == insufficientRights
	}
	return errors.As(err, new(*pgconn.ConnectError)) && !isNetwork(err) && !strings.Contains(err.Error(), "ValidateConnect failed") // pgx has no value for it
}
