package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"

	"github.com/XSAM/otelsql"
	"go.opentelemetry.io/otel/metric/noop"
	semconv "go.opentelemetry.io/otel/semconv/v1.40.0"
	"go.opentelemetry.io/otel/trace"
)

// openTraced opens the database with each statement making a span of the call
// that it belongs to, with its text, which holds no values. Outside a traced
// call it makes none.
func openTraced(dataSource string) (*sql.DB, error) {
	return otelsql.Open("sqlite", dataSource,
		otelsql.WithAttributes(semconv.DBSystemNameSQLite),
		otelsql.WithMeterProvider(noop.NewMeterProvider()),
		otelsql.WithSpanOptions(otelsql.SpanOptions{
			OmitConnResetSession: true, OmitConnPrepare: true, OmitConnectorConnect: true, OmitRows: true, DisableErrSkip: true,
			SpanFilter: func(ctx context.Context, _ otelsql.Method, _ string, _ []driver.NamedValue) bool {
				return trace.SpanFromContext(ctx).IsRecording()
			},
		}))
}
