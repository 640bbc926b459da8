-- Records say which version of the photo lies in which store, PINs lock for good
-- after too many wrong ones, and open entries say what they were about to do and
-- when they were opened, by the database's clock.

-- +goose Up
ALTER TABLE customers ADD COLUMN photo_version TEXT NOT NULL DEFAULT '';
ALTER TABLE customers ADD COLUMN photo_store TEXT NOT NULL DEFAULT '';
ALTER TABLE customers ADD COLUMN pin_wrong INTEGER NOT NULL DEFAULT 0;

ALTER TABLE api_log ADD COLUMN intent_sha256 BLOB;
ALTER TABLE api_log ADD COLUMN photo_store TEXT NOT NULL DEFAULT '';
ALTER TABLE api_log ADD COLUMN opened_at INTEGER;
ALTER TABLE api_log ADD COLUMN settled_at INTEGER;
UPDATE api_log SET opened_at = received_at WHERE result = '';

-- The open entries, few among millions, as Repair asks for them.
DROP INDEX api_log_open;
CREATE INDEX api_log_open ON api_log (id) WHERE result = '';

-- Some databases had their second migration before it made this table.
CREATE TABLE IF NOT EXISTS pin_key (
    id          INTEGER PRIMARY KEY CHECK (id = 1),
    fingerprint BLOB    NOT NULL CHECK (length(fingerprint) = 32)
) STRICT;

-- The oldest version of the tables that a program must know to use these. A
-- migration that programs without it can't live with sets its own version here.
CREATE TABLE schema_needs (tables_version INTEGER NOT NULL PRIMARY KEY) STRICT;
INSERT INTO schema_needs (tables_version) VALUES (3);
