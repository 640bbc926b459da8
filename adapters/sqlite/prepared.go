package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
)

// preparedConn keeps those statements prepared that take values: they come again,
// in few texts. Preparing one takes about as long as running it. A statement
// doesn't run again on a connection while its rows are read.
type preparedConn struct {
	sqliteConn
	statements map[string]sqliteStmt // by their texts
}

// sqliteStmt is what database/sql finds out that the driver's statements can do.
type sqliteStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// ExecContext implements driver.ExecerContext.
func (c preparedConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if len(args) == 0 {
		return c.sqliteConn.ExecContext(ctx, query, args)
	}
	statement, err := c.prepared(ctx, query)
	if err != nil {
		return nil, err
	}
	return statement.ExecContext(ctx, args)
}

// QueryContext implements driver.QueryerContext.
func (c preparedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if len(args) == 0 {
		return c.sqliteConn.QueryContext(ctx, query, args)
	}
	statement, err := c.prepared(ctx, query)
	if err != nil {
		return nil, err
	}
	return statement.QueryContext(ctx, args)
}

func (c preparedConn) prepared(ctx context.Context, query string) (sqliteStmt, error) {
	if statement := c.statements[query]; statement != nil {
		return statement, nil
	}
	made, err := c.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	statement, has := made.(sqliteStmt)
	if !has {
		return nil, errors.Join(lacks(made), made.Close())
	}
	c.statements[query] = statement
	return statement, nil
}

// Close implements driver.Conn.
func (c preparedConn) Close() error {
	var failures []error
	for _, statement := range c.statements {
		failures = append(failures, statement.Close())
	}
	return errors.Join(append(failures, c.sqliteConn.Close())...)
}
