// Package rows is what the SQL adapters share: columns and how values are stored
// in them, the log's filter, what errors say, how an import is planned, and the
// queue in which changes of a customer wait.
//
// Only adapters/sqlite and adapters/postgres import it; it imports domain.
package rows
