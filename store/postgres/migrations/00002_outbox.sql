-- +goose Up

-- The mark of the save that wrote the event; there is none on events that were
-- written before there were marks.
ALTER TABLE sluice_events ADD COLUMN mark uuid;

-- What is to be announced, ordered by what is committed first and then by number.
--
-- ordinal is the id of the transaction that saved, or that of an earlier save of
-- the same session if it is higher: so no ordinal is below the id of its own
-- transaction, and those of a session never go back. Once all transactions below
-- an id have ended, no entry below it can still appear.
CREATE TABLE sluice_outbox (
    ordinal    xid8             NOT NULL,
    number     bigint           NOT NULL GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    session_id text COLLATE "C" NOT NULL,
    version    bigint           NOT NULL,
    name       text COLLATE "C" NOT NULL,
    group_type text COLLATE "C",          -- NULL for the session itself
    status     text COLLATE "C" NOT NULL,
    at         text COLLATE "C" NOT NULL, -- RFC 3339, with its nanoseconds
    held_until bigint                     -- Unix microseconds; NULL if nobody ever held it
);
CREATE INDEX sluice_outbox_order ON sluice_outbox (ordinal, number);

-- The ordinal of the session's last save; NULL if that was before there was an
-- outbox.
ALTER TABLE sluice_sessions ADD COLUMN ordinal xid8;
