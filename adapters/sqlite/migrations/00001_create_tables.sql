-- Times are microseconds since 1970 in UTC; NULL is no time. A hash that is
-- all zeros is NULL.

-- +goose Up
CREATE TABLE fleets (
    id       INTEGER PRIMARY KEY,
    name     TEXT    NOT NULL,
    disabled INTEGER NOT NULL CHECK (disabled IN (0, 1))
) STRICT;

CREATE TABLE api_keys (
    hash     BLOB    NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    fleet_id INTEGER NOT NULL REFERENCES fleets (id)
) STRICT, WITHOUT ROWID;

-- The fleets may live in another backend: fleet_id references nothing.
CREATE TABLE customers (
    fleet_id         INTEGER NOT NULL,
    id               INTEGER NOT NULL,
    phone            INTEGER NOT NULL,
    pin_hash         BLOB CHECK (length(pin_hash) = 32),
    pin_attempts     INTEGER NOT NULL DEFAULT 0,
    pin_locked_until INTEGER,
    photo_sha256     BLOB CHECK (length(photo_sha256) = 32),
    photo_size       INTEGER NOT NULL,
    photo_width      INTEGER NOT NULL,
    photo_height     INTEGER NOT NULL,
    photo_changed_at INTEGER,
    photo_changed_by INTEGER NOT NULL,
    PRIMARY KEY (fleet_id, id),
    UNIQUE (fleet_id, phone)
) STRICT, WITHOUT ROWID;

CREATE TABLE api_log (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    received_at INTEGER NOT NULL,
    came_from   TEXT    NOT NULL,
    fleet_id    INTEGER NOT NULL,
    customer_id INTEGER NOT NULL,
    phone       TEXT    NOT NULL,
    operation   TEXT    NOT NULL,
    result      TEXT    NOT NULL,
    error       TEXT    NOT NULL,
    detail      TEXT    NOT NULL,
    ended_at    INTEGER
) STRICT;

-- The open entries, few among millions, as Repair asks for them.
CREATE INDEX api_log_open ON api_log (received_at, id) WHERE result = '';
