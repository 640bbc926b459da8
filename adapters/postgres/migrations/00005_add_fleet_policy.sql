-- Fleets may require the customer's PIN with every call.

-- +goose Up
ALTER TABLE fleets ADD COLUMN require_pin BOOLEAN NOT NULL DEFAULT false;
