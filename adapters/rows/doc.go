// Package rows is what the SQL adapters share: the fleets, how values are stored in
// columns, the log's filter, the sentences of errors, and how an import is planned.
//
// Only adapters/sqlite and adapters/postgres import it; it imports domain.
package rows
