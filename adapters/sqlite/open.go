// Package sqlite keeps fleets, customers and the API log in one SQLite file,
// for one machine, without a server and without cgo.
//
// App and tests import it; it imports ports and domain.
package sqlite

import (
	"database/sql"
	"errors"
	"io/fs"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/fleetphoto/fleetphoto/adapters/locks"
)

// maxReaders is the number of connections that read at once. SQLite answers
// from memory; more of them only cost file handles.
const maxReaders = 8

// DB is one database file and the ports that it backs. Any number of DBs, in
// any number of processes of one machine, may share a file. The file system
// must be a local one: SQLite's shared memory doesn't work over a network.
type DB struct {
	path    string // absolute
	locks   *locks.Files
	file    atomic.Pointer[fs.FileInfo] // of the file at path when it was opened first
	writer  *sql.DB                     // one connection: SQLite has one writer
	writes  writes
	readers *sql.DB
}

// Open makes a DB for the URL sqlite://relative/path.db or
// sqlite:///absolute/path.db. It touches no file; Start does.
func Open(rawURL string) (*DB, error) {
	path, err := Path(rawURL)
	if err != nil {
		return nil, err
	}
	if path, err = filepath.Abs(path); err != nil {
		return nil, err
	}
	writer, err := openTraced(dataSource(path, url.Values{"_txlock": {"immediate"}}))
	if err != nil {
		return nil, err
	}
	readers, err := openTraced(dataSource(path, url.Values{"_query_only": {"on"}}))
	if err != nil {
		return nil, err
	}
	writer.SetMaxOpenConns(1)
	readers.SetMaxOpenConns(maxReaders)
	readers.SetMaxIdleConns(maxReaders)
	return &DB{path: path, locks: locks.NewFiles(locksOf(path)), writer: writer, writes: writes{turn: make(chan struct{}, 1)}, readers: readers}, nil
}

// dataSource is the driver's name for the file at path with the settings that
// every connection has. A commit is on the disk when it returns: in WAL mode
// that takes synchronous=FULL and, on macOS, fullfsync.
func dataSource(path string, settings url.Values) string {
	settings.Set("mode", "rw") // a file that went missing is an error, not an empty database
	settings.Set("_dqs", "0")
	settings.Set("_error_rc", "1")
	settings["_pragma"] = []string{
		"busy_timeout(10000)", // for other processes' writes; ends early with ctx
		"journal_mode(WAL)", "synchronous(FULL)", "fullfsync(ON)", "foreign_keys(ON)",
		"secure_delete(ON)", // what is deleted, a PIN's hash say, is overwritten
	}
	slashed := filepath.ToSlash(path)
	if filepath.IsAbs(path) {
		slashed = "//" + "/" + strings.TrimPrefix(slashed, "/")
	}
	return "file:" + (&url.URL{Path: slashed}).EscapedPath() + "?" + settings.Encode()
}

// Path returns the absolute path of the database file.
func (db *DB) Path() string { return db.path }

// FleetAuth is the fleets in this database.
func (db *DB) FleetAuth() *FleetAuth { return &FleetAuth{db} }

// CustomerRepo is the customers in this database.
func (db *DB) CustomerRepo() *CustomerRepo { return &CustomerRepo{db} }

// ApiLog is the API log in this database.
func (db *DB) ApiLog() *ApiLog { return &ApiLog{db} }

// FleetCustomers is the customers of the fleets in this database.
func (db *DB) FleetCustomers() *FleetCustomers { return &FleetCustomers{db.CustomerRepo()} }

// ChangeRecorder is the customers and the API log in this database, in one commit.
func (db *DB) ChangeRecorder() *ChangeRecorder { return &ChangeRecorder{db} }

// Close ends all connections. The ports fail with Unavailable from then on.
func (db *DB) Close() error {
	return errors.Join(db.readers.Close(), db.writer.Close())
}
