// Package rows is what the SQL adapters share: columns and how values are stored
// in them, the log's filter, what errors say, and how an import is planned.
//
// Only adapters/sqlite and adapters/postgres import it; it imports domain.
package rows
