package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.40.0"
	"go.opentelemetry.io/otel/trace"
	"modernc.org/sqlite"
)

// scope is the instrumentation scope of these spans.
const scope = "github.com/fleetphoto/fleetphoto/adapters/sqlite"

// openTraced opens the database so that each statement of a traced call makes a
// span with the statement's text, which holds no values. Outside a traced call it
// only looks at the context; otelsql would make a query a sixth slower.
func openTraced(dataSource string) (*sql.DB, error) {
	through, err := sqlite.NewConnector(dataSource)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(tracedConnector{through}), nil
}

type tracedConnector struct{ driver.Connector }

// Connect implements driver.Connector.
func (c tracedConnector) Connect(ctx context.Context) (driver.Conn, error) {
	plain, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	conn, has := plain.(sqliteConn)
	if !has {
		return nil, errors.Join(lacks(plain), plain.Close())
	}
	return tracedConn{preparedConn{conn, map[string]sqliteStmt{}}}, nil
}

func lacks(part any) error {
	return fmt.Errorf("the driver's %T has not all methods that it had", part)
}

// sqliteConn lists the interfaces that database/sql looks for in a connection.
type sqliteConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

type tracedConn struct{ sqliteConn }

// ExecContext implements driver.ExecerContext.
func (c tracedConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	span := statement(ctx, query)
	result, err := c.sqliteConn.ExecContext(ctx, query, args)
	end(span, err)
	return result, err
}

// QueryContext implements driver.QueryerContext.
func (c tracedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	span := statement(ctx, query)
	rows, err := c.sqliteConn.QueryContext(ctx, query, args)
	end(span, err)
	return rows, err
}

// BeginTx implements driver.ConnBeginTx.
func (c tracedConn) BeginTx(ctx context.Context, options driver.TxOptions) (driver.Tx, error) {
	span := statement(ctx, "BEGIN")
	tx, err := c.sqliteConn.BeginTx(ctx, options)
	end(span, err)
	if span == nil || err != nil {
		return tx, err
	}
	return tracedTx{tx, ctx}, nil
}

type tracedTx struct {
	driver.Tx
	ctx context.Context // that it began with
}

// Commit implements driver.Tx.
func (t tracedTx) Commit() error {
	span := statement(t.ctx, "COMMIT")
	err := t.Tx.Commit()
	end(span, err)
	return err
}

// statement begins a span. It returns nil if the call isn't traced.
func statement(ctx context.Context, query string) trace.Span {
	if !trace.SpanFromContext(ctx).IsRecording() {
		return nil
	}
	text := strings.Join(strings.Fields(query), " ")
	verb, _, _ := strings.Cut(text, " ")
	_, span := otel.Tracer(scope).Start(ctx, verb, trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(semconv.DBSystemNameSQLite, semconv.DBQueryText(text)))
	return span
}

func end(span trace.Span, err error) {
	if span == nil {
		return
	}
	if err != nil {
		span.SetStatus(codes.Error, "")
	}
	span.End()
}
