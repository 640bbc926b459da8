-- The country in which a fleet's phone numbers are that have a 0 for calls within it; 0: none.

-- +goose Up
ALTER TABLE fleets ADD COLUMN country INTEGER NOT NULL DEFAULT 0;
