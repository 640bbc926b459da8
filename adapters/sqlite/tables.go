package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/pressly/goose/v3"

	"github.com/fleetphoto/fleetphoto/adapters/rows"
)

//go:embed migrations/*.sql
var migrations embed.FS

func provider(db *sql.DB) (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectSQLite3, db, files, goose.WithDisableGlobalRegistry(true))
}

// checkNeeds fails where a newer version of the program made the tables and says
// that this one can't use them.
func (db *DB) checkNeeds(ctx context.Context, tables *goose.Provider) error {
	have, know, err := tables.GetVersions(ctx)
	if err != nil || have <= know {
		return err
	}
	var needs int64
	err = db.writer.QueryRowContext(ctx, `SELECT tables_version FROM schema_needs`).Scan(&needs)
	if err == nil && needs > know {
		err = fmt.Errorf("a newer version of this program made it (its tables need a program that knows version %d, this one knows %d); run that version, or restore a backup", needs, know)
	}
	return err
}

// checkColumns fails where a column is missing that the migrations make.
func (db *DB) checkColumns(ctx context.Context) error {
	have, err := columns(ctx, db.writer)
	if err != nil {
		return err
	}
	made, madeBy, err := madeColumns(ctx)
	if err != nil {
		return err
	}
	for _, column := range made {
		if !slices.Contains(have, column) {
			return fmt.Errorf("it has no column %s, which the migration %s makes; restore a backup, or make it as that file does", column, madeBy[column])
		}
	}
	return nil
}

// madeColumns runs the migrations on a database in memory and returns the columns
// that exist after all of them, and the file that makes each.
func madeColumns(ctx context.Context) (made []string, madeBy map[string]string, err error) {
	model, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, model.Close()) }()
	model.SetMaxOpenConns(1) // another connection would be another database
	files, err := migrations.ReadDir("migrations")
	madeBy = map[string]string{}
	for _, file := range files { // in the order of their names
		text, readErr := migrations.ReadFile("migrations/" + file.Name())
		_, execErr := model.ExecContext(ctx, string(text)) // to SQLite goose's lines are comments
		if err := errors.Join(readErr, execErr); err != nil {
			return nil, nil, err
		}
		if made, err = columns(ctx, model); err != nil {
			return nil, nil, err
		}
		for _, column := range made {
			if madeBy[column] == "" {
				madeBy[column] = file.Name()
			}
		}
	}
	return made, madeBy, err
}

// columns returns the columns of all tables, as table.column.
func columns(ctx context.Context, db *sql.DB) ([]string, error) {
	scan := func(row rows.Row) (column string, err error) {
		err = row.Scan(&column)
		return column, err
	}
	return list(ctx, db, scan, `
		SELECT tables.name || '.' || columns.name
		FROM sqlite_schema AS tables, pragma_table_info(tables.name) AS columns WHERE tables.type = 'table'`)
}
