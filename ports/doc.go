// Package ports holds the four interfaces that a call stands on, and beside
// each the roles that operators need, which an adapter may lack. Each comment is
// the promise that an adapter owes; contract-tests holds a clause for it.
//
// Use cases, adapters and app import it; it imports domain alone.
//
// Every method is safe for concurrent use and keeps nothing that it is given.
// Its errors are a *domain.Error whose Kind is named in its comment; what can't
// happen unless there is a bug is domain.Internal. Times are stored to the
// microsecond and come back in UTC.
package ports
