package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
)

// preparedConn caches prepared statements that take values: there are few of them,
// and preparing one takes about as long as running it. While a statement's rows are
// being read, it isn't run again on the same connection.
type preparedConn struct {
	sqliteConn
	statements map[string]sqliteStmt // by their texts
}

// sqliteStmt lists the interfaces that database/sql looks for in a statement.
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
