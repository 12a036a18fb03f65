-- +goose Up

-- The mark of the save that wrote the event; there is none on events that were
-- written before there were marks.
ALTER TABLE sluice_events ADD COLUMN mark BLOB;

-- What is to be announced, oldest first. No position is given twice, not even
-- after its entry was removed: that is what AUTOINCREMENT is for.
CREATE TABLE sluice_outbox (
    position   INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    session_id TEXT    NOT NULL,
    version    INTEGER NOT NULL,
    name       TEXT    NOT NULL,
    group_type TEXT,             -- NULL for the session itself
    status     TEXT    NOT NULL,
    at         TEXT    NOT NULL, -- RFC 3339, with its nanoseconds
    held_until INTEGER           -- Unix microseconds; NULL if nobody ever held it
) STRICT;
