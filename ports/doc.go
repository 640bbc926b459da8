// Package ports holds the four interfaces that a call needs (FleetAuth,
// CustomerRepo, PhotoStore and ApiLog) and, next to each, the roles that
// operators use, which an adapter may lack. Each comment is a promise that an
// adapter keeps; contract-tests checks each with a clause.
//
// Use cases, adapters and app import ports; it imports only domain.
//
// Every method keeps these promises:
//
//   - It is safe for concurrent use and retains none of its arguments.
//   - Its errors are a *domain.Error. Their Kind is one that the method's comment
//     names, Unavailable, or Internal for a bug.
//   - It fails with Unavailable while the backend doesn't answer and once ctx has
//     ended.
//   - The Public text of its errors contains no host, path or secret.
//   - Times are stored to the microsecond and returned in UTC.
//   - If it returns at most limit items, it returns none for a limit below 1.
//
// A method that changes something durably has had it committed, synced or
// acknowledged by the backend when it returns nil.
package ports
