-- A time is NULL where there is none, a hash where it is all zeros. In names
-- and details a byte that isn't text, and a backslash, is written as \xNN.

-- +goose Up
-- A migration that is frozen or cut off ends, and another one may go on.
SET LOCAL idle_in_transaction_session_timeout = '60s';

CREATE TABLE fleets (
    id       BIGINT  NOT NULL PRIMARY KEY,
    name     TEXT    NOT NULL,
    disabled BOOLEAN NOT NULL
);

CREATE TABLE api_keys (
    hash     BYTEA  NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    fleet_id BIGINT NOT NULL REFERENCES fleets (id)
);

-- The fleets may live in another backend: fleet_id references nothing.
CREATE TABLE customers (
    fleet_id         BIGINT NOT NULL,
    id               BIGINT NOT NULL,
    phone            BIGINT NOT NULL,
    pin_hash         BYTEA CHECK (length(pin_hash) = 32),
    photo_sha256     BYTEA CHECK (length(photo_sha256) = 32),
    photo_size       BIGINT NOT NULL,
    photo_width      BIGINT NOT NULL,
    photo_height     BIGINT NOT NULL,
    photo_changed_at TIMESTAMPTZ,
    photo_changed_by BIGINT NOT NULL,
    PRIMARY KEY (fleet_id, id),
    UNIQUE (fleet_id, phone)
);

-- A customer's row is locked while its photo changes, and attempts on its PIN
-- don't wait for that: they have a row of their own, which references nothing,
-- as a reference would lock the customer's row.
CREATE TABLE pin_locks (
    fleet_id     BIGINT NOT NULL,
    customer_id  BIGINT NOT NULL,
    attempts     BIGINT NOT NULL,
    locked_until TIMESTAMPTZ,
    PRIMARY KEY (fleet_id, customer_id)
);

-- The ids grow; the shard spreads them over a database that is split by ranges
-- of the key.
CREATE TABLE api_log (
    id          BIGINT NOT NULL GENERATED ALWAYS AS IDENTITY,
    shard       BIGINT NOT NULL GENERATED ALWAYS AS (id % 16) STORED,
    received_at TIMESTAMPTZ NOT NULL,
    came_from   TEXT   NOT NULL,
    fleet_id    BIGINT NOT NULL,
    customer_id BIGINT NOT NULL,
    phone       TEXT   NOT NULL,
    operation   TEXT   NOT NULL,
    result      TEXT   NOT NULL,
    error       TEXT   NOT NULL,
    detail      TEXT   NOT NULL,
    ended_at    TIMESTAMPTZ,
    PRIMARY KEY (shard, id)
);

-- The open entries, few among millions, as Repair asks for them.
CREATE INDEX api_log_open ON api_log (received_at, id) WHERE result = '';
