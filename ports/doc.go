// Package ports holds the four interfaces that the use cases stand on. Each
// comment is the promise that an adapter owes; contract-tests holds a clause for it.
//
// Use cases, adapters and app import it; it imports domain alone.
//
// What holds for every method: it is safe for concurrent use, keeps nothing
// that it is given, honours ctx, and returns errors that are a *domain.Error
// whose Kind is named in its comment. Whatever keeps a backend from answering,
// an ended ctx included, is domain.Unavailable; what can't happen unless there
// is a bug is domain.Internal. Public texts name no host, path or secret.
// Times are stored to the microsecond and come back in UTC.
package ports
