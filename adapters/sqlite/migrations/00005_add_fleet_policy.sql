-- Fleets may require the customer's PIN with every call.

-- +goose Up
ALTER TABLE fleets ADD COLUMN require_pin INTEGER NOT NULL DEFAULT 0 CHECK (require_pin IN (0, 1));
